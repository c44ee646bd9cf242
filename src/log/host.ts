import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootId } from './lock.ts';

/** What the log takes from the machine beside files: time, turns and chance. The simulator has its own. */
export interface LogHost {
  /** Wall clock, Unix epoch in milliseconds: for the age of segments. */
  nowMs(): number;
  /** A clock that is never set: for how long something has waited. */
  monotonicMs(): number;
  /** Runs `start` when what has arrived by now has been handled. */
  defer(start: () => void): void;
  /** Runs `run` every `ms` until the returned function is called. Does not keep the process alive. */
  every(ms: number, run: () => void): () => void;
  /** Resolves after `ms`, or when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** An integer in `[0, limit)` that nobody can guess; `limit` is at most 2^53. */
  random(limit: number): number;
  /** Names the time since the machine was started; empty where the machine does not tell. */
  bootId(): string;
}

const RANDOM_HALF = 2 ** 26;

export const systemHost: LogHost = {
  nowMs: Date.now,
  monotonicMs: () => performance.now(),
  defer: (start) => void setImmediate(start),
  every(ms, run) {
    const timer = setInterval(run, ms).unref();
    return () => clearInterval(timer);
  },
  async sleep(ms, signal) {
    await sleep(ms, undefined, { signal }).catch((error: Error) => {
      if (error.name !== 'AbortError') throw error;
    });
  },
  // randomInt takes ranges below 2^48 only.
  random: (limit) => (randomInt(Math.ceil(limit / RANDOM_HALF)) * RANDOM_HALF + randomInt(RANDOM_HALF)) % limit,
  bootId,
};
