import { open, type RootDatabase } from 'lmdb';
import type { PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';
import { type Checkpoints, checkpointsAt } from './fold.ts';
import {
  CHECKPOINTS_KEY,
  databaseKey,
  decodeCheckpoints,
  encodeCheckpoints,
  encodePerson,
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

export interface Opened {
  readonly db: Database;
  readonly checkpoints: Checkpoints;
}

/** Opens or makes a database; null, and nothing is open, where its checkpoints cannot be read. Throws what is no damage. */
export function openTrusted(path: string): Opened | null {
  const db = openDatabase(path);
  try {
    const stored = db.get(CHECKPOINTS_KEY);
    return { db, checkpoints: stored === undefined ? new Map() : decodeCheckpoints(stored) };
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

/** Persons that are handed to one transaction while a database is filled. */
const FILL_PERSONS = 1000;

/** Makes a new database; it is not synced yet. Throws what `persons` throws. */
export async function fillDatabase(
  path: string,
  position: Position,
  persons: AsyncIterable<PersonState>,
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
    await committed(db, () => db.put(CHECKPOINTS_KEY, encodeCheckpoints(checkpointsAt(position))));
  } finally {
    await db.close();
  }
}
