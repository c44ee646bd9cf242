import { performance } from 'node:perf_hooks';
import type { FileHandle, Fs } from '../model/fs.ts';
import { type Applied, type Batch, type EventLog, LogUnavailable } from '../model/parts.ts';
import type { LogRecord, ParseBody, Position, Stored } from '../model/record.ts';
import { PendingBatch } from './batch.ts';
import { Consumers } from './consumers.ts';
import { writeFully } from './io.ts';
import { readSegments } from './reader.ts';
import { recover, type SegmentRef } from './recovery.ts';
import { type Retention, retain } from './retention.ts';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, segmentName } from './segment.ts';

export interface FileLogOptions {
  readonly fs: Fs;
  readonly directory: string;
  readonly partition: number;
  /** A segment is sealed at this size. */
  readonly segmentBytes: number;
  /** What may wait for the disk; more is refused. */
  readonly queueBytesMax: number;
  /** How long the oldest batch may be under way before more is refused. */
  readonly queueAgeMsMax: number;
  /** Below this much free space appends are refused: the rest is for commits, snapshots and deletion. */
  readonly lowWaterBytes: number;
  readonly retention: Retention;
  readonly parseBody: ParseBody;
  /** Called in log order after a sync and before its appends resolve: state is applied here. Records without changes are left out, but for one now and then. */
  readonly onSynced: (applied: readonly Applied[]) => undefined | Promise<void>;
  /** Records below this offset are covered by synced snapshots of state; others are not dropped. */
  readonly mayDropBefore: () => number;
  /** Called once when a write or sync failed: nothing is acknowledged any more, the process is to end. */
  readonly onFatal: (error: Error) => void;
  readonly report: (message: string) => void;
  /** For the simulator: monotonic milliseconds, wall-clock milliseconds, when a batch is started. */
  readonly monotonicMs?: () => number;
  readonly nowMs?: () => number;
  readonly defer?: (start: () => void) => void;
}

interface ActiveSegment {
  readonly ref: SegmentRef;
  readonly file: FileHandle;
  /** Bytes that the file has, zeros included. */
  allocated: number;
}

/** Zeros are written this far ahead of the records: a sync that need not grow the file takes half the time. */
export const PREALLOCATE_BYTES = 4 * 1024 * 1024;
/** Records that may pass without a change before the position is told to state all the same: bounds the replay after a start. */
export const CHECKPOINT_RECORDS = 4096;
/** How often free space is looked at again while the disk is full. */
export const DISK_CHECK_MS = 500;

/**
 * The event log of one process: group commit into segments. Everything that arrives while one batch is being synced
 * goes into the next; an append resolves when its batch is on disk and its changes are applied.
 */
export class FileLog implements EventLog {
  readonly #options: FileLogOptions;
  readonly #consumers: Consumers;
  readonly #monotonicMs: () => number;
  readonly #nowMs: () => number;
  readonly #segments: SegmentRef[];
  #active: ActiveSegment;
  /** Durable bytes of the active segment, and the offset of the next record. */
  #end = SEGMENT_HEADER_BYTES;
  #offset: number;
  #crc = 0;
  #filling = new PendingBatch();
  #writing = new PendingBatch();
  #flushing: Promise<void> | null = null;
  #state: 'open' | 'failed' | 'closed' = 'open';
  #diskFull = false;
  #diskCheckedMs = 0;
  #sinceCheckpoint = 0;
  #written = 0;
  /** Followers that wait for more. */
  #followers: (() => void)[] = [];

  private constructor(options: FileLogOptions, segments: SegmentRef[], active: ActiveSegment, offset: number) {
    this.#options = options;
    this.#segments = segments;
    this.#active = active;
    this.#offset = offset;
    this.#consumers = new Consumers(options.fs, `${options.directory}/consumers`);
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#nowMs = options.nowMs ?? Date.now;
  }

  /** Recovers what is there and begins a new segment. Throws what the file system throws, `UnknownFormat`. One writer at a time: the caller holds the lock (lock.ts). */
  static async open(options: FileLogOptions): Promise<FileLog> {
    const { fs, directory } = options;
    await fs.mkdir(`${directory}/consumers`);
    const { segments, epoch, offset, previousEnd } = await recover(fs, directory, options.report);
    const active = await createSegment(options, epoch, offset, previousEnd);
    return new FileLog(options, [...segments, active.ref], active, offset);
  }

  get nextOffset(): number {
    return this.#offset;
  }

  /** Bytes made durable since the log was opened. */
  get writtenBytes(): number {
    return this.#written;
  }

  /** Why appends are refused now; null while they are taken. */
  get refusing(): string | null {
    return this.#state !== 'open' ? this.#state : this.#diskFull ? 'disk-full' : null;
  }

  append(record: LogRecord): Promise<Position> {
    const refusal = this.#refusal();
    if (refusal !== null) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      if (this.#filling.bytes === 0) this.#filling.sinceMs = this.#monotonicMs();
      this.#filling.add(record, resolve, reject);
      if (this.#flushing === null) this.#flushing = this.#startFlushing();
    });
  }

  #refusal(): LogUnavailable | null {
    if (this.#state === 'closed') return new LogUnavailable('closed', 'The log is closed.');
    if (this.#state === 'failed') return new LogUnavailable('failed', 'The log has failed.');
    if (this.#diskFull) {
      this.#lookForSpace();
      return new LogUnavailable('disk-full', 'The disk is full.');
    }
    if (this.#filling.bytes + this.#writing.bytes > this.#options.queueBytesMax)
      return new LogUnavailable('queue-full', 'Too much waits for the disk.');
    if (this.#writing.bytes > 0 && this.#monotonicMs() - this.#writing.sinceMs > this.#options.queueAgeMsMax) {
      return new LogUnavailable('too-slow', `The disk has not finished a write for ${this.#options.queueAgeMsMax} ms.`);
    }
    return null;
  }

  #lookForSpace(): void {
    const now = this.#monotonicMs();
    if (now - this.#diskCheckedMs < DISK_CHECK_MS) return;
    this.#diskCheckedMs = now;
    this.#options.fs.freeBytes(this.#options.directory).then(
      (free) => {
        if (free >= this.#options.lowWaterBytes) this.#diskFull = false;
      },
      (error: Error) => this.#options.report(`Free disk space could not be read: ${error.message}`),
    );
  }

  /** One turn later, so that requests that arrive together go to disk together. */
  #startFlushing(): Promise<void> {
    return new Promise((resolve) => {
      (this.#options.defer ?? setImmediate)(() => {
        this.#flush().then(resolve);
      });
    });
  }

  async #flush(): Promise<void> {
    while (this.#filling.bytes > 0) {
      const batch = this.#filling;
      this.#filling = this.#writing;
      this.#writing = batch;
      try {
        await this.#commit(batch);
      } catch (error) {
        if (!(await this.#refuseBatch(batch, error as NodeJS.ErrnoException))) break;
      }
    }
    this.#flushing = null;
  }

  async #commit(batch: PendingBatch): Promise<void> {
    if (this.#end > SEGMENT_HEADER_BYTES && this.#end + batch.bytes > this.#options.segmentBytes) await this.#roll();
    const first = this.#offset;
    const crc = batch.seal(this.#active.ref.epoch, first, this.#crc);
    await this.#preallocate(this.#end + batch.bytes);
    await writeFully(this.#active.file, batch.buffer, 0, batch.bytes, this.#end);
    await this.#active.file.datasync();
    this.#end += batch.bytes;
    this.#written += batch.bytes;
    this.#offset = first + batch.records.length;
    this.#crc = crc;
    const applied = this.#appliedOf(batch, first);
    const pending = applied.length === 0 ? undefined : this.#options.onSynced(applied);
    if (pending !== undefined) await pending;
    batch.resolve(this.#options.partition, first);
    this.#wakeFollowers();
  }

  #appliedOf(batch: PendingBatch, first: number): Applied[] {
    const applied: Applied[] = [];
    const { partition } = this.#options;
    const { records } = batch;
    for (let i = 0; i < records.length; i++) {
      const { changes } = records[i]!.record;
      if (changes.length > 0) applied.push({ position: { partition, offset: first + i }, changes });
    }
    this.#sinceCheckpoint = applied.length > 0 ? 0 : this.#sinceCheckpoint + records.length;
    if (this.#sinceCheckpoint >= CHECKPOINT_RECORDS) {
      this.#sinceCheckpoint = 0;
      applied.push({ position: { partition, offset: first + records.length - 1 }, changes: [] });
    }
    return applied;
  }

  async #preallocate(neededEnd: number): Promise<void> {
    if (neededEnd <= this.#active.allocated) return;
    const { fs, directory, lowWaterBytes, segmentBytes } = this.#options;
    if ((await fs.freeBytes(directory)) < lowWaterBytes)
      throw Object.assign(new Error('The disk is below its low-water mark.'), { code: 'ENOSPC' });
    const to = Math.max(neededEnd, Math.min(this.#end + PREALLOCATE_BYTES, segmentBytes));
    await writeFully(this.#active.file, Buffer.alloc(to - this.#end), 0, to - this.#end, this.#end);
    this.#active.allocated = to;
  }

  async #roll(): Promise<void> {
    const sealed = this.#active;
    this.#active = await createSegment(this.#options, sealed.ref.epoch + 1, this.#offset, this.#end);
    this.#segments.push(this.#active.ref);
    const sealedEnd = this.#end;
    this.#end = SEGMENT_HEADER_BYTES;
    this.#crc = 0;
    await sealed.file.truncate(sealedEnd); // Gives back what was allocated ahead.
    await sealed.file.close();
  }

  /** A full disk refuses the batch and may go on; any other failure is the end. Returns whether to go on. */
  async #refuseBatch(batch: PendingBatch, error: NodeJS.ErrnoException): Promise<boolean> {
    if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
      try {
        // A fragment may have been written: it must be gone, for good, before these bytes are used again.
        await this.#active.file.truncate(this.#end);
        await this.#active.file.datasync();
        this.#active.allocated = this.#end;
        this.#diskFull = true;
        this.#diskCheckedMs = this.#monotonicMs();
        batch.reject(new LogUnavailable('disk-full', 'The disk is full.', { cause: error }));
        return true;
      } catch (second) {
        error = second as NodeJS.ErrnoException;
      }
    }
    this.#state = 'failed';
    const failure = new LogUnavailable('failed', `The log has failed: ${error.message}`, { cause: error });
    batch.reject(failure);
    this.#filling.reject(failure);
    this.#wakeFollowers();
    this.#options.onFatal(error);
    return false;
  }

  async *read(
    from: Position | { readonly timeMs: number } | 'start',
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<Stored> {
    yield* readSegments(this.#options, this.#view(), from, follow, signal);
  }

  consume(consumer: string, signal: AbortSignal): AsyncIterable<Batch> {
    return this.#consumers.consume(consumer, this.#options.partition, (from) => this.read(from, true, signal));
  }

  async seek(consumer: string, to: Position | { readonly timeMs: number }): Promise<void> {
    let offset = 'offset' in to ? to.offset : this.#offset;
    if ('timeMs' in to) {
      for await (const { position } of this.read(to, false, new AbortController().signal)) {
        offset = position.offset;
        break;
      }
    }
    await this.#consumers.commit(consumer, offset);
  }

  /** Drops the oldest segments that retention allows. Returns how many. */
  async retain(): Promise<number> {
    const { fs, directory, retention, mayDropBefore } = this.#options;
    const dropped = await retain(fs, directory, this.#segments, retention, mayDropBefore(), this.#nowMs());
    this.#segments.splice(0, dropped);
    return dropped;
  }

  /** What readers of this process may see: durable bytes only. */
  #view() {
    return {
      list: async (): Promise<readonly SegmentRef[]> => [...this.#segments],
      activeEnd: async (ref: SegmentRef): Promise<number | null> => (ref === this.#active.ref ? this.#end : null),
      wait: (signal: AbortSignal): Promise<boolean> => this.#waitForMore(signal),
    };
  }

  /** Resolves to false when there will be no more. */
  #waitForMore(signal: AbortSignal): Promise<boolean> {
    if (this.#state !== 'open' || signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        resolve(this.#state === 'open' && !signal.aborted);
      };
      signal.addEventListener('abort', wake, { once: true });
      this.#followers.push(wake);
    });
  }

  #wakeFollowers(): void {
    if (this.#followers.length === 0) return;
    const followers = this.#followers;
    this.#followers = [];
    for (const wake of followers) wake();
  }

  /** Takes no more, finishes what is under way, and lets go of the files. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const failed = this.#state === 'failed';
    this.#state = 'closed';
    if (this.#flushing !== null) await this.#flushing;
    this.#wakeFollowers();
    if (!failed) await this.#active.file.truncate(this.#end);
    await this.#active.file.close();
  }
}

/** Header and name are synced before the segment is used (invariant 1). On failure nothing of it stays. */
async function createSegment(
  options: FileLogOptions,
  epoch: number,
  firstOffset: number,
  previousEnd: number,
): Promise<ActiveSegment> {
  const { fs, directory } = options;
  const ref: SegmentRef = { name: segmentName(epoch, firstOffset), epoch, firstOffset };
  const path = `${directory}/${ref.name}`;
  const file = await fs.open(path, 'create');
  try {
    const header = encodeSegmentHeader({ epoch, firstOffset, previousEnd, createdAtMs: (options.nowMs ?? Date.now)() });
    await writeFully(file, header, 0, header.length, 0);
    await file.datasync();
    await fs.syncDirectory(directory);
    return { ref, file, allocated: SEGMENT_HEADER_BYTES };
  } catch (error) {
    await file.close();
    await fs.unlink(path);
    throw error;
  }
}
