import type { Fs } from '../model/fs.ts';
import type { Applied, Batch, EventLog } from '../model/parts.ts';
import type { LogRecord, ParseBody, Position, Stored } from '../model/record.ts';
import { LogMeter } from '../telemetry/log-meter.ts';
import { PREALLOCATE_BYTES } from './active-segment.ts';
import { Consumers } from './consumers.ts';
import { Cursor, type ReaderOptions, type ReadFrom, type Report, readRecords, type View } from './cursor.ts';
import { DiskSpace } from './disk-space.ts';
import { EndMarkFile } from './end-mark.ts';
import { type LogHost, systemHost } from './host.ts';
import { createdAtMs, type Recovered, recover } from './recovery.ts';
import { countDroppable, dropSegments, type Retention, totalBytes } from './retention.ts';
import { Writer } from './writer.ts';

export interface FileLogOptions {
  readonly fs: Fs;
  readonly directory: string;
  readonly partition: number;
  /** A segment is sealed at this size. */
  readonly segmentBytes: number;
  /** What may wait for the disk; more is refused. */
  readonly queueBytesMax: number;
  /** How long a record may wait for its turn, and a write may take before more is refused. */
  readonly queueAgeMsMax: number;
  /** Below this much free space appends are refused: the rest is for commits, snapshots and deletion. */
  readonly lowWaterBytes: number;
  /** Held back for the same in a file, which is given up when the disk is full in earnest. */
  readonly reservedBytes?: number;
  readonly retention: Retention;
  readonly parseBody: ParseBody;
  /**
   * Called in log order after a sync and before its appends resolve: state is applied here. Records without changes are
   * left out, but for one now and then.
   */
  readonly onSynced: (applied: readonly Applied[]) => undefined | Promise<void>;
  /** Records below this offset are covered by synced snapshots of state; others are not dropped. */
  readonly mayDropBefore: () => number;
  /** Called once when a write or sync failed: nothing is acknowledged any more, the process is to end. */
  readonly onFatal: (error: Error) => void;
  /** Told of everything an operator should know, and of records that could not be read, each range once. */
  readonly report: Report;
  readonly preallocateBytes?: number;
  readonly host?: LogHost;
}

/** Room for some thousand commits of consumers, and the snapshots of a small installation. */
export const RESERVED_BYTES = 8 * 1024 * 1024;
/** How often the log looks at its queue and the free space: appends are taken again within two of these. */
export const TICK_MS = 1000;
/** With retention by age a segment is sealed after this part of it, however little it holds: or it would never go. */
const SEGMENTS_PER_AGE = 8;
/** Ranges of missing records that are remembered as reported. */
const REPORTED_MAX = 1024;

/**
 * The event log of one process, in a folder of segments (segment.ts). Appends are made durable in groups (writer.ts);
 * readers and consumers see durable records only.
 */
export class FileLog implements EventLog {
  readonly #options: FileLogOptions;
  readonly #host: LogHost;
  readonly #reading: ReaderOptions;
  readonly #writer: Writer;
  readonly #space: DiskSpace;
  readonly #endMark: EndMarkFile;
  readonly #consumers: Consumers;
  readonly #view: View;
  readonly meter = new LogMeter();
  readonly #stopTicks: () => void;
  #retaining: Promise<number> | null = null;
  #closing: Promise<void> | null = null;
  /** Followers that wait for more. */
  #followers = new Set<() => void>();

  private constructor(options: FileLogOptions, opened: Opened) {
    const { host, space, endMark, consumers, recovered, nextOffset, report } = opened;
    this.#options = options;
    this.#host = host;
    this.#space = space;
    this.#endMark = endMark;
    this.#consumers = consumers;
    this.#reading = { ...options, report };
    this.#writer = new Writer(
      {
        ...options,
        preallocateBytes: options.preallocateBytes ?? PREALLOCATE_BYTES,
        host,
        space,
        endMark,
        meter: this.meter,
        onProgress: () => this.#wake(),
      },
      recovered.segments,
      nextOffset,
    );
    this.#view = { current: () => this.#writer, wait: (offset, signal) => this.#wait(offset, signal) };
    this.#stopTicks = host.every(TICK_MS, () => this.#tick());
  }

  /**
   * Makes the folder if it is missing, finds the log's end and is ready; the first segment is begun with the first
   * append. Throws what the file system throws, or `UnknownFormat`. One writer at a time: the caller holds the lock
   * (lock.ts).
   */
  static async open(options: FileLogOptions): Promise<FileLog> {
    const { fs, directory, host = systemHost } = options;
    await fs.mkdir(directory);
    return new FileLog(options, await prepare(options, host));
  }

  get nextOffset(): number {
    return this.#writer.offset;
  }

  /** Bytes made durable since the log was opened. */
  get writtenBytes(): number {
    return this.#writer.writtenBytes;
  }

  get queueBytes(): number {
    return this.#writer.queueBytes;
  }

  get queueAgeMs(): number {
    return this.#writer.queueAgeMs;
  }

  /** How long an append that comes now will wait, as far as one can tell, in milliseconds. */
  get waitMs(): number {
    return this.#writer.waitMs;
  }

  /** Size of all segments together, as files. */
  segmentBytes(): Promise<number> {
    return totalBytes(this.#options.fs, this.#options.directory, [...this.#writer.segments]);
  }

  /** Why appends are refused now; null while they are taken. */
  get refusing(): string | null {
    const { state } = this.#writer;
    return state !== 'open' ? state : this.#space.isFull ? 'disk-full' : null;
  }

  append(record: LogRecord): Promise<Position> {
    return this.#writer.append(record);
  }

  read(from: ReadFrom, follow: boolean, signal: AbortSignal): AsyncIterable<Stored> {
    return readRecords(this.#reading, this.#view, from, follow, signal);
  }

  consume(consumer: string, signal: AbortSignal): AsyncIterable<Batch> {
    const { partition } = this.#options;
    const cursorAt = (offset: number): Cursor => new Cursor(this.#reading, this.#view, { partition, offset });
    return this.#consumers.consume(consumer, cursorAt, this.#view, signal);
  }

  async seek(consumer: string, to: Position | { readonly timeMs: number }): Promise<void> {
    await this.#consumers.seek(consumer, 'offset' in to ? to.offset : await this.#offsetAt(to.timeMs));
  }

  /** Of the first record received at a time or later; of the next one to come where there is none. */
  async #offsetAt(timeMs: number): Promise<number> {
    const cursor = new Cursor(this.#reading, this.#view, { timeMs });
    try {
      const [first] = await cursor.take(1);
      return first?.position.offset ?? cursor.offset;
    } finally {
      await cursor.close();
    }
  }

  /** Drops the oldest segments that retention allows, and returns how many; to be called now and then. */
  retain(): Promise<number> {
    this.#retaining ??= this.#retain().finally(() => {
      this.#retaining = null;
    });
    return this.#retaining;
  }

  async #retain(): Promise<number> {
    const { fs, directory, retention, mayDropBefore } = this.#options;
    if (retention.maxAgeMs === null && retention.maxBytes === null) return 0;
    const segments = [...this.#writer.segments];
    const nowMs = this.#host.nowMs();
    const count = await countDroppable(fs, directory, segments, retention, mayDropBefore(), nowMs);
    const dropped = segments.slice(0, count);
    this.#writer.forget(dropped);
    await dropSegments(fs, directory, dropped);
    await this.#rollOld(nowMs);
    return count;
  }

  async #rollOld(nowMs: number): Promise<void> {
    const { fs, directory, retention } = this.#options;
    const last = this.#writer.segments.at(-1);
    if (retention.maxAgeMs === null || last === undefined) return;
    const createdMs = await createdAtMs(fs, directory, last);
    if (createdMs !== null && createdMs < nowMs - retention.maxAgeMs / SEGMENTS_PER_AGE) this.#writer.roll();
  }

  #tick(): void {
    this.#writer.refuseOld();
    if (this.#writer.state === 'open') void this.#space.check();
  }

  #wait(offset: number, signal: AbortSignal): Promise<boolean> {
    const isOver = (): boolean => signal.aborted || this.#writer.state !== 'open';
    if (isOver() || this.#writer.offset > offset) return Promise.resolve(!isOver());
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.#followers.delete(wake);
        resolve(!isOver());
      };
      signal.addEventListener('abort', wake, { once: true });
      this.#followers.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#followers]) wake();
  }

  /** Takes no more, finishes what is under way, and lets go of the folder; once, however often it is called. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopTicks();
    await Promise.all([this.#writer.close(), this.#space.settled()]);
    await this.#endMark.close();
  }
}

interface Opened {
  readonly host: LogHost;
  readonly space: DiskSpace;
  readonly endMark: EndMarkFile;
  readonly consumers: Consumers;
  readonly recovered: Recovered;
  readonly nextOffset: number;
  readonly report: Report;
}

/** A start may need a few bytes on a disk that is full: then the reserve is given up for them. */
async function prepare(options: FileLogOptions, host: LogHost): Promise<Opened> {
  const { fs, directory, lowWaterBytes, reservedBytes = RESERVED_BYTES } = options;
  const report = onceEach(options.report);
  const space = new DiskSpace({ fs, directory, lowWaterBytes, reservedBytes, report });
  const found = await space.withReserve(() => recover(fs, directory));
  for (const { segment, startByte, endByte, fromOffset, toOffset } of found.damage) {
    report(
      `Bytes ${startByte} to ${endByte} of ${segment.name} are damaged: ${toOffset - fromOffset} records (offsets ${fromOffset} to ${toOffset - 1}) are lost.`,
      { why: 'damaged', fromOffset, toOffset },
    );
  }
  const consumers = await Consumers.open({ fs, directory, space, report });
  const end = found.end.offset;
  const nextOffset = Math.max(end, consumers.committedMax);
  if (nextOffset > end) {
    // Given out again, these offsets would be taken for delivered.
    report(
      `The log ends at ${end}, but records up to ${nextOffset - 1} were delivered: the last ${nextOffset - end} are lost.`,
      { why: 'damaged', fromOffset: end, toOffset: nextOffset },
    );
  }
  const endMark = await EndMarkFile.open(fs, directory, host.bootId(), space, report);
  const last = found.segments.at(-1);
  await endMark.write(last?.epoch ?? NO_EPOCH, { ...found.end, offset: nextOffset });
  await endMark.sync();
  await fs.syncDirectory(directory);
  await space.look();
  return { host, space, endMark, consumers, recovered: found, nextOffset, report };
}

/** Of the mark of a log without segments; an epoch is never this, but for a chance of one in 2^53. */
const NO_EPOCH = 0;

/** Many readers meet the same damage: it is reported by the first. */
function onceEach(report: Report): Report {
  const reported = new Set<string>();
  return (message, missing) => {
    if (missing !== undefined) {
      const range = `${missing.why} ${missing.fromOffset} ${missing.toOffset}`;
      if (reported.has(range)) return;
      if (reported.size < REPORTED_MAX) reported.add(range);
    }
    report(message, missing);
  };
}
