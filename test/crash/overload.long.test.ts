import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { COLLECT, INTERACT, loadUntilGood, recoveryMs, SETTLING_MS, startOverloaded } from './overload.ts';

const BYTES_PER_SECOND = 1_000_000;
const LOAD_MS = 20_000;
const RECOVERY_MS_MAX = 5_000;
const MIB = 1024 * 1024;
/** What thousands of answers on their way and the clients' connections need, with garbage that nobody has collected yet. */
const MEMORY_BYTES_MAX = 400 * MIB;

/** Each without anything known of the disk's pace before. `goodputMin`: part of the capacity; at 1 time chance leaves gaps. */
test.each([
  [1, { [INTERACT]: 0.9, [COLLECT]: 0 }, 0.85],
  [2, { [INTERACT]: 1.5, [COLLECT]: 0.5 }, 0.95],
  [2, { [INTERACT]: 2, [COLLECT]: 0 }, 0.95],
  [2, { [INTERACT]: 0, [COLLECT]: 2 }, 0.95],
  [5, { [INTERACT]: 2.5, [COLLECT]: 2.5 }, 0.9],
  [10, { [INTERACT]: 10, [COLLECT]: 0 }, 0.85],
  [10, { [INTERACT]: 2, [COLLECT]: 8 }, 0.85],
] as const)('%d times the capacity, %j', async (_times, parts, goodputMin) => {
  const overloaded = await startOverloaded(`${tempFolder()}/log`, BYTES_PER_SECOND);
  try {
    await overloaded.load(SETTLING_MS, { [INTERACT]: 5 });
    const capacity = overloaded.capacity();
    const rates = Object.fromEntries(Object.entries(parts).map(([path, part]) => [path, part * capacity]));
    const { failures, goodput, acknowledged } = await loadUntilGood(
      overloaded,
      LOAD_MS,
      rates,
      (judged) => judged.goodput > goodputMin,
    );
    expect(failures).toEqual([]);
    expect(goodput).toBeGreaterThan(goodputMin);
    expect(await recoveryMs(overloaded, RECOVERY_MS_MAX)).toBeLessThan(RECOVERY_MS_MAX);
    const stored = await overloaded.stored();
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
    expect(process.memoryUsage().rss).toBeLessThan(MEMORY_BYTES_MAX);
  } finally {
    await overloaded.stop();
  }
});
