import { expect, test } from 'vitest';
import { simulate } from './simulate.ts';
import { THEMES, type Theme } from './themes.ts';

/** 23,000 schedules of faults, crashes and restarts, always the same ones; `npm run sim` has more. */
const BLOCK_SCHEDULES = 1000;
const MIXED_BLOCKS = 16;
const BLOCKS: readonly (readonly [Theme, number])[] = [
  ...Array.from({ length: MIXED_BLOCKS }, (_, block) => ['mixed', 1 + block * BLOCK_SCHEDULES] as const),
  ...THEMES.filter((theme) => theme !== 'mixed').map((theme) => [theme, 1] as const),
];

test.each(BLOCKS)(`%s: ${BLOCK_SCHEDULES} schedules from %i keep every promise`, async (theme, first) => {
  for (let seed = first; seed < first + BLOCK_SCHEDULES; seed++) {
    const { wrongs } = await simulate(seed, theme);
    expect(wrongs, `npm run sim -- --theme ${theme} --schedules 1 --seed ${seed} shows the steps`).toEqual([]);
  }
});
