import { mix, murmur } from './murmur.ts';

/**
 * Draws: what chance decides about a visitor, as a function of their id and of what is drawn for. The same id always draws
 * the same; what is drawn for one thing says nothing about another. The rules stand in docs/decisions.md and never change,
 * because visitors would change experiences with them.
 */

/** Two hashes of one text: a single one of 32 bits would give two ids in a thousand million everything alike. */
export interface HashedText {
  readonly a: number;
  readonly b: number;
}
const SECOND_SEED = 0x9747b28c;
const SPAN = 2 ** 32;
/** Buckets that verdicts are told in, and those of Adobe Target. */
export const BUCKETS = 10_000;

export function hashed(text: string): HashedText {
  return { a: murmur(text), b: murmur(text, SECOND_SEED) };
}

/** 0 to 2³² − 1, uniform over ids. `purpose`: what is drawn for, hashed at load. */
export function draw(id: HashedText, purpose: HashedText): number {
  return mix((mix(id.a ^ purpose.a) + id.b) ^ purpose.b) >>> 0;
}

/** Whether the id is among the given percent. Whoever is at 20 percent is at 30. */
export function isWithin(percent: number, id: HashedText, purpose: HashedText): boolean {
  return draw(id, purpose) < (percent / 100) * SPAN;
}

/** Time until an alarm of rate `weight` rings: among several, each rings first with the share of its weight. */
export function ringsAfter(drawn: number, weight: number): number {
  return -Math.log((drawn + 0.5) / SPAN) / weight;
}

export function bucketOf(drawn: number): number {
  return Math.floor((drawn / SPAN) * BUCKETS);
}

/** The bucket of Adobe Target's on-device engine, 0 to 9,999: its allocation in hundredths of a percent. */
export function targetBucket(client: string, activityId: string, visitorId: string): number {
  return Math.abs(murmur(`${client}.${activityId}.${visitorId}.0`)) % BUCKETS;
}

/** Where each experience's interval ends, its last bucket included, as in Adobe Target's artifacts; in order. */
export function targetBounds(weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  let end = 0;
  return weights.map((weight) => {
    end += weight;
    // Hundredths that sums of binary fractions miss by their rounding.
    return weight > 0 ? Math.floor((end / sum) * BUCKETS + 1e-6) : -1;
  });
}
