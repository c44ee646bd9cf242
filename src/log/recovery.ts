import type { FileHandle, Fs } from '../model/fs.ts';
import { ignoreMissing, readFully, writeFully } from './io.ts';
import { type Damage, Scan } from './scan.ts';
import {
  decodeSegmentHeader,
  type Frame,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './segment.ts';

export interface SegmentRef {
  readonly name: string;
  readonly epoch: number;
  readonly firstOffset: number;
}

/** Where a log stands after a start: everything in `segments` is sealed, and the next segment begins at `offset`. */
export interface Recovered {
  readonly segments: readonly SegmentRef[];
  readonly epoch: number;
  readonly offset: number;
  /** Valid bytes of the last segment. */
  readonly previousEnd: number;
}

/** Segments in the order of their records. Other files are left alone. */
export async function listSegments(fs: Fs, directory: string): Promise<SegmentRef[]> {
  const segments: SegmentRef[] = [];
  for (const name of await fs.readdir(directory)) {
    const parsed = parseSegmentName(name);
    if (parsed !== null) segments.push({ name, ...parsed });
  }
  return segments.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export async function readHeader(file: FileHandle, name: string): Promise<SegmentHeader | null> {
  return decodeSegmentHeader(await readFully(file, 0, SEGMENT_HEADER_BYTES), name);
}

/**
 * Finds the end of the log after a stop of any kind. Reads the last segment only. What follows the last whole record is
 * dropped only if nothing behind it proves that it was ever durable; else it is damage, kept and reported. Nothing is
 * truncated: the next segment's header will say where this one ends, so being killed here changes nothing.
 */
export async function recover(fs: Fs, directory: string, report: (message: string) => void): Promise<Recovered> {
  const segments = await listSegments(fs, directory);
  for (;;) {
    const last = segments.at(-1);
    if (last === undefined) return { segments, epoch: 1, offset: 0, previousEnd: 0 };
    const file = await fs.open(`${directory}/${last.name}`, 'write');
    try {
      const header = await readHeader(file, last.name);
      const end = await findEnd(file, last, header, report);
      if (end.offset !== last.firstOffset || end.damaged) {
        await makeDurable(file, end.lastBatchAt, end.byte);
        return { segments, epoch: last.epoch + 1, offset: end.offset, previousEnd: end.byte };
      }
      segments.pop();
      await fs.unlink(`${directory}/${last.name}`).catch(ignoreMissing);
      await fs.syncDirectory(directory);
      if (header !== null)
        return { segments, epoch: last.epoch + 1, offset: last.firstOffset, previousEnd: header.previousEnd };
      // Without a header it never held a durable record (invariant 1): the segment before it is the last one.
    } finally {
      await file.close();
    }
  }
}

interface End {
  readonly byte: number;
  readonly offset: number;
  readonly lastBatchAt: number;
  readonly damaged: boolean;
}

async function findEnd(
  file: FileHandle,
  segment: SegmentRef,
  header: SegmentHeader | null,
  report: (message: string) => void,
): Promise<End> {
  const size = await file.size();
  const scan = Scan.fromStart(file, segment.epoch, segment.firstOffset);
  let batch = -1;
  let lastBatchAt = SEGMENT_HEADER_BYTES;
  let damaged = false;
  const seen = (frame: Frame): void => {
    if (frame.batch !== batch) lastBatchAt = frame.start;
    batch = frame.batch;
  };
  for (;;) {
    const frame = await scan.next(size);
    if (frame !== null) {
      seen(frame);
      continue;
    }
    const found = await scan.resync(size, provesLoss);
    if (found === null) break;
    damaged = true;
    report(describeDamage(segment.name, found.damage));
    seen(found.frame);
  }
  if (header === null && scan.following.offset !== segment.firstOffset)
    report(`The header of log segment ${segment.name} is damaged; its records are intact and are served.`);
  return { byte: scan.following.byte, offset: scan.following.offset, lastBatchAt, damaged };
}

/** A frame of a batch that began behind the missing record: that record's batch had been synced (invariant 2). */
export function provesLoss(frame: Frame, expectedOffset: number): boolean {
  return frame.batch > expectedOffset;
}

export function describeDamage(name: string, { startByte, endByte, fromOffset, toOffset }: Damage): string {
  return `Log segment ${name}: bytes ${startByte} to ${endByte} are damaged; ${toOffset - fromOffset} records (offsets ${fromOffset} to ${toOffset - 1}) are lost. Later records are intact and are served.`;
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
