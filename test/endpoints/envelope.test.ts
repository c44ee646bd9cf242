import { describe, expect, test } from 'vitest';
import { checkIdentityMap, IDENTITIES_MAX } from '../../src/endpoints/envelope.ts';
import { interact } from '../../src/endpoints/interact.ts';
import type { Json } from '../../src/model/json.ts';
import { problemOf } from '../support/problems.ts';

describe('identity maps', () => {
  test.each<[string, Json | undefined]>([
    ['none', undefined],
    ['null', null],
    ['empty', {}],
    ['a namespace without ids', { ECID: [] }],
    ['an id', { Email: [{ id: 'a@shop.test' }] }],
    ['everything', { CRM: [{ id: '1', authenticatedState: 'loggedOut', primary: false }] }],
    [
      'primary as text, as documented samples send it',
      {
        CRM: [
          { id: '1', primary: 'true' },
          { id: '2', primary: 'false' },
        ],
      },
    ],
    ['null is absent', { CRM: [{ id: '1', authenticatedState: null, primary: null }] }],
  ])('%s is taken', (_what, map) => {
    checkIdentityMap(map, 'xdm.identityMap');
  });

  test.each<[Json, string, readonly string[]]>([
    ['x', 'EXEG-0102-400', ["'xdm.identityMap'"]],
    [[], 'EXEG-0102-400', ["'xdm.identityMap'", 'an array']],
    [{ CRM: { id: '1' } }, 'EXEG-0102-400', ["'xdm.identityMap.CRM'", 'an object']],
    [{ CRM: null }, 'EXEG-0102-400', ["'xdm.identityMap.CRM'", 'null']],
    [{ CRM: [{ id: '1' }, 'x'] }, 'EXEG-0102-400', ["'xdm.identityMap.CRM[1]'", '"x"']],
    [{ CRM: [{}] }, 'EXEG-0103-400', ["'xdm.identityMap.CRM[0].id'"]],
    [{ CRM: [{ id: null }] }, 'EXEG-0103-400', ["'xdm.identityMap.CRM[0].id'"]],
    [{ CRM: [{ id: 7 }] }, 'EXEG-0102-400', ["'xdm.identityMap.CRM[0].id'", 'the number 7']],
    [
      { CRM: [{ id: '1', authenticatedState: 'maybe' }] },
      'EXEG-0102-400',
      ["'xdm.identityMap.CRM[0].authenticatedState'", '"maybe"', 'loggedOut'],
    ],
    [{ CRM: [{ id: '1', authenticatedState: 1 }] }, 'EXEG-0102-400', ['authenticatedState']],
    [{ CRM: [{ id: '1', primary: 'yes' }] }, 'EXEG-0102-400', ["'xdm.identityMap.CRM[0].primary'", '"yes"']],
    [{ CRM: [{ id: '1', primary: 1 }] }, 'EXEG-0102-400', ["'xdm.identityMap.CRM[0].primary'"]],
  ])('%j is %s', (map, code, words) => {
    const { spec, detail } = problemOf(() => checkIdentityMap(map, 'xdm.identityMap'));
    expect(spec.code).toBe(code);
    for (const word of words) expect(detail).toContain(word);
  });

  test(`${IDENTITIES_MAX} identities are taken, one more is not, counted over all namespaces`, () => {
    const map = (count: number) => ({
      A: [{ id: 'a' }],
      B: Array.from({ length: count - 1 }, (_, i) => ({ id: String(i) })),
    });
    checkIdentityMap(map(IDENTITIES_MAX), 'p');
    const { spec, detail } = problemOf(() => checkIdentityMap(map(IDENTITIES_MAX + 1), 'p'));
    expect(spec.code).toBe('EXEG-0102-400');
    expect(detail).toContain(String(IDENTITIES_MAX + 1));
  });
});

describe('hostile shapes', () => {
  test('a value that is quoted in a detail is cut', () => {
    const { detail } = problemOf(() => interact.parse('/v2/interact', { event: 'x'.repeat(10_000) }));
    expect(detail.length).toBeLessThan(250);
  });

  test.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'what an object inherits (%s) is no field of the body',
    (name) => {
      expect(problemOf(() => interact.parse('/v2/interact', { [name]: 1 })).spec.code).toBe('EXEG-0103-400');
      const body = { xdm: { [name]: { a: 1 } }, events: [{ xdm: {} }] };
      expect(interact.parse('/v1/interact', body).events[0]!.xdm).toEqual({ [name]: { a: 1 } });
    },
  );
});
