import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalJson,
  isObject,
  type Json,
  type JsonObject,
  mergeJson,
  own,
  parseJson,
  QUOTED_CHARACTERS_MAX,
  quoted,
  valueAt,
} from '../../src/model/json.ts';

/** JSON values as parseJson makes them: no -0, no own __proto__. */
const json = fc.jsonValue({ maxDepth: 4 }).map((value) => parseJson(JSON.stringify(value)));
const objects = fc
  .dictionary(fc.string(), fc.jsonValue())
  .map((value) => parseJson(JSON.stringify(value)) as JsonObject);

function hasOwnProto(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return (!Array.isArray(value) && Object.hasOwn(value, '__proto__')) || Object.values(value).some(hasOwnProto);
}

/** `__proto__` with each character escaped or not, by the bits of a number; both cases of the hex digits. */
function spelled(bits: number): string {
  return [...'__proto__']
    .map((character, i) => {
      if ((bits & (1 << i)) === 0) return character;
      const hex = character.charCodeAt(0).toString(16).padStart(4, '0');
      return `\\u${(bits & (1 << (i + 9))) === 0 ? hex : hex.toUpperCase()}`;
    })
    .join('');
}

test('own values are found, inherited ones are not', () => {
  expect(own({ a: 1 }, 'a')).toBe(1);
  expect(own({ a: null }, 'a')).toBe(null);
  expect(own({}, 'a')).toBe(undefined);
  for (const key of ['constructor', 'toString', 'hasOwnProperty', '__proto__'])
    expect(own({ a: 1 }, key)).toBe(undefined);
  expect(own({ toString: 1 }, 'toString')).toBe(1);
});

describe('parseJson', () => {
  test('drops own __proto__ keys in every spelling, at any depth', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 18 - 1), fc.constantFrom('', ' ', '\n\t', '\r'), (bits, space) => {
        const key = `"${spelled(bits)}"${space}`;
        const text = `{"a":1,${key}:{"x":1},"b":[[{"c":{${key}:null,"d":2}}]]}`;
        expect(hasOwnProto(JSON.parse(text) as Json)).toBe(true);
        const value = parseJson(text);
        expect(hasOwnProto(value)).toBe(false);
        expect(value).toEqual({ a: 1, b: [[{ c: { d: 2 } }]] });
      }),
      { numRuns: 500 },
    );
  });

  test('a merged value never gets a foreign prototype', () => {
    const value = parseJson('{"__proto__":{"admin":true},"a":{"\\u005f_proto__":{"admin":true}}}') as JsonObject;
    const merged = mergeJson({}, value);
    expect('admin' in merged || 'admin' in (merged['a'] as JsonObject)).toBe(false);
    expect('admin' in Object.assign({}, value)).toBe(false);
    expect('admin' in {}).toBe(false);
  });

  test.each([
    '{"a":"__proto__"}',
    '{"a":"\\u005f_proto__","b":"caf\\u00e9"}',
    '["__proto__"]',
    '{"x__proto__":1,"__proto__x":2,"constructor":3,"__Proto__":4}',
    '{"a\\"__proto__":1}',
    '{"\\\\u005f_proto__":1}',
    'null',
    '""',
    '-0.5e3',
  ])('keeps %s as it is', (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  test('reads everything else as JSON.parse does', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(parseJson(JSON.stringify(value))).toEqual(value);
      }),
    );
  });

  test('values too deep to recurse into are cleaned all the same', () => {
    const depth = 30_000;
    const text = `${'['.repeat(depth)}{"__proto__":1,"a":2}${']'.repeat(depth)}`;
    let value = parseJson(text);
    while (Array.isArray(value)) value = value[0]!;
    expect(Object.keys(value as JsonObject)).toEqual(['a']);
  });

  test.each(['', '{', '{"a":}', "{'a':1}", '{"__proto__":', 'NaN', '{"a":1}}', '[1,]'])(
    'throws a SyntaxError on %s',
    (text) => {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    },
  );
});

describe('valueAt', () => {
  const value = parseJson('{"a":{"b":[1],"n":null,"f":false},"hasOwnProperty":1}');
  test.each<[readonly string[], Json | undefined]>([
    [[], value],
    [['a', 'b'], [1]],
    [['a', 'f'], false],
    [['a', 'n'], undefined],
    [['a', 'x'], undefined],
    [['a', 'b', '0'], undefined],
    [['a', 'b', 'length'], undefined],
    [['a', 'f', 'x'], undefined],
    [['constructor'], undefined],
    [['__proto__'], undefined],
    [['a', 'toString'], undefined],
    [['hasOwnProperty'], 1],
  ])('%j', (path, found) => {
    expect(valueAt(value, ...path)).toEqual(found);
  });

  test('of nothing is undefined', () => {
    expect(valueAt(undefined, 'a')).toBeUndefined();
    expect(valueAt(null, 'a')).toBeUndefined();
    expect(valueAt(null)).toBeUndefined();
  });
});

describe('mergeJson', () => {
  test.each<[string, JsonObject, JsonObject, JsonObject]>([
    ['objects merge', { a: { b: 1, c: 2 } }, { a: { c: 3, d: 4 } }, { a: { b: 1, c: 3, d: 4 } }],
    ['arrays are replaced', { a: [1, 2] }, { a: [3] }, { a: [3] }],
    ['an object replaces a text', { a: 'x' }, { a: { b: 1 } }, { a: { b: 1 } }],
    ['a text replaces an object', { a: { b: 1 } }, { a: 'x' }, { a: 'x' }],
    ['null replaces', { a: { b: 1 } }, { a: null }, { a: null }],
    [
      'keys of every object are keys',
      { a: 1 },
      { constructor: { b: 1 }, toString: 1 },
      { a: 1, constructor: { b: 1 }, toString: 1 },
    ],
  ])('%s', (_what, base, added, merged) => {
    expect(mergeJson(base, added)).toEqual(merged);
  });

  test('changes neither side, and once is enough', () => {
    fc.assert(
      fc.property(objects, objects, (base, added) => {
        const before = JSON.stringify([base, added]);
        const merged = mergeJson(base, added);
        expect(JSON.stringify([base, added])).toBe(before);
        expect(mergeJson(merged, added)).toEqual(merged);
        expect(mergeJson(base, {})).toEqual(base);
        expect(mergeJson({}, added)).toEqual(added);
      }),
    );
  });
});

describe('canonicalJson', () => {
  const reversed = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(reversed);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.keys(value)
        .toReversed()
        .map((key) => [key, reversed(value[key]!)]),
    );
  };

  test('is the same for every order of keys, and is JSON of the same value', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(reversed(value))).toBe(text);
        expect(JSON.parse(text)).toEqual(value);
      }),
    );
  });

  test('differs for values that differ', () => {
    const texts = ['{"a":1}', '{"a":"1"}', '{"a":[1]}', '{"a":{"b":1}}', '{"a":null}', '{}', '[]', '[[],[]]', '[[[]]]'];
    expect(new Set(texts.map((text) => canonicalJson(parseJson(text)))).size).toBe(texts.length);
  });
});

test('quoted values are cut at the limit', () => {
  expect(quoted('x'.repeat(QUOTED_CHARACTERS_MAX - 2))).toBe(`"${'x'.repeat(QUOTED_CHARACTERS_MAX - 2)}"`);
  expect(quoted('x'.repeat(QUOTED_CHARACTERS_MAX - 1))).toBe(`"${'x'.repeat(QUOTED_CHARACTERS_MAX - 1)}…`);
  expect(quoted({ a: null })).toBe('{"a":null}');
});

test.each<[unknown, boolean]>([
  [{}, true],
  [Object.create(null), true],
  [[], false],
  [null, false],
  [undefined, false],
  ['x', false],
  [1, false],
])('isObject(%j) is %s', (value, is) => {
  expect(isObject(value)).toBe(is);
});
