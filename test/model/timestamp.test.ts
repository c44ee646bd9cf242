import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  OCCURRED_AFTER_RECEIVED_MS_MAX,
  OCCURRED_BEFORE_RECEIVED_MS_MAX,
  occurredAt,
  parseTimestamp,
  TIMESTAMP_CHARACTERS_MAX,
} from '../../src/model/timestamp.ts';

const FIRST_MS = Date.parse('0000-01-01T00:00:00.000Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

describe('RFC 3339 dates', () => {
  test.each([
    ['the form of the Web SDK', '2026-11-23T03:58:49.147Z', Date.UTC(2026, 10, 23, 3, 58, 49, 147)],
    ['no fraction', '2026-11-23T03:58:49Z', Date.UTC(2026, 10, 23, 3, 58, 49)],
    ['one digit of it', '2026-11-23T03:58:49.1Z', Date.UTC(2026, 10, 23, 3, 58, 49, 100)],
    ['two', '2026-11-23T03:58:49.12Z', Date.UTC(2026, 10, 23, 3, 58, 49, 120)],
    ['nine, cut and not rounded', '2026-11-23T03:58:49.999999999Z', Date.UTC(2026, 10, 23, 3, 58, 49, 999)],
    ['small letters', '2026-11-23t03:58:49z', Date.UTC(2026, 10, 23, 3, 58, 49)],
    ['an offset to the east', '2026-11-23T03:58:49.127+02:30', Date.UTC(2026, 10, 23, 1, 28, 49, 127)],
    ['an offset to the west', '2026-11-23T03:58:49-08:00', Date.UTC(2026, 10, 23, 11, 58, 49)],
    ['an unknown offset', '2026-11-23T03:58:49-00:00', Date.UTC(2026, 10, 23, 3, 58, 49)],
    ['the widest offset', '2026-11-23T00:00:00+23:59', Date.UTC(2026, 10, 22, 0, 1)],
    ['the epoch', '1970-01-01T00:00:00Z', 0],
    ['before the epoch', '1969-12-31T23:59:59.999Z', -1],
    ['a leap day', '2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
    ['a leap day of a century', '2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
    ['a leap second', '2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
    ['a leap second, with an offset', '2016-12-31T18:59:60.5-05:00', Date.UTC(2017, 0, 1, 0, 0, 0, 500)],
    ['a leap second before the epoch', '1969-12-31T23:59:60Z', 0],
    ['the first year', '0000-01-01T00:00:00Z', Date.parse('0000-01-01T00:00:00Z')],
    ['the last year', '9999-12-31T23:59:59.999Z', LAST_MS],
  ])('%s: %s', (_what, text, ms) => {
    expect(parseTimestamp(text)).toBe(ms);
  });

  test.each([
    ['what the documentation prints', 'YYYY-08-09T15:52:20+00:00'],
    ['a day that the month lacks', '2026-02-30T00:00:00Z'],
    ['31 April', '2026-04-31T00:00:00Z'],
    ['a leap day of a common year', '2026-02-29T00:00:00Z'],
    ['a leap day of a common century', '1900-02-29T00:00:00Z'],
    ['month 0', '2026-00-10T00:00:00Z'],
    ['month 13', '2026-13-10T00:00:00Z'],
    ['day 0', '2026-01-00T00:00:00Z'],
    ['hour 24', '2026-01-01T24:00:00Z'],
    ['minute 60', '2026-01-01T00:60:00Z'],
    ['second 61', '2026-12-31T23:59:61Z'],
    ['second 60 within a day', '2026-01-01T12:30:60Z'],
    ['second 60 at midnight of an offset only', '2026-12-31T23:59:60+01:00'],
    ['no offset', '2026-01-01T00:00:00'],
    ['no offset after a fraction', '2026-01-01T00:00:00.000'],
    ['an offset without a colon', '2026-01-01T00:00:00+0000'],
    ['an offset of hours only', '2026-01-01T00:00:00+01'],
    ['an offset of 24 hours', '2026-01-01T00:00:00+24:00'],
    ['an offset of 60 minutes', '2026-01-01T00:00:00+01:60'],
    ['something after Z', '2026-01-01T00:00:00Z '],
    ['something after an offset', '2026-01-01T00:00:00+01:00Z'],
    ['a point without digits', '2026-01-01T00:00:00.Z'],
    ['a comma', '2026-01-01T00:00:00,5Z'],
    ['a space for the T', '2026-01-01 00:00:00Z'],
    ['no seconds', '2026-01-01T00:00Z'],
    ['a date alone', '2026-01-01'],
    ['a basic form', '20260101T000000Z'],
    ['a sign', '+2026-01-01T00:00:00Z'],
    ['six digits of a year', '+002026-01-01T00:00:00Z'],
    ['digits of another script', '２026-01-01T00:00:00Z'],
    ['seconds since the epoch', '1795406318472'],
    ['a number', 1795406318472],
    ['null', null],
    ['an array', ['2026-01-01T00:00:00Z']],
    ['nothing', ''],
  ])('no date: %s (%s)', (_what, value) => {
    expect(parseTimestamp(value)).toBeNull();
  });

  test('the length limit, at its edge', () => {
    const text = (characters: number): string => `2026-01-01T00:00:00.${'5'.repeat(characters - 21)}Z`;
    expect(parseTimestamp(text(TIMESTAMP_CHARACTERS_MAX))).toBe(Date.UTC(2026, 0, 1, 0, 0, 0, 555));
    expect(parseTimestamp(text(TIMESTAMP_CHARACTERS_MAX + 1))).toBeNull();
  });

  test('every millisecond of four digits of years is read as Date has it', () => {
    fc.assert(
      fc.property(fc.integer({ min: FIRST_MS, max: LAST_MS }), (ms) => {
        const text = new Date(ms).toISOString();
        expect(parseTimestamp(text)).toBe(ms);
      }),
    );
  });

  test('every day of 400 years exists, and no other', () => {
    let expected = Date.UTC(1900, 0, 1);
    for (let year = 1900; year < 2300; year++) {
      for (let month = 1; month <= 12; month++) {
        const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
        for (let day = 1; day <= 31; day++) {
          const two = (value: number): string => String(value).padStart(2, '0');
          const ms = parseTimestamp(`${year}-${two(month)}-${two(day)}T00:00:00Z`);
          if (ms !== (day <= last ? expected : null)) throw new Error(`${year}-${month}-${day} is read as ${ms}`);
          if (day <= last) expected += 86_400_000;
        }
      }
    }
  });

  test('a damaged date is null or a number, never thrown', () => {
    const good = '2026-11-23T03:58:49.147+01:00';
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.string({ maxLength: 2 }), (at, put) => {
        const ms = parseTimestamp(good.slice(0, at) + put + good.slice(at + 1));
        expect(ms === null || Number.isSafeInteger(ms)).toBe(true);
      }),
    );
  });
});

describe('when an event happened', () => {
  const received = Date.UTC(2026, 10, 23, 12);
  const at = (ms: number): string => new Date(ms).toISOString();
  const oldest = received - OCCURRED_BEFORE_RECEIVED_MS_MAX;
  const newest = received + OCCURRED_AFTER_RECEIVED_MS_MAX;

  test('the window is 30 days and 5 minutes', () => {
    expect(at(oldest)).toBe('2026-10-24T12:00:00.000Z');
    expect(at(newest)).toBe('2026-11-23T12:05:00.000Z');
  });

  test.each([
    ['absent', undefined, received, 'received'],
    ['null', null, received, 'received'],
    ['now', at(received), received, 'timestamp'],
    ['a second ago', at(received - 1000), received - 1000, 'timestamp'],
    ['the oldest believed', at(oldest), oldest, 'timestamp'],
    ['one older', at(oldest - 1), received, 'implausible'],
    ['the newest believed', at(newest), newest, 'timestamp'],
    ['one newer', at(newest + 1), received, 'implausible'],
    ['no date', 'YYYY-08-09T15:52:20+00:00', received, 'unreadable'],
    ['a number', received, received, 'unreadable'],
    ['an empty text', '', received, 'unreadable'],
    ['an object', {}, received, 'unreadable'],
  ] as const)('%s', (_what, timestamp, occurredAtMs, occurredAtFrom) => {
    expect(occurredAt(timestamp as never, received)).toEqual({ occurredAtMs, occurredAtFrom });
  });
});
