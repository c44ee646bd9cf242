import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { simulate } from './simulate.ts';

/** Other schedules at every run, so that they add up over time; a broken one is named and can be run again. */
const SCHEDULES = 150_000;

test(`${SCHEDULES} more schedules keep every promise`, async () => {
  const first = randomInt(1_000_000, 2 ** 31);
  for (let seed = first; seed < first + SCHEDULES; seed++) {
    const { wrongs } = await simulate(seed);
    expect(wrongs, `npm run sim -- --schedules 1 --seed ${seed} shows the steps`).toEqual([]);
  }
});
