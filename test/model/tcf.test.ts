import { describe, expect, test } from 'vitest';
import { decodablePart, TC_STRING_CHARACTERS_MAX, VENDORS_NAMED_MAX } from '../../src/model/tc-string.ts';
import { allowsMore, hasVendor, type Tcf, VENDOR_ID_MAX, vendorBits } from '../../src/model/tcf.ts';
import { TC_IN, tcString } from '../support/tc-strings.ts';

const tcf = (fields: Partial<Tcf> = {}): Tcf => ({
  version: '2.0',
  hash: '',
  gdprApplies: true,
  gdprContainsPersonalData: false,
  purposes: [],
  vendors: '',
  lastUpdatedMs: 0,
  ...fields,
});

describe('vendors as bits', () => {
  test('the notation', () => {
    expect([[], [1], [4, 5], [8, 2]].map(vendorBits)).toEqual(['', '8', '18', '41']);
  });

  test('every id that went in comes out, and no other', () => {
    const ids = new Set([1, 3, 4, 5, 8, 565, 566, VENDOR_ID_MAX]);
    const choice = tcf({ vendors: vendorBits(ids) });
    for (let id = 0; id <= VENDOR_ID_MAX + 8; id++) expect(hasVendor(choice, id)).toBe(ids.has(id));
  });

  test('ids beyond the limit are not consented to', () => {
    expect(vendorBits([VENDOR_ID_MAX + 1, 0, -1])).toBe('');
  });
});

test.each<[string, Partial<Tcf>, Partial<Tcf>, boolean]>([
  ['the same', { purposes: [1] }, { purposes: [1] }, false],
  ['fewer purposes', { purposes: [1] }, { purposes: [1, 2] }, false],
  ['another purpose', { purposes: [1, 3] }, { purposes: [1, 2] }, true],
  ['fewer vendors', { vendors: '8' }, { vendors: '81' }, false],
  ['another vendor', { vendors: '808' }, { vendors: '81' }, true],
  ['the GDPR no longer applies', { gdprApplies: false }, {}, true],
  ['the GDPR applies now', { purposes: [1] }, { gdprApplies: false }, false],
])('what allows more than before: %s', (_what, now, before, more) => {
  expect(allowsMore(tcf(now), tcf(before))).toBe(more);
});

describe('what of a string is decoded', () => {
  const range = (last: number) => tcString({ purposes: [1], vendorRanges: [[1, last]] });
  test.each([
    ['a bit for each vendor', TC_IN],
    ['further segments', `${TC_IN}.IAAA.YAAA`],
    ['restrictions, however many', tcString({ restrictions: [[1, 0, new Array(9).fill([1, 65_535])]] })],
    ['ranges up to the limit', range(VENDORS_NAMED_MAX)],
    ['as long as may be', TC_IN.padEnd(TC_STRING_CHARACTERS_MAX, 'A')],
  ])('%s', (_what, text) => {
    expect(decodablePart(text)).toMatchObject({ text: expect.stringMatching(/^C[A-Za-z0-9_-]+$/) });
  });

  test.each([
    ['ranges over the limit', range(VENDORS_NAMED_MAX + 1), 'name 2001 vendors'],
    ['many ranges', tcString({ vendorRanges: new Array(100).fill([1, 65_535]) }), 'name 6553500 vendors'],
    ['too long', TC_IN.padEnd(TC_STRING_CHARACTERS_MAX + 1, 'A'), '8193 characters'],
    ['format 1', tcString({ version: 1 }), 'format 2'],
    ['nothing', '', 'format 2'],
    ['cut off in the header', TC_IN.slice(0, 20), 'cut off'],
    ['cut off in the vendors', TC_IN.slice(0, 60), 'cut off'],
    ['other characters', `${TC_IN.slice(0, 10)}+${TC_IN.slice(11)}`, 'base64url'],
  ])('not: %s', (_what, text, why) => {
    expect(decodablePart(text)).toEqual({ why: expect.stringContaining(why) });
  });
});
