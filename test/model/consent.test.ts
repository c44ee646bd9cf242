import { describe, expect, test } from 'vitest';
import {
  CONSENT_DEPTH_MAX,
  CONSENT_ENTRIES_MAX,
  CONSENT_VALUE_CHARACTERS_MAX,
  collectOf,
  consentCookieValue,
  operationOf,
  parseConsent,
  REASON_CHARACTERS_MAX,
} from '../../src/model/consent.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { Problem } from '../../src/model/problem.ts';

const adobe1 = (value: Json): JsonObject => ({ standard: 'Adobe', version: '1.0', value });
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
    expect(parseConsent([adobe1({ general })], 'replace')).toEqual({ value: { collect: { val } } });
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
    expect(parseConsent([adobe2(value)], 'replace')).toEqual({ value });
  });

  test('an update may leave out what it does not change, and may change nothing', () => {
    expect(parseConsent([adobe2({ share: { val: 'y' } })], 'update').value).toEqual({ share: { val: 'y' } });
    expect(parseConsent([adobe2({})], 'update').value).toEqual({});
  });

  test('both standards in one call: the later entry holds where they overlap', () => {
    const both = [adobe1({ general: 'out' }), adobe2({ collect: { val: 'y' }, share: { val: 'n' } })];
    expect(parseConsent(both, 'replace').value).toEqual({ collect: { val: 'y' }, share: { val: 'n' } });
    expect(parseConsent(both.toReversed(), 'replace').value).toEqual({ collect: { val: 'n' }, share: { val: 'n' } });
  });

  test('as many entries as allowed', () => {
    const list = new Array(CONSENT_ENTRIES_MAX).fill(adobe1({ general: 'in' }));
    expect(parseConsent(list, 'replace').value).toEqual({ collect: { val: 'y' } });
  });

  test.each(['y', 'n', 'p', 'u', 'li', 'ct', 'cp', 'vi', 'pi', 'dy', 'dn', 'LI', 'CT', 'CP', 'VI', 'PI'])(
    'val %s',
    (val) => {
      expect(parseConsent([adobe2({ collect: { val } })], 'replace').value).toEqual({ collect: { val } });
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
    ['another standard', [{ standard: 'GPP' }], '0102-400', '\'consent[0].standard\' is "GPP"; it takes "Adobe"'],
    ['TCF', [{ standard: 'IAB TCF', version: '2.0', value: 'CO' }], '0102-400', 'does not take yet'],
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
    const entries: JsonObject[] = [{ standard: 'IAB TCF' }, { standard: 'x' }, { standard: 'Adobe', version: '9' }];
    for (const entry of entries) {
      expect(problemOf(() => parseConsent([entry], 'update')).detail).toContain('standard "Adobe" in the versions');
    }
  });

  test('limits, at their edge', () => {
    const reason = 'x'.repeat(REASON_CHARACTERS_MAX);
    expect(() => parseConsent([adobe2({ collect: { val: 'n', reason } })], 'replace')).not.toThrow();
    expect(() => parseConsent([adobe2({ idSpecific: nested(CONSENT_DEPTH_MAX - 1) })], 'replace')).not.toThrow();
    const around = JSON.stringify({ metadata: { time: '' } }).length;
    const sized = (characters: number): JsonObject => adobe2({ metadata: { time: 'x'.repeat(characters - around) } });
    expect(() => parseConsent([sized(CONSENT_VALUE_CHARACTERS_MAX)], 'replace')).not.toThrow();
    expect(problemOf(() => parseConsent([sized(CONSENT_VALUE_CHARACTERS_MAX + 1)], 'replace')).detail).toContain(
      '8193',
    );
  });

  test('a long wrong value is quoted in part', () => {
    expect(problemOf(() => parseConsent([{ standard: 'z'.repeat(5000) }], 'replace')).detail.length).toBeLessThan(300);
    const longKey = adobe2({ marketing: { ['z'.repeat(5000)]: { val: 1 } } });
    expect(problemOf(() => parseConsent([longKey], 'replace')).detail.length).toBeLessThan(350);
  });
});

describe('what it means for collection', () => {
  test.each([
    ['y', 'in'],
    ['dy', 'in'],
    ['ct', 'in'],
    ['cp', 'in'],
    ['vi', 'in'],
    ['pi', 'in'],
    ['li', 'in'],
    ['LI', 'in'],
    ['n', 'out'],
    ['dn', 'out'],
    ['N', 'out'],
    ['p', 'pending'],
    ['u', 'pending'],
    ['constructor', 'pending'],
    ['of a later version', 'pending'],
  ])('collect.val %s is %s', (val, collect) => {
    expect(collectOf({ collect: { val } }, 'in')).toBe(collect);
    expect(collectOf({ collect: { val } }, 'out')).toBe(collect);
  });

  test.each<[string, JsonObject | null]>([
    ['nobody asked', null],
    ['nothing said', {}],
    ['other preferences only', { share: { val: 'n' } }],
    ['collect without val', { collect: {} }],
  ])('the default holds where %s', (_what, value) => {
    for (const whenUnset of ['in', 'out', 'pending'] as const) expect(collectOf(value, whenUnset)).toBe(whenUnset);
  });

  test('the cookie says it as the Web SDK reads it', () => {
    expect(['in', 'out', 'pending'].map((collect) => consentCookieValue(collect as 'in'))).toEqual([
      'general=in',
      'general=out',
      'general=pending',
    ]);
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
