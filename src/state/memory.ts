import type { Applied, StateStore } from '../model/parts.ts';
import type { PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';
import { type Checkpoints, checkpointsAt, dumpPosition, foldRecords, NOTHING_APPLIED } from './fold.ts';

/** Persons' state in memory only: gone with the process, rebuilt from snapshots and the log. For tests and trials. */
export class MemoryState implements StateStore {
  #persons = new Map<string, PersonState>();
  #checkpoints: Checkpoints = new Map();

  get(key: string): PersonState | null {
    return this.#persons.get(key) ?? null;
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
    );
  }

  appliedUpTo(partition: number): number {
    return this.#checkpoints.get(partition) ?? NOTHING_APPLIED;
  }

  dump(): ReturnType<StateStore['dump']> {
    return { position: dumpPosition(this.#checkpoints), persons: [...this.#persons.values()], end() {} };
  }

  async restore(position: Position, persons: AsyncIterable<PersonState>): Promise<void> {
    const restored = new Map<string, PersonState>();
    for await (const person of persons) restored.set(person.key, person);
    this.#persons = restored;
    this.#checkpoints = checkpointsAt(position);
  }

  async close(): Promise<void> {}
}
