import { open, type RootDatabase } from 'lmdb';
import type { PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';
import { checkpointsAt } from './fold.ts';
import {
  CHECKPOINTS_KEY,
  databaseKey,
  decodePerson,
  decodeStanding,
  encodePerson,
  encodeStanding,
  type Standing,
  StateDamaged,
} from './lmdb-codec.ts';
import { isListKey, VendorLists } from './vendor-lists.ts';

export interface Database {
  readonly lmdb: RootDatabase<Buffer, Buffer>;
  readonly lists: VendorLists;
}

/**
 * `overlappingSync: false`: LMDB as it is written by its authors syncs the pages, then writes the root that leads to them;
 * lmdb-js would sync after the commit. `eventTurnBatching: false`: else lmdb-js wraps each batch into another, of which it
 * drops the promise, so that a full disk would end the process with an unhandled rejection (seen with 3.5.6).
 */
export function openDatabase(path: string, noSync = false): Database {
  const lmdb = open<Buffer, Buffer>(path, {
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
    eventTurnBatching: false,
    noSync,
  });
  return { lmdb, lists: new VendorLists(lmdb) };
}

export interface Opened extends Standing {
  readonly db: Database;
}

/** Opens or makes a database; null, and nothing is open, where its checkpoints cannot be read. Throws what is no damage. */
export function openTrusted(path: string): Opened | null {
  const db = openDatabase(path);
  try {
    const stored = db.lmdb.get(CHECKPOINTS_KEY);
    return { db, ...(stored === undefined ? { checkpoints: new Map(), erased: [] } : decodeStanding(stored)) };
  } catch (error) {
    // Nothing was written: it closes at once.
    void db.lmdb.close();
    if (error instanceof StateDamaged) return null;
    throw error;
  }
}

/**
 * One transaction with everything that `fill` puts, and the lists that it refers to, on a thread of its own; resolves when it is synced. Rejects with
 * LMDB's own error, whose `code` is an errno or LMDB's: lmdb-js rejects with a general one that holds a promise of it.
 */
export async function committed(db: Database, fill: () => void): Promise<void> {
  let listsAreStored = (): void => {};
  try {
    await db.lmdb.batch(() => {
      fill();
      listsAreStored = db.lists.putNew();
    });
  } catch (error) {
    await (error as { commitError?: Promise<never> }).commitError;
    throw error;
  }
  listsAreStored();
}

/** As a part of a transaction. `value`: the person with all of it, where that is known already. */
export function putPerson(db: Database, person: PersonState, at: Buffer, value?: Buffer): void {
  db.lmdb.put(at, db.lists.encode(person, at) ?? value ?? encodePerson(person, at));
}

/** Persons that are handed to one transaction while a database is filled: some milliseconds of the event loop. */
const FILL_PERSONS = 250;

/** Makes a new database; it is not synced yet. Throws what `persons` throws. */
export async function fillDatabase(
  path: string,
  position: Position,
  persons: AsyncIterable<PersonState> | Iterable<PersonState>,
): Promise<void> {
  const db = openDatabase(path, true);
  try {
    let batch: PersonState[] = [];
    const write = (): Promise<void> =>
      committed(db, () => {
        for (const person of batch) putPerson(db, person, databaseKey(person.key));
      });
    for await (const person of persons) {
      batch.push(person);
      if (batch.length < FILL_PERSONS) continue;
      await write();
      batch = [];
    }
    if (batch.length > 0) await write();
    const standing = { checkpoints: checkpointsAt(position), erased: [] };
    await committed(db, () => db.lmdb.put(CHECKPOINTS_KEY, encodeStanding(standing)));
  } finally {
    await db.lmdb.close();
  }
}

/**
 * Every person in a database at this moment, whatever is written to it meanwhile, but for those that `newer` has: these
 * come last. `isOpen`: LMDB ends the process where a closed database is read.
 */
export function dumpDatabase(
  { lmdb, lists }: Database,
  newer: ReadonlyMap<string, PersonState>,
  trusted: (decode: () => PersonState) => PersonState,
  isOpen: () => boolean,
): { readonly persons: Iterable<PersonState>; end(): void } {
  lmdb.resetReadTxn();
  const transaction = lmdb.useReadTransaction();
  function* persons(): Generator<PersonState> {
    for (const { key, value } of lmdb.getRange({ transaction })) {
      if (CHECKPOINTS_KEY.equals(key) || isListKey(key)) continue;
      const person = trusted(() => decodePerson(value, key, null, lists.at));
      if (newer.has(person.key)) continue;
      yield person;
      if (!isOpen()) throw new Error('The state was closed or restored while it was being dumped.');
    }
    yield* newer.values();
  }
  let ended = false;
  const end = (): void => {
    if (!ended && isOpen()) transaction.done();
    ended = true;
  };
  return { persons: persons(), end };
}

/** A person in a database, as it stands there, and how many bytes they take in it. Throws `StateDamaged`. */
export function readPerson({ lmdb, lists }: Database, key: string): { person: PersonState | null; bytes: number } {
  const at = databaseKey(key);
  const value = lmdb.getBinaryFast(at);
  if (value === undefined) return { person: null, bytes: 0 };
  // It lends one buffer for all values: another read, of a list, changes it.
  const bytes = value.length;
  return { person: decodePerson(value, at, key, lists.at), bytes };
}
