import type { FileHandle, Fs } from '../model/fs.ts';
import {
  decodeRecord,
  type LogRecord,
  type ParseBody,
  recordBytesMax,
  recordHead,
  writeRecord,
} from '../model/record.ts';
import type { LogHost } from './host.ts';
import { openIfThere, readFully, unlinkIfThere, writeFully } from './io.ts';
import { readHeader } from './recovery.ts';
import { type Place, Scan, segmentStart } from './scan.ts';
import {
  encodeSegmentHeader,
  FRAME_HEADER_BYTES,
  type Frame,
  frameBytes,
  SEGMENT_HEADER_BYTES,
  type SegmentRef,
  sealFrame,
} from './segment.ts';

/** How many records hold less now, in how many segments. */
export interface Rewritten {
  readonly records: number;
  readonly segments: number;
}
export const NOTHING_REWRITTEN: Rewritten = { records: 0, segments: 0 };

export interface RewritingDeps {
  readonly fs: Fs;
  readonly directory: string;
  readonly partition: number;
  readonly parseBody: ParseBody;
  readonly host: Pick<LogHost, 'sleep' | 'nowMs'>;
}

/** What is left of a record; the same object where that is all of it. */
export type Left = (offset: number, record: LogRecord) => LogRecord;
/** Told of each record that is written with less in it. */
type OnLess = (before: LogRecord, after: LogRecord) => void;

/** Behind a segment's name while it is being written anew: no reader and no start takes it for one. */
const UNFINISHED = '.new';
/**
 * Records that are looked at before others get their turn, and how long they have it. A page view of 2 KB takes 0.1 ms: without
 * a rest, and with slices of 64, a request beside a pass took 20 ms in place of 0.7, and its 99th percentile 70. Ten
 * megabytes a second are left, some 800 GB a day.
 */
const SLICE_RECORDS = 8;
const REST_MS = 1;
const NEVER = new AbortController().signal;
/** Written at once. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Writes a sealed segment anew where something of its records may not be kept, and puts the new one in the old one's place:
 * same name, same offsets, times and batches; the payload of each record is what is left of it, and the chain of checksums
 * is made again. After a crash it is the old one or the new one. Records that are missing stay missing, and their bytes
 * become zeros: nobody knows what they held. `limit`: the first offset of the next segment; what stands behind is a leftover of
 * a batch that was never acknowledged, and goes. Throws what the disk says, and then nothing has changed.
 */
export async function rewriteSegment(
  deps: RewritingDeps,
  ref: SegmentRef,
  limit: number,
  left: Left,
  onLess: OnLess = () => {},
): Promise<{ readonly records: number }> {
  const { fs, directory } = deps;
  const path = `${directory}/${ref.name}`;
  const file = await openIfThere(fs, path, 'read');
  if (file === null) return { records: 0 };
  try {
    if (!(await hasLess(deps, file, ref, limit, left))) return { records: 0 };
    const unfinished = path + UNFINISHED;
    await unlinkIfThere(fs, unfinished);
    const records = await writeAnew(deps, file, unfinished, ref, limit, left, onLess).catch(async (error: unknown) => {
      await unlinkIfThere(fs, unfinished);
      throw error;
    });
    await fs.rename(unfinished, path);
    await fs.syncDirectory(directory);
    return { records };
  } finally {
    await file.close();
  }
}

/** What a crash left of rewriting: it may hold what is to be removed by now. Durable when it resolves. */
export async function removeUnfinished(fs: Fs, directory: string): Promise<void> {
  for (const name of await fs.readdir(directory)) {
    if (name.endsWith(`.segment${UNFINISHED}`)) await unlinkIfThere(fs, `${directory}/${name}`);
  }
  await fs.syncDirectory(directory);
}

/** Whether anything is to go: a record's part, bytes that cannot be read, or leftovers. */
async function hasLess(
  deps: RewritingDeps,
  file: FileHandle,
  ref: SegmentRef,
  limit: number,
  left: Left,
): Promise<boolean> {
  let end = SEGMENT_HEADER_BYTES;
  for await (const { frame, before } of framesOf(deps, file, ref, limit)) {
    if (await hasBytes(file, before.byte, frame.start)) return true;
    const record = decodeRecord(frame.payload, deps.parseBody);
    if (left(frame.offset, record) !== record) return true;
    end = frame.end;
  }
  return hasBytes(file, end, await file.size());
}

/** Whether something else than zeros stands there. */
async function hasBytes(file: FileHandle, from: number, to: number): Promise<boolean> {
  for (let at = from; at < to; at += PIECE_BYTES) {
    const bytes = await readFully(file, at, Math.min(PIECE_BYTES, to - at));
    if (bytes.some((byte) => byte !== 0)) return true;
  }
  return false;
}

interface Found {
  readonly frame: Frame;
  /** Where it would have stood if nothing were missing. */
  readonly before: Place;
}

/** How frames are read: what becomes of bytes that the disk refuses, and after how many records others get their turn. */
export interface Reading {
  readonly unreadable: 'is-damage' | 'throws';
  readonly slice: number;
}
const FOR_REWRITING: Reading = { unreadable: 'throws', slice: SLICE_RECORDS };

/** Whole frames below `limit`, in order; others get their turn in between. */
export async function* framesOf(
  { host }: { readonly host: Pick<LogHost, 'sleep'> },
  file: FileHandle,
  ref: SegmentRef,
  limit: number,
  { unreadable, slice }: Reading = FOR_REWRITING,
): AsyncGenerator<Found> {
  const scan = new Scan(file, ref.epoch, segmentStart(ref.firstOffset), unreadable);
  for (let count = 1; ; count++) {
    const before = scan.place;
    const frame = (await scan.next()) ?? (await scan.resync());
    if (frame === null || frame.offset >= limit) return;
    yield { frame, before };
    if (count % slice === 0) await host.sleep(REST_MS, NEVER);
  }
}

async function writeAnew(
  deps: RewritingDeps,
  file: FileHandle,
  path: string,
  ref: SegmentRef,
  limit: number,
  left: Left,
  onLess: OnLess,
): Promise<number> {
  const { fs, partition, parseBody } = deps;
  const header = await readHeader(file, ref.name);
  const target = await fs.open(path, 'create');
  try {
    const out = new Output(target, ref.epoch);
    const createdAtMs = header?.createdAtMs ?? (await firstAtMs(deps, file, ref, limit));
    await out.bytes(encodeSegmentHeader({ ...ref, partition, createdAtMs }));
    let records = 0;
    for await (const { frame, before } of framesOf(deps, file, ref, limit)) {
      // Where a chain was broken it stays so, and the gap stays wide enough for what it held.
      if (frame.start !== before.byte) await out.gap(frame.start - before.byte, frame.previousCrc);
      const record = decodeRecord(frame.payload, parseBody);
      const kept = left(frame.offset, record);
      if (kept !== record) {
        records += 1;
        onLess(record, kept);
      }
      await out.frame(frame, kept === record ? frame.payload : payloadOf(kept));
    }
    await out.end();
    return records;
  } finally {
    await target.close();
  }
}

/** When the first record that can be read was received, which is about when the segment was begun. */
async function firstAtMs(deps: RewritingDeps, file: FileHandle, ref: SegmentRef, limit: number): Promise<number> {
  for await (const { frame } of framesOf(deps, file, ref, limit)) return frame.atMs;
  return deps.host.nowMs();
}

/** The bytes of a record. */
export function payloadOf(record: LogRecord): Buffer {
  const head = recordHead(record);
  const bytes = Buffer.allocUnsafe(recordBytesMax(head, record));
  return bytes.subarray(0, writeRecord(head, record, bytes, 0));
}

/** Collects frames and writes them in pieces, each with the checksum of the one before. */
class Output {
  readonly #file: FileHandle;
  readonly #epoch: number;
  #pieces: Buffer[] = [];
  #pending = 0;
  #position = 0;
  #crc = 0;

  constructor(file: FileHandle, epoch: number) {
    this.#file = file;
    this.#epoch = epoch;
  }

  async bytes(bytes: Buffer): Promise<void> {
    this.#pieces.push(bytes);
    this.#pending += bytes.length;
    if (this.#pending >= PIECE_BYTES) await this.#write();
  }

  async frame({ batch, offset, atMs }: Frame, payload: Buffer): Promise<void> {
    const bytes = Buffer.allocUnsafe(frameBytes(payload.length));
    payload.copy(bytes, FRAME_HEADER_BYTES);
    const frame = { epoch: this.#epoch, batch, offset, atMs, previousCrc: this.#crc };
    this.#crc = sealFrame(bytes, 0, payload.length, frame);
    await this.bytes(bytes);
  }

  async gap(length: number, previousCrc: number): Promise<void> {
    for (let left = length; left > 0; left -= PIECE_BYTES) await this.bytes(Buffer.alloc(Math.min(left, PIECE_BYTES)));
    this.#crc = previousCrc;
  }

  /** Everything is on the disk when it resolves. */
  async end(): Promise<void> {
    await this.#write();
    await this.#file.datasync();
  }

  async #write(): Promise<void> {
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#pending = 0;
    await writeFully(this.#file, bytes, 0, bytes.length, this.#position);
    this.#position += bytes.length;
  }
}
