import { LogUnavailable } from '../../src/model/parts.ts';
import { flipBit } from './flips.ts';
import { framesOn, Machine, missingAtStart as missingIn, ROOMY_BYTES } from './machine.ts';
import { Model } from './model.ts';
import { LOG_FOLDER, type LogLimits, readFromOutside, SimProcess } from './process.ts';
import { expectDisturbed, SimConsumer } from './sim-consumer.ts';
import { SimErasing } from './sim-erasing.ts';
import { SimExpiring } from './sim-expiring.ts';
import { NO_FAULTS } from './sim-fs.ts';
import { limitsOf, REQUEST_OF, type Theme, WEATHER_OF } from './themes.ts';
import { faultsIn, WEATHERS, type Weather } from './weather.ts';

/** What one schedule did, and what was wrong; nothing where all promises were kept. */
export interface Outcome {
  readonly seed: number;
  readonly wrongs: readonly string[];
  readonly steps: readonly string[];
}

/** Appends are to be taken again this long after there is space (P5). */
const RESUME_MS = 5000;

/** Runs one schedule: a pure function of its seed and theme. */
export async function simulate(seed: number, theme: Theme = 'mixed'): Promise<Outcome> {
  const simulation = new Simulation(seed, theme);
  try {
    await simulation.run();
  } catch (error) {
    simulation.model.wrong(`an error nobody expected: ${(error as Error).stack ?? String(error)}`);
  }
  return { seed, wrongs: simulation.model.wrongs, steps: simulation.steps };
}

class Simulation {
  readonly model: Model;
  readonly steps: string[] = [];
  readonly #machine: Machine;
  readonly #theme: Theme;
  readonly #weather: Weather;
  readonly #limits: LogLimits;
  #process: SimProcess | null = null;
  #sent = 0;
  readonly #consumer: SimConsumer;
  readonly #erasing: SimErasing;
  /** Null in a theme without it. */
  readonly #expiring: SimExpiring | null;
  #isSpaceShort = false;
  /** Everything in the log was looked at since the last start. */
  #isSettled = false;
  /** The mark of the end is as the last process wrote it: one that the disk lost hides the last batch until the next start. */
  #isMarkSound = true;

  constructor(seed: number, theme: Theme) {
    this.#machine = new Machine(seed);
    this.model = new Model(this.#machine.clock);
    this.#theme = theme;
    const { random } = this.#machine;
    const weather = random.pick(WEATHERS);
    this.#weather = WEATHER_OF[theme] ?? weather;
    this.#limits = limitsOf(theme, random);
    this.#consumer = new SimConsumer(this.model, this.steps);
    this.#erasing = new SimErasing(this.#machine, this.model, this.steps);
    this.#expiring = theme === 'expiry' ? new SimExpiring(this.#machine, this.model, this.steps) : null;
    this.#step(`seed ${seed}, weather ${this.#weather}, ${JSON.stringify(this.#limits)}`);
  }

  #step(what: string): void {
    this.steps.push(what);
  }

  async run(): Promise<void> {
    const { random } = this.#machine;
    const steps = random.between(4, 24);
    for (let i = 0; i < steps && this.model.wrongs.length === 0; i++) {
      if (this.#process === null) await this.#start();
      else await this.#act(this.#process);
      if (this.#process?.fs.hasStopped === true) await this.#crash(this.#process);
    }
    if (this.#process !== null && this.model.wrongs.length === 0) await this.#crash(this.#process);
    this.#makeRoom();
    if (this.model.wrongs.length === 0) await this.#start(NO_FAULTS);
  }

  /** Lets things happen until `work` is done; null if the process stopped first. */
  async #drive<T>(process: { readonly fs: { readonly hasStopped: boolean } }, work: Promise<T>): Promise<T | null> {
    let outcome: { value: T } | { error: unknown } | null = null;
    work.then(
      (value) => {
        outcome = { value };
      },
      (error: unknown) => {
        outcome = { error };
      },
    );
    const { turns } = this.#machine;
    await turns.run(() => outcome !== null || process.fs.hasStopped);
    const settled = outcome as { value: T } | { error: unknown } | null;
    if (process.fs.hasStopped) return null;
    if (settled === null) throw new Error('nothing happens any more, and the work is not done');
    if ('error' in settled) throw settled.error;
    return settled.value;
  }

  async #settle(process: SimProcess): Promise<void> {
    await this.#machine.turns.run(() => process.fs.hasStopped);
  }

  async #start(faults = faultsIn(this.#weather, this.#machine.random, 40)): Promise<void> {
    this.#expiring?.beforeStart();
    // What bits have flipped, and what the power cut has taken, decides what can still be known.
    if (this.model.hasDamage) this.model.doubtFrom(framesOn(this.#machine.disk).provenEnd);
    const missingAtStart = this.model.hasDamage ? await missingIn(this.#machine.disk, LOG_FOLDER) : [];
    const process = new SimProcess(this.#machine, this.model, faults);
    const isUndisturbed = (): boolean => !process.fs.hasBeenDisturbed && !process.fs.hasRunOut;
    this.#step(`start ${JSON.stringify(faults)}`);
    try {
      const isOpen = await this.#drive(
        process,
        this.#open(process).then(() => true),
      );
      if (isOpen !== null && isUndisturbed()) this.#isMarkSound = true;
      // Stopped between the two halves of a short write, it has left half a mark.
      if (isOpen === null && faults.short > 0) this.#isMarkSound = false;
      if (isOpen === null) return this.#crash(process);
      this.model.checkStart(missingAtStart, process.saidAtStart);
      this.model.endAt(process.log.nextOffset);
      if (this.#consumer.hasPassed(process.log.nextOffset)) {
        this.model.wrong(`the next record gets ${process.log.nextOffset}, which the consumer has had already`);
      }
    } catch (error) {
      if (isUndisturbed()) throw error;
      this.#isMarkSound = false;
      this.#step(`did not start: ${(error as Error).message}`);
      this.#makeRoom();
      this.#machine.turns.clear();
      return;
    }
    process.fs.faults = { ...NO_FAULTS, short: process.fs.faults.short };
    this.#process = process;
    this.#isSettled = false;
    await this.#check(process);
    // What the log does not have by now has not happened.
    if (this.#isSettled && !this.model.hasDamage) this.model.erased.settle();
  }

  async #open(process: SimProcess): Promise<void> {
    await process.open(this.#limits);
    await this.#expiring?.start(process);
  }

  /** Everything that can be checked of a running process when nothing is under way. */
  async #check(process: SimProcess): Promise<void> {
    const { log, store, missing } = process;
    await this.#settle(process);
    process.fs.faults = { ...NO_FAULTS, stop: process.fs.faults.stop };
    const shown = await this.#drive(process, process.readAll());
    if (shown === null) return;
    this.model.checkWhole(shown, missing, log.nextOffset, 'the log');
    this.model.checkState(store, log.nextOffset);
    if (process.fs.hasFailed && log.refusing !== 'failed') this.model.wrong('a sync failed, and the log goes on');
    if (process.fatal.length > 1) this.model.wrong('the failure was told twice');
    if (process.fatal.length > 0 && !process.fs.hasBeenDisturbed) throw process.fatal[0]!;
    for (const breach of process.fs.breaches) this.model.wrong(breach);
    this.#erasing.check();
    await this.#expiring?.check(process, (work) => this.#drive(process, work));
    this.#isSettled = true;
  }

  async #act(process: SimProcess): Promise<void> {
    const { random, turns, stateDisk } = this.#machine;
    const acts: readonly (() => Promise<void>)[] = [
      () => this.#append(process),
      () => this.#append(process),
      () => this.#append(process),
      () => this.#append(process),
      () => this.#settle(process),
      () => this.#someTurns(process),
      () => this.#check(process),
      () => this.#readOutside(),
      () => this.#consume(process),
      () => this.#consume(process),
      () => this.#seek(process),
      () => this.#snapshot(process),
      () => this.#retain(process),
      () => this.#letTimePass(process, random.between(500, 3000)),
      () => this.#crash(process),
      () => this.#crash(process),
      () => this.#close(process),
      () => this.#misfortune(process),
      () => this.#misfortune(process),
      () => this.#trickle(),
      () => this.#quietly('state is flushed', () => stateDisk.flush()),
      () => this.#follow(process),
      ...this.#actsOfTheme(process),
    ];
    await random.pick(acts)();
    if (turns.areOver && process.fs.hasFailed) await this.#check(process);
  }

  /** What a theme does beside everything that all do; what stands there twice is done twice as often. */
  #actsOfTheme(process: SimProcess): (() => Promise<void>)[] {
    const burst = (): Promise<void> => this.#burst(process);
    const trickle = (): Promise<void> => this.#trickle();
    const seek = (): Promise<void> => this.#seek(process);
    const commitLate = (): Promise<void> => this.#commitLate(process);
    const upkeep = (): Promise<void> => this.#upkeep(process);
    const beside = (): Promise<void> => this.#retainBeside(process);
    const misfortune = (): Promise<void> => this.#misfortune(process);
    const crash = (): Promise<void> => this.#crash(process);
    const spaceless = (): Promise<void> => this.#spaceless(process);
    const erase = (): Promise<void> => this.#erasing.erase(process);
    const drive = <T>(work: Promise<T>): Promise<T | null> => this.#drive(process, work);
    const carryOut = (): Promise<void> => this.#erasing.carryOut(process, drive);
    const cutShort = (): Promise<void> => this.#retainInPart(process);
    const stuck = (): Promise<void> => this.#retainStuck(process);
    const acts: Record<Theme, (() => Promise<void>)[]> = {
      mixed: [],
      busy: [burst, burst, burst, burst, trickle, trickle, crash, seek, commitLate, commitLate, commitLate],
      upkeep: [upkeep, upkeep, upkeep, beside, beside, beside, beside, burst, crash, crash],
      decay: [burst, burst, burst, misfortune, misfortune, crash],
      tight: [burst, burst, misfortune, spaceless, spaceless, () => this.#letTimePass(process, 1000), crash],
      erasure: [burst, erase, erase, erase, carryOut, carryOut, carryOut, () => this.#snapshot(process), crash],
      stuck: [burst, erase, erase, erase, carryOut, carryOut, carryOut, upkeep, stuck, stuck, stuck, crash],
      expiry: [
        burst,
        erase,
        carryOut,
        upkeep,
        cutShort,
        cutShort,
        crash,
        () => this.#readOutside(true),
        ...(this.#expiring?.acts(process, drive) ?? []),
      ],
    };
    return acts[this.#theme];
  }

  #trickle(): Promise<void> {
    return this.#quietly('the kernel writes back', () => this.#machine.disk.trickle());
  }

  async #quietly(what: string, run: () => void): Promise<void> {
    this.#step(what);
    run();
  }

  async #append(process: SimProcess): Promise<void> {
    const { random, clock } = this.#machine;
    const count = random.between(1, 5);
    this.#step(`append ${count} from r${this.#sent}`);
    for (let i = 0; i < count; i++) {
      const record = REQUEST_OF[this.#theme](this.#sent++, random, clock.ms);
      this.model.send(record);
      process.log.append(record).then(
        (position) => {
          if (process.fs.hasStopped || this.#process !== process) return;
          if (process.fs.hasFailed) this.model.wrong(`${record.requestId} was acknowledged after a failed sync`);
          if (record.changes.length > 0 && process.store.appliedUpTo(0) < position.offset) {
            this.model.wrong(`${record.requestId} was acknowledged before state had it`);
          }
          this.model.acknowledge(record, position);
        },
        (error: unknown) => {
          if (process.fs.hasStopped || this.#process !== process) return;
          if (!(error instanceof LogUnavailable)) this.model.wrong(`an append was refused with ${String(error)}`);
          // When the log has failed nobody knows what of the batch is on the disk.
          else if (error.reason !== 'failed') this.model.refuse(record);
        },
      );
    }
  }

  /** Records arrive while others are under way. */
  async #burst(process: SimProcess): Promise<void> {
    for (let i = this.#machine.random.between(2, 6); i > 0 && !process.fs.hasStopped; i--) {
      await this.#append(process);
      await this.#someTurns(process);
    }
  }

  async #someTurns(process: SimProcess): Promise<void> {
    const { random, turns } = this.#machine;
    const count = random.between(1, 12);
    this.#step(`${count} turns`);
    for (let i = 0; i < count && !turns.areOver && !process.fs.hasStopped; i++) await turns.step();
  }

  async #readOutside(hasProofs = false): Promise<void> {
    if (!this.#machine.disk.folders.has(LOG_FOLDER)) return;
    this.#step(hasProofs ? 'read choices and erasures from outside' : 'read from outside');
    const faults = { ...NO_FAULTS, short: 8 };
    const acknowledged = this.model.acknowledged(hasProofs);
    const reading = readFromOutside(this.#machine, this.model, faults, hasProofs);
    const read = await this.#drive({ fs: { hasStopped: false } }, reading);
    const isUndisturbed = this.#process?.fs.hasBeenDisturbed !== true && this.#process?.fs.hasRunOut !== true;
    if (read !== null && this.#isMarkSound && isUndisturbed && !this.model.hasDamage) {
      this.model.checkShown(acknowledged, read.shown, 'a reader outside');
      if (hasProofs) this.model.checkProofs(acknowledged, read.shown, read.reading, 'a reader outside');
    }
  }

  async #follow(process: SimProcess): Promise<void> {
    this.#step('follow');
    process.follow().catch((error: unknown) => expectDisturbed(this.model, process, error));
  }

  async #consume(process: SimProcess): Promise<void> {
    await this.#consumer.take(process, (work) => this.#drive(process, work), this.#machine.random.oneIn(3));
  }

  async #commitLate(process: SimProcess): Promise<void> {
    await this.#consumer.commitLate(process, (work) => this.#drive(process, work));
  }

  async #seek(process: SimProcess): Promise<void> {
    const to = this.#machine.random.between(0, process.log.nextOffset);
    this.#step(`seek to ${to}`);
    await this.#consumer.seek(process, to, (work) => this.#drive(process, work));
  }

  async #snapshot(process: SimProcess): Promise<void> {
    this.#step('snapshot');
    try {
      await this.#drive(process, process.keeper.snapshot());
    } catch (error) {
      expectDisturbed(this.model, process, error);
    }
  }

  async #retain(process: SimProcess): Promise<void> {
    this.#step('retain');
    this.model.mayDropBefore = Math.max(this.model.mayDropBefore, process.keeper.mayDropBefore());
    try {
      await this.#drive(process, process.log.retain());
    } catch (error) {
      expectDisturbed(this.model, process, error);
    }
  }

  /** What the server does now and then, twice: after that the log may drop what both snapshots cover. */
  async #upkeep(process: SimProcess): Promise<void> {
    for (let i = 0; i < 2 && !process.fs.hasStopped; i++) {
      await this.#append(process);
      await this.#settle(process);
      if (!process.fs.hasStopped) await this.#snapshot(process);
    }
    if (!process.fs.hasStopped) await this.#retain(process);
  }

  /** The disk does not let go of what retention drops. Others may be dropped when it does. */
  async #retainStuck(process: SimProcess): Promise<void> {
    process.fs.faults = { ...NO_FAULTS, stuck: true };
    await this.#upkeep(process);
    if (this.#machine.random.oneIn(2) || process.fs.hasStopped) return;
    process.fs.faults = { ...NO_FAULTS };
    await this.#upkeep(process);
  }

  async #retainBeside(process: SimProcess): Promise<void> {
    await this.#append(process);
    await this.#someTurns(process);
    if (!process.fs.hasStopped) await this.#retain(process);
  }

  /** The process stops in the middle of it, or soon after. */
  async #retainInPart(process: SimProcess): Promise<void> {
    process.fs.faults = { ...NO_FAULTS, stop: this.#machine.random.between(1, 60) };
    await this.#retain(process);
  }

  async #letTimePass(process: SimProcess, ms: number): Promise<void> {
    this.#step(`${ms} ms pass`);
    this.#machine.clock.ms += ms;
    process.host.runTimers();
    await this.#settle(process);
  }

  /** The process is gone, or the machine: with all that was under way. */
  async #crash(process: SimProcess): Promise<void> {
    const { random } = this.#machine;
    if (process.fs.faults.stop === null && !process.fs.hasStopped && random.oneIn(2)) {
      for (let i = random.below(6); i > 0 && !this.#machine.turns.areOver; i--) await this.#machine.turns.step();
    }
    process.stop();
    this.#process = null;
    if (process.fs.hasBeenDisturbed || process.fs.hasRunOut) this.#isMarkSound = false;
    this.#consumer.restart();
    const isPowerCut = random.oneIn(2);
    this.#step(isPowerCut ? 'power is cut' : 'killed');
    if (isPowerCut) this.#machine.cutPower();
    else this.#machine.kill();
    if (this.#weather === 'rot' && random.oneIn(2)) this.#flip();
    if (random.oneIn(3)) await this.#readOutside(this.#expiring !== null);
  }

  async #close(process: SimProcess): Promise<void> {
    this.#step('close');
    try {
      if ((await this.#drive(process, process.close())) === null && process.fs.hasStopped) return;
    } catch (error) {
      expectDisturbed(this.model, process, error);
    }
    process.stop();
    this.#process = null;
    this.#consumer.restart();
    this.#machine.kill();
  }

  async #misfortune(process: SimProcess): Promise<void> {
    const { random, disk } = this.#machine;
    if (this.#weather === 'rot') this.#flip();
    else if (this.#weather === 'full-disk' && this.#isSpaceShort) await this.#giveSpace(process);
    else if (this.#weather === 'full-disk' && random.oneIn(2)) {
      disk.capacityBytes = disk.usedBytes + random.below(1500);
      this.#isSpaceShort = true;
      this.#step(`the disk has ${disk.freeBytes} bytes left`);
    } else {
      process.fs.faults = faultsIn(this.#weather, random, 12);
      this.#step(`coming: ${JSON.stringify(process.fs.faults)}`);
    }
  }

  #flip(): void {
    if (flipBit(this.#machine, this.model, this.steps) === 'mark') this.#isMarkSound = false;
  }

  /** A full disk still makes files, and has nothing to put into them. */
  async #spaceless(process: SimProcess): Promise<void> {
    process.fs.faults = { ...NO_FAULTS, newFile: this.#machine.random.between(1, 2) };
    this.#step(`coming: ${JSON.stringify(process.fs.faults)}`);
  }

  #makeRoom(): void {
    this.#machine.disk.capacityBytes = ROOMY_BYTES;
    this.#isSpaceShort = false;
  }

  /** Space comes back: within five seconds appends are taken again. */
  async #giveSpace(process: SimProcess): Promise<void> {
    this.#step('there is space again');
    this.#makeRoom();
    process.fs.faults = { ...NO_FAULTS };
    for (let ms = 0; ms < RESUME_MS && !process.fs.hasStopped; ms += 1000) await this.#letTimePass(process, 1000);
    if (process.log.refusing === 'disk-full')
      this.model.wrong(`appends are refused ${RESUME_MS} ms after space is back`);
  }
}
