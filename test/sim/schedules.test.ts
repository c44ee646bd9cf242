import { expect, test } from 'vitest';
import { simulate } from './simulate.ts';

/** 20,000 schedules of faults, crashes and restarts, always the same ones; `npm run sim` has more. */
const BLOCKS = 10;
const BLOCK_SCHEDULES = 2000;
/** What longer runs have found, one in a million schedules each: retention chose segments while the writer removed one. */
const FOUND = [812_020_964];

test.each(Array.from({ length: BLOCKS }, (_, block) => 1 + block * BLOCK_SCHEDULES))(
  `${BLOCK_SCHEDULES} schedules from %i keep every promise`,
  async (first) => {
    for (let seed = first; seed < first + BLOCK_SCHEDULES; seed++) {
      const { wrongs } = await simulate(seed);
      expect(wrongs, `npm run sim -- --schedules 1 --seed ${seed} shows the steps`).toEqual([]);
    }
  },
);

test.each(FOUND)('schedule %i, which once broke a promise, keeps them all', async (seed) => {
  expect((await simulate(seed)).wrongs).toEqual([]);
});
