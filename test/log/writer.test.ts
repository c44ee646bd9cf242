import { describe, expect, test } from 'vitest';
import { SEGMENT_HEADER_BYTES } from '../../src/log/segment.ts';
import { CHECKPOINT_RECORDS } from '../../src/log/writer.ts';
import type { LogUnavailable } from '../../src/model/parts.ts';
import type { Position } from '../../src/model/record.ts';
import { type FsCall, failure, type MemoryFs } from './memory-fs.ts';
import { appendEach, openLog, readAll, recordOf, segmentsOf, told, turns } from './open-log.ts';

const isSegment = ({ path }: FsCall): boolean => path.endsWith('.segment');
const isRecords = (call: FsCall): boolean => isSegment(call) && call.position >= SEGMENT_HEADER_BYTES;
const isSync = (call: FsCall): boolean => call.what === 'datasync' && isSegment(call);
const count = (fs: MemoryFs, isMeant: (call: FsCall) => boolean): number => fs.calls.filter(isMeant).length;

/** The reason of a refusal; what else came of the append in words. */
async function reasonOf(append: Promise<Position>): Promise<string> {
  return append.then(
    ({ offset }) => `stored at ${offset}`,
    (error: LogUnavailable) => `${error.name}: ${error.reason}`,
  );
}

/** What one record takes in a segment. */
async function sizeOf(bytes: number): Promise<number> {
  const { log, fs } = await openLog();
  await log.append(recordOf(0, { bytes }));
  return fs.content(segmentsOf(fs)[0]!).length - SEGMENT_HEADER_BYTES;
}

describe('batches', () => {
  test('all that comes while one is written goes into the next, with one write and one sync', async () => {
    const { log, fs } = await openLog();
    await log.append(recordOf(0));
    const syncs = count(fs, isSync);
    const sync = fs.hold(isSync);
    const first = log.append(recordOf(1));
    await sync.reached;
    const others = [2, 3, 4, 5, 6].map((number) => log.append(recordOf(number)));
    await turns(5);
    expect(count(fs, isSync)).toBe(syncs + 1);
    sync.release();
    await Promise.all([first, ...others]);
    expect(count(fs, isSync)).toBe(syncs + 2);
    expect(count(fs, (call) => call.what === 'write' && isRecords(call))).toBe(3);
    expect(told(await readAll(log))).toBe('0:r0 1:r1 2:r2 3:r3 4:r4 5:r5 6:r6');
  });

  test('is acknowledged, and shown, only when it is synced', async () => {
    const { log, fs, applied } = await openLog();
    await log.append(recordOf(0));
    const sync = fs.hold(isSync);
    let isAcknowledged = false;
    const change = { kind: 'consent' as const, key: 'ann', time: '000000000001-0000', body: {} };
    const append = log.append(recordOf(1, { changes: [change] })).then(() => {
      isAcknowledged = true;
    });
    await sync.reached;
    await turns(5);
    expect([isAcknowledged, told(await readAll(log)), applied]).toEqual([false, '0:r0', []]);
    sync.release();
    await append;
    expect(applied).toEqual([{ position: { partition: 0, offset: 1 }, changes: [change] }]);
  });

  test(`state is told the position after ${CHECKPOINT_RECORDS} records without a change`, async () => {
    const { log, applied } = await openLog();
    const all = (from: number, to: number): Promise<unknown> =>
      Promise.all(Array.from({ length: to - from }, (_, i) => log.append(recordOf(from + i))));
    await all(0, CHECKPOINT_RECORDS - 1);
    expect(applied).toEqual([]);
    await all(CHECKPOINT_RECORDS - 1, CHECKPOINT_RECORDS);
    expect(applied).toEqual([{ position: { partition: 0, offset: CHECKPOINT_RECORDS - 1 }, changes: [] }]);
  });
});

describe('segments', () => {
  test('a batch that just fits stays, and one byte more begins a new segment', async () => {
    const size = await sizeOf(100);
    for (const [room, segments] of [
      [0, 1],
      [-1, 2],
    ] as const) {
      const { log, fs } = await openLog(undefined, { segmentBytes: SEGMENT_HEADER_BYTES + 2 * size + room });
      await appendEach(log, 0, 2, 100);
      expect(segmentsOf(fs)).toHaveLength(segments);
      expect(told(await readAll(log))).toBe('0:r0 1:r1');
    }
  });

  test('a batch that is larger than a segment has one of its own', async () => {
    const { log, fs } = await openLog(undefined, { segmentBytes: 1000 });
    for (let i = 0; i < 3; i++) await log.append(recordOf(i, { bytes: 5000 }));
    expect(segmentsOf(fs)).toHaveLength(3);
    expect(told(await readAll(log))).toBe('0:r0 1:r1 2:r2');
  });

  test('header and name are durable before the first record', async () => {
    const { log, fs } = await openLog();
    await log.append(recordOf(0));
    const calls = fs.calls.filter((call) => isSegment(call) || call.what === 'syncDirectory').map(({ what }) => what);
    expect(calls.slice(calls.indexOf('create'))).toEqual([
      ...(['create', 'write', 'datasync', 'syncDirectory', 'write', 'datasync'] as const),
    ]);
  });

  test('one that could not be made whole is gone for good, also after a power cut', async () => {
    const { log, fs, host } = await openLog(undefined, { segmentBytes: 600 });
    await log.append(recordOf(0, { bytes: 50 }));
    fs.before = (call) => {
      if (call.what === 'write' && isSegment(call) && call.position < SEGMENT_HEADER_BYTES)
        throw failure('ENOSPC', call.path);
      return undefined;
    };
    expect(await reasonOf(log.append(recordOf(1, { bytes: 500 })))).toBe('LogUnavailable: disk-full');
    fs.before = null;
    await host.pass(1000);
    // This one still fits into the segment before.
    await log.append(recordOf(2));
    expect(segmentsOf(fs)).toHaveLength(1);
    const { log: next, missing } = await openLog(fs.powerCut());
    expect(told(await readAll(next))).toBe('0:r0 1:r2');
    expect([next.nextOffset, missing]).toEqual([2, []]);
  });

  test('zeros are written ahead, never over records, and given back', async () => {
    const { log, fs } = await openLog(undefined, { preallocateBytes: 2000, segmentBytes: 5000 });
    await log.append(recordOf(0, { bytes: 100 }));
    await turns(5);
    const [path] = segmentsOf(fs) as [string];
    const end = SEGMENT_HEADER_BYTES + (await sizeOf(100));
    expect(fs.content(path)).toHaveLength(end + 2000);
    const zeros = fs.hold((call) => call.what === 'write' && isSegment(call) && call.position > end + 1000);
    await appendEach(log, 1, 4, 300);
    await zeros.reached;
    const into = log.append(recordOf(4, { bytes: 1200 }));
    await turns(5);
    zeros.release();
    await into;
    expect(told(await readAll(log))).toBe('0:r0 1:r1 2:r2 3:r3 4:r4');
    await log.close();
    expect(told(await readAll((await openLog(fs)).log))).toBe('0:r0 1:r1 2:r2 3:r3 4:r4');
    expect(fs.content(path)).toHaveLength(end + 3 * (await sizeOf(300)) + (await sizeOf(1200)));
  });
});

describe('limits', () => {
  test('what waits may be as large as queueBytesMax says, and no larger when the next one comes', async () => {
    const size = await sizeOf(100);
    const { log, fs } = await openLog(undefined, { queueBytesMax: 3 * size });
    await log.append(recordOf(0));
    const sync = fs.hold(isSync);
    const taken = [log.append(recordOf(1, { bytes: 100 }))];
    await sync.reached;
    for (let i = 2; i < 5; i++) taken.push(log.append(recordOf(i, { bytes: 100 })));
    expect(await reasonOf(log.append(recordOf(5)))).toBe('LogUnavailable: queue-full');
    sync.release();
    expect(await Promise.all(taken.map(reasonOf))).toEqual([1, 2, 3, 4].map((offset) => `stored at ${offset}`));
    expect(await reasonOf(log.append(recordOf(6)))).toBe('stored at 5');
  });

  test('a write may take queueAgeMsMax, and a millisecond more refuses what comes', async () => {
    const { log, fs, host } = await openLog(undefined, { queueAgeMsMax: 2000 });
    await log.append(recordOf(0));
    const sync = fs.hold(isSync);
    const slow = log.append(recordOf(1));
    await sync.reached;
    host.ms += 2000;
    const waiting = log.append(recordOf(2));
    host.ms += 1;
    expect(await reasonOf(log.append(recordOf(3)))).toBe('LogUnavailable: too-slow');
    sync.release();
    expect([await reasonOf(slow), await reasonOf(waiting)]).toEqual(['stored at 1', 'stored at 2']);
  });

  test('a record waits queueAgeMsMax for its turn, and is refused when the clock is looked at later', async () => {
    const { log, fs, host } = await openLog(undefined, { queueAgeMsMax: 2000 });
    await log.append(recordOf(0));
    const sync = fs.hold(isSync);
    const slow = log.append(recordOf(1));
    await sync.reached;
    let outcome = 'waiting';
    const waiting = reasonOf(log.append(recordOf(2))).then((reason) => {
      outcome = reason;
    });
    await host.pass(2000);
    expect(outcome).toBe('waiting');
    await host.pass(1);
    expect(outcome).toBe('LogUnavailable: too-slow');
    sync.release();
    await Promise.all([slow, waiting]);
    expect(await reasonOf(log.append(recordOf(3)))).toBe('stored at 2');
    expect(told(await readAll(log))).toBe('0:r0 1:r1 2:r3');
  });
});

describe('how long an append will wait', () => {
  const half = { bytes: 512 * 1024 };

  test('is as long as the oldest has waited already', async () => {
    const { log, fs, host } = await openLog();
    expect(log.waitMs).toBe(0);
    await log.append(recordOf(0));
    const sync = fs.hold(isSync);
    const slow = log.append(recordOf(1));
    await sync.reached;
    host.ms += 300;
    expect(log.waitMs).toBe(300);
    sync.release();
    await slow;
    expect(log.waitMs).toBe(0);
  });

  test('is what the disk takes for all that waits, as fast as it was the last time', async () => {
    const { log, fs, host } = await openLog();
    await log.append(recordOf(0));
    const first = fs.hold(isSync);
    const slow = log.append(recordOf(1, half));
    await first.reached;
    host.ms += 100;
    first.release();
    await slow;
    const second = fs.hold(isSync);
    const writing = log.append(recordOf(2, half));
    await second.reached;
    const waiting = log.append(recordOf(3, half));
    expect(log.waitMs).toBeCloseTo(200, 0);
    second.release();
    await Promise.all([writing, waiting]);
  });
});

describe('a full disk', () => {
  test('refuses the batch, cuts off what it left, and takes the next when there is space, at the same offset', async () => {
    const { log, fs, host, messages, fatal } = await openLog();
    await log.append(recordOf(0));
    const [path] = segmentsOf(fs) as [string];
    const before = Buffer.from(fs.content(path));
    fs.capacityBytes = fs.contents.reduce((sum, [, bytes]) => sum + bytes.length, 0) + 100;
    expect(await reasonOf(log.append(recordOf(1, { bytes: 500 })))).toBe('LogUnavailable: disk-full');
    expect(fs.content(path)).toEqual(before);
    expect(fs.calls.slice(-5).map(({ what }) => what)).toContain('truncate');
    expect(await reasonOf(log.append(recordOf(2)))).toBe('LogUnavailable: disk-full');
    expect(log.refusing).toBe('disk-full');
    expect(told(await readAll(log))).toBe('0:r0');
    fs.capacityBytes = Number.POSITIVE_INFINITY;
    await host.pass(1000);
    expect(log.refusing).toBeNull();
    expect(await reasonOf(log.append(recordOf(3)))).toBe('stored at 1');
    expect([messages.length, fatal]).toEqual([2, []]);
  });

  test('that does not take the zeros ahead refuses, and what was written stays', async () => {
    const { log, fs, fatal } = await openLog(undefined, { preallocateBytes: 4000 });
    fs.before = (call) => {
      if (call.what === 'write' && isSegment(call) && call.position > 300) throw failure('ENOSPC', call.path);
      return undefined;
    };
    expect(await reasonOf(log.append(recordOf(0, { bytes: 200 })))).toBe('stored at 0');
    await turns(5);
    expect([log.refusing, fatal, told(await readAll(log))]).toEqual(['disk-full', [], '0:r0']);
  });
});

describe('a failure', () => {
  const failing: readonly (readonly [string, string, (call: FsCall) => boolean])[] = [
    ['a write', 'EIO', (call) => call.what === 'write' && isRecords(call)],
    ['a sync', 'EIO', isSync],
    ['a sync for lack of space', 'ENOSPC', isSync],
    ['the mark of the end', 'EIO', (call) => call.what === 'write' && call.path.endsWith('/end')],
    ['the cut of what a full disk left', 'EIO', (call) => call.what === 'truncate'],
  ];
  test.each(failing)(
    'of %s (%s) is told once and is the end: nothing is acknowledged or tried again',
    async (_, code, isMeant) => {
      const { log, fs, fatal } = await openLog();
      await appendEach(log, 0, 2);
      fs.before = (call) => {
        if (isMeant(call)) throw failure(code, call.path);
        return undefined;
      };
      if (code === 'EIO' && isMeant({ what: 'truncate', path: '', position: 0 })) fs.capacityBytes = 0;
      const under = log.append(recordOf(2, { bytes: 300 }));
      const waiting = log.append(recordOf(3));
      expect([await reasonOf(under), await reasonOf(waiting)]).toEqual(Array(2).fill('LogUnavailable: failed'));
      fs.before = null;
      fs.capacityBytes = Number.POSITIVE_INFINITY;
      const calls = fs.calls.length;
      expect(await reasonOf(log.append(recordOf(4)))).toBe('LogUnavailable: failed');
      await turns(5);
      expect([fs.calls.length, fatal.length, log.refusing]).toEqual([calls, 1, 'failed']);
    },
  );

  test('of the zeros ahead, while a batch is on its way, is that of the batch too', async () => {
    const { log, fs, fatal } = await openLog(undefined, { preallocateBytes: 4000 });
    await log.append(recordOf(0));
    await turns(5);
    // Half of the zeros are used up, so that more are written, beside what comes.
    await log.append(recordOf(1, { bytes: 2000 }));
    const zeros = fs.hold(isSync);
    await zeros.reached;
    const mark = fs.hold(({ what, path }) => what === 'write' && path.endsWith('/end'));
    const append = log.append(recordOf(2));
    await mark.reached;
    zeros.release(failure('EIO', 'zeros'));
    await turns(3);
    mark.release();
    expect([await reasonOf(append), fatal.length]).toEqual(['LogUnavailable: failed', 1]);
  });
});
