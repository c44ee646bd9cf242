import { type Digest, erasureOf, isErasure } from '../model/erasure.ts';
import type { JsonObject } from '../model/json.ts';
import { applyChange, type Change, type PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';

/** Sections of a person that decisions read. */
const READ: ReadonlySet<string> = new Set(['profile', 'decision']);

/**
 * A decision reads what holds when its request comes in; other records of the same person may get into the log before its
 * own. So long what was replaced can still be named: a request lives far shorter than that.
 */
export const REPLACED_KEPT_MS = 10 * 60 * 1000;

/** Persons in memory at most: some 1 KB each. What is made of more is made a share at a time. */
export const PERSONS_MAX = 250_000;
export class TooManyPersons extends Error {}

/** Whose sections are held; others are passed over. */
export interface Held {
  /** Null: everybody's. */
  readonly keys: ReadonlySet<string> | null;
  readonly max: number;
}
const EVERYBODY: Held = { keys: null, max: PERSONS_MAX };

/** A section that cannot be made again: the log no longer holds what it was made of. */
export const LOST = Symbol('lost');

/**
 * What persons' sections held, record by record: the log is folded, as state is. A section is named by the record that last
 * changed it, and never differs from what was read of it then. Memory: what decisions read of each person who is held, once, and
 * what was replaced in the last ten minutes. Throws `TooManyPersons`.
 */
export class Sections {
  #now = new Map<string, PersonState>();
  readonly #replaced = new Map<string, JsonObject>();
  /** In the order of replacement. */
  readonly #queue: (readonly [name: string, replacedAtMs: number])[] = [];
  #queueStart = 0;
  /** What a snapshot holds that stands behind the first records; it is what holds when the fold comes to it. */
  #later = new Map<string, PersonState>();
  /** False while records are missing before those that are taken. */
  #isComplete: boolean;
  /** Until then: sections that are known to have begun since, and those that may have been there before. */
  readonly #begun = new Set<string>();
  readonly #unknown = new Set<string>();
  readonly #digest: Digest | null;
  readonly #held: Held;
  /** Keys of `#now` by digest; null until somebody is erased. */
  #byDigest: Map<string, string> | null = null;

  /**
   * `isComplete`: nothing was changed before the first record that is taken, or `restore` is given all of it first. `digest`:
   * by which erased persons are told; null where there is no key, and then nobody whom the log erases is in what is taken.
   */
  constructor(isComplete: boolean, digest: Digest | null = null, held: Held = EVERYBODY) {
    this.#isComplete = isComplete;
    this.#digest = digest;
    this.#held = held;
  }

  /** A person of the snapshot that the fold starts from. */
  restore(person: PersonState): void {
    const read = readOf(person);
    if (read !== null && this.#holds(person.key)) this.#put(this.#now, read);
  }

  /** A person of a snapshot that stands behind the first records, where what was before them is not known. */
  learn(person: PersonState): void {
    const read = readOf(person);
    if (read !== null && this.#holds(person.key)) this.#put(this.#later, read);
  }

  /** The fold has come to the snapshot that was learned. From now on it is complete. */
  reachLearned(): void {
    this.#now = this.#later;
    this.#later = new Map();
    this.#byDigest = null;
    this.#unknown.clear();
    this.#begun.clear();
    this.#isComplete = true;
  }

  /** A decision found no such section: what is made of it from now on is all of it. */
  wasAbsent(key: string, kind: string): void {
    if (!this.#holds(key)) return;
    const place = `${kind} ${key}`;
    if (!this.#isComplete && !this.#unknown.has(place)) this.#begun.add(place);
  }

  take(position: Position, changes: readonly Change[], atMs: number): void {
    for (const change of changes) {
      if (isErasure(change)) this.#erase(erasureOf(change).digests);
      if (!READ.has(change.kind) || !this.#holds(change.key)) continue;
      if (!this.#isComplete && !this.#begun.has(`${change.kind} ${change.key}`)) {
        this.#unknown.add(`${change.kind} ${change.key}`);
        continue;
      }
      const before = this.#now.get(change.key) ?? null;
      const after = applyChange(before, change, position);
      if (after === null || after === before) continue;
      const old = before?.body[change.kind] as JsonObject | undefined;
      // Several changes of one record are one: nobody read what was in between.
      const isReplaced = old !== undefined && old['record'] !== `${position.partition}:${position.offset}`;
      if (isReplaced) this.#keep(nameOf(change.key, change.kind, old['record'] as string), old, atMs);
      this.#put(this.#now, after);
      if (before === null && this.#byDigest !== null) this.#byDigest.set(this.#digest!(change.key), change.key);
    }
    this.#forget(atMs);
  }

  /** The section's value as it was after `record`; `LOST` where that is not known. */
  valueAt(key: string, kind: string, record: string): JsonObject | typeof LOST {
    const section = this.#sectionAt(key, kind, record);
    if (section === undefined) return LOST;
    return (section['value'] as JsonObject | undefined) ?? {};
  }

  /** What comes behind it starts from nothing. A snapshot that the fold has not come to yet was written without them. */
  #erase(digests: readonly string[]): void {
    const digest = this.#digest;
    if (digest === null) return;
    this.#byDigest ??= new Map([...this.#now.keys()].map((key) => [digest(key), key]));
    for (const one of digests) {
      const key = this.#byDigest.get(one);
      if (key === undefined) continue;
      this.#byDigest.delete(one);
      this.#now.delete(key);
      for (const name of this.#replaced.keys()) if (keyIn(name) === key) this.#replaced.delete(name);
    }
  }

  #sectionAt(key: string, kind: string, record: string): JsonObject | undefined {
    const later = this.#later.get(key)?.body[kind] as JsonObject | undefined;
    if (later?.['record'] === record) return later;
    const now = this.#now.get(key)?.body[kind] as JsonObject | undefined;
    return now?.['record'] === record ? now : this.#replaced.get(nameOf(key, kind, record));
  }

  #holds(key: string): boolean {
    const { keys } = this.#held;
    return keys === null || keys.has(key);
  }

  #put(persons: Map<string, PersonState>, person: PersonState): void {
    persons.set(person.key, person);
    if (persons.size > this.#held.max) throw new TooManyPersons(`more than ${this.#held.max} persons`);
  }

  #keep(name: string, section: JsonObject, atMs: number): void {
    this.#replaced.set(name, section);
    this.#queue.push([name, atMs]);
  }

  #forget(atMs: number): void {
    while (this.#queueStart < this.#queue.length) {
      const [name, replacedAtMs] = this.#queue[this.#queueStart]!;
      if (replacedAtMs >= atMs - REPLACED_KEPT_MS) break;
      this.#replaced.delete(name);
      this.#queueStart += 1;
    }
    // Now and then, so that taking from the front costs nothing.
    if (this.#queueStart > 1_024 && this.#queueStart * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#queueStart);
      this.#queueStart = 0;
    }
  }
}

function nameOf(key: string, kind: string, record: string): string {
  return `${kind} ${record} ${key}`;
}

function keyIn(name: string): string {
  return name.slice(name.indexOf(' ', name.indexOf(' ') + 1) + 1);
}

/** Null for a person of whom decisions read nothing. */
function readOf({ key, version, body }: PersonState): PersonState | null {
  const read: JsonObject = {};
  for (const kind of READ) if (body[kind] !== undefined) read[kind] = body[kind];
  return Object.keys(read).length === 0 ? null : { key, version, body: read };
}
