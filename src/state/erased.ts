import { type Digest, type Erasure, identityWithoutErased, isErasedBy } from '../model/erasure.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';

/** An erasure that state holds, and may not have carried out everywhere. */
export interface AppliedErasure {
  readonly position: Position;
  readonly digests: readonly string[];
}

/**
 * Persons as they are after the erasures that state has applied. The database still holds what was there before, until it
 * is rewritten (`StateStore.purge`); by digests nobody can be found in it, but whoever is read can be told.
 *
 * A person is what they were before an erasure exactly where nothing of them was changed after it: the next change starts
 * from what `of` returns. So a person's sections are all older than an erasure, or none is of the time before.
 */
export class Erased {
  readonly #digest: Digest | null;
  #all: readonly AppliedErasure[] = [];
  #sets: readonly ReadonlySet<string>[] = [];

  constructor(digest: Digest | null, all: readonly AppliedErasure[] = []) {
    this.#digest = digest;
    for (const one of all) this.add(one);
  }

  get all(): readonly AppliedErasure[] {
    return this.#all;
  }

  /** From here on nobody whom it names is known. Throws where digests cannot be made. */
  add(erasure: AppliedErasure): void {
    if (this.#digest === null) {
      throw new Error('The log erases persons, and this store was given no key to tell them by.');
    }
    this.#all = [...this.#all, erasure];
    this.#sets = [...this.#sets, new Set(erasure.digests)];
  }

  /** As it is now, whatever is added later. */
  copy(): Erased {
    return new Erased(this.#digest, this.#all);
  }

  /** Forgets those that have been carried out. */
  done(erasures: readonly AppliedErasure[]): void {
    const kept = this.#all.filter((one) => !erasures.includes(one));
    this.#sets = this.#sets.filter((_, index) => kept.includes(this.#all[index]!));
    this.#all = kept;
  }

  /** The person as they are now; null where they are erased. The same object where nothing is. */
  of(person: PersonState | null): PersonState | null {
    if (this.#all.length === 0 || person === null) return person;
    const changedAt = lastChange(person);
    const sets = this.#sets.filter((_, index) => isBefore(changedAt, this.#all[index]!.position));
    return sets.length === 0 ? person : withoutErasedPersons(person, sets, this.#digest!);
  }
}

export function appliedErasure({ digests }: Erasure, position: Position): AppliedErasure {
  return { position, digests };
}

function withoutErasedPersons(
  person: PersonState,
  sets: readonly ReadonlySet<string>[],
  digest: Digest,
): PersonState | null {
  const isErased = isErasedBy(sets, digest);
  if (isErased(person.key)) return null;
  const { identity } = person.body;
  if (!isObject(identity)) return person;
  const left = identityWithoutErased(identity, person.key, isErased);
  if (left === identity) return person;
  return left === null ? null : { ...person, body: { ...person.body, identity: left } };
}

/** Where the newest change of a person stands: sections say the record that they are from ("0:41"). */
function lastChange({ body }: PersonState): Position {
  let last: Position = { partition: 0, offset: -1 };
  for (const section of Object.values(body) as JsonObject[]) {
    const [partition = 0, offset = -1] = String(section['record']).split(':').map(Number);
    if (offset > last.offset) last = { partition, offset };
  }
  return last;
}

/** Of two logs nobody can tell which was first: what stands in another one is taken for older. */
function isBefore(one: Position, erasure: Position): boolean {
  return one.partition !== erasure.partition || one.offset < erasure.offset;
}

export function* leftOf(persons: Iterable<PersonState>, erased: Erased): Generator<PersonState> {
  for (const person of persons) {
    const left = erased.of(person);
    if (left !== null) yield left;
  }
}
