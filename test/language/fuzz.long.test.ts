import { expect, test } from 'vitest';
import { fuzzRules } from './fuzz-rules.ts';

/** Others than the small test plays. */
const START = 1_000_000_000;
const RULES = 15_000;

test('fifteen thousand random rules: no throw, no stall, the same answer twice', () => {
  expect(fuzzRules(START, RULES, 4).compiled).toBeGreaterThan(RULES / 3);
});
