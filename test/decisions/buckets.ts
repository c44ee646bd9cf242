import { draw, hashed, targetBucket } from '../../src/decisions/draws.ts';
import { compileDecisions } from '../../src/decisions/engine.ts';
import { activityOf, decided, definitionsOf, ecidOf, experienceOf, inputOf, itemOf } from '../support/decisions.ts';

/** Experiments on chance: how evenly ids fall, and whether what falls for one activity says anything about another. */

/** Sum of squared differences over what is expected. */
export function chiSquare(observed: readonly number[], expected: readonly number[]): number {
  return observed.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0);
}

/** What chi-square exceeds in one of 10,000 fair experiments (Wilson and Hilferty's approximation). */
export function chiSquareBound(degrees: number): number {
  const z = 3.719;
  const part = 2 / (9 * degrees);
  return degrees * (1 - part + z * Math.sqrt(part)) ** 3;
}

/** Counts of 1,000 cells: by draw, and by Adobe Target's buckets, ten to a cell. */
export function cellsOf(count: number): { readonly draws: readonly number[]; readonly target: readonly number[] } {
  const draws = new Array<number>(1_000).fill(0);
  const target = new Array<number>(1_000).fill(0);
  const purpose = hashed('activity\nexperience\na');
  for (let n = 0; n < count; n++) {
    const id = ecidOf(n);
    draws[Math.floor((draw(hashed(id), purpose) / 2 ** 32) * 1_000)]! += 1;
    target[Math.floor(targetBucket('client', '1234', id) / 10)]! += 1;
  }
  return { draws, target };
}

/** Counts of the 16 × 16 pairs that draws for two purposes fall in. */
export function pairsOf(count: number, first: string, second: string): readonly number[] {
  const pairs = new Array<number>(256).fill(0);
  const one = hashed(first);
  const other = hashed(second);
  for (let n = 0; n < count; n++) {
    const id = hashed(ecidOf(n));
    pairs[(draw(id, one) >>> 28) * 16 + (draw(id, other) >>> 28)]! += 1;
  }
  return pairs;
}

export type Weights = Readonly<Record<string, number>>;

/** The experience of each of the ids by weights. */
export function experiencesOf(
  count: number,
  weights: Weights,
  bucketing: 'weir' | 'target' = 'weir',
): readonly string[] {
  const experiences = Object.entries(weights).map(([id, weight]) => experienceOf(id, [itemOf('hero')], { weight }));
  const engine = compileDecisions(definitionsOf({ activities: [activityOf('x', { bucketing, experiences })] }));
  return Array.from(
    { length: count },
    (_, n) => decided(engine, inputOf(['hero'], { ecid: ecidOf(n) })).verdicts[0]!.experienceId!,
  );
}

/** Each weight's part of all. */
export function sharesOf(weights: Weights): Weights {
  const sum = Object.values(weights).reduce((all, weight) => all + weight, 0);
  return Object.fromEntries(Object.entries(weights).map(([id, weight]) => [id, weight / sum]));
}

/** The part of visitors that has to move at the least: what shares grow by, together. */
export function leastMoved(before: Weights, after: Weights): number {
  const [from, to] = [sharesOf(before), sharesOf(after)];
  return Object.keys({ ...from, ...to }).reduce((sum, id) => sum + Math.max(0, (to[id] ?? 0) - (from[id] ?? 0)), 0);
}
