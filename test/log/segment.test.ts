import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeFrame,
  decodeSegmentHeader,
  EPOCH_LIMIT,
  encodeSegmentHeader,
  FORMAT_VERSION,
  FRAME_HEADER_BYTES,
  frameBytes,
  frameBytesAt,
  PAYLOAD_BYTES_MAX,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  sealFrame,
  segmentRef,
  UnknownFormat,
} from '../../src/log/segment.ts';
import { EPOCH } from './segment-bytes.ts';

const offsets = fc.nat({ max: 10 ** 15 });
const numbers = fc.nat({ max: 10 ** 9 });
const epochs = fc.maxSafeNat().map((epoch) => epoch % EPOCH_LIMIT);

describe('the name of a segment', () => {
  test('says all that is needed to read its frames', () => {
    fc.assert(
      fc.property(offsets, numbers, epochs, (firstOffset, number, epoch) => {
        const ref = segmentRef(firstOffset, number, epoch);
        expect(parseSegmentName(ref.name)).toEqual({ name: ref.name, firstOffset, number, epoch });
      }),
    );
    expect(segmentRef(42, 3, 0x0f3a9c11d2e47b).name).toBe('0000000000000042-00000003-0f3a9c11d2e47b.segment');
  });

  test('sorted by name is sorted by position', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(offsets, fc.nat({ max: 99_999_999 }), epochs)), (all) => {
        const refs = all.map(([firstOffset, number, epoch]) => segmentRef(firstOffset, number, epoch));
        const byPosition = [...refs].sort(
          (a, b) => a.firstOffset - b.firstOffset || a.number - b.number || a.epoch - b.epoch,
        );
        const byName = [...refs].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
        expect(byName).toEqual(byPosition);
      }),
    );
  });

  test.each(['end', 'reserve', 'end.new', 'consumers', 'x.segment.new', 'segment'])('%s is none', (name) => {
    expect(parseSegmentName(name)).toBeNull();
  });

  test.each([
    '42.segment',
    '0000000000000042-00000003.segment',
    '0000000000000042-00000003-0f3a9c11d2e47b-2.segment',
    '0000000000000042-00000003-0F3A9C11D2E47B.segment',
  ])('%s is that of another version', (name) => {
    expect(() => parseSegmentName(name)).toThrow(UnknownFormat);
    expect(() => parseSegmentName(name)).toThrow(`${name}, which this version of Weir (log format ${FORMAT_VERSION})`);
  });
});

describe('the header of a segment', () => {
  const header = { epoch: EPOCH, firstOffset: 42, number: 3, createdAtMs: 1_700_000_000_123.5, partition: 7 };
  const bytes = encodeSegmentHeader(header);

  test('is what was written', () => {
    expect(bytes).toHaveLength(SEGMENT_HEADER_BYTES);
    expect(decodeSegmentHeader(bytes, 'name')).toEqual(header);
    expect(decodeSegmentHeader(Buffer.concat([bytes, Buffer.alloc(9)]), 'name')).toEqual(header);
  });

  test('is nothing when a bit of it is another, or a byte is missing', () => {
    for (let bit = 0; bit < SEGMENT_HEADER_BYTES * 8; bit++) {
      expect(decodeSegmentHeader(flipped(bytes, bit), 'name'), `bit ${bit}`).toBeNull();
    }
    for (let length = 0; length < SEGMENT_HEADER_BYTES; length++) {
      expect(decodeSegmentHeader(bytes.subarray(0, length), 'name')).toBeNull();
    }
  });

  test('of another version is refused by name, with what to do', () => {
    const newer = Buffer.from(bytes);
    newer.writeUInt32LE(FORMAT_VERSION + 1, 4);
    newer.writeUInt32LE(crc32(newer.subarray(0, 60)), 60);
    expect(() => decodeSegmentHeader(newer, 'x.segment')).toThrow(UnknownFormat);
    expect(() => decodeSegmentHeader(newer, 'x.segment')).toThrow(
      /x\.segment has format 2, .* Nothing was changed: start the version that wrote it/,
    );
  });
});

/** A frame in the middle of other bytes. */
function frameOf(
  payload: Uint8Array,
  fields: { offset: number; batch: number; atMs: number; previousCrc: number },
  before: number,
): Buffer {
  const bytes = Buffer.alloc(before + frameBytes(payload.length), 0xee);
  bytes.set(payload, before + FRAME_HEADER_BYTES);
  sealFrame(bytes, before, payload.length, { epoch: EPOCH, ...fields });
  return bytes;
}

describe('a frame', () => {
  const fields = fc.record({
    offset: offsets,
    batch: offsets,
    atMs: fc.double({ noNaN: true }),
    previousCrc: fc.nat({ max: 2 ** 32 - 1 }),
  });

  test('is what was written, wherever it stands, and padded with zeros', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fields, fc.nat({ max: 64 }), (payload, written, before) => {
        const bytes = frameOf(payload, written, before);
        const frame = decodeFrame(bytes, before, 1000, EPOCH)!;
        expect(frame).toMatchObject(written);
        expect(Buffer.compare(frame.payload, payload)).toBe(0);
        expect([frame.start, frame.end]).toEqual([1000 + before, 1000 + bytes.length]);
        expect(frameBytesAt(bytes, before, EPOCH)).toBe(bytes.length - before);
        expect((bytes.length - before) % 8).toBe(0);
        expect(bytes.subarray(before + FRAME_HEADER_BYTES + payload.length).every((byte) => byte === 0)).toBe(true);
      }),
    );
  });

  test('is nothing when any bit of it is another: header, payload or padding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fields, (payload, written) => {
        const bytes = frameOf(payload, written, 0);
        for (let bit = 0; bit < bytes.length * 8; bit++)
          expect(decodeFrame(flipped(bytes, bit), 0, 0, EPOCH)).toBeNull();
      }),
      { numRuns: 20 },
    );
  });

  test('is nothing when it is cut short, or of another segment', () => {
    const bytes = frameOf(Buffer.from('payload'), { offset: 1, batch: 1, atMs: 1, previousCrc: 0 }, 0);
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeFrame(bytes.subarray(0, length), 0, 0, EPOCH)).toBeNull();
    }
    expect(decodeFrame(bytes, 0, 0, EPOCH + 1)).toBeNull();
    expect(frameBytesAt(bytes, 0, EPOCH + 1)).toBeNull();
  });

  test('of the largest payload is taken, and none that claims more', () => {
    const header = Buffer.alloc(FRAME_HEADER_BYTES);
    header.write('FRE1', 'latin1');
    header.writeDoubleLE(EPOCH, 16);
    header.writeUInt32LE(PAYLOAD_BYTES_MAX, 8);
    expect(frameBytesAt(header, 0, EPOCH)).toBe(FRAME_HEADER_BYTES + PAYLOAD_BYTES_MAX);
    header.writeUInt32LE(PAYLOAD_BYTES_MAX + 1, 8);
    expect(frameBytesAt(header, 0, EPOCH)).toBeNull();
  });

  test('carries the checksum of the one before, and its own covers that', () => {
    const first = frameOf(Buffer.from('first'), { offset: 0, batch: 0, atMs: 1, previousCrc: 0 }, 0);
    const { crc } = decodeFrame(first, 0, 0, EPOCH)!;
    const second = (previousCrc: number): number =>
      decodeFrame(frameOf(Buffer.from('second'), { offset: 1, batch: 1, atMs: 1, previousCrc }, 0), 0, 0, EPOCH)!.crc;
    expect(second(crc)).not.toBe(second(crc + 1));
  });
});

function flipped(bytes: Buffer, bit: number): Buffer {
  const other = Buffer.from(bytes);
  other[bit >> 3]! ^= 1 << (bit & 7);
  return other;
}
