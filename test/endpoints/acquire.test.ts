import { describe, expect, test } from 'vitest';
import { acquire } from '../../src/endpoints/acquire.ts';
import type { Json } from '../../src/model/json.ts';
import { exchangeOf } from '../support/exchanges.ts';
import { problemOf } from '../support/problems.ts';

const parse = (body: Json) => acquire.parse('/v1/identity/acquire', body);

test('one path, ECIDs are minted, success is 200', () => {
  expect(acquire.paths).toEqual(['/v1/identity/acquire']);
  expect(acquire.mintsEcid).toBe(true);
  expect(acquire.success(exchangeOf())).toBe(200);
});

test('no events; the identity map stands in xdm', () => {
  const query = { identity: { fetch: ['ECID'] } };
  expect(parse({ query })).toEqual({ events: [], identityMap: null, consent: null, query, meta: {} });
  expect(parse({ query, xdm: { identityMap: { ECID: [{ id: 'e' }] } } }).identityMap).toEqual({ ECID: [{ id: 'e' }] });
  expect(parse({ xdm: {} }).identityMap).toBeNull();
});

describe('what is refused', () => {
  test.each<[Json, string, string]>([
    [[], 'EXEG-0102-400', '/v1/identity/acquire'],
    [{ xdm: 1 }, 'EXEG-0102-400', "'xdm'"],
    [{ xdm: { identityMap: 1 } }, 'EXEG-0102-400', "'xdm.identityMap'"],
    [{ xdm: { identityMap: { ECID: [{ id: 1 }] } } }, 'EXEG-0102-400', "'xdm.identityMap.ECID[0].id'"],
    [{ query: [] }, 'EXEG-0102-400', "'query'"],
  ])('%j is %s', (body, code, word) => {
    const { spec, detail } = problemOf(() => parse(body));
    expect(spec.code).toBe(code);
    expect(detail).toContain(word);
  });
});
