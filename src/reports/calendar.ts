/** A day of a time zone: days since 1970-01-01 there. */
export type Day = number;

const DAY_MS = 86_400_000;
/** Zones change their offset at full quarters of an hour, so within one it is the same. Holds for every zone since 1972. */
const QUARTER_MS = 900_000;
/** Of the last ones that were asked for: events come in order, nearly. Some 300 days at 8 bytes of key and value each. */
const QUARTERS_MAX = 30_000;

/** The days of one time zone. Asking the platform costs 2 µs, so each quarter of an hour is asked for once. */
export class Calendar {
  readonly timeZone: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #days = new Map<number, Day>();

  /** `timeZone`: an IANA name; throws a RangeError for one that the platform does not know. */
  constructor(timeZone: string) {
    this.timeZone = timeZone;
    this.#format = new Intl.DateTimeFormat('en-u-ca-gregory', {
      timeZone,
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
    });
  }

  /** `timeMs`: Unix epoch. */
  dayOf(timeMs: number): Day {
    const quarter = Math.floor(timeMs / QUARTER_MS);
    const known = this.#days.get(quarter);
    if (known !== undefined) return known;
    if (this.#days.size >= QUARTERS_MAX) this.#days.clear();
    const day = this.#ask(timeMs);
    this.#days.set(quarter, day);
    return day;
  }

  #ask(timeMs: number): Day {
    const parts: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(timeMs)) parts[type] = Number(value);
    return Date.UTC(parts['year']!, parts['month']! - 1, parts['day']!) / DAY_MS;
  }
}

/** "2026-11-28". */
export function dayText(day: Day): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Null for what is no date of the calendar: "2026-02-30", "today". */
export function parseDay(text: string): Day | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const timeMs = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(timeMs)) return null;
  const day = timeMs / DAY_MS;
  return dayText(day) === text ? day : null;
}
