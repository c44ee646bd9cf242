import { setTimeout as sleep } from 'node:timers/promises';
import type { FileHandle, Fs } from '../model/fs.ts';
import { decodeRecord, type ParseBody, type Position, type Stored } from '../model/record.ts';
import { describeDamage, listSegments, provesLoss, readHeader, type SegmentRef } from './recovery.ts';
import { type Damage, Scan } from './scan.ts';
import { type Frame, SEGMENT_HEADER_BYTES } from './segment.ts';

export interface ReaderOptions {
  readonly fs: Fs;
  readonly directory: string;
  readonly partition: number;
  readonly parseBody: ParseBody;
  readonly report: (message: string) => void;
}

/** What a reader may see, and how it learns of more. */
export interface View {
  list(): Promise<readonly SegmentRef[]>;
  /** Durable bytes of the segment that is being written; null for one that is sealed. */
  activeEnd(ref: SegmentRef, file: FileHandle, from: Scan): Promise<number | null>;
  /** Resolves to true when there may be more, to false when there will not. */
  wait(signal: AbortSignal): Promise<boolean>;
}

/** How long before a segment's creation its first records may have been received: they waited for the disk. */
const TIME_SLACK_MS = 10_000;

/** Durable records in order, from a place in the log; damage is reported and stepped over. */
export async function* readSegments(
  options: ReaderOptions,
  view: View,
  from: Position | { readonly timeMs: number } | 'start',
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<Stored> {
  const sinceMs = from !== 'start' && 'timeMs' in from ? from.timeMs : Number.NEGATIVE_INFINITY;
  let offset = from !== 'start' && 'offset' in from ? from.offset : 0;
  let epoch = await firstEpoch(options, await view.list(), offset, sinceMs);
  while (!signal.aborted) {
    const ref = (await view.list()).find((one) => one.epoch >= epoch);
    if (ref === undefined) return;
    if (ref.firstOffset > offset && offset > 0)
      options.report(
        `Records ${offset} to ${ref.firstOffset - 1} are no longer in the log; reading goes on at ${ref.firstOffset}.`,
      );
    for await (const frame of readSegment(options, view, ref, follow, signal)) {
      offset = frame.offset + 1;
      if (frame.offset < (from !== 'start' && 'offset' in from ? from.offset : 0) || frame.atMs < sinceMs) continue;
      const record = decodeRecord(frame.payload, options.parseBody);
      yield { position: { partition: options.partition, offset: frame.offset }, record };
      if (signal.aborted) return;
    }
    if (!(await view.list()).some((one) => one.epoch > ref.epoch)) return;
    epoch = ref.epoch + 1;
  }
}

/** The last segment that begins at or before the place; header times are read for a time only. */
async function firstEpoch(
  options: ReaderOptions,
  segments: readonly SegmentRef[],
  offset: number,
  sinceMs: number,
): Promise<number> {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const ref = segments[middle]!;
    const before =
      sinceMs === Number.NEGATIVE_INFINITY
        ? ref.firstOffset <= offset
        : await createdBefore(options, ref, sinceMs - TIME_SLACK_MS);
    if (before) low = middle;
    else high = middle - 1;
  }
  return segments[low]?.epoch ?? 0;
}

async function createdBefore({ fs, directory }: ReaderOptions, ref: SegmentRef, timeMs: number): Promise<boolean> {
  const file = await fs.open(`${directory}/${ref.name}`, 'read');
  try {
    const header = await readHeader(file, ref.name);
    return header !== null && header.createdAtMs <= timeMs;
  } finally {
    await file.close();
  }
}

async function* readSegment(
  options: ReaderOptions,
  view: View,
  ref: SegmentRef,
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  const file = await options.fs
    .open(`${options.directory}/${ref.name}`, 'read')
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null; // Dropped by retention since it was listed.
      throw error;
    });
  if (file === null) return;
  try {
    const scan = Scan.fromStart(file, ref.epoch, ref.firstOffset);
    for (;;) {
      const active = await view.activeEnd(ref, file, scan);
      const end = active ?? (await sealedEnd(options, view, ref, file));
      yield* framesTo(options, ref, scan, end, active === null);
      if (active === null || !follow) return;
      const next = (await view.list()).some((one) => one.epoch > ref.epoch);
      if (!next && !(await view.wait(signal))) return;
      scan.refresh();
    }
  } finally {
    await file.close();
  }
}

async function* framesTo(
  options: ReaderOptions,
  ref: SegmentRef,
  scan: Scan,
  end: number,
  sealed: boolean,
): AsyncGenerator<Frame> {
  const report = (damage: Damage): void => options.report(describeDamage(ref.name, damage));
  for (;;) {
    const frame = await scan.next(end);
    if (frame !== null) {
      yield frame;
      continue;
    }
    if (scan.following.byte >= end) return;
    const found = await scan.resync(end, () => true);
    if (found === null) {
      if (sealed)
        options.report(
          `Log segment ${ref.name}: bytes ${scan.following.byte} to ${end} are damaged; the records from offset ${scan.following.offset} to the end of the segment are lost.`,
        );
      return;
    }
    report(found.damage);
    yield found.frame;
  }
}

/** The next segment's header says where this one ends; where that is damaged, the file's size is the bound. */
async function sealedEnd(
  { fs, directory }: ReaderOptions,
  view: View,
  ref: SegmentRef,
  file: FileHandle,
): Promise<number> {
  const next = (await view.list()).find((one) => one.epoch > ref.epoch);
  if (next === undefined) return file.size();
  const nextFile = await fs.open(`${directory}/${next.name}`, 'read');
  try {
    return (await readHeader(nextFile, next.name))?.previousEnd ?? (await file.size());
  } finally {
    await nextFile.close();
  }
}

/** How often another process looks for more. */
const POLL_MS = 100;

export interface LogReader {
  read(
    from: Position | { readonly timeMs: number } | 'start',
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<Stored>;
}

/**
 * Reads a log that another process may be writing, or none. What it shows of the last segment it has synced itself: a
 * batch that the writer has not finished syncing is either not there yet or durable when it is shown.
 */
export async function openLogReader(options: ReaderOptions): Promise<LogReader> {
  const { fs, directory } = options;
  await fs.readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT')
      throw new Error(`There is no event log in '${directory}'. Is this the data folder of a server that has run?`);
    throw error;
  });
  const view: View = {
    list: () => listSegments(fs, directory),
    async activeEnd(ref, file, from) {
      if ((await listSegments(fs, directory)).at(-1)?.name !== ref.name) return null;
      const end = await wholeFramesEnd(file, ref, from);
      await file.datasync();
      return end;
    },
    async wait(signal) {
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
      return !signal.aborted;
    },
  };
  return { read: (from, follow, signal) => readSegments(options, view, from, follow, signal) };
}

/** The end of the whole frames behind a place, damage in durable batches included: the same judgement as recovery's. */
async function wholeFramesEnd(file: FileHandle, ref: SegmentRef, from: Scan): Promise<number> {
  const size = await file.size();
  const { byte, offset, crc } = from.following;
  const scan = new Scan(file, {
    epoch: ref.epoch,
    byte: Math.max(byte, SEGMENT_HEADER_BYTES),
    offset,
    previousCrc: crc,
  });
  for (;;) {
    if ((await scan.next(size)) !== null) continue;
    if ((await scan.resync(size, provesLoss)) === null) return scan.following.byte;
  }
}
