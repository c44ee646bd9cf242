/**
 * Counts of measured seconds, by upper bound: the numbers of a Prometheus histogram. Observing writes two numbers and
 * makes nothing, because the log observes once for every group of requests.
 */
export class Histogram {
  /** Ascending; what is above the last one is counted in one bucket more. */
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && seconds > this.bounds[bucket]!) bucket += 1;
    this.#counts[bucket]! += 1;
    this.#sum += seconds;
  }

  get sum(): number {
    return this.#sum;
  }

  /** How many were at most each bound, and at last how many there were: one number more than there are bounds. */
  cumulative(): readonly number[] {
    let total = 0;
    return Array.from(this.#counts, (count) => {
      total += count;
      return total;
    });
  }
}

/** A sync takes 0.3 ms on a good disk; above 2 s (the default `log.queueAgeMsMax`) requests are refused. */
export const SYNC_BOUNDS_SECONDS = [
  0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 30,
];
/** Fifty activities take some five microseconds; the default budget is 50 ms. */
export const DECISION_BOUNDS_SECONDS = [0.000005, 0.00001, 0.000025, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.25, 1];
/** No request may hold the event loop for more than 50 ms. */
export const LOOP_BOUNDS_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
