/** Units of durations in files: "30m", "7d". The schemas' pattern says the same. */
const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "7d" → milliseconds. The schema has checked it. */
export function durationMs(text: string): number {
  return Number(text.slice(0, -1)) * UNITS_MS[text.at(-1)!]!;
}
