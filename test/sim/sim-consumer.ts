import type { Batch } from '../../src/model/parts.ts';
import type { Model } from './model.ts';
import type { SimProcess } from './process.ts';
import type { Reading } from './shown-record.ts';

/** Lets things happen until the work is done; null if the process stopped first. */
export type Drive = <T>(work: Promise<T>) => Promise<T | null>;

const NAME = 'sink';

/** A batch that was asked for. */
interface Waiting {
  batch: Batch | null;
  /** When it was. */
  readonly reading: Reading;
}

/** One consumer over all processes, and what it may be given next. */
export class SimConsumer {
  readonly #model: Model;
  readonly #steps: string[];
  /** Where a new reader may begin: at the last durable commit or seek, or at one that was under way. */
  #standings = new Set([0]);
  /** Where the present reader's next batch may begin; null before its first. */
  #places: Set<number> | null = null;
  #batches: AsyncIterator<Batch> | null = null;
  #waiting: Waiting | null = null;
  /** Where a seek went while a batch lay ready: that batch is of the old place, its commit does nothing, the next is of the new one. */
  #soughtMeanwhile: number | null = null;
  /** A batch whose commit comes late. */
  #uncommitted: { readonly batch: Batch; readonly next: number; isBeforeSeek: boolean } | null = null;

  constructor(model: Model, steps: string[]) {
    this.#model = model;
    this.#steps = steps;
  }

  /** The process, and with it the reader, is gone. */
  restart(): void {
    this.#places = null;
    this.#batches = null;
    this.#waiting = null;
    this.#soughtMeanwhile = null;
    this.#uncommitted = null;
  }

  /** Wherever it stands, it is beyond this offset. */
  hasPassed(offset: number): boolean {
    return offset < Math.min(...this.#standings);
  }

  /** Takes a batch if there is one, and commits it or not. */
  async take(process: SimProcess, drive: Drive, isLeftUncommitted: boolean): Promise<void> {
    this.#batches ??= process.consume(NAME);
    if (this.#waiting === null) this.#ask(process, this.#batches);
    await drive(process.machine.turns.take(() => undefined));
    await process.machine.turns.run(() => process.fs.hasStopped);
    const batch = this.#waiting?.batch ?? null;
    if (batch === null || process.fs.hasStopped) return;
    for (const stored of batch.stored) this.#model.show(stored, 'the consumer', this.#waiting!.reading);
    this.#waiting = null;
    const first = batch.stored[0]!.position.offset;
    const next = batch.stored.at(-1)!.position.offset + 1;
    this.#steps.push(`consume ${first} to ${next - 1}${isLeftUncommitted ? ', no commit' : ''}`);
    this.#check(first);
    const sought = this.#soughtMeanwhile;
    this.#soughtMeanwhile = null;
    this.#places = new Set([sought ?? next]);
    this.#uncommitted = { batch, next, isBeforeSeek: sought !== null };
    if (!isLeftUncommitted) await this.commitLate(process, drive);
  }

  /** Commits the last batch, if it was left uncommitted. */
  async commitLate(process: SimProcess, drive: Drive): Promise<void> {
    if (this.#uncommitted === null) return;
    const { batch, next, isBeforeSeek } = this.#uncommitted;
    this.#uncommitted = null;
    this.#steps.push(`commit ${next}${isBeforeSeek ? ', from before a seek' : ''}`);
    await this.#move(process, isBeforeSeek ? null : next, batch.commit(), drive);
  }

  #ask(process: SimProcess, batches: AsyncIterator<Batch>): void {
    const waiting: Waiting = { batch: null, reading: this.#model.reading({}) };
    this.#waiting = waiting;
    batches.next().then(
      ({ done, value }) => {
        if (done !== true) waiting.batch = value;
      },
      (error: unknown) => {
        expectDisturbed(this.#model, process, error);
        if (this.#waiting === waiting) this.restart();
      },
    );
  }

  async seek(process: SimProcess, to: number, drive: Drive): Promise<void> {
    if ((this.#waiting?.batch ?? null) !== null) {
      this.#places ??= new Set(this.#standings);
      this.#soughtMeanwhile = to;
    } else if (this.#batches !== null) this.#places = new Set([to]);
    if (this.#uncommitted !== null) this.#uncommitted.isBeforeSeek = true;
    await this.#move(process, to, process.log.seek(NAME, { partition: 0, offset: to }), drive);
  }

  /** `next`: where it moves to; null where it is to stay. */
  async #move(process: SimProcess, next: number | null, moving: Promise<void>, drive: Drive): Promise<void> {
    if (next !== null) this.#standings.add(next);
    try {
      if ((await drive(moving.then(() => true))) !== null && next !== null) this.#standings = new Set([next]);
    } catch (error) {
      // It failed, so it may stand at either place, and so may the reader.
      expectDisturbed(this.#model, process, error);
      this.restart();
    }
  }

  /** Between a place where the consumer may stand and what it was given, nothing may be left out. */
  #check(first: number): void {
    const mustCome = (offset: number): boolean => offset >= this.#model.mayDropBefore && !this.#model.isDamaged(offset);
    const places = this.#places ?? this.#standings;
    for (const place of places) {
      let isWhole = place <= first;
      for (let offset = place; offset < first && isWhole; offset++) isWhole = !mustCome(offset);
      if (isWhole) return;
    }
    this.#model.wrong(`the consumer stood at ${[...places].join(' or ')} and was given ${first}`);
  }
}

/** Errors of a process whose disk had none are the log's own. */
export function expectDisturbed(model: Model, { fs }: SimProcess, error: unknown): void {
  if (!fs.hasBeenDisturbed && !fs.hasRunOut) model.wrong(`unexpected: ${(error as Error).stack}`);
}
