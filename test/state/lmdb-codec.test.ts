import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import type { PersonState } from '../../src/model/person.ts';
import { databaseKey, decodePerson, encodePerson, KEY_BYTES_MAX, StateDamaged } from '../../src/state/lmdb-codec.ts';

const CHOICE: PersonState = {
  key: 'SHOP@AdobeOrg|ECID|11111111111111111112222222222222222222',
  version: 3,
  body: { consent: { value: { collect: { val: 'y' } }, time: '019fabcdef12-0000', record: '0:7' } },
};

const noLists = (): string => {
  throw new Error('No list is asked for.');
};

const keys = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'x'.repeat(KEY_BYTES_MAX), `${'y'.repeat(700)}é`, '\ud800', '💧|ECID|1'),
);
const bodies = fc.dictionary(fc.string(), fc.jsonValue({ stringUnit: 'binary' })).map((body) => {
  // `__proto__` is no key of a person's.
  const clean = JSON.parse(JSON.stringify(body)) as JsonObject;
  return Object.fromEntries(Object.entries(clean).filter(([key]) => key !== '__proto__'));
});

test('a person is read back as they were, whether their key is known or not', () => {
  fc.assert(
    fc.property(keys, fc.nat(), bodies, (key, version, body) => {
      const person = { key, version, body: JSON.parse(JSON.stringify(body)) as JsonObject };
      fc.pre(!JSON.stringify(body).includes('__proto__'));
      const at = databaseKey(key);
      const value = encodePerson(person, at);
      expect(decodePerson(value, at, key, noLists)).toEqual(person);
      expect(decodePerson(value, at, null, noLists)).toEqual(person);
    }),
  );
});

describe('damage', () => {
  const at = databaseKey(CHOICE.key);
  const value = encodePerson(CHOICE, at);

  test('every bit of a value, and of the key that it stands at', () => {
    for (let bit = 0; bit < value.length * 8; bit++) {
      const flipped = Buffer.from(value);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodePerson(flipped, at, CHOICE.key, noLists), `bit ${bit} of the value`).toThrow(StateDamaged);
    }
    for (let bit = 0; bit < at.length * 8; bit++) {
      const flipped = Buffer.from(at);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodePerson(value, flipped, null, noLists), `bit ${bit} of the key`).toThrow(StateDamaged);
    }
  });

  test('cut short, at every length', () => {
    for (let length = 0; length < value.length; length++) {
      expect(() => decodePerson(value.subarray(0, length), at, CHOICE.key, noLists)).toThrow(StateDamaged);
    }
  });
});

describe('format 1, as it was written before', () => {
  const format1 = ({ key, version, body }: PersonState): Buffer => {
    const text = Buffer.from(JSON.stringify([key, version, body]));
    const sum = Buffer.alloc(4);
    sum.writeUInt32LE(crc32(text));
    return Buffer.concat([sum, text]);
  };
  const at = databaseKey(CHOICE.key);

  test('is read', () => {
    expect(decodePerson(format1(CHOICE), at, CHOICE.key, noLists)).toEqual(CHOICE);
    expect(decodePerson(format1(CHOICE), at, null, noLists)).toEqual(CHOICE);
  });

  test('and its damage found: flipped bits, and a key that leads to another person', () => {
    const value = format1(CHOICE);
    for (let bit = 0; bit < value.length * 8; bit++) {
      const flipped = Buffer.from(value);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodePerson(flipped, at, CHOICE.key, noLists), `bit ${bit}`).toThrow(StateDamaged);
    }
    expect(() => decodePerson(value, databaseKey('another'), 'another', noLists)).toThrow('leads to another person');
  });
});
