import { expect, test } from 'vitest';
import { simulate } from './simulate.ts';
import { THEMES, type Theme } from './themes.ts';

/**
 * Schedules behind those of `npm test`, always the same ones: whether a change may land must not hang on a seed.
 * `npm run sim` runs any others.
 */
const FIRST = 20_001;
const SCHEDULES = 30_000;
/** Fewer of the youngest themes, and of those that take longest: the long tests may take 40 minutes in all. */
const FEWER: Partial<Record<Theme, number>> = { erasure: 10_000, stuck: 3_000, expiry: 10_000 };
const RUNS = THEMES.map((theme) => [theme, FEWER[theme] ?? SCHEDULES] as const);

test.each(RUNS)('%s: %i more schedules keep every promise', async (theme, schedules) => {
  for (let seed = FIRST; seed < FIRST + schedules; seed++) {
    const { wrongs } = await simulate(seed, theme);
    expect(wrongs, `npm run sim -- --theme ${theme} --schedules 1 --seed ${seed} shows the steps`).toEqual([]);
  }
});
