import type { Applied, EventLog } from '../../src/model/parts.ts';
import type { Change } from '../../src/model/person.ts';
import type { LogRecord, Position, Stored } from '../../src/model/record.ts';
import type { RecoverableLog } from '../../src/state/keeper.ts';

const PARTITION = 0;

/** A log in memory, for what the state needs of one: records by offset, of which the oldest, or any, may be missing. */
export class RecordLog implements RecoverableLog {
  readonly #records = new Map<number, readonly Change[]>();
  /** Everything that was ever in it, but for what `endAt` took back. */
  readonly #ever: (readonly Change[])[] = [];
  nextOffset = 0;
  /** Offsets in the order in which they were read. */
  readonly reads: number[] = [];

  add(...changes: readonly Change[]): Stored {
    const offset = this.nextOffset++;
    this.#records.set(offset, changes);
    this.#ever[offset] = changes;
    return this.#stored(offset);
  }

  /** As retention does. */
  dropBefore(offset: number): void {
    for (const known of this.#records.keys()) if (known < offset) this.#records.delete(known);
  }

  /** As damage does. */
  lose(offset: number): void {
    this.#records.delete(offset);
  }

  /** As expiry does with choices and erasures. */
  forgetChanges(offset: number): void {
    this.#records.set(offset, []);
  }

  /** As somebody does who puts back an older copy of the log. */
  endAt(offset: number): void {
    for (const known of this.#records.keys()) if (known >= offset) this.#records.delete(known);
    this.#ever.length = offset;
    this.nextOffset = offset;
  }

  all(): readonly Applied[] {
    return this.#ever.map((changes, offset) => ({ position: { partition: PARTITION, offset }, changes }));
  }

  async *read(from: Parameters<EventLog['read']>[0]): AsyncGenerator<Stored> {
    const start = from === 'start' ? 0 : 'offset' in from ? from.offset : 0;
    for (let offset = start; offset < this.nextOffset; offset++) {
      if (!this.#records.has(offset)) continue;
      this.reads.push(offset);
      yield this.#stored(offset);
    }
  }

  #stored(offset: number): Stored {
    const position: Position = { partition: PARTITION, offset };
    const record: LogRecord = {
      requestId: `request-${offset}`,
      atMs: 0,
      orgId: 'org',
      datastreamId: 'datastream',
      path: '/v2/interact',
      ecid: null,
      meta: {},
      events: [],
      raw: null,
      changes: this.#records.get(offset) ?? [],
    };
    return { position, record };
  }
}
