import { describe, expect, test } from 'vitest';
import { DiskPace, TELLING_MS, UNJUDGED_BYTES } from '../../src/log/disk-pace.ts';

const MIB = 1024 * 1024;

describe('the pace of a disk', () => {
  test('is without limit until a write took long enough to tell', () => {
    const pace = new DiskPace();
    pace.wrote(1, TELLING_MS - 0.1);
    expect(pace.msFor(1024 * MIB)).toBe(0);
    pace.wrote(MIB, TELLING_MS);
    expect(pace.msFor(2 * MIB)).toBe(2 * TELLING_MS);
  });

  test(`is not held against ${UNJUDGED_BYTES} bytes: a slow sync is not a slow disk`, () => {
    const pace = new DiskPace();
    pace.wrote(UNJUDGED_BYTES, 100);
    expect(pace.msFor(UNJUDGED_BYTES)).toBe(0);
    expect(pace.msFor(UNJUDGED_BYTES + 2_000)).toBeGreaterThan(100);
  });

  test(`is not learned from less than ${UNJUDGED_BYTES} bytes: the first record of a burst may wait for much else`, () => {
    const pace = new DiskPace();
    pace.wrote(UNJUDGED_BYTES - 1, 10_000);
    expect(pace.msFor(1024 * MIB)).toBe(0);
  });

  test('is that of the last second of writing: one stall does not make it slow for long', () => {
    const pace = new DiskPace();
    const msPerMib = (): number => pace.msFor(MIB);
    for (let i = 0; i < 40; i++) pace.wrote(MIB, 100);
    expect(msPerMib()).toBeCloseTo(100);
    pace.wrote(MIB, 1_000);
    expect(msPerMib()).toBeGreaterThan(150);
    expect(msPerMib()).toBeLessThan(300);
    for (let i = 0; i < 20; i++) pace.wrote(MIB, 100);
    expect(msPerMib()).toBeLessThan(125);
  });

  test('a disk that has become faster is known by writes that are too short to tell otherwise', () => {
    const pace = new DiskPace();
    for (let i = 0; i < 20; i++) pace.wrote(UNJUDGED_BYTES, 250);
    const slow = pace.msFor(MIB);
    for (let i = 0; i < 1_000; i++) pace.wrote(100_000, 1);
    expect(pace.msFor(MIB)).toBeLessThan(slow / 20);
    // And short writes of little do not make it slow again.
    const fast = pace.msFor(MIB);
    for (let i = 0; i < 1_000; i++) pace.wrote(100, 1);
    expect(pace.msFor(MIB)).toBe(fast);
  });
});
