import { type Erasure, erasureChange } from '../../src/model/erasure.ts';
import type { LogRecord } from '../../src/model/record.ts';
import type { Machine } from './machine.ts';
import type { Model } from './model.ts';
import type { SimProcess } from './process.ts';
import { VISITORS } from './requests.ts';
import { type Drive, expectDisturbed } from './sim-consumer.ts';
import { NO_FAULTS } from './sim-fs.ts';

/** A pass reads, writes and syncs some tens of times. */
const CALLS_OF_A_PASS = 80;

/** What the simulation does about erasures. */
export class SimErasing {
  readonly #machine: Machine;
  readonly #model: Model;
  readonly #steps: string[];

  constructor(machine: Machine, model: Model, steps: string[]) {
    this.#machine = machine;
    this.#model = model;
    this.#steps = steps;
  }

  /** Asks for an erasure; others may come before it is answered. */
  async erase(process: SimProcess): Promise<void> {
    const { random, clock } = this.#machine;
    const visitor = random.pick(VISITORS);
    const erasure = process.erasures.prepare('org', [{ namespace: 'ECID', id: visitor }]);
    const record = recordOf(erasure, clock.ms);
    this.#steps.push(`erase ${visitor} (${record.requestId})`);
    this.#model.send(record);
    this.#model.erased.begin(visitor, record.requestId);
    process.erasing += 1;
    process.erasures.erase(erasure).then(
      () => {
        process.erasing -= 1;
        if (process.fs.hasStopped) return;
        this.#model.erased.answer(record.requestId);
        const placed = process.log.erasures.find(({ id }) => id === erasure.id);
        // A pass may have carried it out by now.
        if (placed?.offset == null) return;
        this.#model.acknowledge(record, { partition: 0, offset: placed.offset });
        this.#model.erased.place(record.requestId, placed.offset);
      },
      (error: unknown) => {
        process.erasing -= 1;
        if (!process.fs.hasStopped) this.#steps.push(`not erased: ${String(error)}`);
      },
    );
    await this.#machine.turns.run(() => process.fs.hasStopped || random.oneIn(8));
  }

  /** A pass, which may be cut short at any of its calls. */
  async carryOut(process: SimProcess, drive: Drive): Promise<void> {
    const { random } = this.#machine;
    this.#steps.push(`carry out ${process.log.erasures.map(({ id, offset }) => `${id} at ${offset}`).join(', ')}`);
    if (random.oneIn(3)) process.fs.faults = { ...NO_FAULTS, stop: random.between(1, CALLS_OF_A_PASS) };
    try {
      const receipts = await drive(process.erasures.carryOut());
      if (receipts === null) return;
      this.#steps.push(
        `carried out: ${receipts.map(({ erasure, position }) => `${erasure} at ${position}`).join(', ')}`,
      );
      for (const { erasure, position } of receipts) {
        this.#model.erased.place(`erasure-${erasure}`, Number(position.split(':')[1]));
      }
      for (const receipt of receipts) this.#model.receipts.give(receipt);
      const done = receipts.map(({ erasure }) => `erasure-${erasure}`);
      this.#model.erased.carriedOut(done, this.#model.placed());
    } catch (error) {
      expectDisturbed(this.#model, process, error);
    }
  }

  /** What is gone is on no disk. */
  check(): void {
    const files = new Map([...this.#machine.disk.names].map(([path, { seen }]) => [path, seen]));
    for (const fault of this.#model.erased.found(files)) this.#model.wrong(fault);
  }
}

/** The model's: the real one has the same id, and is compared by it. */
function recordOf(erasure: Erasure, atMs: number): LogRecord {
  return {
    ...{ requestId: `erasure-${erasure.id}`, atMs, orgId: 'org', datastreamId: '', path: '' },
    ...{ ecid: null, meta: {}, events: [], raw: null, changes: [erasureChange(erasure, '')] },
  };
}
