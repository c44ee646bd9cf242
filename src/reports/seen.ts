import { Fingerprints, TooMany } from './fingerprints.ts';

const DAY_MS = 86_400_000;

/** Told later than this after the decision, nothing is counted: so long apps keep what they could not send. Chosen. */
export const TOKEN_AGE_MS_MAX = 30 * DAY_MS;
/** Told at once in `TOKEN_AGE_MS_MAX`, of one activity, at most: 16 to 32 bytes each, so half a gigabyte. */
export const SEEN_MAX = 16_000_000;

/**
 * What was told already, so that it counts once, however long the log is: by the day of the decision, and no longer than a
 * token is taken.
 */
export class Seen {
  readonly #days = new Map<number, Fingerprints>();
  readonly #max: number;
  #size = 0;
  #oldest = Number.NEGATIVE_INFINITY;

  constructor(max = SEEN_MAX) {
    this.#max = max;
  }

  /** Whether it is told for the first time. `decidedAtSeconds`: Unix epoch. */
  add(what: string, decidedAtSeconds: number): boolean {
    const day = Math.floor((decidedAtSeconds * 1000) / DAY_MS);
    let seen = this.#days.get(day);
    if (seen === undefined) {
      seen = new Fingerprints();
      this.#days.set(day, seen);
    }
    if (!seen.add(what)) return false;
    this.#size += 1;
    if (this.#size > this.#max) throw new TooMany(`more than ${this.#max} displays and clicks in 30 days`);
    return true;
  }

  isExpired(decidedAtSeconds: number, nowMs: number): boolean {
    // A clock that was set back must not bring back what was forgotten.
    return decidedAtSeconds * 1000 < Math.max(nowMs - TOKEN_AGE_MS_MAX, this.#oldest * DAY_MS);
  }

  /** `nowMs`: of the record at hand. */
  forgetBefore(nowMs: number): void {
    const oldest = Math.floor((nowMs - TOKEN_AGE_MS_MAX) / DAY_MS);
    if (oldest <= this.#oldest) return;
    this.#oldest = oldest;
    for (const [day, seen] of this.#days) {
      if (day >= oldest) continue;
      this.#days.delete(day);
      this.#size -= seen.size;
    }
  }
}
