import { describe, expect, it } from 'vitest';
import { bucketOf, hashed, isWithin, targetBounds } from '../../src/decisions/draws.ts';
import { ecidOf } from '../support/decisions.ts';
import {
  cellsOf,
  chiSquare,
  chiSquareBound,
  experiencesOf,
  leastMoved,
  pairsOf,
  sharesOf,
  type Weights,
} from './buckets.ts';

const VISITORS = 8_000;

function even(cells: number, count: number): readonly number[] {
  return new Array<number>(cells).fill(count / cells);
}

describe('chance', () => {
  it('spreads ids evenly, by draws and by buckets of Target', () => {
    const { draws, target } = cellsOf(VISITORS);
    expect(chiSquare(draws, even(1_000, VISITORS))).toBeLessThan(chiSquareBound(999));
    expect(chiSquare(target, even(1_000, VISITORS))).toBeLessThan(chiSquareBound(999));
  });

  it.each([
    ['x\nexperience\na', 'x\nexperience\nb'],
    ['x\nexperience\na', 'y\nexperience\na'],
    ['1\ntraffic', '2\ntraffic'],
    ['x\ntraffic', 'x\nholdout'],
  ])('says nothing about %j by %j', (first, second) => {
    expect(chiSquare(pairsOf(VISITORS, first, second), even(256, VISITORS))).toBeLessThan(chiSquareBound(255));
  });

  it('keeps everybody who is within a percentage when it grows', () => {
    const purpose = hashed('x\ntraffic');
    const ids = Array.from({ length: VISITORS }, (_, n) => hashed(ecidOf(n)));
    const within = (percent: number): number => ids.filter((id) => isWithin(percent, id, purpose)).length;
    for (const id of ids) if (isWithin(20, id, purpose)) expect(isWithin(20.5, id, purpose)).toBe(true);
    expect(within(0)).toBe(0);
    expect(within(100)).toBe(VISITORS);
    expect(Math.abs(within(20) / VISITORS - 0.2)).toBeLessThan(5 * Math.sqrt((0.2 * 0.8) / VISITORS));
  });

  it('is told in ten thousand buckets', () => {
    expect([bucketOf(0), bucketOf(2 ** 31), bucketOf(2 ** 32 - 1)]).toEqual([0, 5_000, 9_999]);
  });
});

describe('experiences', () => {
  const cases: readonly Weights[] = [
    { a: 1, b: 1 },
    { a: 90, b: 10 },
    { a: 1, b: 2, c: 3, d: 4 },
    { a: 0.2, b: 0.3, c: 0 },
  ];
  it.each(cases)('get their shares of %j', (weights) => {
    for (const bucketing of ['weir', 'target'] as const) {
      const chosen = experiencesOf(VISITORS, weights, bucketing);
      const shares = Object.entries(sharesOf(weights)).filter(([, share]) => share > 0);
      const counts = shares.map(([id]) => chosen.filter((one) => one === id).length);
      const expected = shares.map(([, share]) => share * VISITORS);
      expect(counts.reduce((all, count) => all + count, 0)).toBe(VISITORS);
      // Target's intervals are cut at whole buckets, the last one included: one bucket of 10,000 is a visitor.
      expect(chiSquare(counts, expected)).toBeLessThan(
        chiSquareBound(shares.length - 1) + (bucketing === 'target' ? 2 : 0),
      );
    }
  });

  it('are no different in two activities of the same weights than chance has it', () => {
    const chosen = experiencesOf(VISITORS, { a: 1, b: 1 });
    const halves = [chosen.slice(0, VISITORS / 2), chosen.slice(VISITORS / 2)];
    const [one, other] = halves.map((half) => half.filter((id) => id === 'a').length) as [number, number];
    expect(Math.abs(one - other)).toBeLessThan(4 * Math.sqrt(VISITORS / 4));
  });

  it('are the same by weights of the same proportions', () => {
    expect(experiencesOf(2_000, { a: 1, b: 3 })).toEqual(experiencesOf(2_000, { a: 25, b: 75 }));
  });
});

describe('a change of weights', () => {
  const cases: readonly [string, Weights, Weights][] = [
    ['of two', { a: 50, b: 50 }, { a: 70, b: 30 }],
    ['of two, to the end', { a: 90, b: 10 }, { a: 0, b: 100 }],
    ['that adds one', { a: 1, b: 1 }, { a: 1, b: 1, c: 1 }],
    ['that takes one away', { a: 1, b: 1, c: 1 }, { a: 1, b: 1 }],
    ['of one among four', { a: 1, b: 1, c: 1, d: 1 }, { a: 1, b: 1, c: 1, d: 5 }],
    ['of all', { a: 10, b: 20, c: 70 }, { a: 30, b: 30, c: 40 }],
    ['that turns them round', { a: 10, b: 20, c: 70 }, { a: 70, b: 20, c: 10 }],
  ];
  it.each(cases)('%s moves visitors only to what grew more than where they were', (_name, before, after) => {
    const from = experiencesOf(VISITORS, before);
    const to = experiencesOf(VISITORS, after);
    let moved = 0;
    const growth = (id: string): number => (after[id] ?? 0) / (before[id] ?? 0);
    for (const [n, id] of from.entries()) {
      if (to[n] === id) continue;
      moved += 1;
      expect(growth(to[n]!)).toBeGreaterThan(growth(id));
    }
    const least = leastMoved(before, after);
    const noise = 5 * Math.sqrt((least * (1 - least)) / VISITORS) + 1e-9;
    expect(moved / VISITORS).toBeGreaterThan(least - noise);
    expect(moved / VISITORS).toBeLessThan((2 * least) / (1 + least) + noise);
    const isOneChange = cases.findIndex((one) => one[1] === before) < 5;
    if (isOneChange) expect(moved / VISITORS).toBeLessThan(least + noise);
  });

  it('moves more where buckets are those of Target', () => {
    const moved = (bucketing: 'weir' | 'target'): number => {
      const from = experiencesOf(VISITORS, { a: 1, b: 1, c: 1 }, bucketing);
      const to = experiencesOf(VISITORS, { a: 2, b: 1, c: 1 }, bucketing);
      return from.filter((id, n) => to[n] !== id).length / VISITORS;
    };
    expect(moved('target')).toBeGreaterThan(moved('weir') * 1.2);
  });
});

describe("intervals of Target's buckets", () => {
  it.each([
    [
      [50, 50],
      [5_000, 10_000],
    ],
    [
      [33.33, 33.33, 33.34],
      [3_333, 6_666, 10_000],
    ],
    [
      [1, 2],
      [3_333, 10_000],
    ],
    [
      [0, 10],
      [-1, 10_000],
    ],
  ])('of %j end at %j', (weights, ends) => {
    expect(targetBounds(weights)).toEqual(ends);
  });
});
