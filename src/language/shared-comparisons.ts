import type { SharedComparisons } from '../model/condition.ts';

/**
 * What is known of comparisons that several conditions make. Of the same facts, a comparison is made once: fifty activities
 * that ask for the same page and tier ask twice. What was found out before the last `begin` counts no more; nothing is cleared
 * for that, however many comparisons there are.
 */
export class ComparisonsOnce implements SharedComparisons {
  epoch = STEP;
  known = new Int32Array(64);
  readonly #slots = new Map<string, number>();

  slotOf(comparison: string): number {
    const slot = this.#slots.get(comparison) ?? this.#slots.size;
    this.#slots.set(comparison, slot);
    if (slot >= this.known.length) {
      const larger = new Int32Array(this.known.length * 2);
      larger.set(this.known);
      this.known = larger;
    }
    return slot;
  }

  /** The facts are others now. */
  begin(): void {
    this.epoch += STEP;
    if (this.epoch < EPOCH_MAX) return;
    this.known.fill(0);
    this.epoch = STEP;
  }
}

/** More than the largest mark. */
const STEP = 4;
const EPOCH_MAX = 2 ** 30;
