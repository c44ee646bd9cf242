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

export type Database = RootDatabase<Buffer, Buffer>;

/**
 * `overlappingSync: false`: LMDB as it is written by its authors syncs the pages, then writes the root that leads to them;
 * lmdb-js would sync after the commit. `eventTurnBatching: false`: else lmdb-js wraps each batch into another, of which it
 * drops the promise, so that a full disk would end the process with an unhandled rejection (seen with 3.5.6).
 */
export function openDatabase(path: string, noSync = false): Database {
  return open<Buffer, Buffer>(path, {
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
    eventTurnBatching: false,
    noSync,
  });
}

export interface Opened extends Standing {
  readonly db: Database;
}

/** Opens or makes a database; null, and nothing is open, where its checkpoints cannot be read. Throws what is no damage. */
export function openTrusted(path: string): Opened | null {
  const db = openDatabase(path);
  try {
    const stored = db.get(CHECKPOINTS_KEY);
    return { db, ...(stored === undefined ? { checkpoints: new Map(), erased: [] } : decodeStanding(stored)) };
  } catch (error) {
    // Nothing was written: it closes at once.
    void db.close();
    if (error instanceof StateDamaged) return null;
    throw error;
  }
}

/**
 * One transaction with everything that `fill` puts, on a thread of its own; resolves when it is synced. Rejects with
 * LMDB's own error, whose `code` is an errno or LMDB's: lmdb-js rejects with a general one that holds a promise of it.
 */
export async function committed(db: Database, fill: () => void): Promise<void> {
  try {
    await db.batch(fill);
  } catch (error) {
    await (error as { commitError?: Promise<never> }).commitError;
    throw error;
  }
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
        for (const person of batch) {
          const at = databaseKey(person.key);
          db.put(at, encodePerson(person, at));
        }
      });
    for await (const person of persons) {
      batch.push(person);
      if (batch.length < FILL_PERSONS) continue;
      await write();
      batch = [];
    }
    if (batch.length > 0) await write();
    const standing = { checkpoints: checkpointsAt(position), erased: [] };
    await committed(db, () => db.put(CHECKPOINTS_KEY, encodeStanding(standing)));
  } finally {
    await db.close();
  }
}

/**
 * Every person in a database at this moment, whatever is written to it meanwhile, but for those that `newer` has: these
 * come last. `isOpen`: LMDB ends the process where a closed database is read.
 */
export function dumpDatabase(
  db: Database,
  newer: ReadonlyMap<string, PersonState>,
  decode: (value: Buffer, at: Buffer) => PersonState,
  isOpen: () => boolean,
): { readonly persons: Iterable<PersonState>; end(): void } {
  db.resetReadTxn();
  const transaction = db.useReadTransaction();
  function* persons(): Generator<PersonState> {
    for (const { key, value } of db.getRange({ transaction })) {
      if (CHECKPOINTS_KEY.equals(key)) continue;
      const person = decode(value, key);
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

/** A person in a database, as it stands there. Throws `StateDamaged`. */
export function readPerson(db: Database, key: string): PersonState | null {
  const at = databaseKey(key);
  const value = db.getBinaryFast(at);
  return value === undefined ? null : decodePerson(value, at, key);
}
