import type { Random } from './random.ts';

/**
 * Who goes next. Everything that would take time (a file call, a timer, the next turn of the event loop) waits here until
 * it is chosen, so that one seed is one order of things, and no time is spent waiting.
 */
export class Turns {
  readonly #random: Random;
  #waiting: (() => void)[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  get areOver(): boolean {
    return this.#waiting.length === 0;
  }

  /** Resolves with what `run` returns when its turn has come. */
  take<T>(run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(run());
        } catch (error) {
          reject(error as Error);
        }
      });
    });
  }

  /** Forgets all that wait: a process that is no more does nothing more. */
  clear(): void {
    this.#waiting = [];
  }

  /** One turn of one that waits, and all that follows from it at once. */
  async step(): Promise<void> {
    const index = this.#waiting.length === 1 ? 0 : this.#random.below(this.#waiting.length);
    const [chosen] = this.#waiting.splice(index, 1);
    chosen?.();
    await allThatFollows();
  }

  /** Turns until nobody waits, or `until` says to stop. */
  async run(until: () => boolean): Promise<void> {
    await allThatFollows();
    while (!this.areOver && !until()) await this.step();
  }
}

/** Promises settle before the event loop turns. */
function allThatFollows(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
