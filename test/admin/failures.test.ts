import { expect, test } from 'vitest';
import { ADDRESSES_MAX, FAILURES_MAX, FAILURES_WINDOW_MS, Failures } from '../../src/admin/failures.ts';

function failed(times: number, address = '192.0.2.1'): Failures {
  const failures = new Failures();
  for (let i = 0; i < times; i++) failures.failed(address, 0);
  return failures;
}

test(`${FAILURES_MAX} failures in a minute are too many, one less is not`, () => {
  expect(failed(FAILURES_MAX - 1).waitSeconds('192.0.2.1', 0)).toBe(0);
  const failures = failed(FAILURES_MAX);
  expect(failures.waitSeconds('192.0.2.1', 1)).toBe(60);
  expect(failures.waitSeconds('192.0.2.2', 1)).toBe(0);
  expect(failures.waitSeconds('192.0.2.1', FAILURES_WINDOW_MS)).toBe(0);
  expect(failures.total).toBe(FAILURES_MAX);
});

test('a new window begins with its first failure', () => {
  const failures = failed(FAILURES_MAX);
  failures.failed('192.0.2.1', FAILURES_WINDOW_MS);
  expect(failures.waitSeconds('192.0.2.1', FAILURES_WINDOW_MS)).toBe(0);
});

test.each([
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::9', true],
  ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ['2001:db8::1', '2001:db8::2', true],
  ['fe80::1%eth0', 'fe80::2%eth0', true],
  ['::ffff:192.0.2.1', '192.0.2.1', true],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
  ['::1', '::1', true],
])('%s and %s count together: %s', (a, b, together) => {
  expect(failed(FAILURES_MAX, a).waitSeconds(b, 0) > 0).toBe(together);
});

test(`remembers ${ADDRESSES_MAX} addresses, and forgets the one that began longest ago`, () => {
  const failures = failed(FAILURES_MAX);
  for (let i = 0; i < ADDRESSES_MAX - 1; i++) failures.failed(`10.0.${i >> 8}.${i & 255}`, 1);
  expect(failures.waitSeconds('192.0.2.1', 1)).toBeGreaterThan(0);
  failures.failed('10.255.0.1', 1);
  expect(failures.waitSeconds('192.0.2.1', 1)).toBe(0);
});
