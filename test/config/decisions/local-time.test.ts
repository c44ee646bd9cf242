import { describe, expect, test } from 'vitest';
import { timeOf, timeZoneProblem } from '../../../src/config/decisions/local-time.ts';

describe('a time of a schedule', () => {
  test.each([
    ['a day', '2026-12-01', 'UTC', '2026-12-01T00:00:00Z'],
    ['a day of a zone', '2026-12-01', 'Europe/Zurich', '2026-11-30T23:00:00Z'],
    ['a time in summer', '2026-07-01 08:00', 'Europe/Zurich', '2026-07-01T06:00:00Z'],
    ['a time in winter', '2026-12-01 08:00', 'Europe/Zurich', '2026-12-01T07:00:00Z'],
    ['seconds', '2026-12-01T08:00:59', 'America/New_York', '2026-12-01T13:00:59Z'],
    ['half an hour', '2026-12-01 08:00', 'Asia/Kolkata', '2026-12-01T02:30:00Z'],
    ['the farthest zone east', '2026-12-01 08:00', 'Pacific/Kiritimati', '2026-11-30T18:00:00Z'],
    ['a leap day', '2028-02-29', 'UTC', '2028-02-29T00:00:00Z'],
    ['an offset of its own', '2026-12-01T08:00:00+02:00', 'Europe/Zurich', '2026-12-01T06:00:00Z'],
    ['UTC of its own', '2026-12-01T08:00Z', 'Europe/Zurich', '2026-12-01T08:00:00Z'],
    ['just before clocks are put forward', '2026-03-29 01:59', 'Europe/Zurich', '2026-03-29T00:59:00Z'],
    ['just after', '2026-03-29 03:00', 'Europe/Zurich', '2026-03-29T01:00:00Z'],
    ['the first of two, where they are put back', '2026-10-25 02:30', 'Europe/Zurich', '2026-10-25T00:30:00Z'],
    ['a day that begins at one', '2026-04-24', 'Africa/Cairo', '2026-04-23T22:00:00Z'],
    ['a day that begins at one, to the west', '2026-09-06', 'America/Santiago', '2026-09-06T04:00:00Z'],
    ['a day of 25 hours', '2026-10-30', 'Africa/Cairo', '2026-10-29T22:00:00Z'],
    ['behind them', '2026-10-25 03:00', 'Europe/Zurich', '2026-10-25T02:00:00Z'],
  ])('%s', (_, text, zone, expected) => {
    expect(timeOf(text, zone)).toBe(Date.parse(expected));
  });

  test.each([
    ['a day that no month has', '2026-02-30', 'There is no such day or time.'],
    ['a day that this year has not', '2026-02-29', 'There is no such day or time.'],
    ['a month too many', '2026-13-01', 'There is no such day or time.'],
    ['an hour too many', '2026-12-01 25:00', 'There is no such day or time.'],
    ['the hour after the last', '2026-12-01 24:00', 'There is no such day or time.'],
    ['an offset too large', '2026-12-01T08:00+99:00', 'There is no such offset.'],
    ['a word', 'tomorrow', /^It takes a date, or a date and a time, such as 2026-12-01,/],
    ['an American date', '12/01/2026', /^It takes a date/],
    [
      'a time that clocks were put forward over',
      '2026-03-29 02:30',
      'There is no such time in Europe/Zurich: clocks were put forward over it. Take another one.',
    ],
  ])('is not %s', (_, text, told) => {
    const found = timeOf(text, 'Europe/Zurich');
    if (typeof told === 'string') expect(found).toBe(told);
    else expect(found).toMatch(told);
  });
});

test.each([
  ['Europe/Zurich', true],
  ['UTC', true],
  ['America/Argentina/Buenos_Aires', true],
  ['Europe/Zuerich', false],
  ['+01:00', false],
  ['', false],
  ['Mars/Olympus', false],
])('time zone %j: %s', (name, isOne) => {
  expect(timeZoneProblem(name) === null).toBe(isOne);
});
