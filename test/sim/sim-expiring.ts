import type { EventAges } from '../../src/model/expiry.ts';
import { LogUnavailable } from '../../src/model/parts.ts';
import type { Machine } from './machine.ts';
import type { Model } from './model.ts';
import { DATA_FOLDER, LOG_FOLDER, RECEIPTS_FOLDER, type SimProcess } from './process.ts';
import { DATASTREAMS, EVENT_TYPES } from './requests.ts';
import { type Drive, expectDisturbed } from './sim-consumer.ts';
import { NO_FAULTS } from './sim-fs.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** A pass over some segments reads, writes and syncs so often, at most. */
const CALLS_OF_A_PASS = 120;
/** What passes at once: less than the clock has to run evenly, less than from pass to pass, and more than a rule takes to settle. */
const HOURS = [0.5, 2, 13, 25, 25, 60];
/** In days; a day is the least that there is. */
const AGES = [1, 1, 2, 5, null];

/** What the simulation does about expiry: a workspace that changes, and a clock that goes on by hours and jumps. */
export class SimExpiring {
  readonly #machine: Machine;
  readonly #model: Model;
  readonly #steps: string[];
  readonly #workspace = new Map<string, EventAges>();

  constructor(machine: Machine, model: Model, steps: string[]) {
    this.#machine = machine;
    machine.disk.folders.add(DATA_FOLDER);
    this.#model = model;
    this.#steps = steps;
  }

  /** While no process runs. */
  beforeStart(): void {
    const { random } = this.#machine;
    this.#model.expired.end();
    if (this.#workspace.size === 0) for (let i = 0; i < 2; i++) this.#change();
    if (random.oneIn(5)) this.#change();
    if (random.oneIn(4)) this.#pass(random.pick(HOURS));
    if (random.oneIn(8)) this.#jump();
  }

  /** A process has opened the log. The server takes the workspace's ages before it is there for others. */
  async start(process: SimProcess): Promise<void> {
    const { boot } = this.#machine;
    for (const fault of this.#model.expired.open(process.log.rules, boot.count)) this.#model.wrong(fault);
    await process.expiry.take(this.#workspace);
  }

  /** What stands there twice is done twice as often. */
  acts(process: SimProcess, drive: Drive): (() => Promise<void>)[] {
    const hours = (): Promise<void> => this.letHoursPass(process, drive);
    const rules = (): Promise<void> => this.changeRules(process, drive);
    const jump = (): Promise<void> => this.jump(process, drive);
    const read = (): Promise<void> => this.readProofs(process, drive);
    return [hours, hours, hours, hours, hours, hours, rules, rules, jump, read, read];
  }

  #change(): void {
    const { random } = this.#machine;
    const id = random.pick(DATASTREAMS);
    if (random.oneIn(6)) {
      this.#workspace.delete(id);
      this.#steps.push(`${id} is taken out of the workspace`);
      return;
    }
    const age = (): number | null => {
      const days = random.pick(AGES);
      return days === null ? null : days * DAY_MS;
    };
    const types = EVENT_TYPES.filter(() => random.oneIn(3));
    const ages = { maxAgeMs: age(), eventTypes: new Map(types.map((type) => [type, age()])) };
    this.#workspace.set(id, ages);
    this.#steps.push(`${id} keeps events for ${ages.maxAgeMs} ms, ${JSON.stringify([...ages.eventTypes])}`);
  }

  /** Other ages from now on; others may come before they are written. */
  async changeRules(process: SimProcess, drive: Drive): Promise<void> {
    this.#change();
    const taken = process.expiry.take(this.#workspace);
    await this.#await(process, taken, drive);
  }

  #pass(hours: number): void {
    this.#steps.push(`${hours} hours pass`);
    this.#machine.clock.ms += hours * HOUR_MS;
  }

  /** Time passes, and what is due is done; it may be cut short at any of its calls, or others come meanwhile. */
  async letHoursPass(process: SimProcess, drive: Drive): Promise<void> {
    // No disk takes so long: the record of an erasure would be older by them than the segment that it comes to.
    await this.#machine.turns.run(() => process.fs.hasStopped || process.erasing === 0);
    this.#pass(this.#machine.random.pick(HOURS));
    process.host.runTimers();
    await this.tend(process, drive);
  }

  async tend(process: SimProcess, drive: Drive): Promise<void> {
    const { random } = this.#machine;
    if (process.fs.hasStopped) return;
    this.#steps.push('tend to what expires');
    if (random.oneIn(4)) process.fs.faults = { ...NO_FAULTS, stop: random.between(1, CALLS_OF_A_PASS) };
    await this.#await(process, process.expiry.tend(), drive);
  }

  /** To the end, or for a while. */
  async #await(process: SimProcess, work: Promise<void>, drive: Drive): Promise<void> {
    const { random, turns } = this.#machine;
    const done = this.#excused(process, work);
    if (random.oneIn(4)) await turns.run(() => process.fs.hasStopped || random.oneIn(12));
    else await drive(done);
  }

  #excused(process: SimProcess, work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => {
      // The log is closed in the middle of it.
      if (error instanceof LogUnavailable && error.reason === 'closed') return;
      if (!process.fs.hasStopped) expectDisturbed(this.#model, process, error);
    });
  }

  #jump(): void {
    const { random, clock } = this.#machine;
    const isWrong = clock.jumpedMs !== 0;
    const ms = isWrong && random.oneIn(2) ? -clock.jumpedMs : random.pick([-3, 1, 2, 8]) * DAY_MS;
    clock.ms += ms;
    clock.jumpedMs += ms;
    this.#model.expired.jump();
    this.#steps.push(`the clock jumps by ${ms / HOUR_MS} hours`);
  }

  /** The wall clock is set, and the server sees it within a minute. */
  async jump(process: SimProcess, drive: Drive): Promise<void> {
    await this.#machine.turns.run(() => process.fs.hasStopped);
    this.#jump();
    await drive(this.#excused(process, process.expiry.tend()));
  }

  /** With what is kept of segments that were dropped. */
  async readProofs(process: SimProcess, drive: Drive): Promise<void> {
    this.#steps.push('read choices and erasures');
    const { log } = process;
    const offsets = [...this.#model.placed().keys()].filter((offset) => offset < log.nextOffset);
    const reading = this.#model.reading({ isKnown: true, hasProofs: true });
    try {
      const shown = await drive(process.readWithProofs(reading));
      if (shown !== null) this.#model.checkProofs(offsets, shown, reading, 'the log with its proofs');
    } catch (error) {
      expectDisturbed(this.#model, process, error);
    }
  }

  /** Of a running process when nothing is under way: what is gone is on no disk, what is not due is; and all proofs are there. */
  async check(process: SimProcess, drive: Drive): Promise<void> {
    await this.readProofs(process, drive);
    if (process.fs.hasStopped) return;
    const files = new Map<string, string>();
    const receipts = new Set<string>();
    for (const [path, { seen }] of this.#machine.disk.names) {
      if (path.startsWith(LOG_FOLDER) && /segment|proofs/.test(path)) files.set(path, seen.toString('latin1'));
      if (path.startsWith(RECEIPTS_FOLDER) && path.endsWith('.json'))
        receipts.add(path.slice(RECEIPTS_FOLDER.length + 1, -'.json'.length));
    }
    const model = this.#model;
    for (const fault of model.expired.faultsOn(files, model.kept())) model.wrong(fault);
    for (const fault of model.receipts.faults(receipts)) model.wrong(fault);
  }
}
