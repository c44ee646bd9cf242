import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Applied, StateStore } from '../model/parts.ts';
import type { PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';
import { type Checkpoints, checkpointsAt, dumpPosition, foldRecords, NOTHING_APPLIED } from './fold.ts';
import { CHECKPOINTS_KEY, databaseKey, decodePerson, encodeCheckpoints, StateDamaged } from './lmdb-codec.ts';
import { committed, type Database, fillDatabase, type Opened, openDatabase, openTrusted } from './lmdb-database.ts';
import { StateFiles } from './lmdb-files.ts';
import { LMDB_STATE_LIMITS, type LmdbStateLimits } from './lmdb-limits.ts';
import { PendingPersons } from './pending.ts';
import { PersonCache } from './person-cache.ts';

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
 * Why not one synchronous transaction per `apply`: measured with 100,000 persons (2-core virtio ext4, Node 20), it blocks
 * the event loop for 22 µs for one change (p99 5 ms) and 870 µs for 64 even without any sync, 4.5 ms with one; and
 * without a sync a power cut may leave a file that is no database. Folded here it is 10 µs
 * for one (p99 60 µs) and 600 µs for 64, handing over to the thread included.
 */
export interface LmdbStateOptions {
  /** Told when the database was set aside, or holds damage. */
  readonly report?: (message: string) => void;
  /** Told of what passes: the database cannot be written now. `report` where it is not given. */
  readonly warn?: (message: string) => void;
  readonly limits?: Partial<LmdbStateLimits>;
}

type Flush = { readonly persons: PendingPersons; readonly done: Promise<void> };

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
  }

  /** Opens or makes the database in `directory`. One that cannot be trusted is set aside, reported, and a new one made. */
  static async open(directory: string, options: LmdbStateOptions = {}): Promise<LmdbState> {
    const { report = (message) => process.emitWarning(message), warn = report, limits = {} } = options;
    const files = new StateFiles(directory, report);
    await files.prepare();
    const fault = await files.distrust();
    if (fault !== null) await files.setAside(fault);
    // If the process dies before this is taken back, the next one does not try the same file again.
    await files.markSuspect();
    try {
      let opened = openTrusted(files.database);
      if (opened === null) {
        await files.setAside('its checkpoint cannot be read');
        opened = openTrusted(files.database)!;
      }
      return new LmdbState(files, opened, { report, warn, limits });
    } finally {
      await files.clearSuspect();
    }
  }

  get(key: string): PersonState | null {
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const newer = this.#pending.get(key) ?? this.#flush?.persons.get(key);
    if (newer !== undefined) return newer;
    const at = databaseKey(key);
    const value = this.#db.getBinaryFast(at);
    const person = value === undefined ? null : this.#trusted(() => decodePerson(value, at, key));
    this.#cache.put(key, person, value === undefined ? 0 : value.length);
    return person;
  }

  #put(person: PersonState): void {
    this.#cache.put(person.key, person, this.#pending.put(person));
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
    );
    if (this.#isFull()) return this.#makeRoom();
    if (this.#flush === null && this.#isDue() && performance.now() >= this.#retryAtMs) this.#startFlush();
    return undefined;
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
    db.resetReadTxn();
    const transaction = db.useReadTransaction();
    const isOpen = (): boolean => this.#db === db && !this.#closed;
    const decode = (value: Buffer, at: Buffer): PersonState => this.#trusted(() => decodePerson(value, at, null));
    function* persons(): Generator<PersonState> {
      for (const { key, value } of db.getRange({ transaction })) {
        if (CHECKPOINTS_KEY.equals(key)) continue;
        const person = decode(value, key);
        if (newer.has(person.key)) continue;
        yield person;
        // LMDB ends the process where a closed database is read.
        if (!isOpen()) throw new Error('The state was closed or restored while it was being dumped.');
      }
      yield* newer.values();
    }
    let ended = false;
    const end = (): void => {
      if (!ended && isOpen()) transaction.done();
      ended = true;
    };
    return { position, persons: persons(), end };
  }

  async restore(position: Position, persons: AsyncIterable<PersonState>): Promise<void> {
    await this.#files.discardRestoring();
    try {
      await fillDatabase(this.#files.restoring, position, persons);
    } catch (error) {
      await this.#files.discardRestoring();
      throw error;
    }
    await Promise.allSettled([this.#flush?.done]);
    const held = this.#flushed.size > 0;
    await this.#db.close();
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
  }

  /** Writes what is new, then closes. Where that fails the state is closed all the same, and the log has what is missing. */
  async close(): Promise<void> {
    try {
      await Promise.allSettled([this.#flush?.done]);
      if (this.lag > 0) await this.#startFlush();
      await this.#suspect;
    } finally {
      this.#closed = true;
      await this.#db.close();
    }
  }

  /** Records that would be replayed if the process died now. */
  get lag(): number {
    let lag = 0;
    for (const [partition, offset] of this.#checkpoints) {
      lag = Math.max(lag, offset - (this.#flushed.get(partition) ?? NOTHING_APPLIED));
    }
    return lag;
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

  /** One transaction with everything pending and the checkpoint. Rejects when it failed: then all of it is pending again. */
  #startFlush(): Promise<void> {
    const persons = this.#pending;
    const checkpoints = new Map(this.#checkpoints);
    this.#pending = new PendingPersons();
    const done = this.#commit(persons, checkpoints).then(
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

  async #commit(persons: PendingPersons, checkpoints: Checkpoints): Promise<void> {
    const db = this.#db;
    await committed(db, () => {
      persons.forEachValue((at, value) => db.put(at, value));
      db.put(CHECKPOINTS_KEY, encodeCheckpoints(checkpoints));
    });
    // What was pending is now read from the database: no read may still look at the one before.
    db.resetReadTxn();
  }

  #reportFailure({ message }: Error): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#warn(
      `State could not be written to ${this.#files.database} and stays in memory until it can: ${message}. The log has all of it.`,
    );
  }

  /** Damage is met once: the next start does not open this database. */
  #trusted(read: () => PersonState): PersonState {
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
