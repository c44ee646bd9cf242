import { performance } from 'node:perf_hooks';
import { Histogram, LOOP_BOUNDS_SECONDS } from './histogram.ts';

/** Ten looks a second see what holds the event loop for as long as a person notices, and cost nothing. */
const LOOK_MS = 100;

/** Observes how late a timer comes: what a request would have waited before anything looked at it. Returns how to stop. */
export function watchLoopDelay(): { readonly histogram: Histogram; stop(): void } {
  const histogram = new Histogram(LOOP_BOUNDS_SECONDS);
  let dueMs = performance.now() + LOOK_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    histogram.observe(Math.max(0, nowMs - dueMs) / 1000);
    dueMs = nowMs + LOOK_MS;
  }, LOOK_MS);
  timer.unref();
  return { histogram, stop: () => clearInterval(timer) };
}
