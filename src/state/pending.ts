import type { PersonState } from '../model/person.ts';
import { databaseKey, encodePerson } from './lmdb-codec.ts';

export interface PendingPerson {
  readonly person: PersonState;
  /** In the database. */
  readonly at: Buffer;
  /** The person with all of it: what they may share is known when it is written. */
  readonly value: Buffer;
}

/** Persons that are newer than the database, with the bytes that it is to hold of them: what waits for the disk is measured. */
export class PendingPersons {
  readonly #entries = new Map<string, PendingPerson>();
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** Bytes of the values. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): PersonState | undefined {
    return this.#entries.get(key)?.person;
  }

  /** Replaces what waits of this person. Returns how many bytes they are. */
  put(person: PersonState): number {
    const at = databaseKey(person.key);
    const value = encodePerson(person, at);
    this.#set(person.key, { person, at, value });
    return value.length;
  }

  /** Takes back what could not be written; where this has something newer, that stays. */
  putOlder(older: PendingPersons): void {
    for (const [key, entry] of older.#entries) if (!this.#entries.has(key)) this.#set(key, entry);
  }

  *persons(): Generator<PersonState> {
    for (const { person } of this.#entries.values()) yield person;
  }

  entries(): Iterable<PendingPerson> {
    return this.#entries.values();
  }

  #set(key: string, entry: PendingPerson): void {
    this.#bytes += entry.value.length - (this.#entries.get(key)?.value.length ?? 0);
    this.#entries.set(key, entry);
  }
}
