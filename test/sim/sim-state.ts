import type { Digest } from '../../src/model/erasure.ts';
import type { Applied, StateStore } from '../../src/model/parts.ts';
import type { PersonState } from '../../src/model/person.ts';
import type { Position } from '../../src/model/record.ts';
import { MemoryState } from '../../src/state/memory.ts';
import type { Random } from './random.ts';

/** What survives of a store: a base, and the records applied since, of which the first `flushed` are on disk for sure. */
export class StateDisk {
  base: { position: Position; persons: readonly PersonState[] } = {
    position: { partition: 0, offset: -1 },
    persons: [],
  };
  applied: Applied[] = [];
  flushed = 0;

  /** After a stop of any kind the store is as it was after one of its transactions: the last synced one, or a later one. */
  crash(random: Random): void {
    this.applied.length = random.between(this.flushed, this.applied.length);
    this.flushed = this.applied.length;
  }

  /** A transaction is synced, sooner or later. */
  flush(): void {
    this.flushed = this.applied.length;
  }
}

/** Stands for LMDB: reads see what was applied, the disk has it later, records and checkpoint together. */
export class SimState extends MemoryState implements StateStore {
  readonly #disk: StateDisk;

  private constructor(disk: StateDisk, digest: Digest) {
    super(digest);
    this.#disk = disk;
  }

  static async open(disk: StateDisk, digest: Digest): Promise<SimState> {
    const state = new SimState(disk, digest);
    await state.#load();
    return state;
  }

  async #load(): Promise<void> {
    await super.restore(this.#disk.base.position, each(this.#disk.base.persons));
    super.apply(this.#disk.applied);
  }

  override apply(records: readonly Applied[]): undefined {
    this.#disk.applied.push(...records);
    return super.apply(records);
  }

  /** What was there before is replaced as a whole, with the records since. */
  override async purge(): Promise<void> {
    await super.purge();
    const { position, persons } = this.dump();
    this.#disk.base = { position, persons: [...persons] };
    this.#disk.applied = [];
    this.#disk.flushed = 0;
  }

  override async restore(position: Position, persons: AsyncIterable<PersonState>): Promise<void> {
    await super.restore(position, persons);
    const dump = this.dump();
    this.#disk.base = { position, persons: [...dump.persons] };
    this.#disk.applied = [];
    this.#disk.flushed = 0;
  }
}

async function* each<T>(values: Iterable<T>): AsyncGenerator<T> {
  yield* values;
}
