import { describe, expect, test } from 'vitest';
import { countDroppable, dropSegment, type Retention } from '../../src/log/retention.ts';
import { encodeSegmentHeader, type SegmentRef, segmentRef } from '../../src/log/segment.ts';
import { failure, MemoryFs } from './memory-fs.ts';
import {
  appendEach,
  FOLDER,
  type LogSettings,
  type OpenedLog,
  openLog,
  readAll,
  recordOf,
  segmentsOf,
  TestHost,
  told,
} from './open-log.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = 1_700_000_000_000;
const EVERYTHING = Number.POSITIVE_INFINITY;

/** Segments of ten records and 1000 bytes, made an hour apart; the last one now. */
function segments(count: number): { fs: MemoryFs; refs: SegmentRef[] } {
  const fs = new MemoryFs();
  const refs = Array.from({ length: count }, (_, i) => segmentRef(i * 10, i + 1, 1000 + i));
  refs.forEach((ref, i) => {
    const createdAtMs = NOW_MS - (count - 1 - i) * HOUR_MS;
    fs.put(
      `${FOLDER}/${ref.name}`,
      Buffer.concat([encodeSegmentHeader({ ...ref, partition: 0, createdAtMs }), Buffer.alloc(936)]),
    );
  });
  return { fs, refs };
}

function droppable(count: number, retention: Partial<Retention>, mayDropBefore = EVERYTHING): Promise<number> {
  const { fs, refs } = segments(count);
  return countDroppable(fs, FOLDER, refs, { maxAgeMs: null, maxBytes: null, ...retention }, mayDropBefore, NOW_MS);
}

describe('what may go', () => {
  test.each([
    // The second segment was begun two hours ago, so nothing in the first is newer than that.
    [2 * HOUR_MS, 0],
    [2 * HOUR_MS - 1, 1],
    [HOUR_MS, 1],
    [HOUR_MS - 1, 2],
    [0, 2],
    [-1, 3],
  ])('by an age of %i ms: %i of four', async (maxAgeMs, expected) => {
    expect(await droppable(4, { maxAgeMs })).toBe(expected);
  });

  test.each([
    [4000, 0],
    [3999, 1],
    [3000, 1],
    [2999, 2],
    [1000, 3],
    // The last one is kept always.
    [0, 3],
  ])('by a size of %i bytes: %i of four', async (maxBytes, expected) => {
    expect(await droppable(4, { maxBytes })).toBe(expected);
  });

  test('is what either rule says', async () => {
    expect(await droppable(4, { maxAgeMs: HOUR_MS, maxBytes: 2000 })).toBe(2);
    expect(await droppable(4, { maxAgeMs: HOUR_MS - 1, maxBytes: 4000 })).toBe(2);
    expect(await droppable(4, {})).toBe(0);
  });

  test.each([
    [0, 0],
    [9, 0],
    [10, 1],
    [19, 1],
    [20, 2],
    [EVERYTHING, 3],
  ])('is never what snapshots do not cover: up to offset %i, %i of four', async (mayDropBefore, expected) => {
    expect(await droppable(4, { maxBytes: 0 }, mayDropBefore)).toBe(expected);
    expect(await droppable(4, { maxAgeMs: -1 }, mayDropBefore)).toBe(expected);
  });

  test('is nothing where a header does not say how old a segment is, and its size all the same', async () => {
    const { fs, refs } = segments(3);
    fs.content(`${FOLDER}/${refs[1]!.name}`)[40]! ^= 1;
    const count = (retention: Retention): Promise<number> =>
      countDroppable(fs, FOLDER, refs, retention, EVERYTHING, NOW_MS);
    expect(await count({ maxAgeMs: 0, maxBytes: null })).toBe(0);
    expect(await count({ maxAgeMs: null, maxBytes: 2000 })).toBe(1);
  });
});

test('a segment is gone for good before the next goes: a crash leaves no hole', async () => {
  const { fs, refs } = segments(3);
  fs.calls.length = 0;
  for (const ref of refs.slice(0, 2)) await dropSegment(fs, FOLDER, ref);
  expect(fs.calls.map(({ what, path }) => `${what} ${path}`)).toEqual(
    refs.slice(0, 2).flatMap(({ name }) => [`unlink ${FOLDER}/${name}`, `syncDirectory ${FOLDER}`]),
  );
  expect(segmentsOf(fs)).toEqual([`${FOLDER}/${refs[2]!.name}`]);
  // One that is gone already is no error.
  await dropSegment(fs, FOLDER, refs[0]!);
});

describe('a log with retention', () => {
  const openWith = (retention: Partial<Retention>, more: LogSettings = {}): Promise<OpenedLog> =>
    openLog(undefined, { segmentBytes: 300, retention: { maxAgeMs: null, maxBytes: null, ...retention }, ...more });

  test('without a rule keeps everything', async () => {
    const { log } = await openWith({});
    await appendEach(log, 0, 5);
    expect(await log.retain()).toBe(0);
    expect(told(await readAll(log))).toBe('0:r0 1:r1 2:r2 3:r3 4:r4');
  });

  test('begins later, and says nothing to a reader from the start', async () => {
    const { log, fs, missing } = await openWith({ maxBytes: 1 });
    await appendEach(log, 0, 5);
    const files = segmentsOf(fs).length;
    expect(await log.retain()).toBe(files - 1);
    expect(told(await readAll(log))).toBe('4:r4');
    expect(missing).toEqual([]);
    expect(told(await readAll(log, { partition: 0, offset: 2 }))).toBe('4:r4');
    expect(missing).toEqual([{ why: 'dropped', fromOffset: 2, toOffset: 4 }]);
    expect(told(await readAll((await openLog(fs)).log))).toBe('4:r4');
  });

  test('keeps what state needs', async () => {
    let covered = 0;
    const { log } = await openWith({ maxBytes: 1 }, { mayDropBefore: () => covered });
    await appendEach(log, 0, 5);
    expect(await log.retain()).toBe(0);
    covered = 3;
    await log.retain();
    expect(told(await readAll(log))).toBe('3:r3 4:r4');
  });

  test('by age seals a segment after an eighth of it, so that it can go one day', async () => {
    const host = new TestHost();
    const { log, fs } = await openWith({ maxAgeMs: 8 * HOUR_MS }, { segmentBytes: 1024 * 1024, host });
    await log.append(recordOf(0));
    host.ms += HOUR_MS;
    await log.retain();
    await log.append(recordOf(1));
    expect(segmentsOf(fs)).toHaveLength(1);
    host.ms += 1;
    await log.retain();
    await log.append(recordOf(2));
    expect(segmentsOf(fs)).toHaveLength(2);
    host.ms += 8 * HOUR_MS;
    expect(await log.retain()).toBe(0);
    host.ms += 1;
    expect(await log.retain()).toBe(1);
    await log.append(recordOf(3));
    expect(told(await readAll(log))).toBe('2:r2 3:r3');
  });

  test('does not seal an empty segment again and again', async () => {
    const host = new TestHost();
    const { log, fs } = await openWith({ maxAgeMs: 8 * HOUR_MS }, { host });
    await log.append(recordOf(0));
    for (let i = 0; i < 5; i++) {
      host.ms += 2 * HOUR_MS;
      await log.retain();
    }
    expect(segmentsOf(fs).length).toBeLessThanOrEqual(2);
    expect(log.nextOffset).toBe(1);
    await log.append(recordOf(1));
    expect(told(await readAll(log))).toContain('1:r1');
  });

  test('by age drops and seals nothing while that is not asked for, as the clock may be wrong; by size it does', async () => {
    const host = new TestHost();
    const { log, fs } = await openWith({ maxAgeMs: HOUR_MS, maxBytes: 1000 }, { host });
    await appendEach(log, 0, 3);
    const files = segmentsOf(fs);
    host.ms += 1000 * HOUR_MS;
    expect(await log.retain({ byAge: false })).toBe(0);
    expect(segmentsOf(fs)).toEqual(files);
    await appendEach(log, 3, 9);
    expect(await log.retain({ byAge: false })).toBeGreaterThan(0);
    const { length } = segmentsOf(fs);
    expect(length).toBeGreaterThan(1);
    expect(await log.retain({ byAge: true })).toBe(0);
    host.ms += 2 * HOUR_MS;
    expect(await log.retain({ byAge: true })).toBe(length - 1);
  });

  test('two calls at once are one', async () => {
    const { log } = await openWith({ maxBytes: 1 });
    await appendEach(log, 0, 4);
    expect(await Promise.all([log.retain(), log.retain()])).toEqual([3, 3]);
    expect(await log.retain()).toBe(0);
  });
});

describe('a file that cannot be removed', () => {
  const open = (fs?: MemoryFs): Promise<OpenedLog> =>
    openLog(fs, { segmentBytes: 300, retention: { maxAgeMs: null, maxBytes: 1 } });

  /** Four segments of one record each, the first of which the disk does not let go. */
  async function stuck(): Promise<OpenedLog & { readonly files: readonly string[] }> {
    const opened = await open();
    await appendEach(opened.log, 0, 4);
    const files = segmentsOf(opened.fs);
    opened.fs.before = ({ what, path }) => {
      if (what === 'unlink' && path === files[0]) throw failure('EIO', path);
    };
    await expect(opened.log.retain()).rejects.toThrow('EIO');
    return { ...opened, files };
  }

  test('is tried again before those behind it go, so that there is never a gap', async () => {
    const { log, fs, files, missing } = await stuck();
    expect(segmentsOf(fs)).toEqual(files);
    await expect(log.retain()).rejects.toThrow('EIO');
    expect(segmentsOf(fs)).toEqual(files);
    expect(told(await readAll((await open(fs.killed())).log))).toBe('0:r0 1:r1 2:r2 3:r3');
    fs.before = null;
    fs.calls.length = 0;
    expect(await log.retain()).toBe(2);
    expect(
      fs.calls.filter(({ what, path }) => what === 'unlink' && files.includes(path)).map(({ path }) => path),
    ).toEqual(files.slice(0, 3));
    expect(told(await readAll(log))).toBe('3:r3');
    expect([told(await readAll((await open(fs)).log)), missing]).toEqual(['3:r3', []]);
  });

  test('and one whose removal a power cut may undo, keep an erasure and a pass of expiry from being done', async () => {
    for (const what of ['unlink', 'syncDirectory'] as const) {
      const opened = await open();
      const { log, fs } = opened;
      await appendEach(log, 0, 4);
      const [first] = segmentsOf(fs);
      fs.before = (call) => {
        if (call.what === what && (call.path === first || call.path === FOLDER)) throw failure('EIO', call.path);
      };
      await expect(log.retain()).rejects.toThrow('EIO');
      await expect(log.rewrite()).rejects.toThrow('EIO');
      await expect(log.expire()).rejects.toThrow('EIO');
      expect(segmentsOf(fs.powerCut())).toContain(first);
      fs.before = null;
      await log.expire();
      expect(segmentsOf(fs.powerCut())).not.toContain(first);
    }
  });

  test('keeps a pass of expiry from being whole that was under way when it was dropped', async () => {
    const { log, fs, host } = await open();
    await log.setRules([{ datastreamId: 'site', sinceMs: host.ms, maxAgeMs: HOUR_MS, eventTypes: new Map() }]);
    await appendEach(log, 0, 4);
    host.ms += 24 * HOUR_MS;
    const [first, second] = segmentsOf(fs);
    const held = fs.hold(({ what, path }) => what === 'open' && path === second);
    const passed = expect(log.expire()).rejects.toThrow(`EIO: ${first}`);
    await held.reached;
    const hold = fs.before;
    fs.before = (call) => {
      if (call.what === 'unlink' && call.path === first) throw failure('EIO', call.path);
      return hold?.(call);
    };
    const retained = expect(log.retain()).rejects.toThrow('EIO');
    held.release();
    await Promise.all([passed, retained]);
  });

  test('is left to the next process where the log is closed', async () => {
    const { log, fs, files } = await stuck();
    await log.close();
    fs.before = null;
    await expect(log.retain()).rejects.toMatchObject({ reason: 'closed' });
    expect(segmentsOf(fs)).toEqual(files);
  });
});
