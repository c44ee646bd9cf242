import type { LogHost } from '../../src/log/host.ts';
import type { Random } from './random.ts';
import type { Turns } from './turns.ts';

/** Shared by all processes. */
export interface SimClock {
  /** The wall clock: milliseconds since the epoch. */
  ms: number;
  /** By which it was set forward: that much did not pass. */
  jumpedMs: number;
}

/** Time that passes only when it is told to; turns and chance as the simulation has them. */
export class SimHost implements LogHost {
  readonly #turns: Turns;
  readonly #random: Random;
  readonly #timers = new Set<{ readonly everyMs: number; dueMs: number; readonly run: () => void }>();
  readonly #clock: SimClock;
  readonly #boot: { count: number };

  constructor(turns: Turns, random: Random, clock: SimClock, boot: { count: number }) {
    this.#turns = turns;
    this.#random = random;
    this.#clock = clock;
    this.#boot = boot;
  }

  nowMs(): number {
    return this.#clock.ms;
  }

  monotonicMs(): number {
    return this.#clock.ms - this.#clock.jumpedMs;
  }

  defer(start: () => void): void {
    this.#turns.take(start);
  }

  every(ms: number, run: () => void): () => void {
    const timer = { everyMs: ms, dueMs: this.monotonicMs() + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** A poll is one turn. */
  sleep(): Promise<void> {
    return this.#turns.take(() => undefined);
  }

  random(limit: number): number {
    return Math.floor((this.#random.next() / 2 ** 32) * limit);
  }

  bootId(): string {
    return `boot ${this.#boot.count}`;
  }

  /** Runs the timers that are due now; the clock is moved by the simulation. */
  runTimers(): void {
    for (const timer of [...this.#timers]) {
      if (timer.dueMs > this.monotonicMs()) continue;
      timer.dueMs = this.monotonicMs() + timer.everyMs;
      timer.run();
    }
  }
}
