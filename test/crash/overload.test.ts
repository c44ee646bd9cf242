import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { COLLECT, INTERACT, loadUntilGood, recoveryMs, startOverloaded } from './overload.ts';

/** More than the disk takes, sent by clients that do not wait for answers. The same for longer: overload.long.test.ts. */
const BYTES_PER_SECOND = 1_000_000;
const LOAD_MS = 3_000;
/** Of the capacity; data, of which nothing is to be refused as long as answers can be. */
const COLLECT_PART = 0.5;
const RECOVERY_MS_MAX = 5_000;
/** Three quarters of the deadline's time for data, and what the estimate is off. */
const QUEUE_BYTES_MAX = 2.5 * BYTES_PER_SECOND;

test('past the capacity of its disk the server does what the disk can, answers first, and loses nothing', async () => {
  const overloaded = await startOverloaded(`${tempFolder()}/log`, BYTES_PER_SECOND);
  const { server, load } = overloaded;
  try {
    await load(500, { [INTERACT]: 50 });
    const capacity = overloaded.capacity();
    const acknowledged: string[] = [];
    for (const [times, goodputMin] of [
      [2, 0.95],
      [10, 0.85],
    ] as const) {
      const rates = { [INTERACT]: (times - COLLECT_PART) * capacity, [COLLECT]: COLLECT_PART * capacity };
      const judged = await loadUntilGood(
        overloaded,
        LOAD_MS,
        rates,
        ({ goodput, refused }) => goodput > goodputMin && refused[COLLECT] === 0,
      );
      expect(judged.failures).toEqual([]);
      expect(judged.goodput, `goodput at ${times} times the capacity`).toBeGreaterThan(goodputMin);
      expect(judged.refused[INTERACT]).toBeGreaterThan(0);
      expect(judged.refused[COLLECT]).toBe(0);
      acknowledged.push(...judged.acknowledged);
      expect(await recoveryMs(overloaded, RECOVERY_MS_MAX)).toBeLessThan(RECOVERY_MS_MAX);
    }
    expect(overloaded.queueBytesSeen).toBeLessThan(QUEUE_BYTES_MAX);
    const stored = await overloaded.stored();
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
    expect(server.counters.shed['overload-interact']).toBeGreaterThan(0);
  } finally {
    await overloaded.stop();
  }
});
