import type { Erasure } from '../model/erasure.ts';
import type { Fs } from '../model/fs.ts';
import type { Applied, Batch, EventLog } from '../model/parts.ts';
import type { LogRecord, ParseBody, Position, Stored } from '../model/record.ts';
import { LogMeter } from '../telemetry/log-meter.ts';
import { PREALLOCATE_BYTES } from './active-segment.ts';
import type { Consumers } from './consumers.ts';
import { Cursor, type ReaderOptions, type ReadFrom, type Report, readRecords, type View } from './cursor.ts';
import type { DiskSpace } from './disk-space.ts';
import type { EndMarkFile } from './end-mark.ts';
import type { DigestKey, ExpiryRule, PendingErasure } from './hidden.ts';
import type { HiddenFile } from './hidden-file.ts';
import { type LogHost, systemHost } from './host.ts';
import { type Opened, placeErasures, prepare } from './opening.ts';
import { readWithProofs } from './proofs.ts';
import { type Retention, totalBytes } from './retention.ts';
import type { Rewritten } from './rewriting.ts';
import { Upkeep } from './upkeep.ts';
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
  /** By which persons who are erased are told; left out, nobody can be. */
  readonly erasureKey?: DigestKey | null;
  readonly host?: LogHost;
}

/** How often the log looks at its queue and the free space: appends are taken again within two of these. */
export const TICK_MS = 1000;

/**
 * The event log of one process, in a folder of segments (segment.ts). Appends are made durable in groups (writer.ts);
 * readers and consumers see durable records only.
 */
export class FileLog implements EventLog {
  readonly #options: FileLogOptions;
  readonly #reading: ReaderOptions;
  readonly #writer: Writer;
  readonly #space: DiskSpace;
  readonly #endMark: EndMarkFile;
  readonly #consumers: Consumers;
  readonly #view: View;
  readonly meter = new LogMeter();
  readonly #stopTicks: () => void;
  readonly #hidden: HiddenFile;
  readonly #upkeep: Upkeep;
  #closing: Promise<void> | null = null;
  /** Followers that wait for more. */
  #followers = new Set<() => void>();

  private constructor(options: FileLogOptions, opened: Opened) {
    const { host, space, endMark, consumers, recovered, nextOffset, report, hidden } = opened;
    this.#options = options;
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
    this.#hidden = hidden;
    this.#upkeep = new Upkeep({ ...options, report, space, host, writer: this.#writer, hidden });
    this.#view = {
      current: () => ({ segments: this.#writer.segments, offset: this.#writer.offset, hidden: hidden.current }),
      hidden: () => hidden.current,
      wait: (offset, signal) => this.#wait(offset, signal),
    };
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
    const log = new FileLog(options, await prepare(options, host));
    await placeErasures(log.#hidden, log.#reading, log.#view);
    return log;
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

  /** All of it up to now, and before it the choices and erasures of what retention has dropped. */
  readWithProofs(signal: AbortSignal): AsyncIterable<Stored> {
    return readWithProofs(this.#reading, this.#view, signal);
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

  /** Drops the oldest segments that retention allows, and returns how many; to be called now and then. By age only where the clock can be relied on. */
  retain({ byAge = true }: { readonly byAge?: boolean } = {}): Promise<number> {
    return this.#upkeep.retain(byAge);
  }

  /**
   * Hides a person from every reader, for good: durable when it resolves, with where its record stands. `record` has the
   * change that says so (model/erasure.ts). Rejects as `append` does, or with what the disk says; then nobody is erased.
   */
  async erase(erasure: Erasure, record: LogRecord): Promise<Position> {
    await this.#hidden.begin(erasure, this.#writer.offset);
    let position: Position;
    try {
      position = await this.#writer.append(record);
    } catch (error) {
      // After a failed sync it may be there after all: the next start looks for it.
      if (this.#writer.state !== 'failed') await this.#hidden.end([erasure.id]);
      throw error;
    }
    await this.#hidden.place(erasure.id, position.offset);
    return position;
  }

  /** Erasures whose persons are hidden, and may still stand in segments. */
  get erasures(): readonly PendingErasure[] {
    return this.#hidden.current.list.erasures;
  }

  /** Removes from the segments whoever is erased now. What hides them goes on doing so until `forgetErasures`. */
  rewrite(): Promise<Rewritten> {
    return this.#upkeep.rewrite();
  }

  /** These have been carried out everywhere. Durable when it resolves. */
  forgetErasures(ids: readonly string[]): Promise<void> {
    return this.#hidden.end(ids);
  }

  /** How long events are kept: older ones are shown to nobody. */
  get rules(): readonly ExpiryRule[] {
    return this.#hidden.current.list.rules;
  }

  /** In force at once; durable, and known to readers in other processes, when it resolves. */
  setRules(rules: readonly ExpiryRule[]): Promise<void> {
    return this.#hidden.setRules(rules);
  }

  /**
   * Removes events that have expired, and choices and erasures that are older than `proofsMaxAgeMs`, which may be infinite. Rejects
   * with the first failure, when the rest is done.
   */
  expire(proofsMaxAgeMs = Number.POSITIVE_INFINITY): Promise<void> {
    return this.#upkeep.expire(proofsMaxAgeMs);
  }

  /** Events that `expire` has removed since the log was opened, by datastream. */
  get expired(): ReadonlyMap<string, number> {
    return this.#upkeep.expired;
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
    await Promise.all([this.#writer.close(), this.#upkeep.stop(), this.#space.settled()]);
    await this.#endMark.close();
  }
}
