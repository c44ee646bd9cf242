import type { PersonState } from '../model/person.ts';

interface Entry {
  readonly person: PersonState | null;
  readonly bytes: number;
}

/**
 * Persons that were read or changed lately, so that a visitor's next request does not read them from the database and parse
 * them anew. Invariants:
 *
 * 1. What it has of a person is what state has of them now: whoever changes a person puts them here in the same turn.
 * 2. Two generations of `bytesMax` each: a person who is asked for moves into the young one; when that is full, what is only in
 *    the old one is forgotten. So the persons of the last `bytesMax` are always here.
 */
export class PersonCache {
  readonly #bytesMax: number;
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();
  #youngBytes = 0;

  /** `bytesMax`: of a generation, in bytes as persons are encoded; objects take some five times as much. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Undefined where it does not know; null where it knows that there is nobody. */
  get(key: string): PersonState | null | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.person;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#keep(key, old);
    return old.person;
  }

  /** `bytes`: how long the person is as they are encoded. */
  put(key: string, person: PersonState | null, bytes: number): void {
    const replaced = this.#young.get(key);
    if (replaced !== undefined) this.#youngBytes -= replaced.bytes;
    this.#keep(key, { person, bytes: bytes + ENTRY_BYTES });
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#youngBytes = 0;
  }

  #keep(key: string, entry: Entry): void {
    if (this.#youngBytes + entry.bytes > this.#bytesMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(key, entry);
    this.#youngBytes += entry.bytes;
  }
}

/** What an entry costs beside the person: its key and its places in the maps. */
const ENTRY_BYTES = 64;
