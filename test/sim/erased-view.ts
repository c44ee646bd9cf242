import type { JsonObject } from '../../src/model/json.ts';
import type { PersonState } from '../../src/model/person.ts';
import type { LogRecord } from '../../src/model/record.ts';
import { visitorKey } from './requests.ts';

/** One erasure, as the model knows it. */
export interface SentErasure {
  readonly visitor: string;
  /** Of its record. */
  readonly requestId: string;
  /** Where its record stands; null while that is not known. */
  offset: number | null;
  /** Readings that begin later do not show the visitor any more; null while nobody was told. */
  knownSince: number | null;
  /** When it was answered, or a start settled it: readings that began before may miss what came behind it too. */
  pendingUntil: number;
  /** It is not in the log, and never will be. */
  isVoid: boolean;
}

/**
 * Who is erased, kept plainly: by name. What a reader may see of a visitor's events and changes before the place of an
 * erasure is nothing, as soon as it was answered or its record was seen; and either, while it is under way.
 */
export class ErasedView {
  readonly all: SentErasure[] = [];
  #clock = 0;
  /** Marks that no file may hold any more, with whose they are. */
  readonly #gone = new Set<string>();

  /** A moment: later ones are greater. */
  now(): number {
    this.#clock += 1;
    return this.#clock;
  }

  begin(visitor: string, requestId: string): void {
    this.all.push({ visitor, requestId, offset: null, knownSince: null, pendingUntil: Infinity, isVoid: false });
  }

  has(requestId: string): boolean {
    return this.all.some((one) => one.requestId === requestId);
  }

  /** Its record is durable. */
  place(requestId: string, offset: number): void {
    const erasure = this.all.find((one) => one.requestId === requestId);
    if (erasure === undefined) return;
    erasure.offset = offset;
    erasure.knownSince ??= this.now();
  }

  /** A process has started: what is not in the log by now has not happened. */
  settle(): void {
    for (const one of this.all) {
      one.pendingUntil = Math.min(one.pendingUntil, this.now());
      one.isVoid ||= one.offset === null;
    }
  }

  /** It was answered. */
  answer(requestId: string): void {
    for (const one of this.all) if (one.requestId === requestId) one.pendingUntil = this.now();
  }

  mustHide(visitor: string, offset: number, since: number): boolean {
    return this.all.some(
      (one) => one.visitor === visitor && (one.offset ?? -1) > offset && (one.knownSince ?? Infinity) < since,
    );
  }

  /** A reading of no known beginning (`since` 0) may show what it read when more was hidden than is now. */
  mayHide(visitor: string, offset: number, since: number): boolean {
    return this.all.some((one) => {
      if (one.visitor !== visitor) return false;
      return since === 0 || since < one.pendingUntil || (!one.isVoid && (one.offset ?? Infinity) > offset);
    });
  }

  /** A pass is over that found these erasures placed: nothing of before is left. */
  carriedOut(requestIds: readonly string[], records: ReadonlyMap<number, LogRecord>): void {
    for (const { visitor, requestId, offset } of this.all) {
      if (!requestIds.includes(requestId)) continue;
      for (const [at, { events }] of records) {
        if (at >= offset!) continue;
        for (const { identities, xdm } of events)
          if (identities[0]!.id === visitor) this.#gone.add(String(xdm['mark']));
      }
    }
  }

  /** Marks that stand in a file all the same. */
  found(files: ReadonlyMap<string, Buffer>): string[] {
    const found: string[] = [];
    for (const [path, bytes] of files) {
      const text = bytes.toString('latin1');
      for (const mark of this.#gone) if (text.includes(mark)) found.push(`${path} still holds ${mark}`);
    }
    return found;
  }
}

/** State as it is behind an erasure. */
export function eraseVisitor(persons: Map<string, PersonState>, visitor: string): void {
  const key = visitorKey(visitor);
  persons.delete(key);
  for (const [other, person] of persons) {
    const identity = person.body['identity'] as JsonObject | undefined;
    if (identity === undefined) continue;
    const links = (identity['links'] as [string, string][]).filter(([, id]) => id !== visitor);
    persons.set(other, { ...person, body: { ...person.body, identity: { ...identity, links } } });
  }
}
