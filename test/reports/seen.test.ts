import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fingerprints, fingerprintOf, TooMany } from '../../src/reports/fingerprints.ts';
import { Seen, TOKEN_AGE_MS_MAX } from '../../src/reports/seen.ts';

const DAY_MS = 86_400_000;

test('A set of fingerprints is a set of texts', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 3_000, size: 'max' }), (texts) => {
      const prints = new Fingerprints();
      const set = new Set<string>();
      for (const text of texts) {
        expect(prints.add(text)).toBe(!set.has(text));
        set.add(text);
      }
      expect(prints.size).toBe(set.size);
    }),
    { numRuns: 20 },
  );
});

test('A hundred thousand ids that differ in few digits have fingerprints of their own', () => {
  const prints = new Set<string>();
  for (let i = 0; i < 100_000; i++) prints.add(fingerprintOf(`request-${i}/0 display`).join());
  expect(prints.size).toBe(100_000);
});

test('What was told is known as long as its token is taken, and forgotten then', () => {
  const seen = new Seen();
  const nowMs = 100 * DAY_MS;
  seen.forgetBefore(nowMs);
  expect(seen.add('r display', nowMs / 1000)).toBe(true);
  seen.forgetBefore(nowMs + TOKEN_AGE_MS_MAX);
  expect(seen.isExpired(nowMs / 1000, nowMs + TOKEN_AGE_MS_MAX)).toBe(false);
  expect(seen.add('r display', nowMs / 1000)).toBe(false);
  seen.forgetBefore(nowMs + TOKEN_AGE_MS_MAX + DAY_MS);
  expect(seen.isExpired(nowMs / 1000, nowMs + TOKEN_AGE_MS_MAX + DAY_MS)).toBe(true);
  // Not even where the clock is set back.
  expect(seen.isExpired(nowMs / 1000, nowMs)).toBe(true);
});

test('More than the bound is refused; what was forgotten makes room', () => {
  const seen = new Seen(2);
  expect(seen.add('a', 0)).toBe(true);
  expect(seen.add('b', 0)).toBe(true);
  expect(seen.add('b', 0)).toBe(false);
  expect(() => seen.add('c', 0)).toThrow(TooMany);
  const later = new Seen(1);
  later.add('a', 0);
  later.forgetBefore(TOKEN_AGE_MS_MAX + 2 * DAY_MS);
  expect(later.add('b', (40 * DAY_MS) / 1000)).toBe(true);
});
