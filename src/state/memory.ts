import type { Digest } from '../model/erasure.ts';
import type { Applied, StateStore } from '../model/parts.ts';
import type { PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';
import { Erased, leftOf } from './erased.ts';
import { type Checkpoints, checkpointsAt, dumpPosition, foldRecords, NOTHING_APPLIED } from './fold.ts';

/** Persons' state in memory only: gone with the process, rebuilt from snapshots and the log. For tests and trials. */
export class MemoryState implements StateStore {
  #persons = new Map<string, PersonState>();
  #checkpoints: Checkpoints = new Map();
  readonly #digest: Digest | null;
  #erased: Erased;

  /** `digest`: null where nobody is ever erased. */
  constructor(digest: Digest | null = null) {
    this.#digest = digest;
    this.#erased = new Erased(digest);
  }

  get(key: string): PersonState | null {
    return this.#erased.of(this.#persons.get(key) ?? null);
  }

  getMany(keys: readonly string[]): readonly (PersonState | null)[] {
    return keys.map((key) => this.get(key));
  }

  apply(records: readonly Applied[]): undefined {
    foldRecords(
      records,
      this.#checkpoints,
      (key) => this.get(key),
      (person) => this.#persons.set(person.key, person),
      (erasure) => this.#erased.add(erasure),
    );
  }

  appliedUpTo(partition: number): number {
    return this.#checkpoints.get(partition) ?? NOTHING_APPLIED;
  }

  dump(): ReturnType<StateStore['dump']> {
    return { position: dumpPosition(this.#checkpoints), persons: this.#left(), end() {} };
  }

  #left(): readonly PersonState[] {
    return [...leftOf(this.#persons.values(), this.#erased)];
  }

  async purge(): Promise<void> {
    this.#persons = new Map(this.#left().map((person) => [person.key, person]));
    this.#erased = new Erased(this.#digest);
  }

  async restore(position: Position, persons: AsyncIterable<PersonState>): Promise<void> {
    const restored = new Map<string, PersonState>();
    for await (const person of persons) restored.set(person.key, person);
    this.#persons = restored;
    this.#erased = new Erased(this.#digest);
    this.#checkpoints = checkpointsAt(position);
  }

  async close(): Promise<void> {}
}
