import { expect, test } from 'vitest';
import { simulate } from './simulate.ts';

/**
 * The schedules behind those of `npm test`, always the same ones: whether a change may land must not hang on a seed.
 * `npm run sim` runs any others.
 */
const FIRST = 20_001;
const SCHEDULES = 150_000;

test(`${SCHEDULES} more schedules keep every promise`, async () => {
  for (let seed = FIRST; seed < FIRST + SCHEDULES; seed++) {
    const { wrongs } = await simulate(seed);
    expect(wrongs, `npm run sim -- --schedules 1 --seed ${seed} shows the steps`).toEqual([]);
  }
});
