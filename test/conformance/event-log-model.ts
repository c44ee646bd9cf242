import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Applied, Batch, EventLog } from '../../src/model/parts.ts';
import { at, ids, idsOf, type LogDeps, type LogEngine, parseBody, Reading, readAll, recordOf } from './log-engine.ts';

/**
 * A log that several use at the same time, held against a model: the record that was appended as the n-th stands at
 * offset n, and a consumer is given what stands behind its last commit or seek, without a hole.
 */

/** Places are parts of what was appended by then, so that they are there. */
type ConsumerAct =
  | { readonly act: 'take' | 'take-and-commit' | 'commit-late' | 'begin-anew' }
  | { readonly seek: number };
interface Phase {
  /** Sizes of the bursts. */
  readonly appends: readonly number[];
  readonly reads: readonly number[];
  readonly consumers: readonly (readonly ConsumerAct[])[];
  readonly isReopenedAfter: boolean;
}

const part = fc.double({ min: 0, max: 1, noNaN: true });
const consumerActs = fc.array(
  fc.oneof(
    fc.record({ act: fc.constantFrom('take', 'take-and-commit', 'commit-late', 'begin-anew') }),
    fc.record({ seek: part }),
  ) as fc.Arbitrary<ConsumerAct>,
  { maxLength: 8 },
);
const phases = fc.array(
  fc.record<Phase>({
    appends: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 6 }),
    reads: fc.array(part, { maxLength: 4 }),
    consumers: fc.array(consumerActs, { minLength: 2, maxLength: 2 }),
    isReopenedAfter: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);
const RUNS = 60;
/** A run takes some 30 ms; one that hangs is to be named, with its seed. */
const RUN_MS_MAX = 10_000;

class SharedLog {
  log: EventLog;
  sent = 0;
  acknowledged = 0;

  constructor(log: EventLog) {
    this.log = log;
  }

  async append(bursts: readonly number[]): Promise<void> {
    for (const count of bursts) {
      const from = this.sent;
      this.sent += count;
      const positions = await Promise.all(
        ids(from, from + count).map((_, i) => {
          const changes = [{ kind: 'profile' as const, key: 'ann', time: '000000000001-0000', body: {} }];
          return this.log.append(recordOf(from + i, i % 2 === 0 ? { changes } : {}));
        }),
      );
      expect(positions).toEqual(ids(from, from + count).map((_, i) => at(from + i)));
      this.acknowledged = this.sent;
    }
  }

  async read(parts: readonly number[]): Promise<void> {
    for (const one of parts) {
      const from = Math.floor(one * this.sent);
      const there = this.acknowledged;
      const got = idsOf(await readAll(this.log, at(from)));
      expect(got).toEqual(ids(from, from + got.length));
      expect(from + got.length).toBeGreaterThanOrEqual(there);
    }
  }
}

class Consumer {
  readonly #shared: SharedLog;
  readonly #name: string;
  #reading: Reading<Batch> | null = null;
  #committed = 0;
  /** Of the next batch. */
  #place = 0;
  #batches: { readonly batch: Batch; readonly next: number }[] = [];

  constructor(shared: SharedLog, name: string) {
    this.#shared = shared;
    this.#name = name;
  }

  async run(acts: readonly ConsumerAct[]): Promise<void> {
    for (const one of acts) {
      if ('seek' in one) await this.#seek(Math.floor(one.seek * this.#shared.sent));
      else if (one.act === 'begin-anew') await this.stop();
      else if (one.act === 'commit-late') await this.#commit(this.#batches.at(-2));
      else {
        await this.#take();
        if (one.act === 'take-and-commit') await this.#commit(this.#batches.at(-1));
      }
    }
  }

  async #take(): Promise<void> {
    // What was sent will come.
    if (this.#place >= this.#shared.sent) return;
    this.#reading ??= new Reading((signal) => this.#shared.log.consume(this.#name, signal));
    const batch = await this.#reading.next();
    const got = idsOf(batch?.stored ?? []);
    expect(got.length).toBeGreaterThan(0);
    expect(got, this.#name).toEqual(ids(this.#place, this.#place + got.length));
    this.#place += got.length;
    this.#batches.push({ batch: batch!, next: this.#place });
  }

  async #commit(held: { readonly batch: Batch; readonly next: number } | undefined): Promise<void> {
    await held?.batch.commit();
    this.#committed = Math.max(this.#committed, held?.next ?? 0);
  }

  async #seek(to: number): Promise<void> {
    await this.#shared.log.seek(this.#name, at(to));
    this.#committed = to;
    this.#place = to;
    // The commit of a batch from before does nothing.
    this.#batches = this.#batches.map(({ batch }) => ({ batch, next: 0 }));
  }

  /** The reader ends, and the next begins behind the last commit. */
  async stop(): Promise<void> {
    await this.#reading?.end();
    this.#reading = null;
    this.#place = this.#committed;
    this.#batches = [];
  }
}

export function describeLogModel(name: string, makeEngine: () => LogEngine): void {
  test(`EventLog: ${name}: many at a time see what one after the other would`, async () => {
    const property = fc.asyncProperty(phases, async (all) => {
      const engine = makeEngine();
      const applied: Applied[] = [];
      const deps: LogDeps = { onSynced: (some) => void applied.push(...some), parseBody };
      const shared = new SharedLog(await engine.open(deps));
      const consumers = [new Consumer(shared, 'one'), new Consumer(shared, 'other')];
      try {
        for (const { appends, reads, consumers: acts, isReopenedAfter } of all) {
          await Promise.all([
            shared.append(appends),
            shared.read(reads),
            ...consumers.map((consumer, i) => consumer.run(acts[i]!)),
          ]);
          for (const consumer of isReopenedAfter ? consumers : []) await consumer.stop();
          if (isReopenedAfter) shared.log = await engine.reopen(shared.log, deps);
          expect(idsOf(await readAll(shared.log))).toEqual(ids(0, shared.sent));
        }
        const offsets = applied.filter(({ changes }) => changes.length > 0).map(({ position }) => position.offset);
        expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
      } finally {
        for (const consumer of consumers) await consumer.stop();
        await shared.log.close();
        await engine.dispose();
      }
    });
    await fc.assert(property, { numRuns: RUNS, timeout: RUN_MS_MAX, endOnFailure: true });
  });
}
