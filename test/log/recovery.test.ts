import { crc32 } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { RULED_HIDDEN_FORMAT } from '../../src/log/hidden.ts';
import { FORMAT_VERSION, parseSegmentName, SEGMENT_HEADER_BYTES, UnknownFormat } from '../../src/log/segment.ts';
import { failure, MemoryFs } from './memory-fs.ts';
import { appendEach, FOLDER, openLog, readAll, recordOf, segmentsOf, TestHost, told } from './open-log.ts';
import { payloadOf, segmentBytes } from './segment-bytes.ts';

const MARK = `${FOLDER}/end`;

/** What stands on the disk: 0 and 1 in a sealed segment, then batches of one, two and three records. */
let disk: MemoryFs;
let last: string;
/** Where each record's frame starts in the last segment, by offset. */
let starts: Map<number, number>;

beforeEach(async () => {
  const { log, fs } = await openLog();
  await appendEach(log, 0, 2);
  await log.close();
  const { log: next } = await openLog(fs);
  starts = new Map();
  let offset = 2;
  for (const count of [1, 2, 3]) {
    const start = fs.contents.filter(([path]) => path.endsWith('.segment'))[1]?.[1].length ?? SEGMENT_HEADER_BYTES;
    const positions = await Promise.all(Array.from({ length: count }, () => next.append(recordOf(offset++))));
    const size = (fs.content(segmentsOf(fs)[1]!).length - start) / count;
    for (const [i, position] of positions.entries()) starts.set(position.offset, start + i * size);
  }
  last = segmentsOf(fs)[1]!;
  disk = fs.killed();
});

const ALL = '0:r0 1:r1 2:r2 3:r3 4:r4 5:r5 6:r6 7:r7';
const upTo = (count: number): string => ALL.split(' ').slice(0, count).join(' ');

function withoutMark(): MemoryFs {
  return new MemoryFs(disk.contents.filter(([path]) => path !== MARK));
}

function changed(fs: MemoryFs, at: number): MemoryFs {
  fs.content(last)[at]! ^= 1;
  return fs;
}

describe('the end of the log', () => {
  test('is behind the last whole record, wherever the last batch was torn', async () => {
    const whole = disk.content(last);
    const torn = (length: number): number =>
      [5, 6, 7].filter((offset) => length >= (starts.get(offset + 1) ?? whole.length)).length;
    for (let length = starts.get(5)!; length <= whole.length; length++) {
      const fs = withoutMark();
      fs.put(last, whole.subarray(0, length));
      const { log, missing } = await openLog(fs);
      expect(log.nextOffset, `${length} bytes`).toBe(5 + torn(length));
      expect(told(await readAll(log))).toBe(upTo(log.nextOffset));
      expect(missing).toEqual([]);
    }
  });

  test('is there too where zeros were written ahead', async () => {
    const fs = withoutMark();
    fs.put(last, Buffer.concat([disk.content(last), Buffer.alloc(100_000)]));
    expect(told(await readAll((await openLog(fs)).log))).toBe(ALL);
  });

  test('is not before the mark, also where its batch is damaged', async () => {
    const { log, missing } = await openLog(changed(disk, starts.get(7)! + 60));
    expect(log.nextOffset).toBe(8);
    expect(told(await readAll(log))).toBe(upTo(7));
    expect(missing).toEqual([{ why: 'damaged', fromOffset: 7, toOffset: 8 }]);
  });

  test('is not before what a consumer was given, though the log has lost it', async () => {
    const fs = withoutMark();
    fs.put(last, disk.content(last).subarray(0, starts.get(5)));
    fs.put(`${FOLDER}/consumers/sink.json`, Buffer.from(`{"next":8,"crc":${crc32('8')}}`));
    const { log, missing } = await openLog(fs);
    expect(missing).toEqual([{ why: 'damaged', fromOffset: 5, toOffset: 8 }]);
    expect(await log.append(recordOf(8))).toEqual({ partition: 0, offset: 8 });
    expect(told(await readAll(log))).toBe(`${upTo(5)} 8:r8`);
  });

  test('is that of the segment before where the last one is empty or has no header yet', async () => {
    for (const content of [Buffer.alloc(0), disk.content(last).subarray(0, 64), Buffer.alloc(30)]) {
      const { firstOffset } = parseSegmentName(last.slice(FOLDER.length + 1))!;
      const fs = disk.killed();
      fs.put(last, content);
      const { log } = await openLog(fs, { host: otherBoot() });
      // The mark is of this segment: what it says was there is lost.
      expect(log.nextOffset).toBe(8);
      const { log: unmarked } = await openLog(new MemoryFs(fs.contents.filter(([path]) => path !== MARK)));
      expect(unmarked.nextOffset).toBe(firstOffset);
    }
  });

  test('of a folder without segments is its start', async () => {
    const { log } = await openLog(new MemoryFs([[`${FOLDER}/notes.txt`, Buffer.from('mine')]]));
    expect([log.nextOffset, await readAll(log)]).toEqual([0, []]);
  });
});

function otherBoot(): TestHost {
  const host = new TestHost();
  host.boot = 'boot 2';
  return host;
}

describe('damage in the last segment', () => {
  test('is reported at the start where nothing but the records tells, as bytes and offsets', async () => {
    const { messages, missing, log } = await openLog(changed(withoutMark(), starts.get(3)! + 70));
    expect(missing).toEqual([{ why: 'damaged', fromOffset: 3, toOffset: 4 }]);
    expect(messages).toEqual([
      `Bytes ${starts.get(3)} to ${starts.get(4)} of ${last.slice(FOLDER.length + 1)} are damaged: 1 records (offsets 3 to 3) are lost.`,
    ]);
    expect(told(await readAll(log))).toBe('0:r0 1:r1 2:r2 4:r4 5:r5 6:r6 7:r7');
    expect(messages).toHaveLength(1);
  });

  test('of the last batch, which nothing proves, ends the log there', async () => {
    const { log, missing } = await openLog(changed(withoutMark(), starts.get(6)! + 70));
    expect([log.nextOffset, missing]).toEqual([6, []]);
    expect(told(await readAll(log))).toBe(upTo(6));
  });

  test('of a header costs no record', async () => {
    const { log, missing } = await openLog(changed(disk, 12));
    expect([told(await readAll(log)), missing]).toEqual([ALL, []]);
  });
});

describe('a start', () => {
  test('changes nothing, so that being killed in it changes nothing', async () => {
    const damaged = changed(withoutMark(), starts.get(3)! + 70);
    damaged.put(last, Buffer.concat([damaged.content(last), Buffer.alloc(777, 9)]));
    const before = new Map(damaged.contents);
    for (let starting = 0; starting < 3; starting++) {
      await openLog(damaged, { host: otherBoot() });
      for (const [path, bytes] of before) expect(damaged.content(path)).toEqual(bytes);
    }
  });

  test('makes the last batch durable before it trusts it: it may never have been synced', async () => {
    const fs = withoutMark();
    await openLog(fs);
    const ofLast = fs.calls.filter(({ path, what }) => path === last && (what === 'write' || what === 'datasync'));
    expect(ofLast.map(({ what, position }) => [what, position])).toEqual([
      ['write', starts.get(5)],
      ['datasync', 0],
    ]);
  });

  test('writes nothing of a log that the mark covers', async () => {
    await openLog(disk);
    expect(disk.calls.filter(({ path, what }) => what === 'write' && path !== MARK)).toEqual([]);
  });

  test('looks at the last segment only, and there behind the mark', async () => {
    await openLog(disk);
    const reads = disk.calls.filter(({ what, path }) => what === 'read' && path.endsWith('.segment'));
    expect(reads.map(({ path, position }) => [path, position])).toEqual([[last, 0]]);
  });

  test('does not take a place that cannot be read for the end', async () => {
    const fs = withoutMark();
    fs.before = ({ what, path, position }) => {
      if (what === 'read' && path === last && position >= SEGMENT_HEADER_BYTES) throw failure('EIO', path);
      return undefined;
    };
    await expect(openLog(fs)).rejects.toThrow('EIO');
  });

  test('does not trust what it could not make durable', async () => {
    const fs = withoutMark();
    fs.before = ({ what, path }) => {
      if (what === 'datasync' && path === last) throw failure('EIO', path);
      return undefined;
    };
    await expect(openLog(fs)).rejects.toThrow('EIO');
  });
});

describe('a log of a newer version', () => {
  const newerHeader = (bytes: Buffer): Buffer => {
    const newer = Buffer.from(bytes);
    newer.writeUInt32LE(FORMAT_VERSION + 1, 4);
    newer.writeUInt32LE(crc32(newer.subarray(0, 60)), 60);
    return newer;
  };
  const newerHidden = (): Buffer => {
    const body = JSON.stringify({ format: RULED_HIDDEN_FORMAT + 1, generation: 1, erasures: [] });
    return Buffer.from(`${body.slice(0, -1)},"crc":${crc32(body)}}`);
  };
  const newer: readonly (readonly [string, (fs: MemoryFs) => void])[] = [
    ['by the header of its last segment', (fs) => fs.put(last, newerHeader(fs.content(last)))],
    [
      'by a segment’s name',
      (fs) => fs.put(`${FOLDER}/v2-0000000000000008.segment`, segmentBytes([payloadOf(0)]).bytes),
    ],
    [
      'by the name of a file of choices that retention kept',
      (fs) => fs.put(`${FOLDER}/proofs/v2-0000000000000000.proofs`, Buffer.from('newer')),
    ],
    ['by what is hidden in it', (fs) => fs.put(`${FOLDER}/hidden`, newerHidden())],
  ];
  test.each(newer)('%s, is refused, and not a byte of it is touched', async (_, change) => {
    change(disk);
    const before = disk.contents.map(([path, bytes]) => [path, Buffer.from(bytes)]);
    disk.calls.length = 0;
    await expect(openLog(disk)).rejects.toThrow(UnknownFormat);
    await expect(openLog(disk)).rejects.toThrow(/Nothing was changed: start the version that wrote it, or a newer one/);
    expect(disk.contents).toEqual(before);
    const changes = disk.calls.filter(({ what }) => !['open', 'read', 'readdir'].includes(what));
    expect(changes).toEqual([]);
  });
});
