import { hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../src/model/json.ts';
import type { PersonState } from '../../src/model/person.ts';
import { packed, packedIn, REFERENCE_BYTES, tcfPartsOf, withTcfParts } from '../../src/state/packed-tcf.ts';

const HASH = hash('sha256', 'a string', 'base64url');

function personOf(tcf: Json): PersonState {
  return { key: 'a', version: 1, body: { consent: { value: { x: 1, tcf, y: 2 }, time: '1-0' } } };
}
const tcfOf = (fields: Record<string, Json>): Json => ({
  version: '2.2',
  hash: HASH,
  purposes: [1],
  vendors: '8',
  ...fields,
});

test('what was packed comes out, to the letter and in its place, whatever stands behind it', () => {
  const vendors = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), maxLength: 700 });
  fc.assert(
    fc.property(
      fc.string().map((text) => hash('sha256', text, 'base64url')),
      vendors,
      fc.uint8Array(),
      (ofString, list, more) => {
        const person = personOf(tcfOf({ hash: ofString, vendors: list }));
        const bytes = packed(tcfPartsOf(person)!, null);
        const found = packedIn(Buffer.concat([bytes, more]));
        expect(found).toEqual({ hash: ofString, vendors: list, length: bytes.length });
        const again = withTcfParts(withTcfParts(person, '', ''), found.hash, found.vendors as string);
        expect(JSON.stringify(again)).toBe(JSON.stringify(person));
      },
    ),
  );
});

test('a list that is shared is where its bytes say', () => {
  const reference = Buffer.alloc(REFERENCE_BYTES, 7);
  const bytes = packed({ hash: Buffer.alloc(32), vendors: 'f'.repeat(300) }, reference);
  expect(bytes).toHaveLength(32 + 2 + REFERENCE_BYTES);
  expect(packedIn(bytes).vendors).toEqual(reference);
});

test.each<[what: string, tcf: Json]>([
  ['no TC string', null],
  ['no purposes', tcfOf({ purposes: null })],
  ['no hash', tcfOf({ hash: 7 })],
  ['a hash that is too short', tcfOf({ hash: HASH.slice(1) })],
  ['a hash with other letters', tcfOf({ hash: `+${HASH.slice(1)}` })],
  ['a hash whose last letter has bits too many', tcfOf({ hash: `${'A'.repeat(42)}B` })],
  ['no list', tcfOf({ vendors: null })],
  ['digits in capitals', tcfOf({ vendors: 'AB' })],
  ['more digits than can be told', tcfOf({ vendors: 'a'.repeat(0xffff) })],
])('%s is not packed', (_what, tcf) => {
  expect(tcfPartsOf(personOf(tcf))).toBeNull();
  expect(tcfPartsOf(personOf(tcfOf({ vendors: 'a'.repeat(0xfffe) })))).not.toBeNull();
});
