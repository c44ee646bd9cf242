import type { PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';
import type { AppliedErasure } from './erased.ts';
import { CHECKPOINTS_KEY, databaseKey, encodeStanding, type Standing } from './lmdb-codec.ts';
import { committed, type Database, fillDatabase, putPerson } from './lmdb-database.ts';
import type { StateFiles } from './lmdb-files.ts';
import { type PendingPerson, PendingPersons } from './pending.ts';

/** A transaction that goes into a database which then takes the place of the one that is open. */
export interface Move {
  readonly db: Database;
  readonly carriedOut: readonly AppliedErasure[];
}

type Read = (key: string) => PersonState | null;

/** Makes a new database beside the other, not synced yet, and closed. Where that fails nothing of it stays. */
export async function fillRestoring(
  files: StateFiles,
  position: Position,
  persons: AsyncIterable<PersonState> | Iterable<PersonState>,
): Promise<void> {
  await files.discardRestoring();
  try {
    await fillDatabase(files.restoring, position, persons);
  } catch (error) {
    await files.discardRestoring();
    throw error;
  }
}

/** One transaction with these persons, as they are now. */
export async function putPersons(db: Database, keys: ReadonlySet<string>, read: Read): Promise<void> {
  await committed(db, () => {
    for (const key of keys) {
      const person = read(key);
      if (person !== null) putPerson(db, person, databaseKey(key));
    }
  });
}

/** One transaction with what is newer than the database, and how far it has come by then. */
export function putChanges(db: Database, changes: Iterable<PendingPerson>, standing: Standing): Promise<void> {
  return committed(db, () => {
    for (const { person, at, value } of changes) putPerson(db, person, at, value);
    db.lmdb.put(CHECKPOINTS_KEY, encodeStanding(standing));
  });
}

/** Everybody who is to be brought into a new database at last, as they are now: what waits may be of before an erasure. */
export function changedSince(touched: ReadonlySet<string>, waiting: PendingPersons, read: Read): PendingPersons {
  const changed = new PendingPersons();
  const keys = new Set(touched);
  for (const { key } of waiting.persons()) keys.add(key);
  for (const key of keys) {
    const person = read(key);
    if (person !== null) changed.put(person);
  }
  return changed;
}

/** The same persons, until it is to be stopped: then it throws. */
export function* unless(isStopped: () => boolean, persons: Iterable<PersonState>): Generator<PersonState> {
  for (const person of persons) {
    if (isStopped()) throw new Error('The state is closed while its database is being written anew.');
    yield person;
  }
}
