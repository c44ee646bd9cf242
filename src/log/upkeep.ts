import { allDone } from '../model/all-done.ts';
import type { Fs } from '../model/fs.ts';
import { OneAtATime } from '../model/one-at-a-time.ts';
import { LogUnavailable } from '../model/parts.ts';
import type { ParseBody } from '../model/record.ts';
import type { Report } from './cursor.ts';
import type { DiskSpace } from './disk-space.ts';
import { Expiring } from './expiring.ts';
import type { HiddenFile } from './hidden-file.ts';
import type { LogHost } from './host.ts';
import { dropProofs, keepProofs, removeUnfinishedProofs, rewriteProofs } from './proofs.ts';
import { createdAtMs } from './recovery.ts';
import { countDroppable, dropSegment, type Retention } from './retention.ts';
import { NOTHING_REWRITTEN, type Rewritten, removeUnfinished, rewriteSegment } from './rewriting.ts';
import type { SegmentRef } from './segment.ts';
import type { Writer } from './writer.ts';

export interface UpkeepDeps {
  readonly fs: Fs;
  readonly directory: string;
  readonly partition: number;
  readonly retention: Retention;
  readonly parseBody: ParseBody;
  readonly mayDropBefore: () => number;
  readonly host: LogHost;
  readonly writer: Writer;
  readonly hidden: HiddenFile;
  readonly space: DiskSpace;
  readonly report: Report;
}

/** With retention by age a segment is sealed after this part of it, however little it holds: or it would never go. */
const SEGMENTS_PER_AGE = 8;

/** What is done to sealed segments: they are dropped, or rewritten with less in them. One after the other. */
export class Upkeep {
  readonly #deps: UpkeepDeps;
  #retaining: Promise<number> | null = null;
  /** Forgotten, and not known to be gone from the disk: else only the next start would find its file again. */
  #leaving: SegmentRef | null = null;
  readonly #alone = new OneAtATime();
  readonly #expiring: Expiring;
  #isStopped = false;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
    this.#expiring = new Expiring(deps, this.#alone, () => this.#checkOpen());
  }

  /** Drops the oldest segments that retention allows, and returns how many. Rejects while a file of them cannot be removed. */
  retain(byAge: boolean): Promise<number> {
    const { maxAgeMs, maxBytes } = this.#deps.retention;
    const retention = { maxAgeMs: byAge ? maxAgeMs : null, maxBytes };
    if (maxAgeMs === null && maxBytes === null) return Promise.resolve(0);
    this.#retaining ??= this.#run(() => this.#retain(retention)).finally(() => {
      this.#retaining = null;
    });
    return this.#retaining;
  }

  /** Removes from all segments whoever is erased at this moment. Rejects while a file that was dropped cannot be removed. */
  rewrite(): Promise<Rewritten> {
    return this.#run(() => this.#rewrite());
  }

  /** Removes what has expired: events by rules that have settled, and choices and erasures of that age, which may be infinite. */
  async expire(proofsMaxAgeMs: number): Promise<void> {
    const { host, writer } = this.#deps;
    const removed = this.#run(() => this.#removeUnfinished());
    const dropped = this.#run(async () => {
      await this.#removeLeaving();
      await dropProofs(this.#deps, proofsMaxAgeMs, host.nowMs(), writer.segments[0]?.firstOffset ?? writer.offset);
    });
    await allDone([removed, dropped, this.#expiring.pass(proofsMaxAgeMs)]);
    // What was dropped meanwhile was passed over.
    await this.#run(() => this.#removeLeaving());
  }

  /** Events that expired and were removed since the start, by datastream. */
  get expired(): ReadonlyMap<string, number> {
    return this.#expiring.removed;
  }

  /** Breaks off; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#alone.settled();
  }

  /** When nothing else is under way; not where the log was closed until then: its folder may be another process's. */
  #run<T>(what: () => Promise<T>): Promise<T> {
    return this.#alone.run(async () => {
      this.#checkOpen();
      return await what();
    });
  }

  #checkOpen(): void {
    if (this.#isStopped) throw new LogUnavailable('closed', 'The log is closed while it is being rewritten.');
  }

  async #retain(retention: Retention): Promise<number> {
    const { fs, directory, mayDropBefore, host, writer } = this.#deps;
    await this.#removeLeaving();
    const segments = [...writer.segments];
    const nowMs = host.nowMs();
    const count = await countDroppable(fs, directory, segments, retention, mayDropBefore(), nowMs);
    for (let i = 0; i < count; i++) {
      const ref = segments[i]!;
      await keepProofs(this.#deps, ref, segments[i + 1]!.firstOffset, () => this.#checkOpen());
      // First: readers are to know why its file is not there.
      writer.forget([ref]);
      this.#leaving = ref;
      await this.#removeLeaving();
    }
    if (retention.maxAgeMs !== null) await this.#rollOld(nowMs - retention.maxAgeMs / SEGMENTS_PER_AGE);
    await this.#removeUnfinished();
    return count;
  }

  /**
   * Before anything else is done: were a segment behind it dropped, a start would find a gap; were an erasure done, a start would
   * find who was erased.
   */
  async #removeLeaving(): Promise<void> {
    if (this.#leaving === null) return;
    await dropSegment(this.#deps.fs, this.#deps.directory, this.#leaving);
    this.#leaving = null;
  }

  /** Durable when it resolves, as is what a pass before did in these folders and could not sync. */
  async #removeUnfinished(): Promise<void> {
    const { fs, directory } = this.#deps;
    await removeUnfinished(fs, directory);
    await removeUnfinishedProofs(fs, directory);
  }

  async #rollOld(beforeMs: number): Promise<void> {
    const { fs, directory, writer } = this.#deps;
    const last = writer.segments.at(-1);
    if (last === undefined) return;
    const createdMs = await createdAtMs(fs, directory, last);
    if (createdMs !== null && createdMs < beforeMs) writer.roll();
  }

  async #rewrite(): Promise<Rewritten> {
    const { writer, hidden } = this.#deps;
    const current = hidden.current.placed();
    await this.#removeLeaving();
    await this.#removeUnfinished();
    if (current.isEmpty) return NOTHING_REWRITTEN;
    const proofs = await rewriteProofs(this.#deps, (offset, record) => current.shown(offset, record));
    await writer.seal();
    const segments: readonly SegmentRef[] = [...writer.segments];
    let total = { records: proofs, segments: 0 };
    for (let i = 0; i < segments.length - 1; i++) {
      const ref = segments[i]!;
      const limit = segments[i + 1]!.firstOffset;
      const { records } = await rewriteSegment(this.#deps, ref, limit, (offset, record) => {
        this.#checkOpen();
        return current.shown(offset, record);
      });
      if (records > 0) total = { records: total.records + records, segments: total.segments + 1 };
    }
    return total;
  }
}
