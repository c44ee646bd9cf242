import type { Comparison } from './comparison.ts';
import { DATES } from './dates.ts';
import { SETS } from './sets.ts';
import { TEXTS } from './texts.ts';
import { VALUES_COMPARED } from './values-compared.ts';

/** Every operator that compares: each use of one is a leaf. */
export const COMPARISONS: Readonly<Record<string, Comparison>> = { ...VALUES_COMPARED, ...TEXTS, ...SETS, ...DATES };
