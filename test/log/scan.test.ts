import { describe, expect, test } from 'vitest';
import { Scan, segmentStart } from '../../src/log/scan.ts';
import { FRAME_HEADER_BYTES, type Frame, SEGMENT_HEADER_BYTES } from '../../src/log/segment.ts';
import { failure, MemoryFs } from './memory-fs.ts';
import { EPOCH, payloadOf, segmentBytes } from './segment-bytes.ts';

const PATH = '/log/segment';
const CHUNK_BYTES = 1024 * 1024;
const PAGE_BYTES = 4096;

async function scanOf(
  bytes: Buffer,
  { fs = new MemoryFs(), place = segmentStart(0), unreadable = 'is-damage' as 'is-damage' | 'throws' } = {},
): Promise<Scan> {
  fs.put(PATH, bytes);
  return new Scan(await fs.open(PATH, 'read'), EPOCH, place, unreadable);
}

/** What is found to the end, damage passed over. */
async function offsetsOf(scan: Scan): Promise<number[]> {
  const offsets: number[] = [];
  for (;;) {
    const frame = (await scan.next()) ?? (await scan.resync());
    if (frame === null) return offsets;
    offsets.push(frame.offset);
  }
}

function flipped(bytes: Buffer, at: number): Buffer {
  const other = Buffer.from(bytes);
  other[at]! ^= 0x10;
  return other;
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const PAIR = [payloadOf(0), payloadOf(1)] as const;
const TEN = segmentBytes(numbers(0, 10).map((number) => payloadOf(number)));

describe('next', () => {
  test('walks from frame to frame, and stays at the end', async () => {
    const scan = await scanOf(TEN.bytes);
    const frames: Frame[] = [];
    for (let frame = await scan.next(); frame !== null; frame = await scan.next()) frames.push(frame);
    expect(frames.map(({ offset, start }) => [offset, start])).toEqual(numbers(0, 10).map((i) => [i, TEN.starts[i]]));
    expect(frames.map(({ payload }) => payload)).toEqual(numbers(0, 10).map((i) => payloadOf(i).bytes));
    const end = { byte: TEN.bytes.length, offset: 10, crc: frames.at(-1)!.crc };
    expect(scan.place).toEqual(end);
    expect(await scan.next()).toBeNull();
    expect(await scan.resync()).toBeNull();
    expect(scan.place).toEqual(end);
  });

  const [, second, third, fourth] = TEN.starts as readonly [number, number, number, number];
  /** The ten with other bytes from the second frame on. */
  const withSecond = (other: Buffer): Buffer =>
    Buffer.concat([TEN.bytes.subarray(0, second), other, TEN.bytes.subarray(second + other.length)]);
  const refused: readonly (readonly [string, Buffer])[] = [
    ['a bit is another', withSecond(flipped(TEN.bytes.subarray(second, third), 60))],
    ['it is cut short', TEN.bytes.subarray(0, third - 1)],
    ['there is less than a header', TEN.bytes.subarray(0, second + FRAME_HEADER_BYTES - 1)],
    ['it is of another segment', withSecond(segmentBytes(PAIR, { epoch: 7 }).bytes.subarray(second))],
    ['it follows another frame', withSecond(segmentBytes([payloadOf(5), PAIR[1]]).bytes.subarray(second))],
    ['it has another offset', withSecond(TEN.bytes.subarray(third, fourth))],
  ];
  test.each(refused)('refuses a frame where %s, and nothing moves', async (_, bytes) => {
    const scan = await scanOf(bytes);
    const first = await scan.next();
    expect(first?.offset).toBe(0);
    expect(await scan.next()).toBeNull();
    expect(scan.place).toEqual({ byte: TEN.starts[1], offset: 1, crc: first!.crc });
  });

  test('reads a frame that is larger than what is read at once', async () => {
    const { bytes } = segmentBytes([payloadOf(0), payloadOf(1, 3 * CHUNK_BYTES), payloadOf(2)]);
    const scan = await scanOf(bytes);
    expect(await offsetsOf(scan)).toEqual([0, 1, 2]);
  });

  test('goes on where zeros have become records', async () => {
    const fs = new MemoryFs();
    const zeros = Buffer.alloc(TEN.bytes.length);
    TEN.bytes.copy(zeros, 0, 0, TEN.starts[4]);
    const scan = await scanOf(zeros, { fs });
    expect(await offsetsOf(scan)).toEqual([0, 1, 2, 3]);
    const file = await fs.open(PATH, 'write');
    await file.write(TEN.bytes, TEN.starts[4]!, TEN.bytes.length - TEN.starts[4]!, TEN.starts[4]!);
    scan.refresh();
    expect(await offsetsOf(scan)).toEqual([4, 5, 6, 7, 8, 9]);
  });
});

describe('resync', () => {
  test.each(numbers(0, 10))('passes over frame %i alone, whatever byte of it is another', async (damaged) => {
    for (let at = TEN.starts[damaged]!; at < TEN.starts[damaged + 1]!; at++) {
      const found = await offsetsOf(await scanOf(flipped(TEN.bytes, at)));
      expect(found, `byte ${at}`).toEqual(numbers(0, 10).filter((i) => i !== damaged));
    }
  });

  // A frame begins just before the end of what was read at once, so that its first bytes lie there and the others behind.
  test.each(numbers(0, 9))('finds a frame that begins %i bytes before the end of what was read', async (before) => {
    const until = CHUNK_BYTES + SEGMENT_HEADER_BYTES;
    const { bytes, starts } = segmentBytes([
      payloadOf(0, CHUNK_BYTES - FRAME_HEADER_BYTES),
      payloadOf(1),
      payloadOf(2),
    ]);
    expect(starts[1]).toBe(until);
    const damaged = flipped(bytes, 200);
    const shorter = Buffer.concat([damaged.subarray(0, 100), damaged.subarray(100 + before)]);
    expect(await offsetsOf(await scanOf(shorter))).toEqual([1, 2]);
  });

  test('does not take a frame that stands where those before it had no room', async () => {
    const bytes = Buffer.from(TEN.bytes);
    TEN.bytes.copy(bytes, TEN.starts[2], TEN.starts[7], TEN.starts[8]);
    expect(await offsetsOf(await scanOf(bytes))).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('does not take one that was there before', async () => {
    const { bytes, starts } = TEN;
    const twice = Buffer.concat([
      bytes.subarray(0, starts[5]),
      bytes.subarray(starts[2], starts[4]),
      bytes.subarray(starts[5]),
    ]);
    expect(await offsetsOf(await scanOf(twice))).toEqual(numbers(0, 10));
  });

  /** Who knows the format can send bodies in which every sixteen bytes look like a frame that fills the segment. */
  test('reads what a client sent once, however much of it looks like frames', async () => {
    const forged = Buffer.alloc(64 * 1024);
    for (let at = 0; at < forged.length; at += 16) {
      forged.write('FRE1', at, 'latin1');
      forged.writeUInt32LE(4 * CHUNK_BYTES, at + 8);
    }
    const { bytes, starts } = segmentBytes([
      payloadOf(0),
      { bytes: forged },
      payloadOf(2),
      payloadOf(3, 5 * CHUNK_BYTES),
    ]);
    bytes[starts[2]! - 1]! ^= 1;
    const fs = new MemoryFs();
    const scan = await scanOf(bytes, { fs });
    expect((await scan.next())?.offset).toBe(0);
    expect(await scan.next()).toBeNull();
    expect((await scan.resync())?.offset).toBe(2);
    expect(fs.calls.filter(({ what }) => what === 'read').length).toBeLessThanOrEqual(2);
  });
});

describe('seek', () => {
  const MANY = 6000;
  const { bytes, starts } = segmentBytes(numbers(0, MANY).map((number) => payloadOf(number, 300)));

  test.each([0, 1, 777, 3000, 5998, 5999, 6000])('goes to just before record %i, and reads little', async (wanted) => {
    const fs = new MemoryFs();
    const scan = await scanOf(bytes, { fs });
    await scan.seek(({ offset }) => offset <= wanted);
    const { byte, offset } = scan.place;
    expect(offset).toBeLessThanOrEqual(wanted);
    expect(byte).toBe(starts[offset]);
    expect(starts[Math.min(wanted, MANY - 1)]! - byte).toBeLessThanOrEqual(256 * 1024);
    expect(fs.calls.filter(({ what }) => what === 'read').length).toBeLessThan(12);
    if (wanted < MANY) expect(await offsetsOf(scan)).toEqual(numbers(offset, MANY));
  });

  test('finds its way through damage', async () => {
    const damaged = Buffer.from(bytes);
    damaged.fill(0, starts[2000], starts[4000]);
    for (const wanted of [1999, 2000, 3999, 4000, 4500]) {
      const scan = await scanOf(damaged);
      await scan.seek(({ offset }) => offset <= wanted);
      expect(scan.place.offset).toBeLessThanOrEqual(wanted);
      expect(await offsetsOf(scan)).toEqual(expect.arrayContaining(numbers(Math.max(4000, wanted), MANY)));
    }
  });
});

describe('bytes that the disk refuses', () => {
  const pages = segmentBytes(numbers(0, 40).map((number) => payloadOf(number, 1000)));
  const refusing = (code: string, isRefused: (position: number) => boolean): MemoryFs => {
    const fs = new MemoryFs();
    fs.before = ({ what, position, path }) => {
      if (what === 'read' && isRefused(position)) throw failure(code, path);
      return undefined;
    };
    return fs;
  };
  /** A read from the start on covers all pages; alone each is read at its own position. */
  const isBad = (position: number): boolean => position < PAGE_BYTES || position === 3 * PAGE_BYTES;

  test('are damage to a reader: the pages around them are read', async () => {
    const scan = await scanOf(pages.bytes, { fs: refusing('EIO', isBad) });
    const touched = (i: number): boolean => {
      const overlaps = (page: number): boolean =>
        pages.starts[i]! < (page + 1) * PAGE_BYTES && pages.starts[i + 1]! > page * PAGE_BYTES;
      return overlaps(0) || overlaps(3);
    };
    expect(await offsetsOf(scan)).toEqual(numbers(0, 40).filter((i) => !touched(i)));
  });

  test('are an error to a start, which is not to take them for the end', async () => {
    const scan = await scanOf(pages.bytes, { fs: refusing('EIO', isBad), unreadable: 'throws' });
    await expect(scan.next()).rejects.toThrow('EIO');
  });

  test('are an error to all where it is no bad sector', async () => {
    const scan = await scanOf(pages.bytes, { fs: refusing('EACCES', isBad) });
    await expect(scan.next()).rejects.toThrow('EACCES');
    const later = await scanOf(pages.bytes, { fs: refusing('EACCES', (position) => position > PAGE_BYTES) });
    expect((await later.next())?.offset).toBe(0);
  });
});
