import type { JsonObject } from '../model/json.ts';

/** Clocks change at quarters of an hour, everywhere since 1972; within one, a zone's offset stays. */
const MINUTE_MS = 60 * 1000;
const QUARTER_MS = 15 * MINUTE_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** The fact `time` in one time zone. Made at load: a formatter costs some 50 µs, and remembers the last quarter of an hour. */
export class ZoneTime {
  readonly #format: Intl.DateTimeFormat;
  #quarter = Number.NaN;
  #offsetMs = 0;
  #day = Number.NaN;
  #date = '';

  /** `timeZone`: IANA name. Throws `RangeError` for a name that is none. */
  constructor(timeZone: string) {
    const number = 'numeric' as const;
    this.#format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone, hourCycle: 'h23', year: number, month: number, day: number, hour: number, minute: number },
      second: number,
      era: 'short',
    });
  }

  /** `now` (ms), `date` ("2026-11-28"), `hour`, `minute`, `weekday` (1 Monday to 7 Sunday). */
  at(nowMs: number): JsonObject {
    const localMs = nowMs + this.offsetMs(nowMs);
    const day = Math.floor(localMs / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#date = new Date(day * DAY_MS).toISOString().slice(0, -'T00:00:00.000Z'.length);
    }
    const minutes = Math.floor((localMs - day * DAY_MS) / MINUTE_MS);
    return {
      now: nowMs,
      date: this.#date,
      hour: Math.floor(minutes / 60),
      minute: minutes % 60,
      // 1970-01-01 was a Thursday.
      weekday: ((((day + 3) % 7) + 7) % 7) + 1,
    };
  }

  /** East of UTC, milliseconds. */
  offsetMs(nowMs: number): number {
    const quarter = Math.floor(nowMs / QUARTER_MS);
    if (quarter !== this.#quarter) {
      this.#offsetMs = this.#offsetAt(quarter * QUARTER_MS);
      this.#quarter = quarter;
    }
    return this.#offsetMs;
  }

  #offsetAt(atMs: number): number {
    const parts: Record<string, string> = {};
    for (const { type, value } of this.#format.formatToParts(atMs)) parts[type] = value;
    const year = parts['era'] === 'BC' ? 1 - Number(parts['year']) : Number(parts['year']);
    const local = new Date(0);
    local.setUTCFullYear(year, Number(parts['month']) - 1, Number(parts['day']));
    local.setUTCHours(Number(parts['hour']), Number(parts['minute']), Number(parts['second']));
    return local.getTime() - atMs;
  }
}
