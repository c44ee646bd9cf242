/** A look a minute; a day of them sees the rhythm of a shop's traffic. */
export const FORECAST_LOOK_MS = 60_000;
const LOOKS_MAX = 1_440;
/** Before that, the start's own files would be taken for growth. */
export const FORECAST_AFTER_MS = 10 * 60_000;

/**
 * When the disk will be full: the log's growth between the oldest and the newest look (what retention removed is no
 * growth), carried on. Pure but for what it remembers: at most a day of looks, two numbers each.
 */
export class DiskForecast {
  readonly #looks: { readonly atMs: number; readonly bytes: number }[] = [];

  /** `bytes`: size of the log's files now. `atMs`: of a clock that does not jump. */
  look(atMs: number, bytes: number): void {
    this.#looks.push({ atMs, bytes });
    if (this.#looks.length > LOOKS_MAX) this.#looks.shift();
  }

  /** Seconds until `bytes` more are written; Infinity where nothing grows, NaN where it was not looked at for long enough. */
  secondsUntil(bytes: number): number {
    const first = this.#looks[0];
    const last = this.#looks.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < FORECAST_AFTER_MS) return Number.NaN;
    const grown = last.bytes - first.bytes;
    if (bytes <= 0) return 0;
    if (grown <= 0) return Number.POSITIVE_INFINITY;
    return (bytes / grown) * ((last.atMs - first.atMs) / 1000);
  }
}
