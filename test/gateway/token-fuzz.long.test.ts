import fc from 'fast-check';
import { test } from 'vitest';
import { fuzzed, judgeFuzzed } from './token-fuzz.ts';

/** In rounds, because a property keeps count of every run; always the same ones, so that a change does not hang on a seed. */
const ROUNDS = 100;
const ROUND_TOKENS = 10_000;

test('a million changed tokens', async () => {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    await fc.assert(fc.asyncProperty(fuzzed, judgeFuzzed), { numRuns: ROUND_TOKENS, seed });
  }
});
