/**
 * Hybrid logical time: "<milliseconds, 12 hex>-<counter, 4 hex>", ordered as text. It never runs backwards in one
 * process, and `after` makes a time that is newer than one seen elsewhere, so that a clock set back cannot make a
 * person's latest choice look old.
 */
export class HybridClock {
  #ms = 0;
  #counter = 0;

  after(nowMs: number, seen: string | null): string {
    const seenMs = seen === null ? 0 : Number.parseInt(seen.slice(0, 12), 16);
    const seenCounter = seen === null ? 0 : Number.parseInt(seen.slice(13), 16);
    if (seenMs > this.#ms || (seenMs === this.#ms && seenCounter > this.#counter)) {
      this.#ms = seenMs;
      this.#counter = seenCounter;
    }
    if (nowMs > this.#ms) {
      this.#ms = nowMs;
      this.#counter = 0;
    } else if (this.#counter === 0xffff) {
      this.#ms += 1;
      this.#counter = 0;
    } else this.#counter += 1;
    return `${this.#ms.toString(16).padStart(12, '0')}-${this.#counter.toString(16).padStart(4, '0')}`;
  }
}

/** Its milliseconds: Unix epoch. */
export function hybridMs(time: string): number {
  return Number.parseInt(time.slice(0, 12), 16);
}
