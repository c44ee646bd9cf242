import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { restored, shortened } from '../../src/state/json-phrases.ts';

const CHOICE =
  '[1,{"consent":{"value":{"collect":{"val":"y"},"version":"2.0"},"time":"019fabcdef12-0000","record":"0:7"}}]';

test('a choice takes a fifth of what it was, and is read back as it was', () => {
  expect(shortened(CHOICE).length).toBeLessThan(CHOICE.length / 4);
  expect(restored(shortened(CHOICE))).toBe(CHOICE);
});

test('the list is part of the format: these bytes are on disks', () => {
  const every = Array.from({ length: 31 }, (_, index) => String.fromCharCode(index + 1));
  expect(createHash('sha256').update(every.map(restored).join('\n')).digest('hex')).toBe(
    'c3b9341cd4a70389bf5b797b6d5f7a70af824509223b4cf968d429e2badd424b',
  );
  for (const code of every) expect(shortened(restored(code))).toBe(code);
});

test('any JSON is read back as it was: phrases in texts, control characters, half characters', () => {
  const phrases = fc.constantFrom(
    ...Array.from({ length: 31 }, (_, index) => restored(String.fromCharCode(index + 1))),
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    phrases,
    fc.constantFrom('\0', '\x01', '\x1f', '\x20', '\\', '"'),
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.array(texts).map((list) => list.join('')),
      fc.integer(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(texts, tie('any'), { maxKeys: 4 }),
    ),
  })).any;
  fc.assert(
    fc.property(value, (any) => {
      const json = JSON.stringify(any);
      expect(restored(shortened(json))).toBe(json);
      expect(shortened(json).length).toBeLessThanOrEqual(json.length);
    }),
    { numRuns: 200 },
  );
});
