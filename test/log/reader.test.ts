import { crc32 } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Missing } from '../../src/log/cursor.ts';
import { type LogReader, openLogReader } from '../../src/log/reader.ts';
import { FORMAT_VERSION, UnknownFormat } from '../../src/log/segment.ts';
import type { Stored } from '../../src/model/record.ts';
import { failure, MemoryFs } from './memory-fs.ts';
import {
  appendEach,
  FOLDER,
  type OpenedLog,
  openLog,
  parseBody,
  readAll,
  recordOf,
  segmentsOf,
  TestHost,
  told,
} from './open-log.ts';

const MARK = `${FOLDER}/end`;

let server: OpenedLog;
let missing: Missing[];
beforeEach(async () => {
  server = await openLog();
  missing = [];
});

function open(fs: MemoryFs, host = new TestHost()): Promise<LogReader> {
  const report = (_message: string, what?: Missing): void => void missing.push(...(what === undefined ? [] : [what]));
  return openLogReader({ fs, directory: FOLDER, partition: 0, parseBody, report, host });
}

async function shownOf(fs: MemoryFs, host?: TestHost): Promise<string> {
  return told(await readAll(await open(fs, host)));
}

function otherBoot(): TestHost {
  const host = new TestHost();
  host.boot = 'boot 2';
  return host;
}

describe('beside a server', () => {
  test('shows what is acknowledged, at once, and nothing that is not synced', async () => {
    const { log, fs } = server;
    await appendEach(log, 0, 3);
    expect(await shownOf(fs)).toBe('0:r0 1:r1 2:r2');
    const sync = fs.hold(({ what, path }) => what === 'datasync' && path.endsWith('.segment'));
    const append = log.append(recordOf(3));
    await sync.reached;
    expect(await shownOf(fs)).toBe('0:r0 1:r1 2:r2');
    sync.release();
    await append;
    expect(await shownOf(fs)).toBe('0:r0 1:r1 2:r2 3:r3');
  });

  test('shows a record from the moment it is acknowledged, and the mark is written before that', async () => {
    const { log, fs } = server;
    await log.append(recordOf(0));
    const mark = fs.hold(({ what, path }) => what === 'write' && path === MARK);
    let isAcknowledged = false;
    const append = log.append(recordOf(1)).then(() => {
      isAcknowledged = true;
    });
    await mark.reached;
    expect([isAcknowledged, await shownOf(fs)]).toEqual([false, '0:r0']);
    mark.release();
    await append;
    expect(await shownOf(fs)).toBe('0:r0 1:r1');
  });

  test('follows over the segments, and changes nothing in the folder', async () => {
    const { log, fs } = await openLog(undefined, { segmentBytes: 400 });
    await appendEach(log, 0, 3);
    const stop = new AbortController();
    const got: Stored[] = [];
    const outside = fs.calls.length;
    const following = (async () => {
      for await (const stored of (await open(fs)).read({ partition: 0, offset: 1 }, true, stop.signal)) {
        got.push(stored);
        if (got.length === 6) stop.abort();
      }
    })();
    await appendEach(log, 3, 7);
    await following;
    expect(told(got)).toBe('1:r1 2:r2 3:r3 4:r4 5:r5 6:r6');
    expect(segmentsOf(fs).length).toBeGreaterThan(3);
    const before = fs.contents.length;
    fs.calls.length = 0;
    await shownOf(fs);
    expect(outside).toBeGreaterThan(0);
    expect(fs.contents).toHaveLength(before);
    expect(fs.calls.filter(({ what }) => !['open', 'read', 'readdir'].includes(what))).toEqual([]);
  });

  test('looks again at a mark that is being written', async () => {
    const { log, fs } = server;
    await appendEach(log, 0, 2);
    const whole = Buffer.from(fs.content(MARK));
    fs.put(MARK, whole.subarray(0, 50));
    let looks = 0;
    fs.before = ({ what, path }) => {
      if (what === 'open' && path === MARK && ++looks === 3) fs.put(MARK, whole);
      return undefined;
    };
    expect(await shownOf(fs)).toBe('0:r0 1:r1');
    expect(looks).toBeGreaterThanOrEqual(3);
  });

  test('says what retention took away under its eyes', async () => {
    const { log, fs } = await openLog(undefined, { segmentBytes: 300, retention: { maxAgeMs: null, maxBytes: 1 } });
    await appendEach(log, 0, 4);
    const reading = (await open(fs)).read({ partition: 0, offset: 0 }, false, new AbortController().signal);
    const items = reading[Symbol.asyncIterator]();
    expect((await items.next()).value.position.offset).toBe(0);
    await log.retain();
    expect((await items.next()).value.position.offset).toBe(3);
    expect(missing).toEqual([{ why: 'dropped', fromOffset: 1, toOffset: 3 }]);
  });
});

describe('without a server', () => {
  /** Batches of one, two and two; the mark is of the second. */
  beforeEach(async () => {
    const { log, fs } = server;
    await log.append(recordOf(0));
    await Promise.all([log.append(recordOf(1)), log.append(recordOf(2))]);
    const mark = Buffer.from(fs.content(MARK));
    await Promise.all([log.append(recordOf(3)), log.append(recordOf(4))]);
    fs.put(MARK, mark);
  });

  test('the mark of this boot says what was synced, and what is behind it was not', async () => {
    expect(await shownOf(server.fs)).toBe('0:r0 1:r1 2:r2');
  });

  test('after a power cut everything that is whole is durable', async () => {
    expect(await shownOf(server.fs, otherBoot())).toBe('0:r0 1:r1 2:r2 3:r3 4:r4');
  });

  test('where the mark is lost, a batch counts when a later one proves it', async () => {
    const fs = new MemoryFs(server.fs.contents.filter(([path]) => path !== MARK));
    expect(await shownOf(fs)).toBe('0:r0 1:r1 2:r2');
    const damaged = server.fs.killed();
    damaged.put(MARK, Buffer.alloc(128, 1));
    expect(await shownOf(damaged, otherBoot())).toBe('0:r0 1:r1 2:r2');
  });

  test('nothing is an error but a folder that is not there', async () => {
    expect(await shownOf(new MemoryFs([[`${FOLDER}/notes.txt`, Buffer.from('mine')]]))).toBe('');
    const none = new MemoryFs();
    none.readdir = () => Promise.reject(failure('ENOENT', FOLDER));
    await expect(open(none)).rejects.toThrow(
      `There is no event log in '${FOLDER}'. Is this the data folder of a server that has run?`,
    );
    none.readdir = () => Promise.reject(failure('EACCES', FOLDER));
    await expect(open(none)).rejects.toThrow('EACCES');
  });

  test('a header that the disk refuses costs no record', async () => {
    const { fs } = server;
    fs.before = ({ what, path, position }) => {
      if (what === 'read' && path.endsWith('.segment') && position < 64) throw failure('EIO', path);
      return undefined;
    };
    expect(await shownOf(fs)).toBe('0:r0 1:r1 2:r2');
  });

  test('a log of a newer version is refused, and not called damaged', async () => {
    const { fs } = server;
    const [path] = segmentsOf(fs) as [string];
    const bytes = fs.content(path);
    bytes.writeUInt32LE(FORMAT_VERSION + 1, 4);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
    for (const host of [new TestHost(), otherBoot()]) await expect(shownOf(fs, host)).rejects.toThrow(UnknownFormat);
    expect(missing).toEqual([]);
  });
});
