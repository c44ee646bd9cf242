import { expect, test } from 'vitest';
import { fuzz, fuzzSeed } from './fuzz.ts';

const INPUTS = 5_000;

test.each([0, 1, 2, 3])(
  `${INPUTS} changed requests, part %i: each is answered as it should be, and what is stored is what was sent`,
  async (part) => {
    const statuses = await fuzz(fuzzSeed(), part * INPUTS, INPUTS);
    // A corpus of which everything is refused at the door proves nothing.
    expect((statuses.get(200) ?? 0) + (statuses.get(202) ?? 0)).toBeGreaterThan(INPUTS / 5);
    expect(statuses.get(400)).toBeGreaterThan(INPUTS / 10);
  },
);
