import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import {
  ATTRIBUTE_CHARACTERS_MAX,
  ATTRIBUTE_NAME_CHARACTERS_MAX,
  ATTRIBUTES_MAX,
  changedAttributes,
  profileFacts,
  sentAttributes,
} from '../../src/model/profile-attributes.ts';

const target = (inside: JsonObject): JsonObject => ({ __adobe: { target: inside } });
const taken = (attributes: JsonObject, refused: string[] = []) => ({ attributes, refused });

describe('what an event brings', () => {
  test.each<[JsonObject | null, object | null]>([
    [null, null],
    [{}, null],
    [{ 'profile.tier': 'gold' }, null],
    [target({}), null],
    [target({ mark: 'x', profiles: 1, 'Profile.a': 1 }), null],
    [{ __adobe: 'target' }, null],
    [{ __adobe: { target: 'x' }, '__adobe.target': { 'profile.a': 1 } }, taken({ a: 1 })],
    [target({ 'profile.tier': 'gold' }), taken({ tier: 'gold' })],
    [target({ profile: { tier: 'gold' } }), taken({ tier: 'gold' })],
    [{ '__adobe.target': { 'profile.tier': 'gold' } }, taken({ tier: 'gold' })],
    // The object comes before the flat key.
    [{ ...target({ 'profile.a': 1 }), '__adobe.target': { 'profile.a': 2 } }, taken({ a: 1 })],
    [target({ 'profile.a.b': 1, 'profile.n': 0, 'profile.no': false }), taken({ 'a.b': 1, n: 0, no: false })],
    [target({ 'profile.a': null, 'profile.b': '' }), taken({ a: null, b: null })],
    [target({ 'profile.a': [1], 'profile.b': {}, 'profile.c': 1 }), taken({ c: 1 }, ['a', 'b'])],
    [target({ 'profile.': 1, 'profile.__proto__': 1 }), taken({}, ['', '__proto__'])],
    [Object.create(target({ 'profile.a': 1 })) as JsonObject, null],
  ])('in %j is %j', (data, expected) => expect(sentAttributes(data)).toEqual(expected));

  test('has names and texts of so many characters', () => {
    const name = 'n'.repeat(ATTRIBUTE_NAME_CHARACTERS_MAX);
    const text = 't'.repeat(ATTRIBUTE_CHARACTERS_MAX);
    expect(sentAttributes(target({ [`profile.${name}`]: text }))).toEqual(taken({ [name]: text }));
    expect(sentAttributes(target({ [`profile.${name}n`]: 1 }))).toEqual(taken({}, [name]));
    expect(sentAttributes(target({ 'profile.a': `${text}t` }))).toEqual(taken({}, ['a']));
  });
});

describe('what it changes', () => {
  test.each<[JsonObject, JsonObject, JsonObject | null]>([
    [{}, {}, null],
    [{}, { a: 1 }, { a: 1 }],
    [{ a: 1 }, { a: 1 }, null],
    [{ a: 1 }, { a: '1' }, { a: '1' }],
    [{ a: 1 }, { a: null }, { a: null }],
    [{}, { a: null }, null],
    [
      { a: 1, b: 2 },
      { b: 3, c: 4 },
      { b: 3, c: 4 },
    ],
  ])('%j and %j: %j', (kept, sent, expected) =>
    expect(changedAttributes(kept, sent as Record<string, string>)).toEqual(expected),
  );

  test('ends where there is no room; what is there can still be changed', () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, i]));
    expect(changedAttributes(many(ATTRIBUTES_MAX - 1), { x: 1, y: 2 })).toEqual({ x: 1 });
    expect(changedAttributes(many(ATTRIBUTES_MAX), { x: 1 })).toBeNull();
    expect(changedAttributes(many(ATTRIBUTES_MAX), { x: 1, a0: 'new' })).toEqual({ a0: 'new' });
    expect(Object.keys(changedAttributes({}, many(ATTRIBUTES_MAX + 1))!)).toHaveLength(ATTRIBUTES_MAX);
  });

  test('makes room for others by what it takes away', () => {
    const full = Object.fromEntries(Array.from({ length: ATTRIBUTES_MAX }, (_, i) => [`a${i}`, i]));
    expect(changedAttributes(full, { a0: null, x: 1, y: 2 })).toEqual({ a0: null, x: 1 });
    expect(changedAttributes(full, { x: 1, a0: null })).toEqual({ x: 1, a0: null });
  });
});

test.each<[JsonObject, JsonObject | null, JsonObject]>([
  [{ a: 1 }, null, { a: 1 }],
  [{ a: 1 }, target({ 'profile.b': 2 }), { a: 1, b: 2 }],
  [{ a: 1 }, target({ 'profile.a': 2 }), { a: 2 }],
  // What was taken away is no attribute.
  [{ a: 1, b: 2 }, target({ 'profile.a': '' }), { b: 2 }],
])('facts of %j and %j', (kept, data, expected) => expect(profileFacts(kept, data)).toEqual(expected));
