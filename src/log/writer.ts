import type { Fs } from '../model/fs.ts';
import { type Applied, LogUnavailable } from '../model/parts.ts';
import type { LogRecord, Position } from '../model/record.ts';
import type { LogMeter } from '../telemetry/log-meter.ts';
import { ActiveSegment, type SegmentCreation } from './active-segment.ts';
import { PendingBatch } from './batch.ts';
import { DiskPace } from './disk-pace.ts';
import type { DiskSpace } from './disk-space.ts';
import type { EndMarkFile } from './end-mark.ts';
import type { LogHost } from './host.ts';
import { isOutOfSpace, unlinkIfThere } from './io.ts';
import { EPOCH_LIMIT, type SegmentRef, segmentRef } from './segment.ts';

/** Records that may pass without a change before the position is told to state all the same: bounds the replay after a start. */
export const CHECKPOINT_RECORDS = 4096;

export interface WriterOptions {
  readonly fs: Fs;
  readonly directory: string;
  readonly partition: number;
  readonly segmentBytes: number;
  readonly preallocateBytes: number;
  readonly queueBytesMax: number;
  readonly queueAgeMsMax: number;
  readonly host: LogHost;
  readonly space: DiskSpace;
  readonly endMark: EndMarkFile;
  readonly meter: LogMeter;
  readonly onSynced: (applied: readonly Applied[]) => undefined | Promise<void>;
  readonly onFatal: (error: Error) => void;
  readonly report: (message: string) => void;
  /** Something became durable, or nothing more will. */
  readonly onProgress: () => void;
}

/**
 * Group commit: everything that arrives while one batch is being written and synced goes into the next. One batch at a
 * time, in the order of the calls. A batch is acknowledged when it is synced, marked for other processes' readers, and
 * applied to state.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #creation: SegmentCreation;
  readonly #segments: SegmentRef[];
  /** Null until the first append after a start: a start writes nothing. */
  #active: ActiveSegment | null = null;
  #offset: number;
  #crc = 0;
  #filling = new PendingBatch();
  #writing = new PendingBatch();
  #flushing: Promise<void> | null = null;
  #isRollDue = false;
  #isClosed = false;
  #failure: Error | null = null;
  #sinceCheckpoint = 0;
  #writtenBytes = 0;
  readonly #pace = new DiskPace();

  constructor(options: WriterOptions, segments: readonly SegmentRef[], offset: number) {
    this.#options = options;
    this.#segments = [...segments];
    this.#offset = offset;
    const onAheadFailed = (error: Error): void => void this.#aheadFailed(error);
    this.#creation = { ...options, onAheadFailed };
  }

  /** Of the next record; all below are durable and acknowledged. */
  get offset(): number {
    return this.#offset;
  }

  get segments(): readonly SegmentRef[] {
    return this.#segments;
  }

  /** Made durable since the start. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  get state(): 'open' | 'failed' | 'closed' {
    return this.#failure !== null ? 'failed' : this.#isClosed ? 'closed' : 'open';
  }

  get queueBytes(): number {
    return this.#filling.bytes + this.#writing.bytes;
  }

  /** How long the oldest record has been waiting, in milliseconds. */
  get queueAgeMs(): number {
    const oldest = this.#writing.bytes > 0 ? this.#writing : this.#filling;
    return oldest.bytes === 0 ? 0 : this.#options.host.monotonicMs() - oldest.sinceMs;
  }

  /** How long a record that comes now will wait: at least as long as the oldest has, and as long as the disk takes for all. */
  get waitMs(): number {
    return Math.max(this.queueAgeMs, this.#pace.msFor(this.queueBytes));
  }

  append(record: LogRecord): Promise<Position> {
    const refusal = this.#refusal();
    if (refusal !== null) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      if (this.#filling.bytes === 0) this.#filling.sinceMs = this.#options.host.monotonicMs();
      this.#filling.add(record, resolve, reject);
      this.#start();
    });
  }

  #refusal(): LogUnavailable | null {
    const ended = this.#ended();
    if (ended !== null) return ended;
    const { space, queueBytesMax, queueAgeMsMax, host } = this.#options;
    if (space.isFull) return new LogUnavailable('disk-full', 'The disk is full.');
    if (this.#filling.bytes + this.#writing.bytes > queueBytesMax)
      return new LogUnavailable('queue-full', 'Too much waits for the disk.');
    if (this.#writing.bytes > 0 && host.monotonicMs() - this.#writing.sinceMs > queueAgeMsMax)
      return new LogUnavailable('too-slow', `The disk has not finished a write for ${queueAgeMsMax} ms.`);
    return null;
  }

  /** Why nothing more will be written; null where it may. */
  #ended(): LogUnavailable | null {
    if (this.#failure !== null) return failed(this.#failure);
    return this.#isClosed ? new LogUnavailable('closed', 'The event log is closed.') : null;
  }

  /** Refuses what has waited too long for its turn. To be called now and then. */
  refuseOld(): void {
    const { host, queueAgeMsMax } = this.#options;
    if (this.#filling.bytes === 0 || host.monotonicMs() - this.#filling.sinceMs <= queueAgeMsMax) return;
    this.#filling.reject(
      new LogUnavailable('too-slow', `The disk did not come to this record within ${queueAgeMsMax} ms.`),
    );
  }

  /** Begins a new segment where the present one holds something, so that retention can drop it one day. */
  roll(): void {
    if (this.#active === null || this.#active.isEmpty || this.state !== 'open') return;
    this.#isRollDue = true;
    this.#start();
  }

  /** Resolves when everything that is in the log now stands in segments that are not written any more. Rejects where the disk is full, or the log closed. */
  async seal(): Promise<void> {
    const ended = this.#ended();
    if (ended !== null) throw ended;
    const end = this.#offset;
    const isSealed = (): boolean => (this.#segments.at(-1)?.firstOffset ?? end) >= end;
    if (isSealed()) return;
    this.#isRollDue = true;
    this.#start();
    await this.#flushing;
    if (!isSealed()) throw new LogUnavailable('disk-full', 'There was no space for a new segment.');
  }

  /** These are not in the log any more. By name: the list may have changed since they were chosen from it. */
  forget(segments: readonly SegmentRef[]): void {
    for (const { name } of segments) {
      const index = this.#segments.findIndex((segment) => segment.name === name);
      if (index !== -1) this.#segments.splice(index, 1);
    }
  }

  /** Begins one turn later, so that requests that arrive together go to disk together. */
  #start(): void {
    this.#flushing ??= new Promise((resolve) => {
      this.#options.host.defer(() => void this.#flush().then(resolve));
    });
  }

  async #flush(): Promise<void> {
    while ((this.#filling.bytes > 0 || this.#isRollDue) && this.#failure === null) {
      const batch = this.#filling;
      this.#filling = this.#writing;
      this.#writing = batch;
      try {
        await this.#makeReady(batch.bytes);
        if (batch.bytes > 0) await this.#commit(batch);
      } catch (error) {
        await this.#refuseBatch(batch, error as Error);
      }
    }
    this.#flushing = null;
  }

  /** A segment that has room. */
  async #makeReady(bytes: number): Promise<void> {
    const active = this.#active;
    const isFull = active !== null && !active.isEmpty && active.end + bytes > this.#options.segmentBytes;
    if (active !== null && !isFull && !this.#isRollDue) return;
    const { fs, directory, host } = this.#options;
    const last = this.#segments.at(-1);
    const ref = segmentRef(this.#offset, (last?.number ?? 0) + 1, host.random(EPOCH_LIMIT));
    this.#active = await ActiveSegment.create(this.#creation, ref, host.nowMs());
    this.#crc = 0;
    this.#isRollDue = false;
    this.#segments.push(ref);
    if (active !== null) await active.close(false);
    // A crash between a segment's making and its first batch left it empty.
    if (last !== undefined && last.firstOffset === ref.firstOffset) {
      await unlinkIfThere(fs, `${directory}/${last.name}`);
      this.forget([last]);
    }
  }

  async #commit(batch: PendingBatch): Promise<void> {
    const { partition, onSynced, onProgress, meter, host } = this.#options;
    const active = this.#active!;
    const first = this.#offset;
    const startMs = host.monotonicMs();
    const crc = batch.seal(active.ref.epoch, first, this.#crc);
    await active.append(batch.buffer, batch.bytes);
    const applied = this.#appliedOf(batch, first);
    this.#crc = crc;
    this.#offset = first + batch.records.length;
    this.#writtenBytes += batch.bytes;
    const pending = applied.length === 0 ? undefined : onSynced(applied);
    await Promise.all([
      pending,
      this.#options.endMark.write(active.ref.epoch, { byte: active.end, offset: this.#offset, crc }),
    ]);
    // The zeros' sync may have failed meanwhile: after a failed sync nothing is acknowledged.
    if (this.#failure !== null) throw this.#failure;
    active.allocateAhead(batch.bytes);
    const tookMs = host.monotonicMs() - startMs;
    this.#pace.wrote(batch.bytes, tookMs);
    meter.committed(this.#offset - first, tookMs);
    batch.resolve(partition, first);
    onProgress();
  }

  #appliedOf(batch: PendingBatch, first: number): Applied[] {
    const applied: Applied[] = [];
    const { partition } = this.#options;
    const { records } = batch;
    for (let i = 0; i < records.length; i++) {
      const { changes } = records[i]!;
      if (changes.length > 0) applied.push({ position: { partition, offset: first + i }, changes });
    }
    this.#sinceCheckpoint = applied.length > 0 ? 0 : this.#sinceCheckpoint + records.length;
    if (this.#sinceCheckpoint >= CHECKPOINT_RECORDS) {
      this.#sinceCheckpoint = 0;
      applied.push({ position: { partition, offset: first + records.length - 1 }, changes: [] });
    }
    return applied;
  }

  /** A full disk refuses the batch and passes; any other failure is the end. */
  async #refuseBatch(batch: PendingBatch, error: Error): Promise<void> {
    if (!isOutOfSpace(error)) return this.#failBatch(batch, error);
    try {
      // A fragment may have been written: it must be gone, for good, before these bytes are used again.
      await this.#active?.cut();
      await this.#options.space.exhausted();
    } catch (second) {
      return this.#failBatch(batch, second as Error);
    }
    this.#isRollDue = false;
    batch.reject(new LogUnavailable('disk-full', 'The disk is full.', { cause: error }));
  }

  #failBatch(batch: PendingBatch, error: Error): void {
    this.fail(error);
    batch.reject(failed(error));
  }

  async #aheadFailed(error: Error): Promise<void> {
    if (!isOutOfSpace(error)) return this.fail(error);
    await this.#options.space.exhausted().catch((second: Error) => this.fail(second));
  }

  /** After this nothing is tried again on any file, and nothing acknowledged: a failed sync leaves nothing to rely on. */
  fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#filling.reject(failed(error));
    this.#options.onProgress();
    this.#options.onFatal(error);
  }

  /** Takes no more, finishes what is under way, and lets go of the file. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#flushing !== null) await this.#flushing;
    this.#options.onProgress();
    await this.#active?.close(this.#failure !== null);
  }
}

function failed(cause: Error): LogUnavailable {
  return new LogUnavailable('failed', `The event log has failed: ${cause.message}`, { cause });
}
