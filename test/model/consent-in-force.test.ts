import { describe, expect, test } from 'vitest';
import {
  type ConsentRules,
  collectOf,
  consentCookieValue,
  consentOf,
  consentOfNobody,
  PLAIN_CONSENT,
  preferencesOf,
} from '../../src/model/consent-in-force.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { type Tcf, vendorBits } from '../../src/model/tcf.ts';

const rules = (fields: Partial<ConsentRules> = {}): ConsentRules => ({ default: 'in', tcfVendor: 565, ...fields });
const tcf = (fields: Partial<Tcf> = {}): Tcf => ({
  version: '2.0',
  hash: 'h',
  gdprApplies: true,
  gdprContainsPersonalData: false,
  purposes: [1, 10],
  vendors: vendorBits([565]),
  lastUpdatedMs: 0,
  ...fields,
});

describe('what Adobe choices mean for collection', () => {
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
  ])('collect.val %s is %s (documented values)', (val, collect) => {
    expect(collectOf({ collect: { val } }, rules())).toBe(collect);
    expect(collectOf({ collect: { val } }, rules({ default: 'out' }))).toBe(collect);
  });

  test.each<[string, JsonObject | null]>([
    ['nobody asked', null],
    ['nothing said', {}],
    ['other preferences only', { share: { val: 'n' } }],
    ['collect without val', { collect: {} }],
  ])('the default holds where %s', (_what, value) => {
    for (const unset of ['in', 'out', 'pending'] as const)
      expect(collectOf(value, rules({ default: unset }))).toBe(unset);
  });

  test('the cookie says it as the Web SDK reads it (documented)', () => {
    expect((['in', 'out', 'pending'] as const).map(consentCookieValue)).toEqual([
      'general=in',
      'general=out',
      'general=pending',
    ]);
  });
});

describe('what TCF means for collection', () => {
  test.each<[string, Tcf, number | null, 'in' | 'out']>([
    ['documented: purposes 1 and 10, and the vendor', tcf(), 565, 'in'],
    ['documented: without purpose 1', tcf({ purposes: [2, 10] }), 565, 'out'],
    ['documented: without purpose 10', tcf({ purposes: [1, 2] }), 565, 'out'],
    ['documented: without the vendor', tcf({ vendors: vendorBits([564, 566]) }), 565, 'out'],
    ['documented: the GDPR does not apply', tcf({ purposes: [], vendors: '', gdprApplies: false }), 565, 'in'],
    ['chosen: another vendor collects', tcf({ vendors: vendorBits([755]) }), 755, 'in'],
    ['chosen: no vendor is named', tcf({ vendors: '' }), null, 'in'],
  ])('%s', (_what, choice, tcfVendor, collect) => {
    expect(collectOf({ tcf: choice }, rules({ tcfVendor, default: 'pending' }))).toBe(collect);
  });

  test.each([
    ['y', tcf(), 'in'],
    ['n', tcf(), 'out'],
    ['p', tcf(), 'pending'],
    ['y', tcf({ purposes: [] }), 'out'],
    ['p', tcf({ purposes: [] }), 'out'],
  ] as const)('chosen: of Adobe %s and TCF the stricter one holds (%#)', (val, choice, collect) => {
    expect(collectOf({ collect: { val }, tcf: choice }, rules())).toBe(collect);
  });
});

describe('consent in force', () => {
  test('of nobody in particular costs no object', () => {
    expect(consentOfNobody(rules(), false)).toBe(PLAIN_CONSENT);
    expect(consentOfNobody(rules({ default: 'out' }), true)).toBe(consentOfNobody(rules({ default: 'out' }), true));
    expect(consentOfNobody(rules({ default: 'pending' }), true)).toEqual({
      recordId: null,
      collect: 'pending',
      gpc: true,
      default: 'pending',
      value: null,
    });
  });

  test('of a person holds the record and every value, with its standard and version', () => {
    const value = { version: '2.0', collect: { val: 'y' }, share: { val: 'n' }, tcf: tcf() };
    expect(consentOf({ record: '0:7', time: 't', value }, rules(), true)).toEqual({
      recordId: '0:7',
      collect: 'in',
      gpc: true,
      default: 'in',
      value,
    });
  });
});

test.each<[string, JsonObject, JsonObject]>([
  ['Adobe alone: as sent', { version: '2.0', share: { val: 'n' } }, { share: { val: 'n' } }],
  ['TCF alone: what it means for collection', { tcf: tcf() }, { collect: { val: 'y' } }],
  ['TCF against it', { version: '1.0', collect: { val: 'y' }, tcf: tcf({ purposes: [] }) }, { collect: { val: 'n' } }],
  ['both, waiting', { collect: { val: 'u' }, tcf: tcf() }, { collect: { val: 'p' } }],
])('the preferences that are shown. %s', (_what, value, shown) => {
  expect(preferencesOf(value, rules())).toEqual(shown);
});
