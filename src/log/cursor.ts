import type { FileHandle, Fs } from '../model/fs.ts';
import { decodeRecord, type ParseBody, type Position, type Stored } from '../model/record.ts';
import type { Hidden } from './hidden.ts';
import { openIfThere } from './io.ts';
import { createdAtMs } from './recovery.ts';
import { Scan, segmentStart } from './scan.ts';
import type { Frame, SegmentRef } from './segment.ts';

export interface ReaderOptions {
  readonly fs: Fs;
  readonly directory: string;
  readonly partition: number;
  readonly parseBody: ParseBody;
  /** Told, in words and as a fact, of every record that should have been read and could not be. */
  readonly report: Report;
}
export type Report = (message: string, missing?: Missing) => void;

/** Records `fromOffset` to `toOffset` (exclusive) that were passed over. */
export interface Missing {
  /** `damaged`: their bytes are not what was written. `dropped`: retention removed them. */
  readonly why: 'damaged' | 'dropped';
  readonly fromOffset: number;
  readonly toOffset: number;
}

/** What may be read: the durable records and no others. */
export interface Durable {
  readonly segments: readonly SegmentRef[];
  /** Of the next record: those below are durable. */
  readonly offset: number;
  /** What of them is not shown. */
  readonly hidden: Hidden;
}
export interface View {
  current(): Durable | Promise<Durable>;
  /** What is hidden at this moment, where that can be said without looking at the disk. */
  hidden?(): Hidden;
  /** Resolves to true when there may be records from `offset` on, to false when there will be none. */
  wait(offset: number, signal: AbortSignal): Promise<boolean>;
}

export type ReadFrom = Position | { readonly timeMs: number } | 'start';

/** How long before a segment's creation its first records may have been received: they waited for the disk. */
export const TIME_SLACK_MS = 10_000;
/** A take ends after so many bytes: bounds what a reader holds. */
const TAKE_BYTES = 1024 * 1024;

interface OpenSegment {
  readonly ref: SegmentRef;
  readonly file: FileHandle;
  readonly scan: Scan;
  /** The end of what was durable when bytes were last read. */
  limit: number;
  /** Of `Hidden`, when the file was opened. */
  readonly generation: number;
}

/** A place in the log from which durable records are taken in order, in constant memory. */
export class Cursor {
  readonly #options: ReaderOptions;
  readonly #view: View;
  /** Records received before are passed over. */
  #sinceMs = Number.NEGATIVE_INFINITY;
  /** A time is sought in the first segment alone: those after it were made later. */
  #hasSoughtTime = true;
  #offset: number;
  /** Until the first record it is not known which ones a reader from the start could expect. */
  #isFromStart: boolean;
  #open: OpenSegment | null = null;

  constructor(options: ReaderOptions, view: View, from: ReadFrom) {
    this.#options = options;
    this.#view = view;
    this.#isFromStart = from === 'start' || 'timeMs' in from;
    this.#offset = from !== 'start' && 'offset' in from ? from.offset : 0;
    if (from !== 'start' && 'timeMs' in from) {
      this.#sinceMs = from.timeMs;
      this.#hasSoughtTime = false;
    }
  }

  /** Offset of the next record. */
  get offset(): number {
    return this.#offset;
  }

  /** The next records, `max` at most; none at the durable end. */
  async take(max: number): Promise<Stored[]> {
    for (;;) {
      const { segments, offset: end, hidden } = await this.#view.current();
      // A segment that was rewritten since has its place in the folder, and not behind this descriptor.
      if (this.#open !== null && this.#open.generation !== hidden.list.generation) await this.close();
      if (this.#isFromStart && segments.length > 0) {
        this.#offset = (await this.#firstByTime(segments)).firstOffset;
        this.#isFromStart = false;
      }
      if (this.#offset >= end) return [];
      const index = segments.findLastIndex(({ firstOffset }) => firstOffset <= this.#offset);
      if (index === -1) {
        this.#pass('dropped', segments[0]?.firstOffset ?? end, 'they are no longer in the log');
        continue;
      }
      const ref = segments[index]!;
      const limit = Math.min(segments[index + 1]?.firstOffset ?? end, end);
      const open = await this.#enter(ref, limit, hidden.list.generation);
      if (open === null) {
        const isKnown = (await this.#view.current()).segments.some(({ name }) => name === ref.name);
        if (isKnown) this.#pass('damaged', limit, `the file ${ref.name} is missing`);
        continue;
      }
      const stored = await this.#collect(open, max, hidden);
      if (stored.length > 0) return this.#stillShown(stored, hidden);
    }
  }

  /** Whoever was erased while this was read is not shown either, as far as this process knows. */
  #stillShown(stored: Stored[], before: Hidden): Stored[] {
    const hidden = this.#view.hidden?.() ?? before;
    if (hidden === before) return stored;
    return stored.map(({ position, record }) => ({ position, record: hidden.shown(position.offset, record) }));
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.file.close();
  }

  async #firstByTime(segments: readonly SegmentRef[]): Promise<SegmentRef> {
    let low = 0;
    let high = this.#sinceMs === Number.NEGATIVE_INFINITY ? 0 : segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const createdMs = await createdAtMs(this.#options.fs, this.#options.directory, segments[middle]!);
      if (createdMs !== null && createdMs < this.#sinceMs - TIME_SLACK_MS) low = middle;
      else high = middle - 1;
    }
    return segments[low]!;
  }

  /** The segment, read up to just before the offset; null where its file is not there. */
  async #enter(ref: SegmentRef, limit: number, generation: number): Promise<OpenSegment | null> {
    if (this.#open?.ref.name === ref.name) {
      if (this.#open.limit !== limit) this.#open.scan.refresh();
      this.#open.limit = limit;
      return this.#open;
    }
    await this.close();
    const { fs, directory } = this.#options;
    const file = await openIfThere(fs, `${directory}/${ref.name}`, 'read');
    if (file === null) return null;
    const scan = new Scan(file, ref.epoch, segmentStart(ref.firstOffset), 'is-damage');
    this.#open = { ref, file, scan, limit, generation };
    const wantedMs = this.#sinceMs - TIME_SLACK_MS;
    const isBefore = ({ offset, atMs }: Frame): boolean =>
      offset < limit && (offset <= this.#offset || atMs < wantedMs);
    if (this.#offset > ref.firstOffset || !this.#hasSoughtTime) await scan.seek(isBefore);
    this.#hasSoughtTime = true;
    this.#offset = Math.max(this.#offset, Math.min(scan.place.offset, limit));
    return this.#open;
  }

  async #collect({ ref, scan, limit }: OpenSegment, max: number, hidden: Hidden): Promise<Stored[]> {
    const { partition, parseBody } = this.#options;
    const stored: Stored[] = [];
    let bytes = 0;
    while (this.#offset < limit && stored.length < max && bytes < TAKE_BYTES) {
      const frame = (await scan.next()) ?? (await scan.resync());
      if (frame === null || frame.offset >= limit) {
        this.#pass('damaged', limit, `the bytes of ${ref.name} that held them are damaged`);
        // The scan may stand behind what is durable now; the next take finds its place anew.
        await this.close();
        break;
      }
      if (frame.offset < this.#offset) continue;
      if (frame.offset > this.#offset) {
        this.#pass('damaged', frame.offset, `the bytes of ${ref.name} that held them are damaged`);
      }
      this.#offset = frame.offset + 1;
      if (frame.atMs < this.#sinceMs) continue;
      bytes += frame.payload.length;
      const record = decodeRecord(frame.payload, parseBody);
      const shown = hidden.isEmpty ? record : hidden.shown(frame.offset, record);
      stored.push({ position: { partition, offset: frame.offset }, record: shown });
    }
    return stored;
  }

  #pass(why: Missing['why'], toOffset: number, reason: string): void {
    const fromOffset = this.#offset;
    const count = toOffset - fromOffset;
    this.#offset = toOffset;
    this.#options.report(
      `${count} ${count === 1 ? 'record' : 'records'} (offsets ${fromOffset} to ${toOffset - 1}) could not be read: ${reason}. Reading goes on at ${toOffset}.`,
      { why, fromOffset, toOffset },
    );
  }
}

/** Taken at once by a reader: some 500 KB. */
const READ_RECORDS = 256;

/** Records from a place on; with `follow`, those to come too. */
export async function* readRecords(
  options: ReaderOptions,
  view: View,
  from: ReadFrom,
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<Stored> {
  const cursor = new Cursor(options, view, from);
  try {
    while (!signal.aborted) {
      const stored = await cursor.take(READ_RECORDS);
      if (stored.length === 0 && !(follow && (await view.wait(cursor.offset, signal)))) return;
      for (const one of stored) {
        yield one;
        if (signal.aborted) return;
      }
    }
  } finally {
    await cursor.close();
  }
}
