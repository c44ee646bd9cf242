import { expect, test } from 'vitest';
import { DiskForecast, FORECAST_AFTER_MS, FORECAST_LOOK_MS } from '../../src/telemetry/disk-forecast.ts';

const HOUR_MS = 3_600_000;

test('is not known before it was looked at for long enough', () => {
  const forecast = new DiskForecast();
  expect(forecast.secondsUntil(1)).toBeNaN();
  forecast.look(0, 0);
  forecast.look(FORECAST_AFTER_MS - 1, 100);
  expect(forecast.secondsUntil(1)).toBeNaN();
  forecast.look(FORECAST_AFTER_MS, 100);
  expect(forecast.secondsUntil(100)).toBe(FORECAST_AFTER_MS / 1000);
});

test.each([
  ['a gigabyte an hour', 1e9, 24e9, 24 * 3600],
  ['what retention removes is no growth', 0, 1e9, Number.POSITIVE_INFINITY],
  ['a log that shrinks', -5, 1e9, Number.POSITIVE_INFINITY],
  ['no space left', 1e9, 0, 0],
  ['less than none', 1e9, -1, 0],
])('%s', (_, growthAnHour, free, seconds) => {
  const forecast = new DiskForecast();
  forecast.look(0, 1e10);
  forecast.look(HOUR_MS, 1e10 + growthAnHour);
  expect(forecast.secondsUntil(free)).toBe(seconds);
});

test('looks back a day', () => {
  const forecast = new DiskForecast();
  for (let minute = 0; minute <= 3000; minute++)
    forecast.look(minute * FORECAST_LOOK_MS, minute < 1500 ? 0 : minute * 1000);
  // The day before yesterday's quiet is forgotten: 1,439 minutes of 1,000 bytes each, and the step.
  expect(forecast.secondsUntil(1_439_000)).toBeCloseTo(1439 * 60, 0);
});
