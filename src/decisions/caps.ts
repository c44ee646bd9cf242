import type { CapDefinition } from '../model/decision-definitions.ts';

/** Whether one more display would be more than a cap allows. `shown`: seconds, oldest first. */
export function isCapped(caps: readonly CapDefinition[], shown: readonly number[], nowMs: number): boolean {
  return caps.some(({ max, periodMs }) => countSince(shown, periodMs, nowMs) >= max);
}

function countSince(shown: readonly number[], periodMs: number | null, nowMs: number): number {
  if (periodMs === null) return shown.length;
  const fromSeconds = (nowMs - periodMs) / 1_000;
  let count = 0;
  for (let i = shown.length - 1; i >= 0 && shown[i]! > fromSeconds; i--) count += 1;
  return count;
}
