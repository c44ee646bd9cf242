import { describe, expect, test } from 'vitest';
import { setConsent } from '../../src/endpoints/set-consent.ts';
import type { Json } from '../../src/model/json.ts';
import { exchangeOf } from '../support/exchanges.ts';
import { problemOf } from '../support/problems.ts';

const parse = (body: Json) => setConsent.parse('/v1/privacy/set-consent', body);
const entry = { standard: 'Adobe', version: '2.0', value: { collect: { val: 'y' } } };

test('one path, ECIDs are minted, success is 200', () => {
  expect(setConsent.paths).toEqual(['/v1/privacy/set-consent']);
  expect(setConsent.mintsEcid).toBe(true);
  expect(setConsent.success(exchangeOf())).toBe(200);
});

test('no events; the identity map stands at the top', () => {
  const body = {
    consent: [entry],
    identityMap: { ECID: [{ id: 'e' }] },
    query: { consent: { operation: 'update' } },
    meta: { state: {} },
  };
  expect(parse(body)).toEqual({ events: [], ...body });
  expect(parse({ consent: [entry], identityMap: {} }).identityMap).toEqual({});
  expect(parse({ consent: [entry] })).toMatchObject({ identityMap: null, query: {}, meta: {} });
  // The gateway refuses it; what was stored before it did is still read.
  expect(parse({ consent: [entry], xdm: { identityMap: { ECID: [{ id: 'e' }] } } }).identityMap).toBeNull();
});

describe('what is refused', () => {
  test.each<[Json, string, string]>([
    ['x', 'EXEG-0102-400', '/v1/privacy/set-consent'],
    [{}, 'EXEG-0103-400', "'consent'"],
    [{ consent: null }, 'EXEG-0103-400', "'consent'"],
    [{ consent: entry }, 'EXEG-0102-400', "'consent'"],
    [{ consent: [entry, 'y'] }, 'EXEG-0102-400', "'consent[1]'"],
    [{ consent: [entry], identityMap: [] }, 'EXEG-0102-400', "'identityMap'"],
    [{ consent: [entry], identityMap: { ECID: [{}] } }, 'EXEG-0103-400', "'identityMap.ECID[0].id'"],
    [{ consent: [entry], query: 1 }, 'EXEG-0102-400', "'query'"],
    [{ consent: [entry], meta: 1 }, 'EXEG-0102-400', "'meta'"],
  ])('%j is %s', (body, code, word) => {
    const { spec, detail } = problemOf(() => parse(body));
    expect(spec.code).toBe(code);
    expect(detail).toContain(word);
  });
});
