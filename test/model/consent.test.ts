import { describe, expect, test } from 'vitest';
import {
  CONSENT_DEPTH_MAX,
  CONSENT_ENTRIES_MAX,
  CONSENT_VALUE_CHARACTERS_MAX,
  checkSize,
  operationOf,
  parseConsent,
  REASON_CHARACTERS_MAX,
} from '../../src/model/consent.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { Problem } from '../../src/model/problem.ts';

const adobe1 = (value: Json): JsonObject => ({ standard: 'Adobe', version: '1.0', value });
const tcf = (fields: JsonObject): JsonObject => ({ standard: 'IAB TCF', version: '2.0', value: 'C', ...fields });
const adobe2 = (value: Json): JsonObject => ({ standard: 'Adobe', version: '2.0', value });

function problemOf(action: () => unknown): { code: string; detail: string; report: JsonObject } {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) return { code: error.spec.code, detail: error.detail, report: error.report };
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

describe('what is taken', () => {
  test.each([
    ['in', 'y'],
    ['out', 'n'],
    ['pending', 'p'],
    ['not_provided', 'u'],
  ])('Adobe 1.0 general %s is collect %s', (general, val) => {
    expect(parseConsent([adobe1({ general })], 'replace')).toEqual({
      value: { collect: { val }, version: '1.0' },
      tcf: null,
    });
  });

  test('Adobe 2.0 is kept as sent, the finer choices too', () => {
    const value = {
      collect: { val: 'y' },
      share: { val: 'n' },
      adID: { val: 'y', idType: 'IDFA' },
      personalize: { content: { val: 'LI' } },
      marketing: { preferred: 'email', any: { val: 'u' }, email: { val: 'n', reason: 'too many', time: '2026-01-01' } },
      idSpecific: { Email: { 'a@shop.test': { marketing: { email: { val: 'y' } } } } },
      metadata: { time: '2026-11-23T09:30:00Z' },
    };
    expect(parseConsent([adobe2(value)], 'replace')).toEqual({ value: { ...value, version: '2.0' }, tcf: null });
  });

  test('an update may leave out what it does not change, and may change nothing', () => {
    expect(parseConsent([adobe2({ share: { val: 'y' } })], 'update').value).toEqual({
      share: { val: 'y' },
      version: '2.0',
    });
    expect(parseConsent([adobe2({})], 'update').value).toEqual({ version: '2.0' });
  });

  test('both standards in one call: the later entry holds where they overlap', () => {
    const both = [adobe1({ general: 'out' }), adobe2({ collect: { val: 'y' }, share: { val: 'n' } })];
    expect(parseConsent(both, 'replace').value).toEqual({
      collect: { val: 'y' },
      share: { val: 'n' },
      version: '2.0',
    });
    expect(parseConsent(both.toReversed(), 'replace').value).toEqual({
      collect: { val: 'n' },
      share: { val: 'n' },
      version: '1.0',
    });
  });

  test('TCF is read later; the GDPR applies and the data is not personal unless said otherwise (documented)', () => {
    const entry = { path: 'consent[0].value', version: '2.0', tcString: 'C' };
    expect(parseConsent([tcf({})], 'replace')).toEqual({
      value: {},
      tcf: { ...entry, gdprApplies: true, gdprContainsPersonalData: false },
    });
    expect(parseConsent([tcf({ gdprApplies: false, gdprContainsPersonalData: true })], 'replace').tcf).toEqual({
      ...entry,
      gdprApplies: false,
      gdprContainsPersonalData: true,
    });
  });

  test('both standards in one call; of two TC strings the later one holds', () => {
    const { value, tcf: last } = parseConsent([tcf({}), adobe1({ general: 'in' }), tcf({ value: 'CD' })], 'replace');
    expect(value).toEqual({ collect: { val: 'y' }, version: '1.0' });
    expect(last).toMatchObject({ path: 'consent[2].value', tcString: 'CD' });
  });

  test('as many entries as allowed', () => {
    const list = new Array(CONSENT_ENTRIES_MAX).fill(adobe1({ general: 'in' }));
    expect(parseConsent(list, 'replace').value).toEqual({ collect: { val: 'y' }, version: '1.0' });
  });

  test.each(['y', 'n', 'p', 'u', 'li', 'ct', 'cp', 'vi', 'pi', 'dy', 'dn', 'LI', 'CT', 'CP', 'VI', 'PI'])(
    'val %s',
    (val) => {
      expect(parseConsent([adobe2({ collect: { val } })], 'replace').value).toEqual({
        collect: { val },
        version: '2.0',
      });
    },
  );
});

describe('what is refused, with the field that is wrong', () => {
  const tooLong = 'x'.repeat(REASON_CHARACTERS_MAX + 1);
  const nested = (depth: number): JsonObject => (depth === 0 ? { val: 'y' } : { a: nested(depth - 1) });
  test.each<[string, Json[], string, string]>([
    ['no entries', [], '0103-400', "'consent' is an empty array"],
    ['too many', new Array(CONSENT_ENTRIES_MAX + 1).fill(adobe1({ general: 'in' })), '0102-400', '11 entries'],
    ['no standard', [{ version: '1.0', value: {} }], '0103-400', "'consent[0].standard' is missing"],
    ['an empty standard', [{ standard: '', version: '1.0' }], '0104-422', "'consent[0].standard' is an empty text"],
    ['a standard that is no text', [{ standard: 1 }], '0102-400', "'consent[0].standard' is 1"],
    [
      'another standard',
      [{ standard: 'GPP' }],
      '0102-400',
      '\'consent[0].standard\' is "GPP"; it takes "Adobe" or "IAB TCF"',
    ],
    ['TCF 1', [{ standard: 'IAB TCF', version: '1.1', value: 'B' }], '0102-400', 'it takes one of 2.0, 2.1, 2.2, 2.3'],
    ['TCF without a string', [{ standard: 'IAB TCF', version: '2.0' }], '0103-400', "'consent[0].value' is missing"],
    ['an empty TC string', [tcf({ value: '' })], '0104-422', "'consent[0].value' is an empty text"],
    ['TCF that is an object', [tcf({ value: {} })], '0102-400', "'consent[0].value' is {}; it takes a text"],
    ['gdprApplies as a text', [tcf({ gdprApplies: 'yes' })], '0102-400', '\'consent[0].gdprApplies\' is "yes"'],
    [
      'gdprContainsPersonalData as a number',
      [tcf({ gdprContainsPersonalData: 1 })],
      '0102-400',
      "'consent[0].gdprContainsPersonalData' is 1",
    ],
    ['the second entry', [adobe1({ general: 'in' }), { standard: 'x' }], '0102-400', "'consent[1].standard'"],
    ['no version', [{ standard: 'Adobe', value: {} }], '0103-400', "'consent[0].version' is missing"],
    ['another version', [{ standard: 'Adobe', version: '3.0', value: {} }], '0102-400', '"1.0" or "2.0"'],
    [
      'a version that is no text',
      [{ standard: 'Adobe', version: 2, value: {} }],
      '0102-400',
      "'consent[0].version' is 2",
    ],
    ['no value', [{ standard: 'Adobe', version: '1.0' }], '0103-400', "'consent[0].value' is missing"],
    ['a null value', [adobe2(null)], '0103-400', "'consent[0].value' is missing"],
    ['an empty value', [adobe2('')], '0104-422', "'consent[0].value' is an empty text"],
    ['a value that is a text', [adobe2('y')], '0102-400', '\'consent[0].value\' is "y"; it takes an object'],
    ['a value that is an array', [adobe2([])], '0102-400', "'consent[0].value' is []"],
    ['1.0 without general', [adobe1({})], '0103-400', "'consent[0].value.general' is missing"],
    ['an empty general', [adobe1({ general: '' })], '0104-422', "'consent[0].value.general' is an empty text"],
    ['another general', [adobe1({ general: 'yes' })], '0102-400', 'one of in, out, pending, not_provided'],
    ['a general of every object', [adobe1({ general: 'constructor' })], '0102-400', '"constructor"'],
    ['nothing, to replace everything', [adobe2({})], '0103-400', "'consent[0].value' is empty"],
    ['a preference that is not known', [adobe2({ colect: { val: 'y' } })], '0102-400', '"colect"'],
    ['a preference that is a text', [adobe2({ collect: 'y' })], '0102-400', '\'consent[0].value.collect\' is "y"'],
    ['collect without val', [adobe2({ collect: {} })], '0103-400', "'consent[0].value.collect.val' is missing"],
    ['adID without val', [adobe2({ adID: { idType: 'GAID' } })], '0103-400', "'consent[0].value.adID.val'"],
    ['an empty val', [adobe2({ share: { val: '' } })], '0104-422', "'consent[0].value.share.val' is an empty text"],
    ['another val', [adobe2({ collect: { val: 'in' } })], '0102-400', 'one of y, dy, ct'],
    [
      'a val that is no text',
      [adobe2({ collect: { val: true } })],
      '0102-400',
      "'consent[0].value.collect.val' is true",
    ],
    [
      'a deep val',
      [adobe2({ marketing: { email: { val: 'q' } } })],
      '0102-400',
      "'consent[0].value.marketing.email.val'",
    ],
    [
      'a long reason',
      [adobe2({ marketing: { any: { val: 'n', reason: tooLong } } })],
      '0102-400',
      'at most 16 characters',
    ],
    ['a reason that is no text', [adobe2({ collect: { val: 'n', reason: 1 } })], '0102-400', 'collect.reason'],
    ['too deep', [adobe2({ idSpecific: nested(CONSENT_DEPTH_MAX) })], '0102-400', 'nested too deeply'],
  ])('%s', (_what, list, code, said) => {
    const { code: got, detail, report } = problemOf(() => parseConsent(list as JsonObject[], 'replace'));
    expect(got).toBe(`EXEG-${code}`);
    expect(detail).toContain(said);
    if (code === '0104-422') expect(report).toEqual({ errors: [expect.stringContaining(said)] });
  });

  test('the remedy names what is supported', () => {
    const entries: JsonObject[] = [
      { standard: 'IAB TCF', version: '1.1' },
      { standard: 'x' },
      { standard: 'Adobe', version: '9' },
    ];
    for (const entry of entries) {
      expect(problemOf(() => parseConsent([entry], 'update')).detail).toContain('"IAB TCF" from "2.0" on');
    }
  });

  test('limits, at their edge', () => {
    const reason = 'x'.repeat(REASON_CHARACTERS_MAX);
    expect(() => parseConsent([adobe2({ collect: { val: 'n', reason } })], 'replace')).not.toThrow();
    expect(() => parseConsent([adobe2({ idSpecific: nested(CONSENT_DEPTH_MAX - 1) })], 'replace')).not.toThrow();
    const around = JSON.stringify({ metadata: { time: '' } }).length;
    const sized = (characters: number): JsonObject => ({ metadata: { time: 'x'.repeat(characters - around) } });
    expect(() => checkSize(sized(CONSENT_VALUE_CHARACTERS_MAX))).not.toThrow();
    expect(problemOf(() => checkSize(sized(CONSENT_VALUE_CHARACTERS_MAX + 1))).detail).toContain('8193');
  });

  test('a long wrong value is quoted in part', () => {
    expect(problemOf(() => parseConsent([{ standard: 'z'.repeat(5000) }], 'replace')).detail.length).toBeLessThan(300);
    const longKey = adobe2({ marketing: { ['z'.repeat(5000)]: { val: 1 } } });
    expect(problemOf(() => parseConsent([longKey], 'replace')).detail.length).toBeLessThan(350);
  });
});

describe('the operation', () => {
  test.each<[string, JsonObject, string]>([
    ['absent', {}, 'replace'],
    ['with another query', { identity: { fetch: ['ECID'] } }, 'replace'],
    ['null', { consent: null }, 'replace'],
    ['empty', { consent: {} }, 'replace'],
    ['replace', { consent: { operation: 'replace' } }, 'replace'],
    ['update', { consent: { operation: 'update' } }, 'update'],
  ])('%s', (_what, query, operation) => {
    expect(operationOf(query)).toBe(operation);
  });

  test.each<[string, Json, string]>([
    ['another word', { operation: 'merge' }, '\'query.consent.operation\' is "merge"'],
    ['an empty text', { operation: '' }, '\'query.consent.operation\' is ""'],
    ['a number', { operation: 1 }, "'query.consent.operation' is 1"],
    ['a text for the whole', 'update', '\'query.consent\' is "update"'],
  ])('%s is refused', (_what, consent, said) => {
    const { code, detail } = problemOf(() => operationOf({ consent }));
    expect(code).toBe('EXEG-0102-400');
    expect(detail).toContain(said);
  });
});
