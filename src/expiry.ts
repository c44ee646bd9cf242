import type { FileLog } from './log/file.ts';
import type { ExpiryRule } from './log/hidden.ts';
import { readFile, replaceFile } from './log/io.ts';
import { allDone } from './model/all-done.ts';
import type { Datastream } from './model/datastream.ts';
import { type EventAges, keepsAll } from './model/expiry.ts';
import type { Fs } from './model/fs.ts';
import { isObject, type Json, parseJson } from './model/json.ts';
import { OneAtATime } from './model/one-at-a-time.ts';

/**
 * From one pass over the log to the next: a segment is written anew for all that has expired in it since. Chosen; with the hour
 * below, what has expired is gone within a day.
 */
export const PASS_EVERY_MS = 12 * 60 * 60 * 1000;
/** A pass that failed is tried again. Chosen. */
export const RETRY_AFTER_MS = 60 * 60 * 1000;
/**
 * Nothing is removed before the wall clock has run evenly for so long: one that is wrong when a machine starts, or jumps, is
 * put right by then, and would else have cost all events. Chosen.
 */
export const CLOCK_STEADY_MS = 60 * 60 * 1000;
/** Slewing moves a clock by 0.05 % of the time; a machine that slept for longer is one whose clock jumped. */
const CLOCK_JUMP_MS = 10_000;

export interface ExpiryDeps {
  readonly log: Pick<FileLog, 'rules' | 'setRules' | 'expire' | 'expired'>;
  /** Wall clock, Unix epoch in milliseconds. */
  readonly nowMs: () => number;
  /** The machine's: it goes on from one process to the next. */
  readonly monotonicMs: () => number;
  /** Names the time since the machine was started; empty where it does not tell. */
  readonly bootId: string;
  readonly fs: Fs;
  /** The data folder: what is to outlive the process is in `expiry.json`. */
  readonly directory: string;
  readonly report: (message: string) => void;
  /** How long choices, erasures and receipts are kept; null: for ever. */
  readonly proofsMaxAgeMs: number | null;
  /** Removes receipts of erasures that were carried out before. */
  readonly dropReceipts: (beforeMs: number) => Promise<void>;
}

/** What is seen of it. */
export interface ExpiryStatus {
  /** When the last whole pass was over, also of a process before; null where that is not known. */
  readonly lastPassMs: number | null;
  /** Nothing is removed by its age: the wall clock has not run evenly for long enough. */
  readonly waitsForClock: boolean;
  /** Why the last one was not whole; null where it was. */
  readonly failure: string | null;
  /** Events that were removed since the start, by datastream. */
  readonly removed: ReadonlyMap<string, number>;
}

/** What it needs of a workspace. */
export interface Retentions {
  readonly datastreams: ReadonlyMap<string, Pick<Datastream, 'id' | 'retention'>>;
}

/**
 * In `expiry.json`, for the next process: else one that never runs for an hour would remove nothing. It is written when the clock
 * began to run evenly and after each pass. Without it the clock is given its hour anew.
 */
interface Remembered {
  readonly bootId: string;
  /** These three as `Expiry` has them. */
  readonly offsetMs: number;
  readonly steadySinceMs: number;
  readonly lastPassMs: number | null;
}
const FILE = 'expiry.json';

/** Sees to it that events which datastreams do not keep any longer are hidden at once, and removed soon. */
export class Expiry {
  readonly #deps: ExpiryDeps;
  readonly #listeners = new Set<() => void>();
  #areRulesWritten = true;
  #steadySinceMs: number;
  /** By which the monotonic clock is behind the other. */
  #offsetMs: number;
  /** Monotonic. */
  #nextPassMs = Number.NEGATIVE_INFINITY;
  #isUnderWay = false;
  #lastPassMs: number | null = null;
  #failure: string | null = null;
  #hasLookedBack = false;
  /** What of it stands in the file. */
  #written = '';
  readonly #writing = new OneAtATime();

  constructor(deps: ExpiryDeps) {
    this.#deps = deps;
    this.#steadySinceMs = deps.monotonicMs();
    this.#offsetMs = deps.nowMs() - deps.monotonicMs();
  }

  get status(): ExpiryStatus {
    const waitsForClock = !this.#isSteadyAt(this.#deps.monotonicMs());
    return { lastPassMs: this.#lastPassMs, waitsForClock, failure: this.#failure, removed: this.#deps.log.expired };
  }

  /** Calls back when less is shown than was, or more. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Keeps events as the workspace says, from now on. Resolves when that of now is written. */
  follow(source: {
    readonly current: Retentions;
    readonly onChange: (listener: (workspace: Retentions) => void) => void;
  }): Promise<void> {
    source.onChange((workspace) => void this.take(workspace));
    return this.take(source.current);
  }

  /**
   * These rules are in force when this returns, and written when it resolves; where the disk does not take them `tend` tries
   * again. A datastream that is not in the workspace any more keeps the rule it had: taking a file away is no order to keep
   * what it collected.
   */
  async take({ datastreams }: Retentions): Promise<void> {
    const { log, nowMs } = this.#deps;
    const before = new Map(log.rules.map((rule) => [rule.datastreamId, rule]));
    const gone = log.rules.filter(({ datastreamId }) => !datastreams.has(datastreamId));
    const rules: ExpiryRule[] = [...gone];
    for (const { id, retention } of datastreams.values()) {
      const known = before.get(id);
      if (keepsAll(retention)) continue;
      const isSame = known !== undefined && textOf(known) === textOf(retention);
      rules.push(isSame ? known : { datastreamId: id, sinceMs: nowMs(), ...retention });
    }
    if (rules.length === before.size && rules.every((rule) => before.get(rule.datastreamId) === rule)) return;
    const written = this.#write(rules);
    this.#changed();
    await written.catch((error: Error) =>
      this.#deps.report(
        `How long events are kept could not be written beside the log, for readers there; it is tried again: ${error.message}`,
      ),
    );
  }

  async #write(rules: readonly ExpiryRule[]): Promise<void> {
    try {
      await this.#deps.log.setRules(rules);
      this.#areRulesWritten = true;
    } catch (error) {
      this.#areRulesWritten = false;
      throw error;
    }
  }

  /** To be called every minute. Rejects where something failed; it is tried again. */
  async tend(): Promise<void> {
    const { log, monotonicMs } = this.#deps;
    if (!this.#areRulesWritten) await this.#write(log.rules);
    const isDue = (await this.isClockSteady()) && monotonicMs() >= this.#nextPassMs;
    if (isDue && !this.#isUnderWay) await this.#pass();
    await this.#writing.run(() => this.#remember());
  }

  /** Whether the wall clock has run evenly for so long that something may be removed by it. To be asked every minute. */
  async isClockSteady(): Promise<boolean> {
    const { nowMs, monotonicMs } = this.#deps;
    if (!this.#hasLookedBack) await this.#lookBack();
    const atMs = monotonicMs();
    const offsetMs = nowMs() - atMs;
    if (Math.abs(offsetMs - this.#offsetMs) > CLOCK_JUMP_MS) this.#steadySinceMs = atMs;
    this.#offsetMs = offsetMs;
    return this.#isSteadyAt(atMs);
  }

  #isSteadyAt(atMs: number): boolean {
    return atMs - this.#steadySinceMs >= CLOCK_STEADY_MS;
  }

  /** Where the machine and its clock go on as they did, what the process before knew of them holds. */
  async #lookBack(): Promise<void> {
    const { fs, directory, bootId, nowMs, monotonicMs, report } = this.#deps;
    this.#hasLookedBack = true;
    const bytes = await readFile(fs, `${directory}/${FILE}`).catch((error: Error) => {
      report(`When expired events were last removed could not be read, and counts as not known: ${error.message}`);
      return null;
    });
    const known = rememberedIn(bytes);
    if (known === null) return;
    const isSameBoot = bootId !== '' && known.bootId === bootId;
    if (isSameBoot && Math.abs(known.offsetMs - this.#offsetMs) <= CLOCK_JUMP_MS)
      this.#steadySinceMs = Math.min(known.steadySinceMs, this.#steadySinceMs);
    this.#lastPassMs = known.lastPassMs;
    const agoMs = nowMs() - (known.lastPassMs ?? Number.NEGATIVE_INFINITY);
    if (agoMs >= 0) this.#nextPassMs = monotonicMs() + PASS_EVERY_MS - agoMs;
  }

  async #remember(): Promise<void> {
    const { fs, directory, bootId } = this.#deps;
    const written = JSON.stringify([this.#steadySinceMs, this.#lastPassMs]);
    if (written === this.#written) return;
    const known: Remembered = {
      ...{ bootId, offsetMs: this.#offsetMs, steadySinceMs: this.#steadySinceMs, lastPassMs: this.#lastPassMs },
    };
    await replaceFile(fs, directory, FILE, Buffer.from(JSON.stringify(known)));
    this.#written = written;
  }

  /** Resolves when nothing is being written. */
  settled(): Promise<void> {
    return this.#writing.settled();
  }

  async #pass(): Promise<void> {
    const { log, nowMs, monotonicMs, proofsMaxAgeMs, dropReceipts } = this.#deps;
    const before = sum(log.expired);
    const startMs = monotonicMs();
    this.#isUnderWay = true;
    try {
      await allDone([
        proofsMaxAgeMs === null ? null : dropReceipts(nowMs() - proofsMaxAgeMs),
        log.expire(proofsMaxAgeMs ?? Number.POSITIVE_INFINITY),
      ]);
      this.#failure = null;
      this.#lastPassMs = nowMs();
      this.#nextPassMs = startMs + PASS_EVERY_MS;
    } catch (error) {
      this.#failure = (error as Error).message;
      this.#nextPassMs = monotonicMs() + RETRY_AFTER_MS;
      throw error;
    } finally {
      this.#isUnderWay = false;
      if (sum(log.expired) > before) this.#changed();
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Null for what is nothing of ours. */
function rememberedIn(bytes: Buffer | null): Remembered | null {
  if (bytes === null) return null;
  let known: Json;
  try {
    known = parseJson(bytes.toString());
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (!isObject(known)) return null;
  const { bootId, offsetMs, steadySinceMs, lastPassMs } = known;
  if (typeof bootId !== 'string' || typeof offsetMs !== 'number' || typeof steadySinceMs !== 'number') return null;
  if (typeof lastPassMs !== 'number' && lastPassMs !== null) return null;
  return { bootId, offsetMs, steadySinceMs, lastPassMs };
}

/** The same for the same ages, whichever order they are written in. */
function textOf({ maxAgeMs, eventTypes }: EventAges): string {
  return JSON.stringify([maxAgeMs, ...[...eventTypes].sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
