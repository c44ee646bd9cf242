import { hash } from 'node:crypto';
import type { RootDatabase } from 'lmdb';
import type { PersonState } from '../model/person.ts';
import { checkedBytes, encodePerson, StateDamaged, sealed } from './lmdb-codec.ts';
import { REFERENCE_BYTES, tcfPartsOf } from './packed-tcf.ts';

/**
 * The lists of vendors of one database that several persons have in common: most visitors of a consent tool agree to all of
 * its vendors or to none. A list stands once, under `v` and the first 16 bytes of its SHA-256, and persons refer to it. Invariants:
 *
 * 1. A list comes into the table when a second person has it: one that a single person has stands in that person, and goes
 *    with them. Whom it was first seen with is remembered for the last lists only, so a few more persons may have it in full.
 * 2. It is in the database with the transaction of the first person who refers to it, at the latest (`putNew`).
 * 3. It never changes or goes; a database that is written anew (`StateStore.purge`) has those that its persons share.
 *    Until then at most `SHARED_LISTS_MAX` are in it: more lists stay where they are, in persons.
 */
export class VendorLists {
  readonly #db: RootDatabase<Buffer, Buffer>;
  /** Those that were used since the database was opened, or are on their way into it; by both sides. */
  readonly #references = new Map<string, Buffer>();
  readonly #lists = new Map<string, string>();
  readonly #new = new Map<Buffer, string>();
  /** Lists that one person has, as far as is known: by reference the person's key. */
  readonly #single = new Map<string, string>();
  #count: number;

  constructor(db: RootDatabase<Buffer, Buffer>) {
    this.#db = db;
    this.#count = db.getKeysCount({ start: TABLE, end: BEHIND_TABLE });
  }

  /** The bytes in the database of a person whose list is in the table from now on, because others have it too; null of any other person. */
  encode(person: PersonState, at: Buffer): Buffer | null {
    const parts = tcfPartsOf(person);
    if (parts === null || parts.vendors.length < SHARED_DIGITS_MIN) return null;
    const reference = this.#referenceTo(parts.vendors, person.key);
    return reference === null ? null : encodePerson(person, at, reference);
  }

  /** The list that a person refers to. Throws `StateDamaged`. */
  readonly at = (reference: Buffer): string => {
    const known = this.#lists.get(reference.toString('latin1'));
    if (known !== undefined) return known;
    // What a value was read into is lent, and used again by the next read.
    const own = Buffer.from(reference);
    const list = this.#stored(own);
    if (list === null) throw new StateDamaged('a list of vendors that a person refers to is missing');
    this.#remember(list, own);
    return list;
  };

  /** Puts what is not in the database yet, as a part of a transaction. Call what is returned when that is durable. */
  putNew(): () => void {
    const put = [...this.#new.keys()];
    for (const reference of put) {
      const at = tableKey(reference);
      this.#db.put(at, sealed(this.#new.get(reference)!, at));
    }
    return () => {
      for (const reference of put) this.#new.delete(reference);
    };
  }

  #referenceTo(list: string, key: string): Buffer | null {
    const known = this.#references.get(list);
    if (known !== undefined) return known;
    const reference = hash('sha256', list, 'buffer').subarray(0, REFERENCE_BYTES);
    if (this.#stored(reference) === null) {
      if (!this.#isSecond(reference, key) || this.#count >= SHARED_LISTS_MAX) return null;
      this.#count += 1;
      this.#new.set(reference, list);
    }
    this.#remember(list, reference);
    return reference;
  }

  #isSecond(reference: Buffer, key: string): boolean {
    const name = reference.toString('latin1');
    const first = this.#single.get(name);
    if (first !== undefined && first !== key) return this.#single.delete(name);
    if (this.#single.size >= SINGLE_LISTS_MAX) this.#single.clear();
    this.#single.set(name, key);
    return false;
  }

  #stored(reference: Buffer): string | null {
    const at = tableKey(reference);
    const value = this.#db.get(at);
    return value === undefined ? null : checkedBytes(value, at).toString();
  }

  #remember(list: string, reference: Buffer): void {
    this.#references.set(list, reference);
    this.#lists.set(reference.toString('latin1'), list);
  }
}

/** A list of so few digits is hardly longer than what refers to it. */
export const SHARED_DIGITS_MIN = 64;
/**
 * Some 2 MB, 8 at most. A consent tool has some hundred different ones a year that many share: one for each week's list of all
 * vendors, and each set of them that a site asks for.
 */
export const SHARED_LISTS_MAX = 4096;
/** Lists of which one person is known, remembered: what many share comes again long before so many others. */
export const SINGLE_LISTS_MAX = 1024;

const TABLE = Buffer.from('v');
const BEHIND_TABLE = Buffer.from('w');

function tableKey(reference: Buffer): Buffer {
  return Buffer.concat([TABLE, reference]);
}

/** Whether a list stands at a key of the database, and not a person. */
export function isListKey(at: Buffer): boolean {
  return at[0] === TABLE[0];
}
