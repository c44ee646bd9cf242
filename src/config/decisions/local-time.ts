/**
 * Times in schedules: a date, or a date and a time, in a time zone of the IANA; or with an offset of its own. So a sale that
 * begins at 8 begins at 8 there, in summer and in winter.
 */

const TIME = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)?(Z|[+-]\d{2}:\d{2})?$/;
const HOUR_MS = 3_600_000;

/** Unix epoch, milliseconds; or why the text is no time, with the remedy. */
export function timeOf(text: string, timeZone: string): number | string {
  const found = TIME.exec(text);
  if (found === null) return `It takes a date, or a date and a time, such as ${EXAMPLES}.`;
  const [, year, month, day, hour = '00', minute = '00', second = '00', offset] = found;
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const utcMs = Date.parse(`${written}Z`);
  // `Date.parse` takes the 31st of a shorter month for a day of the next one.
  if (Number.isNaN(utcMs) || !new Date(utcMs).toISOString().startsWith(written)) return 'There is no such day or time.';
  if (offset !== undefined) {
    const atMs = Date.parse(`${written}${offset}`);
    return Number.isNaN(atMs) ? 'There is no such offset.' : atMs;
  }
  const atMs = localMs(utcMs, timeZone, found[4] === undefined);
  return atMs ?? `There is no such time in ${timeZone}: clocks were put forward over it. Take another one.`;
}
const EXAMPLES = '2026-12-01, 2026-12-01 08:00 or 2026-12-01T08:00:00Z';

/**
 * When it is this time in the zone, the first time where clocks are put back; null where clocks are put forward over it. A day begins
 * when they are, where that is at midnight (Cairo, Beirut).
 */
function localMs(utcMs: number, timeZone: string, isDay: boolean): number | null {
  // Offsets change at most once within these days, and are at most 14 hours.
  const offsets = [-26, 26].map((hours) => offsetMs(utcMs + hours * HOUR_MS, timeZone));
  const fitting = offsets.map((offset) => utcMs - offset).filter((atMs) => atMs + offsetMs(atMs, timeZone) === utcMs);
  if (fitting.length > 0) return Math.min(...fitting);
  return isDay ? utcMs - offsets[0]! : null;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function offsetMs(atMs: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    const fields = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      era: 'short',
      second: '2-digit',
      ...fields,
    });
    formats.set(timeZone, format);
  }
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  const [year, month, day, hour, minute, second] = (['year', 'month', 'day', 'hour', 'minute', 'second'] as const).map(
    (type) => parts.get(type)!,
  );
  return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - atMs;
}

/** Names only: an offset would not follow the seasons. */
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+/-]*$/;

/** Why there is no such time zone, with the remedy; null where there is. */
export function timeZoneProblem(name: string): string | null {
  try {
    if (ZONE_NAME.test(name) && new Intl.DateTimeFormat('en-US', { timeZone: name }).format(0) !== '') return null;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return 'It takes the IANA name of a time zone, such as Europe/Zurich or UTC.';
}
