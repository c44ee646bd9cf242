import type { Fs } from '../model/fs.ts';
import { OneAtATime } from '../model/one-at-a-time.ts';
import type { Applied, EventLog, StateStore } from '../model/parts.ts';
import type { PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';
import type { Erased } from './erased.ts';
import { NOTHING_APPLIED } from './fold.ts';
import { SnapshotDamaged } from './snapshot-file.ts';
import { KEPT, Snapshots } from './snapshots.ts';

/**
 * Keeps state and log together. Invariants:
 *
 * 1. State never holds a record that is not durable in the log: `apply` is called after the sync, and what is ahead of
 *    the log when the process starts is set aside.
 * 2. State = a store or snapshot at position p + the log after p, in order, each record once.
 * 3. The log may drop a record, or a choice from it, only when both kept snapshots cover it: the newest may turn out damaged.
 *    So a store that is behind both begins with one of them.
 */

/** What `recover` needs of a log: its records, and where its durable end is. */
export interface RecoverableLog extends Pick<EventLog, 'read'> {
  /** Offset that the next record will get. */
  readonly nextOffset: number;
}

export interface StateKeeperOptions {
  readonly fs: Fs;
  /** Folder of the snapshots; made if it is missing. */
  readonly directory: string;
  readonly store: StateStore;
  readonly partition: number;
  /** Told of everything that was damaged, set aside or lost. */
  readonly report: (message: string) => void;
  /** Wall clock, Unix epoch in milliseconds; only for the age of the last snapshot. */
  readonly now?: () => number;
}

/** Records that are replayed in one go: bounds memory, and how much is done again if the process dies. */
export const REPLAY_RECORDS = 256;

export class StateKeeper {
  readonly #store: StateStore;
  readonly #partition: number;
  readonly #snapshots: Snapshots;
  readonly #report: (message: string) => void;
  readonly #now: () => number;
  #recovered = false;
  #snapshotMs: number;
  #underWay: Promise<Position | null> | null = null;
  /** A snapshot or a purge: neither runs beside the other. */
  readonly #alone = new OneAtATime();

  private constructor(options: StateKeeperOptions, snapshots: Snapshots) {
    this.#store = options.store;
    this.#partition = options.partition;
    this.#report = options.report;
    this.#now = options.now ?? Date.now;
    this.#snapshots = snapshots;
    this.#snapshotMs = this.#now();
  }

  static async open(options: StateKeeperOptions): Promise<StateKeeper> {
    return new StateKeeper(options, await Snapshots.open(options.fs, options.directory, options.partition));
  }

  /**
   * Brings state to the durable end of the log. To be called once, before the first append. Killed midway it starts
   * again from where the store stands. Reads at most the log behind the older snapshot, in constant memory.
   */
  async recover(log: RecoverableLog): Promise<void> {
    const end = log.nextOffset - 1;
    const first = await firstOffset(log);
    await this.#setAsideAhead(end);
    const applied = await this.#store.appliedUpTo(this.#partition);
    const isCut = applied > end || applied + 1 < first;
    // What both hold may have gone from records that are still there: choices that are older than they are kept. A crash may have
    // left more than two.
    const { offsets } = this.#snapshots;
    const isBehind = applied < (offsets[Math.max(0, offsets.length - KEPT)] ?? NOTHING_APPLIED);
    if (isCut || isBehind) await this.#restore(applied, end, isCut);
    await this.#replay(log);
    this.#recovered = true;
  }

  /** The log's `onSynced`: records in log order, durable, before their appends resolve. Visible when it returns or resolves. */
  apply(applied: readonly Applied[]): undefined | Promise<void> {
    if (!this.#recovered) throw new Error('Records were given to the state before it was recovered from the log.');
    return this.#store.apply(applied);
  }

  /** Writes a snapshot of now; it is synced when this resolves. Its position, or null where nothing was ever applied. */
  snapshot(): Promise<Position | null> {
    this.#underWay ??= this.#alone
      .run(() => this.#snapshot())
      .finally(() => {
        this.#underWay = null;
      });
    return this.#underWay;
  }

  /**
   * The log keeps every record from this offset on; older ones it may drop. It is behind the OLDER of the two kept
   * snapshots, because the newest is known to be good only when it is read: if it is not, the older one and the log
   * behind it make the state. With one snapshot the whole log is what it can fall back on, so nothing may go.
   */
  mayDropBefore(): number {
    const { offsets } = this.#snapshots;
    return offsets.length < KEPT ? 0 : offsets[offsets.length - KEPT]! + 1;
  }

  /** What has happened since the last snapshot, for `snapshotDue`. Bytes are the log's to add. */
  async sinceSnapshot(): Promise<{ readonly records: number; readonly ageMs: number }> {
    const applied = await this.#store.appliedUpTo(this.#partition);
    const last = this.#snapshots.offsets.at(-1) ?? NOTHING_APPLIED;
    return { records: applied - last, ageMs: this.#now() - this.#snapshotMs };
  }

  /**
   * Removes for good, from the store and every snapshot, whoever is erased by these; the store knows them already. Returns how many snapshots were written anew.
   */
  purge(erased: Erased): Promise<number> {
    return this.#alone.run(async () => {
      await this.#store.purge();
      return await this.#snapshots.purge((person) => erased.of(person), this.#report);
    });
  }

  async #snapshot(): Promise<Position | null> {
    const dump = this.#store.dump();
    try {
      const { offset } = dump.position;
      if (offset === NOTHING_APPLIED) return null;
      if (offset !== this.#snapshots.offsets.at(-1)) await this.#snapshots.write(offset, dump.persons);
      this.#snapshotMs = this.#now();
      return { partition: this.#partition, offset };
    } finally {
      dump.end();
    }
  }

  /** A snapshot ahead of the log would come true by its number once the log has grown past it, with other records. */
  async #setAsideAhead(end: number): Promise<void> {
    for (const offset of [...this.#snapshots.offsets]) {
      if (offset <= end) continue;
      const path = await this.#snapshots.setAside(offset, 'ahead');
      this.#report(
        `A snapshot of state holds record ${offset}, but the log ends at ${end}: it was kept as ${path} and is not used. Was the log replaced by an older copy?`,
      );
    }
  }

  /**
   * The store is ahead of the log, or the log no longer has what would bring it up to date: starts from a snapshot, or from nothing.
   * `isCut`: records are missing, which an operator should know; that a quiet server's store is behind is nothing new.
   */
  async #restore(applied: number, end: number, isCut: boolean): Promise<void> {
    for (const offset of [...this.#snapshots.offsets].reverse()) {
      if (applied <= end && offset <= applied) break;
      try {
        await this.#store.restore(this.#position(offset), this.#snapshots.read(offset));
        if (isCut) this.#report(`State was restored from the snapshot at record ${offset}.`);
        return;
      } catch (error) {
        if (!(error instanceof SnapshotDamaged)) throw error;
        const path = await this.#snapshots.setAside(offset, 'damaged');
        this.#report(`${error.message} It was kept as ${path}, and the snapshot before it is tried.`);
      }
    }
    if (applied <= end) return;
    await this.#store.restore(this.#position(NOTHING_APPLIED), NOBODY);
    this.#report(
      `State held record ${applied}, but the log ends at ${end}: it is rebuilt from the log. Was the log replaced by an older copy?`,
    );
  }

  async #replay(log: RecoverableLog): Promise<void> {
    const applied = await this.#store.appliedUpTo(this.#partition);
    let expected = applied + 1;
    if (expected >= log.nextOffset) return;
    let batch: Applied[] = [];
    for await (const { position, record } of log.read(this.#position(expected), false, NEVER)) {
      if (position.offset < expected) continue;
      if (position.offset > expected) this.#reportMissing(expected, position.offset - 1);
      expected = position.offset + 1;
      batch.push({ position, changes: record.changes });
      if (batch.length < REPLAY_RECORDS) continue;
      await this.#store.apply(batch);
      batch = [];
    }
    if (batch.length > 0) await this.#store.apply(batch);
    if (expected < log.nextOffset) this.#reportMissing(expected, log.nextOffset - 1);
  }

  #reportMissing(from: number, to: number): void {
    this.#report(
      `Records ${from} to ${to} are neither in the log nor in state: what they changed (consent, identities, profiles) is missing. Restore a backup of the snapshots or of the log that holds them.`,
    );
  }

  #position(offset: number): Position {
    return { partition: this.#partition, offset };
  }
}

const NEVER = new AbortController().signal;
const NOBODY: AsyncIterable<PersonState> = (async function* () {})();

/** Offset of the oldest record that the log still has; where it has none, of the next. */
async function firstOffset(log: RecoverableLog): Promise<number> {
  for await (const { position } of log.read('start', false, NEVER)) return position.offset;
  return log.nextOffset;
}
