import { crc32 } from 'node:zlib';

/**
 * The bytes of a segment. A log is a folder of segments, each the home of consecutive records.
 *
 * Invariants:
 *  1. A segment's header is synced, and its name with it, before the first frame is written.
 *  2. One writer, one batch at a time: a batch is written only after the one before it was synced. So a valid frame of a
 *     later batch proves that every earlier batch was durable, and what is missing before it was damaged, not torn.
 *  3. Frames are consecutive: offset + 1, and `previousCrc` is the CRC of the frame before (0 for the first).
 *  4. A segment holds the records from its first offset to the next segment's, and none else: bytes of it that say
 *     otherwise are the leftovers of a batch that was never acknowledged.
 *  5. The next segment exists only when everything in this one is durable; after that this one is never written again.
 *  6. The epoch is random and new for every segment, so no bytes of an older file, and none that a client sends, pass for
 *     a frame of it.
 *
 * Segment header, 64 bytes, little-endian: magic u32 · version u32 · epoch f64 · first offset f64 · number f64 · created
 * at, ms f64 · partition u32 · zeros · crc u32 (of all before).
 * Frame, 48 bytes and the payload, padded with zeros to 8 bytes: magic u32 · crc u32 (of all behind it) · payload bytes
 * u32 · previous crc u32 · epoch f64 · batch f64 (the first offset in it) · offset f64 · at, ms f64 · payload.
 */
export const FORMAT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 64;
export const FRAME_HEADER_BYTES = 48;
/** Frames are padded to multiples of this: their numbers lie where the processor likes them. */
export const ALIGN_BYTES = 8;
/** Requests are at most 1 MB, and what Weir adds stays far below: a longer frame is damage, and is never written. */
export const PAYLOAD_BYTES_MAX = 8 * 1024 * 1024;
/** Epochs are integers below this: exact in an f64, and as hard to guess as 53 bits can be. */
export const EPOCH_LIMIT = 2 ** 53;

const SEGMENT_MAGIC = 0x31524557; // "WER1"
const FRAME_MAGIC = 0x31455246; // "FRE1"
export const FRAME_MAGIC_BYTES = Buffer.from('FRE1', 'latin1');
const HEADER_CRC_AT = 60;

export interface SegmentRef {
  readonly name: string;
  readonly firstOffset: number;
  /** Counts the segments of a log: the order of two that begin at the same offset, the first of which holds nothing. */
  readonly number: number;
  readonly epoch: number;
}

export interface SegmentHeader {
  readonly epoch: number;
  readonly firstOffset: number;
  readonly number: number;
  readonly createdAtMs: number;
  readonly partition: number;
}

export interface Frame {
  readonly offset: number;
  readonly batch: number;
  readonly atMs: number;
  readonly crc: number;
  readonly previousCrc: number;
  /** Where it starts, and where the next one may start, in the segment. */
  readonly start: number;
  readonly end: number;
  readonly payload: Buffer;
}

/**
 * "0000000000000042-00000003-0f3a9c11d2e47b.segment": first offset, number and epoch (hexadecimal). All that is needed to
 * read the frames stands in the name too, so a damaged header costs no record. Sorted by name is sorted by position.
 */
export function segmentRef(firstOffset: number, number: number, epoch: number): SegmentRef {
  const name = [
    String(firstOffset).padStart(16, '0'),
    String(number).padStart(8, '0'),
    epoch.toString(16).padStart(14, '0'),
  ].join('-');
  return { name: `${name}.segment`, firstOffset, number, epoch };
}

const NAME = /^(\d{16})-(\d{8,})-([0-9a-f]{14})\.segment$/;

/** Null for a file that is no segment. Throws `UnknownFormat` for one whose name only another version can read. */
export function parseSegmentName(name: string): SegmentRef | null {
  if (!name.endsWith('.segment')) return null;
  const parts = NAME.exec(name);
  if (parts === null) throw new UnknownFormat(`The log holds the file ${name}`);
  return { name, firstOffset: Number(parts[1]), number: Number(parts[2]), epoch: Number.parseInt(parts[3]!, 16) };
}

/** Another version of Weir wrote this log: nothing of it is touched. */
export class UnknownFormat extends Error {
  /** `what`: a sentence that ends with what is not known. */
  constructor(what: string) {
    super(
      `${what}, which this version of Weir (log format ${FORMAT_VERSION}) does not know. Nothing was changed: start the version that wrote it, or a newer one.`,
    );
  }
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.writeUInt32LE(SEGMENT_MAGIC, 0);
  bytes.writeUInt32LE(FORMAT_VERSION, 4);
  bytes.writeDoubleLE(header.epoch, 8);
  bytes.writeDoubleLE(header.firstOffset, 16);
  bytes.writeDoubleLE(header.number, 24);
  bytes.writeDoubleLE(header.createdAtMs, 32);
  bytes.writeUInt32LE(header.partition, 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_CRC_AT)), HEADER_CRC_AT);
  return bytes;
}

/** Null for bytes that are no whole, undamaged header. Throws `UnknownFormat` for an undamaged one of another version. */
export function decodeSegmentHeader(bytes: Buffer, name: string): SegmentHeader | null {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.readUInt32LE(0) !== SEGMENT_MAGIC) return null;
  if (bytes.readUInt32LE(HEADER_CRC_AT) !== crc32(bytes.subarray(0, HEADER_CRC_AT))) return null;
  const version = bytes.readUInt32LE(4);
  if (version !== FORMAT_VERSION) {
    throw new UnknownFormat(`The log segment ${name} has format ${version}`);
  }
  return {
    epoch: bytes.readDoubleLE(8),
    firstOffset: bytes.readDoubleLE(16),
    number: bytes.readDoubleLE(24),
    createdAtMs: bytes.readDoubleLE(32),
    partition: bytes.readUInt32LE(40),
  };
}

export function frameBytes(payloadBytes: number): number {
  return (FRAME_HEADER_BYTES + payloadBytes + ALIGN_BYTES - 1) & -ALIGN_BYTES;
}

/** Completes a frame whose payload lies at `start + FRAME_HEADER_BYTES` already. Returns its CRC, which the next frame carries. */
export function sealFrame(
  into: Buffer,
  start: number,
  payloadBytes: number,
  frame: {
    readonly epoch: number;
    readonly batch: number;
    readonly offset: number;
    readonly atMs: number;
    readonly previousCrc: number;
  },
): number {
  const end = start + frameBytes(payloadBytes);
  into.fill(0, start + FRAME_HEADER_BYTES + payloadBytes, end);
  into.writeUInt32LE(FRAME_MAGIC, start);
  into.writeUInt32LE(payloadBytes, start + 8);
  into.writeUInt32LE(frame.previousCrc, start + 12);
  into.writeDoubleLE(frame.epoch, start + 16);
  into.writeDoubleLE(frame.batch, start + 24);
  into.writeDoubleLE(frame.offset, start + 32);
  into.writeDoubleLE(frame.atMs, start + 40);
  const crc = crc32(into.subarray(start + 8, end));
  into.writeUInt32LE(crc, start + 4);
  return crc;
}

/**
 * How many bytes the frame at `at` says it takes; null where none of this epoch can start. More bytes may be needed to
 * judge it: not on the word of a client, who does not know the epoch.
 */
export function frameBytesAt(bytes: Buffer, at: number, epoch: number): number | null {
  if (at + FRAME_HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== FRAME_MAGIC) return null;
  if (bytes.readDoubleLE(at + 16) !== epoch) return null;
  const payloadBytes = bytes.readUInt32LE(at + 8);
  return payloadBytes > PAYLOAD_BYTES_MAX ? null : frameBytes(payloadBytes);
}

/** The frame at `at` in `bytes`, which starts at `base` in its segment; null unless it is whole, undamaged and of this epoch. */
export function decodeFrame(bytes: Buffer, at: number, base: number, epoch: number): Frame | null {
  const size = frameBytesAt(bytes, at, epoch);
  if (size === null || at + size > bytes.length) return null;
  const crc = bytes.readUInt32LE(at + 4);
  if (crc !== crc32(bytes.subarray(at + 8, at + size))) return null;
  const payloadBytes = bytes.readUInt32LE(at + 8);
  const payloadAt = at + FRAME_HEADER_BYTES;
  return {
    offset: bytes.readDoubleLE(at + 32),
    batch: bytes.readDoubleLE(at + 24),
    atMs: bytes.readDoubleLE(at + 40),
    crc,
    previousCrc: bytes.readUInt32LE(at + 12),
    start: base + at,
    end: base + at + size,
    payload: bytes.subarray(payloadAt, payloadAt + payloadBytes),
  };
}
