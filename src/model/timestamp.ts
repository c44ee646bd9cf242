import type { EdgeEvent } from './exchange.ts';
import type { Json } from './json.ts';

/** Clients queue while offline, so old events are normal; older than this, a wrong clock is likelier. Chosen. */
export const OCCURRED_BEFORE_RECEIVED_MS_MAX = 30 * 24 * 60 * 60 * 1000;
/** A client's clock may run ahead by this much. Chosen. */
export const OCCURRED_AFTER_RECEIVED_MS_MAX = 5 * 60 * 1000;
/** A date with nanoseconds and an offset has 35 characters; RFC 3339 sets no limit to the fraction. */
export const TIMESTAMP_CHARACTERS_MAX = 64;

/** When an event happened, in milliseconds of the Unix epoch, and where that comes from. A time that is not believed is not used. */
export function occurredAt(
  timestamp: Json | undefined,
  receivedAtMs: number,
): Pick<EdgeEvent, 'occurredAtMs' | 'occurredAtFrom'> {
  if (timestamp === undefined || timestamp === null) return { occurredAtMs: receivedAtMs, occurredAtFrom: 'received' };
  const atMs = parseTimestamp(timestamp);
  if (atMs === null) return { occurredAtMs: receivedAtMs, occurredAtFrom: 'unreadable' };
  const plausible =
    atMs >= receivedAtMs - OCCURRED_BEFORE_RECEIVED_MS_MAX && atMs <= receivedAtMs + OCCURRED_AFTER_RECEIVED_MS_MAX;
  return plausible
    ? { occurredAtMs: atMs, occurredAtFrom: 'timestamp' }
    : { occurredAtMs: receivedAtMs, occurredAtFrom: 'implausible' };
}

/**
 * An RFC 3339 date-time in milliseconds of the Unix epoch; null for everything else, days that the calendar lacks
 * included. "2026-11-23T09:30:00.000Z", with any number of fraction digits (those past milliseconds are cut), an offset
 * instead of Z, `t` and `z` in lower case. A leap second (23:59:60 UTC) counts as the second after it. Chosen: no space
 * for the T, because nobody's client sends it.
 */
export function parseTimestamp(text: unknown): number | null {
  if (typeof text !== 'string' || text.length < SECONDS_END + 1 || text.length > TIMESTAMP_CHARACTERS_MAX) return null;
  const days = daysOf(text);
  const seconds = secondsOf(text);
  if (Number.isNaN(days) || Number.isNaN(seconds)) return null;
  let at = SECONDS_END;
  let ms = 0;
  if (text.charCodeAt(at) === DOT) {
    const start = ++at;
    while (isDigit(text.charCodeAt(at))) at += 1;
    if (at === start) return null;
    for (let i = 0; i < 3; i++) ms = ms * 10 + (start + i < at ? text.charCodeAt(start + i) - ZERO : 0);
  }
  const offset = offsetMinutes(text, at);
  if (Number.isNaN(offset)) return null;
  const utc = days * 86_400 + seconds - offset * 60;
  const isLeapSecond = text.charCodeAt(17) === SIX;
  if (isLeapSecond && utc % 86_400 !== 0) return null;
  return utc * 1000 + ms;
}

const ZERO = 0x30;
const SIX = 0x36;
const DOT = 0x2e;
const DASH = 0x2d;
const COLON = 0x3a;
/** "2026-11-23T09:30:00" */
const SECONDS_END = 19;

function isDigit(code: number): boolean {
  return code >= ZERO && code <= 0x39;
}

/** Two digits at a place; NaN where they are none. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at);
  const ones = text.charCodeAt(at + 1);
  return isDigit(tens) && isDigit(ones) ? (tens - ZERO) * 10 + ones - ZERO : Number.NaN;
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** "YYYY-MM-DD" as days since 1970-01-01 of the Gregorian calendar; NaN where that is no day. */
function daysOf(text: string): number {
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return Number.NaN;
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5);
  const day = two(text, 8);
  if (!(month >= 1 && month <= 12 && day >= 1)) return Number.NaN;
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const length = month === 2 && isLeapYear ? 29 : MONTH_DAYS[month - 1]!;
  if (day > length) return Number.NaN;
  // Counted from 1 March of the year 0, so that the leap day is the last of its year.
  const y = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468;
}

/** "Thh:mm:ss" as seconds of the day, 60 allowed; NaN where that is no time. */
function secondsOf(text: string): number {
  const separator = text.charCodeAt(10) | 0x20;
  if (separator !== 0x74 || text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return Number.NaN;
  const hour = two(text, 11);
  const minute = two(text, 14);
  const second = two(text, 17);
  return hour <= 23 && minute <= 59 && second <= 60 ? hour * 3600 + minute * 60 + second : Number.NaN;
}

/** "Z" or "+hh:mm" from a place to the end of the text, in minutes east of UTC; NaN where it is neither. */
function offsetMinutes(text: string, at: number): number {
  const sign = text.charCodeAt(at);
  if ((sign | 0x20) === 0x7a) return text.length === at + 1 ? 0 : Number.NaN;
  if ((sign !== 0x2b && sign !== DASH) || text.length !== at + 6 || text.charCodeAt(at + 3) !== COLON)
    return Number.NaN;
  const hours = two(text, at + 1);
  const minutes = two(text, at + 4);
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN;
  return sign === DASH ? -(hours * 60 + minutes) : hours * 60 + minutes;
}
