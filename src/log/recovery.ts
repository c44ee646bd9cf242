import type { FileHandle, Fs } from '../model/fs.ts';
import { readEndMark } from './end-mark.ts';
import { openIfThere, readFully, writeFully } from './io.ts';
import { type Place, Scan, segmentStart } from './scan.ts';
import {
  decodeSegmentHeader,
  type Frame,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  type SegmentRef,
} from './segment.ts';

/** What a start found: all segments, and the place behind the last durable record of the last one. */
export interface Recovered {
  readonly segments: readonly SegmentRef[];
  readonly end: Place;
  /** Where records of the last segment are missing that were durable. */
  readonly damage: readonly Gap[];
}

/** Bytes that should have held records `fromOffset` to `toOffset` (exclusive), and do not. */
export interface Gap {
  readonly segment: SegmentRef;
  readonly startByte: number;
  readonly endByte: number;
  readonly fromOffset: number;
  readonly toOffset: number;
}

/** Segments in the order of their records. Other files are left alone. */
export async function listSegments(fs: Fs, directory: string): Promise<SegmentRef[]> {
  const segments: SegmentRef[] = [];
  for (const name of await fs.readdir(directory)) {
    const ref = parseSegmentName(name);
    if (ref !== null) segments.push(ref);
  }
  return segments.sort((a, b) => a.number - b.number);
}

/** Null where it is damaged. */
export async function readHeader(file: FileHandle, name: string): Promise<SegmentHeader | null> {
  return decodeSegmentHeader(await readFully(file, 0, SEGMENT_HEADER_BYTES), name);
}

/**
 * Finds the end of the log after a stop of any kind. Looks at the last segment only, and of it only at what stands behind
 * the end mark where that is there. What follows the last whole record is left out only if nothing proves that it was
 * ever durable; what is missing before is damage. Nothing is truncated, so being killed here changes nothing. Throws
 * what the disk says: a place that cannot be read now is not taken for the end.
 */
export async function recover(fs: Fs, directory: string): Promise<Recovered> {
  const segments = await listSegments(fs, directory);
  const last = segments.at(-1);
  if (last === undefined) return { segments, end: segmentStart(0), damage: [] };
  const file = await fs.open(`${directory}/${last.name}`, 'write');
  try {
    await readHeader(file, last.name);
    const mark = await readEndMark(fs, directory);
    const from = mark?.epoch === last.epoch ? mark : segmentStart(last.firstOffset);
    const { proven, whole, gaps } = await findEnd(file, last, from, 'throws');
    if (whole.byte > proven.byte) await makeDurable(file, proven.byte, whole.byte);
    return { segments, end: whole, damage: gaps };
  } finally {
    await file.close();
  }
}

export interface End {
  /** Where the records end that a later batch, or the end mark, proves durable. */
  readonly proven: Place;
  /** Where the whole records behind those end: the last batch, or what there is of it. */
  readonly whole: Place;
  /** What is missing before `proven`. */
  readonly gaps: readonly Gap[];
}

/** Scans a segment from a place before which everything is durable. */
export async function findEnd(
  file: FileHandle,
  segment: SegmentRef,
  from: Place,
  unreadable: 'is-damage' | 'throws',
): Promise<End> {
  const scan = new Scan(file, segment.epoch, from, unreadable);
  const gaps: Gap[] = [];
  let proven = from;
  let whole = from;
  let isUnbroken = true;
  for (;;) {
    const before = scan.place;
    const frame = (await scan.next()) ?? (await scan.resync());
    if (frame === null) return { proven, whole, gaps: durableGaps(gaps, proven.offset) };
    const follows = frame.start === before.byte && frame.offset === before.offset;
    if (frame.offset > before.offset) gaps.push(gapBetween(segment, before, frame));
    if (frame.batch > proven.offset) {
      // A batch is written when all before it is durable: this one says where that ends.
      isUnbroken = frame.offset === frame.batch;
      proven = isUnbroken
        ? { byte: frame.start, offset: frame.batch, crc: follows ? before.crc : null }
        : { byte: before.byte, offset: frame.batch, crc: null };
      whole = isUnbroken ? scan.place : proven;
    } else {
      isUnbroken &&= follows;
      if (isUnbroken) whole = scan.place;
    }
  }
}

function gapBetween(segment: SegmentRef, before: Place, frame: Frame): Gap {
  return {
    segment,
    startByte: before.byte,
    endByte: frame.start,
    fromOffset: before.offset,
    toOffset: frame.offset,
  };
}

/** What is missing behind the last durable record was never acknowledged: it is no damage. */
function durableGaps(gaps: readonly Gap[], durableOffset: number): Gap[] {
  return gaps
    .filter(({ fromOffset }) => fromOffset < durableOffset)
    .map((gap) => ({ ...gap, toOffset: Math.min(gap.toOffset, durableOffset) }));
}

/**
 * The last batch may be in the page cache only: written, never synced, or worse, its sync failed and the kernel calls
 * the pages clean. Written again, it is dirty again, and the sync is a real one.
 */
async function makeDurable(file: FileHandle, from: number, to: number): Promise<void> {
  const bytes = await readFully(file, from, to - from);
  await writeFully(file, bytes, 0, bytes.length, from);
  await file.datasync();
}

/** When a segment was begun; null where its header is damaged, or it was dropped just now. */
export async function createdAtMs(fs: Fs, directory: string, ref: SegmentRef): Promise<number | null> {
  const file = await openIfThere(fs, `${directory}/${ref.name}`, 'read');
  if (file === null) return null;
  try {
    return (await readHeader(file, ref.name))?.createdAtMs ?? null;
  } finally {
    await file.close();
  }
}
