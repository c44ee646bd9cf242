import { expect, test } from 'vitest';
import { fuzz, fuzzSeed } from './fuzz.ts';

/** Others than the small test plays: it begins where that one ends. */
const START = 1_000_000;
const INPUTS = 1_000_000;

test('a million changed requests: each is answered as it should be, and what is stored is what was sent', async () => {
  const statuses = await fuzz(fuzzSeed(), START, INPUTS);
  expect([...statuses.values()].reduce((sum, count) => sum + count)).toBe(INPUTS);
});
