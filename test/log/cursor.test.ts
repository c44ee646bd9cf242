import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { Cursor, type Missing, type ReaderOptions, type ReadFrom, type View } from '../../src/log/cursor.ts';
import { Hidden, NOTHING_HIDDEN } from '../../src/log/hidden.ts';
import { listSegments } from '../../src/log/recovery.ts';
import { Random } from '../sim/random.ts';
import type { MemoryFs } from './memory-fs.ts';
import { appendEach, FOLDER, openLog, parseBody, readAll, recordOf, segmentsOf, TestHost, told } from './open-log.ts';

let missing: Missing[];
beforeEach(() => {
  missing = [];
});

/** Of a log that nobody writes to. */
async function cursorOf(fs: MemoryFs, end: number, from: ReadFrom): Promise<Cursor> {
  const segments = await listSegments(fs, FOLDER);
  const hidden = new Hidden(NOTHING_HIDDEN, null, () => 0);
  const view: View = { current: () => ({ segments, offset: end, hidden }), wait: () => Promise.resolve(false) };
  const report: ReaderOptions['report'] = (_message, what) => void missing.push(...(what === undefined ? [] : [what]));
  return new Cursor({ fs, directory: FOLDER, partition: 0, parseBody, report }, view, from);
}

const at = (offset: number): ReadFrom => ({ partition: 0, offset });

/** Ten records in several segments. */
async function ten(): Promise<MemoryFs> {
  const { log, fs } = await openLog(undefined, { segmentBytes: 700 });
  await appendEach(log, 0, 10);
  expect(segmentsOf(fs).length).toBeGreaterThan(2);
  return fs;
}

describe('a take', () => {
  test('is of so many records at most, of one segment, and of none at the end', async () => {
    const cursor = await cursorOf(await ten(), 10, 'start');
    const got: number[] = [];
    for (let stored = await cursor.take(2); stored.length > 0; stored = await cursor.take(2)) {
      expect(stored.length).toBeLessThanOrEqual(2);
      got.push(...stored.map(({ position }) => position.offset));
      expect(cursor.offset).toBe(got.length);
    }
    expect(got).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await cursor.close();
  });

  test('ends when it has a megabyte, so that a reader holds little', async () => {
    const { log, fs } = await openLog(undefined, { segmentBytes: 8 * 1024 * 1024 });
    for (let i = 0; i < 5; i++) await log.append(recordOf(i, { bytes: 400_000 }));
    const cursor = await cursorOf(fs, 5, 'start');
    expect(told(await cursor.take(100))).toBe('0:r0 1:r1 2:r2');
    expect(told(await cursor.take(100))).toBe('3:r3 4:r4');
  });

  test('is not of what is not durable yet, though it stands there', async () => {
    const cursor = await cursorOf(await ten(), 4, at(2));
    expect(told([...(await cursor.take(100)), ...(await cursor.take(100))])).toBe('2:r2 3:r3');
  });
});

describe('a time', () => {
  test('finds every record received then or later, however the clock went', async () => {
    const times = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 20 });
    const property = fc.asyncProperty(times, fc.integer({ min: -1, max: 60_001 }), async (all, sinceMs) => {
      const host = new TestHost();
      const { log } = await openLog(undefined, { segmentBytes: 400, host });
      const startMs = host.ms;
      for (const [i, ms] of all.entries()) {
        // What a record waits for the disk is at most a few seconds; its segment is made at that time.
        host.ms = startMs + Math.max(...all.slice(0, i + 1));
        await log.append(recordOf(i, { atMs: host.ms - (ms % 5000) }));
      }
      const received = (await readAll(log)).filter(({ record }) => record.atMs >= startMs + sinceMs);
      expect(told(await readAll(log, { timeMs: startMs + sinceMs }))).toBe(told(received));
    });
    await fc.assert(property, { numRuns: 60 });
  });
});

test('a time in a large segment finds records that stand out of order by seconds', async () => {
  const random = new Random(5);
  const { log } = await openLog(undefined, { segmentBytes: 8 * 1024 * 1024 });
  const times = Array.from({ length: 3000 }, (_, i) => 1_000_000 + i * 100 - random.below(9000));
  await Promise.all(times.map((atMs, i) => log.append(recordOf(i, { atMs, bytes: 300 }))));
  for (const timeMs of [...times.slice(0, 3), ...Array.from({ length: 20 }, () => random.pick(times))]) {
    const expected = times.flatMap((atMs, i) => (atMs >= timeMs ? [i] : []));
    const got = (await readAll(log, { timeMs })).map(({ position }) => position.offset);
    expect(got).toEqual(expected);
  }
});

test('a time is sought in the first segment alone: a start reads ten minutes of log, and not each segment many times', async () => {
  const { log, fs } = await openLog(undefined, { segmentBytes: 4 * 1024 * 1024 });
  for (let i = 0; i < 60; i++) await log.append(recordOf(i, { bytes: 200_000 }));
  const reads = async (from: ReadFrom): Promise<number> => {
    const others = segmentsOf(fs).slice(1);
    fs.calls.length = 0;
    expect(await readAll(log, from)).toHaveLength(60);
    // Headers apart: by them the first segment is found.
    return fs.calls.filter(({ what, path, position }) => what === 'read' && others.includes(path) && position > 0)
      .length;
  };
  expect(await reads({ timeMs: 0 })).toBe(await reads('start'));
});

describe('what is not there', () => {
  test('dropped segments: it goes on at the oldest record, and says from where to where', async () => {
    const fs = await ten();
    const [first, second] = segmentsOf(fs) as [string, string];
    const offset = Number(second.slice(FOLDER.length + 1, FOLDER.length + 17));
    await fs.unlink(first);
    expect((await (await cursorOf(fs, 10, at(1))).take(1))[0]?.position.offset).toBe(offset);
    expect(missing).toEqual([{ why: 'dropped', fromOffset: 1, toOffset: offset }]);
    missing = [];
    await (await cursorOf(fs, 10, 'start')).take(1);
    await (await cursorOf(fs, 10, at(offset))).take(1);
    expect(missing).toEqual([]);
  });

  test('a segment whose file somebody removed: damage, and it goes on behind it', async () => {
    const fs = await ten();
    const cursor = await cursorOf(fs, 10, 'start');
    const [, second, third] = segmentsOf(fs) as [string, string, string];
    const [from, to] = [second, third].map((path) => Number(path.slice(FOLDER.length + 1, FOLDER.length + 17)));
    await fs.unlink(second);
    const got: number[] = [];
    for (let stored = await cursor.take(9); stored.length > 0; stored = await cursor.take(9)) {
      got.push(...stored.map(({ position }) => position.offset));
    }
    expect(got).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((offset) => offset < from! || offset >= to!));
    expect(missing).toEqual([{ why: 'damaged', fromOffset: from, toOffset: to }]);
  });

  test('is told by the first reader that meets it, and by no other of the same log', async () => {
    const fs = await ten();
    const bytes = fs.content(segmentsOf(fs)[0]!);
    bytes[100]! ^= 1;
    const { log, messages } = await openLog(fs);
    await readAll(log);
    await readAll(log);
    await readAll(log, { partition: 0, offset: 0 });
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatch(
      /^1 record \(offsets 0 to 0\) could not be read: the bytes of 0{16}-\S+\.segment that held them are damaged\. Reading goes on at 1\.$/,
    );
  });
});

test('a reader that comes to the end goes on when there is more, in the same segment and the next', async () => {
  const { log, fs } = await openLog(undefined, { segmentBytes: 900, preallocateBytes: 500 });
  const stop = new AbortController();
  const got: string[] = [];
  const reading = (async () => {
    for await (const { record } of log.read('start', true, stop.signal)) {
      got.push(record.requestId);
      if (got.length === 12) stop.abort();
    }
  })();
  for (let i = 0; i < 12; i++) await log.append(recordOf(i, { bytes: i * 10 }));
  await reading;
  expect(got).toEqual(Array.from({ length: 12 }, (_, i) => `r${i}`));
  expect(segmentsOf(fs).length).toBeGreaterThan(2);
});
