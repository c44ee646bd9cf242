import { expect, test } from 'vitest';
import { simulate } from './simulate.ts';
import { THEMES } from './themes.ts';

/**
 * Schedules behind those of `npm test`, always the same ones: whether a change may land must not hang on a seed.
 * `npm run sim` runs any others.
 */
const FIRST = 20_001;
const SCHEDULES = 30_000;

test.each(THEMES)(`%s: ${SCHEDULES} more schedules keep every promise`, async (theme) => {
  for (let seed = FIRST; seed < FIRST + SCHEDULES; seed++) {
    const { wrongs } = await simulate(seed, theme);
    expect(wrongs, `npm run sim -- --theme ${theme} --schedules 1 --seed ${seed} shows the steps`).toEqual([]);
  }
});
