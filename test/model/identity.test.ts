import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ecidEntry, identitiesOf, isEcid, mintEcid } from '../../src/model/identity.ts';
import { type Json, type JsonObject, parseJson } from '../../src/model/json.ts';

const HEX = '0123456789abcdef';
const seeds = fc.string({ unit: fc.constantFrom(...HEX), minLength: 32, maxLength: 32 });
const LIMIT = 2n ** 63n;

/** The same rule, another way: a version-4 UUID's halves as Java's signed longs, their absolute values. */
function reference(seed: string): string {
  const bytes = Buffer.from(seed, 'hex');
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const half = (at: number): string => {
    const value = bytes.readBigInt64BE(at);
    return String(value < 0n ? -value : value).padStart(19, '0');
  };
  return half(0) + half(8);
}

describe('a minted ECID', () => {
  test('has 38 digits in two halves below 2^63', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const ecid = mintEcid(seed);
        expect(isEcid(ecid)).toBe(true);
        expect(BigInt(ecid.slice(0, 19))).toBeLessThan(LIMIT);
        expect(BigInt(ecid.slice(19))).toBeLessThan(LIMIT);
      }),
    );
  });

  test('is what a version-4 UUID of the same bits gives: version and variant are set', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        fc.pre(!/^.{16}[048c]0{15}$/.test(seed));
        expect(mintEcid(seed)).toBe(reference(seed));
      }),
    );
  });

  test.each([
    [
      'all zero, whose second half has no absolute value in 63 bits',
      '0'.repeat(32),
      '00000000000000163840000000000000000000',
    ],
    ['all one', 'f'.repeat(32), '00000000000000450574611686018427387905'],
  ])('%s', (_what, seed, ecid) => {
    expect(mintEcid(seed)).toBe(ecid);
  });

  test('uses every random bit: no two of 20,000 are equal, and the leading digits spread', () => {
    const ecids = new Set<string>();
    const leading = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const ecid = mintEcid(randomBytes(16).toString('hex'));
      ecids.add(ecid);
      leading.set(ecid.slice(0, 1), (leading.get(ecid.slice(0, 1)) ?? 0) + 1);
    }
    expect(ecids.size).toBe(20_000);
    // The first half is even between 0 and 2^63: 1 in 9.22 starts with each of 0 to 8. Six sigma are 267.
    for (const digit of '012345678') expect(Math.abs(leading.get(digit)! - 20_000 / 9.223)).toBeLessThan(267);
  });

  test('changes with any of the seed’s random digits', () => {
    const seed = '5'.repeat(32);
    for (let i = 0; i < 32; i++) {
      const other = `${seed.slice(0, i)}6${seed.slice(i + 1)}`;
      // Digit 12 is the version's place.
      expect(mintEcid(other) === mintEcid(seed)).toBe(i === 12);
    }
  });
});

test.each<[unknown, boolean]>([
  ['41861666193140161934276845651148876988', true],
  [`${'0'.repeat(37)}1`, true],
  ['0'.repeat(38), false],
  ['1'.repeat(37), false],
  ['1'.repeat(39), false],
  [`${'1'.repeat(37)}a`, false],
  [`${'1'.repeat(38)}\n`, false],
  [` ${'1'.repeat(37)}`, false],
  ['١'.repeat(38), false],
  [41861666193140160000, false],
  [['41861666193140161934276845651148876988'], false],
  [null, false],
  [undefined, false],
])('isEcid(%j) is %s', (value, is) => {
  expect(isEcid(value)).toBe(is);
});

describe('identities of an event', () => {
  const of = (identityMap: Json) => identitiesOf({ identityMap });

  test.each<[string, JsonObject, Json]>([
    ['id alone', { id: 'a' }, { authenticatedState: 'ambiguous', primary: false }],
    [
      'authenticated',
      { id: 'a', authenticatedState: 'authenticated' },
      { authenticatedState: 'authenticated', primary: false },
    ],
    ['loggedOut', { id: 'a', authenticatedState: 'loggedOut' }, { authenticatedState: 'loggedOut', primary: false }],
    ['another state', { id: 'a', authenticatedState: 'x' }, { authenticatedState: 'ambiguous', primary: false }],
    ['a null state', { id: 'a', authenticatedState: null }, { authenticatedState: 'ambiguous', primary: false }],
    ['primary', { id: 'a', primary: true }, { authenticatedState: 'ambiguous', primary: true }],
    [
      'primary as documented samples print it',
      { id: 'a', primary: 'true' },
      { authenticatedState: 'ambiguous', primary: true },
    ],
    ['not primary', { id: 'a', primary: 'false' }, { authenticatedState: 'ambiguous', primary: false }],
    ['primary 1', { id: 'a', primary: 1 }, { authenticatedState: 'ambiguous', primary: false }],
    ['primary TRUE', { id: 'a', primary: 'TRUE' }, { authenticatedState: 'ambiguous', primary: false }],
    ['more fields', { id: 'a', xid: 'x' }, { authenticatedState: 'ambiguous', primary: false }],
  ])('%s', (_what, item, rest) => {
    expect(of({ CRM: [item] })).toEqual([{ namespace: 'CRM', id: 'a', ...(rest as JsonObject) }]);
  });

  test('stand in the order sent, case kept', () => {
    const found = of({ b: [{ id: '2' }, { id: '1' }], A: [{ id: 'X' }], a: [{ id: 'x' }] });
    expect(found.map(({ namespace, id }) => `${namespace}:${id}`)).toEqual(['b:2', 'b:1', 'A:X', 'a:x']);
  });

  test.each<[string, Json]>([
    ['null', null],
    ['a text', 'ECID'],
    ['an array', [{ id: 'a' }]],
    ['no namespaces', {}],
    ['a namespace that is an object', { CRM: { id: 'a' } }],
    ['a namespace that is null', { CRM: null }],
    ['no items', { CRM: [] }],
    ['items that are no objects', { CRM: ['a', 1, null, ['b']] }],
    ['no id', { CRM: [{ primary: true }] }],
    ['an id that is a number', { CRM: [{ id: 1 }] }],
    ['an id that is null', { CRM: [{ id: null }] }],
  ])('none in a hostile map: %s', (_what, map) => {
    expect(of(map)).toEqual([]);
  });

  test('none without a map, and none from a prototype', () => {
    expect(identitiesOf({})).toEqual([]);
    expect(identitiesOf(Object.create({ identityMap: { CRM: [{ id: 'a' }] } }) as JsonObject)).toEqual([]);
    const poisoned = JSON.parse('{"__proto__":{"identityMap":{"CRM":[{"id":"a"}]}}}') as JsonObject;
    expect(identitiesOf(poisoned)).toEqual([]);
  });

  test('namespaces named like members of every object are namespaces', () => {
    const found = of(parseJson('{"constructor":[{"id":"a"}],"toString":[{"id":"b"}],"__proto__":[{"id":"c"}]}'));
    expect(found.map(({ namespace }) => namespace)).toEqual(['constructor', 'toString']);
    expect({}).not.toHaveProperty('id');
  });

  test('any JSON is answered, never thrown', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const map = value as Json;
        for (const { id, namespace } of of(map))
          expect(typeof id === 'string' && typeof namespace === 'string').toBe(true);
        ecidEntry(map);
        ecidEntry({ ECID: map });
      }),
    );
  });
});

test.each<[string, Json | undefined, Json | undefined]>([
  ['absent', undefined, undefined],
  ['null', null, undefined],
  ['no ECID', { CRM: [{ id: 'a' }] }, undefined],
  ['an empty list', { ECID: [] }, undefined],
  ['no list', { ECID: { id: 'a' } }, undefined],
  ['no object in it', { ECID: ['a'] }, undefined],
  ['one', { ECID: [{ id: 'a' }] }, 'a'],
  ['the first of two', { ECID: [{ id: 'a' }, { id: 'b' }] }, 'a'],
  ['not yet checked', { ECID: [{ id: 7 }] }, 7],
  ['another case', { ecid: [{ id: 'a' }] }, undefined],
])('ecidEntry: %s', (_what, map, entry) => {
  expect(ecidEntry(map)).toEqual(entry);
});
