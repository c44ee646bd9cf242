import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Applied, StateStore } from '../model/parts.ts';
import type { PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';
import { type AppliedErasure, Erased, leftOf } from './erased.ts';
import { type Checkpoints, checkpointsAt, dumpPosition, foldRecords, lagBehind, NOTHING_APPLIED } from './fold.ts';
import { StateDamaged } from './lmdb-codec.ts';
import { type Database, dumpDatabase, type Opened, openDatabase, readPerson } from './lmdb-database.ts';
import { StateFiles } from './lmdb-files.ts';
import { LMDB_STATE_LIMITS, type LmdbStateLimits } from './lmdb-limits.ts';
import { changedSince, fillRestoring, type Move, putChanges, putPersons, unless } from './lmdb-move.ts';
import { openFiles } from './lmdb-open.ts';
import type { LmdbStateOptions } from './lmdb-options.ts';
import { PendingPersons } from './pending.ts';
import { PersonCache } from './person-cache.ts';

type Flush = { readonly persons: PendingPersons; readonly done: Promise<void> };

/**
 * Persons' state in LMDB, with what is newer than the database in memory. Invariants:
 *
 * 1. `apply` folds in memory and returns: no transaction and no sync on the event loop.
 * 2. One transaction at a time brings everything new and its checkpoint into the database, on a thread of its own; LMDB
 *    syncs the pages before the root that leads to them. So after any crash the database is the state at its checkpoint.
 * 3. The checkpoint lags at most `flushRecords` records behind, plus what comes in during one transaction: that much
 *    is replayed from the log. Nothing is lost, because the log had it first.
 * 4. What was read or changed lately is kept as it is now (person-cache.ts): what `apply` folds replaces it at once.
 * 5. Memory for what is not in the database yet is bounded: `apply` waits at `pendingBytesMax` or `pendingPersonsMax`.
 *
 * Why no synchronous transaction for each `apply`: docs/adr/0006-lmdb-for-state.md.
 */
export class LmdbState implements StateStore {
  readonly #files: StateFiles;
  readonly #report: (message: string) => void;
  readonly #warn: (message: string) => void;
  readonly #limits: LmdbStateLimits;
  #db: Database;
  #checkpoints: Checkpoints;
  /** As they stand in the database. */
  #flushed: Checkpoints;
  /** Newer than the database, and not in a transaction yet. */
  #pending = new PendingPersons();
  #flush: Flush | null = null;
  readonly #cache: PersonCache;
  /** The last transaction failed: a disk that stays full is reported once. */
  #failing = false;
  #retryAtMs = 0;
  #suspect: Promise<void> | null = null;
  readonly #erased: Erased;
  /** Who has changed since a new database was begun; null where none is. */
  #touched: Set<string> | null = null;
  #purging: Promise<void> | null = null;
  #isClosing = false;
  #closed = false;

  private constructor(files: StateFiles, opened: Opened, options: Required<LmdbStateOptions>) {
    this.#files = files;
    this.#report = options.report;
    this.#warn = options.warn;
    this.#limits = { ...LMDB_STATE_LIMITS, ...options.limits };
    this.#cache = new PersonCache(this.#limits.cacheBytesMax);
    this.#db = opened.db;
    this.#flushed = opened.checkpoints;
    this.#checkpoints = new Map(opened.checkpoints);
    this.#erased = new Erased(options.digest, opened.erased);
  }

  /** Opens or makes the database in `directory`. One that cannot be trusted is set aside, reported, and a new one made. */
  static async open(directory: string, options: LmdbStateOptions = {}): Promise<LmdbState> {
    const { report = (message) => process.emitWarning(message), warn = report, limits = {}, digest = null } = options;
    const files = new StateFiles(directory, report);
    return new LmdbState(files, await openFiles(files), { report, warn, limits, digest });
  }

  get(key: string): PersonState | null {
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const newer = this.#pending.get(key) ?? this.#flush?.persons.get(key);
    if (newer !== undefined) return this.#erased.of(newer);
    const { person, bytes } = this.#trusted(() => readPerson(this.#db, key));
    const left = this.#erased.of(person);
    this.#cache.put(key, left, left === null ? 0 : bytes);
    return left;
  }

  #put(person: PersonState): void {
    this.#cache.put(person.key, person, this.#pending.put(person));
    this.#touched?.add(person.key);
  }

  getMany(keys: readonly string[]): readonly (PersonState | null)[] {
    return keys.map((key) => this.get(key));
  }

  apply(records: readonly Applied[]): undefined | Promise<void> {
    foldRecords(
      records,
      this.#checkpoints,
      (key) => this.get(key),
      (person) => this.#put(person),
      (erasure) => this.#erase(erasure),
    );
    if (this.#isFull()) return this.#makeRoom();
    if (this.#flush === null && this.#isDue() && performance.now() >= this.#retryAtMs) this.#startFlush();
    return undefined;
  }

  #erase(erasure: AppliedErasure): void {
    this.#erased.add(erasure);
    this.#cache.clear();
  }

  appliedUpTo(partition: number): number {
    return this.#checkpoints.get(partition) ?? NOTHING_APPLIED;
  }

  dump(): ReturnType<StateStore['dump']> {
    const position = dumpPosition(this.#checkpoints);
    const newer = new Map<string, PersonState>();
    for (const layer of [this.#flush?.persons, this.#pending]) {
      for (const person of layer?.persons() ?? []) newer.set(person.key, person);
    }
    const db = this.#db;
    const trusted = (decode: () => PersonState): PersonState => this.#trusted(decode);
    const { persons, end } = dumpDatabase(db, newer, trusted, () => this.#db === db && !this.#closed);
    return { position, persons: leftOf(persons, this.#erased.copy()), end };
  }

  /** A new database takes the other's place, beside reads and `apply`: LMDB leaves what was removed in its free pages. */
  purge(): Promise<void> {
    this.#purging ??= this.#purge().finally(() => {
      this.#purging = null;
    });
    return this.#purging;
  }

  async #purge(): Promise<void> {
    await this.#files.discardSetAside();
    const carriedOut = this.#erased.all;
    if (carriedOut.length === 0) return;
    this.#touched = new Set();
    try {
      const { position, persons, end } = this.dump();
      const going = unless(() => this.#isClosing, persons);
      await fillRestoring(this.#files, position, going).finally(end);
      await this.#moveInto(openDatabase(this.#files.restoring), carriedOut);
    } finally {
      this.#touched = null;
      await this.#files.discardRestoring();
    }
  }

  /** Brings what has changed since the dump into the new database, the last of it as a transaction like any other. */
  async #moveInto(db: Database, carriedOut: readonly AppliedErasure[]): Promise<void> {
    const old = this.#db;
    try {
      while (this.#touched!.size > this.#limits.flushPersons) {
        const keys = this.#touched!;
        this.#touched = new Set();
        await putPersons(db, keys, (key) => this.get(key));
      }
      while (this.#flush !== null) await Promise.allSettled([this.#flush.done]);
      await this.#startFlush({ db, carriedOut });
    } finally {
      await (this.#db === db ? old : db).lmdb.close();
    }
  }

  async restore(position: Position, persons: AsyncIterable<PersonState>): Promise<void> {
    await fillRestoring(this.#files, position, persons);
    await Promise.allSettled([this.#flush?.done]);
    const held = this.#flushed.size > 0;
    await this.#db.lmdb.close();
    try {
      const kept = await this.#files.replace();
      if (held) this.#report(`State was replaced by a restored copy; what it held is kept as ${kept}.`);
    } finally {
      this.#db = openDatabase(this.#files.database);
    }
    this.#checkpoints = checkpointsAt(position);
    this.#flushed = new Map(this.#checkpoints);
    this.#pending = new PendingPersons();
    this.#cache.clear();
    this.#erased.done(this.#erased.all);
  }

  /** Writes what is new, then closes. Where that fails the state is closed all the same, and the log has what is missing. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.allSettled([this.#purging]);
    try {
      await Promise.allSettled([this.#flush?.done]);
      if (this.lag > 0) await this.#startFlush();
      await this.#suspect;
    } finally {
      this.#closed = true;
      await this.#db.lmdb.close();
    }
  }

  /** Records that would be replayed if the process died now. */
  get lag(): number {
    return lagBehind(this.#checkpoints, this.#flushed);
  }

  #isDue(): boolean {
    return this.#pending.size >= this.#limits.flushPersons || this.lag >= this.#limits.flushRecords;
  }

  #isFull(): boolean {
    const { pendingPersonsMax, pendingBytesMax } = this.#limits;
    return this.#pending.size >= pendingPersonsMax || this.#pending.bytes >= pendingBytesMax;
  }

  /** Resolves when there is room again. A full disk is waited for: the log refuses what comes meanwhile. Else throws. */
  async #makeRoom(): Promise<void> {
    while (this.#isFull()) {
      try {
        await (this.#flush?.done ?? this.#startFlush());
      } catch (error) {
        if (!(await this.#files.isFull(error))) throw error;
        await sleep(this.#limits.retryMs);
      }
    }
  }

  /**
   * One transaction with everything pending and the checkpoint. Rejects when it failed: then all of it is pending again.
   * `move`: into a database that takes the other's place when it is synced.
   */
  #startFlush(move: Move | null = null): Promise<void> {
    const persons = this.#pending;
    const checkpoints = new Map(this.#checkpoints);
    this.#pending = new PendingPersons();
    const done = this.#commit(persons, checkpoints, move).then(
      () => {
        this.#flush = null;
        this.#flushed = checkpoints;
        this.#failing = false;
      },
      (error: Error) => {
        this.#flush = null;
        this.#pending.putOlder(persons);
        this.#retryAtMs = performance.now() + this.#limits.retryMs;
        this.#reportFailure(error);
        throw error;
      },
    );
    // Who waits for it sees the rejection; that nobody waits is no reason to end the process: it was reported above.
    done.catch(() => {});
    this.#flush = { persons, done };
    return done;
  }

  async #commit(persons: PendingPersons, checkpoints: Checkpoints, move: Move | null): Promise<void> {
    const db = move?.db ?? this.#db;
    const erased = this.#erased.all.filter((one) => move?.carriedOut.includes(one) !== true);
    const read = (key: string): PersonState | null =>
      this.#erased.of(persons.get(key) ?? readPerson(this.#db, key).person);
    const changed = move === null ? persons : changedSince(this.#touched!, persons, read);
    await putChanges(db, changed.entries(), { checkpoints, erased });
    if (move !== null) {
      await this.#files.replaceForGood();
      this.#db = db;
      this.#erased.done(move.carriedOut);
      await this.#files.syncDirectory();
    }
    // What was pending is now read from the database: no read may still look at the one before.
    db.lmdb.resetReadTxn();
  }

  #reportFailure({ message }: Error): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#warn(
      `State could not be written to ${this.#files.database} and stays in memory until it can: ${message}. The log has all of it.`,
    );
  }

  /** Damage is met once: the next start does not open this database. */
  #trusted<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof StateDamaged) {
        this.#suspect ??= this.#files.markSuspect();
        this.#report(error.message);
      }
      throw error;
    }
  }
}
