import { expect, test } from 'vitest';
import { Calendar, dayText, parseDay } from '../../src/reports/calendar.ts';

test.each([
  ['UTC', '2026-11-28T23:59:59.999Z', '2026-11-28'],
  ['UTC', '2026-11-29T00:00:00Z', '2026-11-29'],
  ['Europe/Berlin', '2026-03-28T22:59:59Z', '2026-03-28'],
  ['Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29'],
  // A day of 23 hours.
  ['Europe/Berlin', '2026-03-29T21:59:59Z', '2026-03-29'],
  ['Europe/Berlin', '2026-03-29T22:00:00Z', '2026-03-30'],
  ['Asia/Kathmandu', '2026-11-28T18:14:59Z', '2026-11-28'],
  ['Asia/Kathmandu', '2026-11-28T18:15:00Z', '2026-11-29'],
  ['Pacific/Kiritimati', '2026-11-28T10:00:00Z', '2026-11-29'],
  // The day that Samoa left out.
  ['Pacific/Apia', '2011-12-30T09:59:59Z', '2011-12-29'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-31'],
])('%s at %s is %s', (timeZone, at, day) => {
  const calendar = new Calendar(timeZone);
  expect(dayText(calendar.dayOf(Date.parse(at)))).toBe(day);
  expect(dayText(calendar.dayOf(Date.parse(at)))).toBe(day);
});

test.each(['2026-02-29', '2026-13-01', '2026-1-1', '28.11.2026', '', '2026-11-28T00:00:00Z'])(
  '%s is no day',
  (text) => {
    expect(parseDay(text)).toBeNull();
  },
);

test('A day is read as it is written', () => {
  for (const text of ['2024-02-29', '1970-01-01', '2026-12-31']) expect(dayText(parseDay(text)!)).toBe(text);
});
