import { keptUntilMs, proofsUntilMs, shortestAgeMs, withoutExpired, withoutOldProofs } from '../model/expiry.ts';
import type { OneAtATime } from '../model/one-at-a-time.ts';
import type { LogRecord } from '../model/record.ts';
import { TIME_SLACK_MS } from './cursor.ts';
import type { ExpiryRule } from './hidden.ts';
import { createdAtMs } from './recovery.ts';
import { rewriteSegment } from './rewriting.ts';
import type { SegmentRef } from './segment.ts';
import type { UpkeepDeps } from './upkeep.ts';

/** What a pass goes by. */
interface Ages {
  readonly nowMs: number;
  readonly rules: ReadonlyMap<string, ExpiryRule>;
  /** Of choices and erasures; infinite where they are kept for ever. */
  readonly proofsMaxAgeMs: number;
}

/** Removes from segments what has expired. It knows which of them have nothing to lose yet, and passes over those. */
export class Expiring {
  readonly #deps: UpkeepDeps;
  readonly #alone: OneAtATime;
  readonly #checkOpen: () => void;
  readonly #removed = new Map<string, number>();
  /** By name of the segment: until when all that is left in it is kept, by the rules of `#rules`. */
  #keptUntilMs = new Map<string, number>();
  #rules = '';
  /** Segments hold less, and readers were not told. */
  #isToTell = false;

  /** `checkOpen` throws where the pass is to break off. */
  constructor(deps: UpkeepDeps, alone: OneAtATime, checkOpen: () => void) {
    this.#deps = deps;
    this.#alone = alone;
    this.#checkOpen = checkOpen;
  }

  /** Events that were removed since the start, by datastream. */
  get removed(): ReadonlyMap<string, number> {
    return this.#removed;
  }

  /**
   * One segment after the other, and what else is to be done to them in between. What cannot be read is passed over, and thrown
   * at the end. Choices and erasures go where they are older than `proofsMaxAgeMs`, which may be infinite.
   */
  async pass(proofsMaxAgeMs: number): Promise<void> {
    const { hidden, host, writer } = this.#deps;
    const ages = { nowMs: host.nowMs(), rules: hidden.current.settledRules(), proofsMaxAgeMs };
    this.#begin(ages);
    const failures: unknown[] = [];
    const attempt = (what: () => Promise<void>): Promise<void> =>
      this.#alone
        .run(async () => {
          this.#checkOpen();
          await what();
        })
        .catch((error: unknown) => void failures.push(error));
    if (shortestOf(ages) < Number.POSITIVE_INFINITY) {
      await attempt(() => this.#seal(ages));
      for (const ref of [...writer.segments]) await attempt(() => this.#expire(ref, ages));
    }
    if (this.#isToTell) await attempt(() => this.#tell());
    if (failures.length > 0) throw failures[0];
  }

  #begin({ rules, proofsMaxAgeMs }: Ages): void {
    const all = [...rules.values()].map(({ eventTypes, ...rule }) => [rule, [...eventTypes]]);
    const text = JSON.stringify([proofsMaxAgeMs, ...all]);
    const names = new Set(text === this.#rules ? this.#deps.writer.segments.map(({ name }) => name) : []);
    this.#rules = text;
    this.#keptUntilMs = new Map([...this.#keptUntilMs].filter(([name]) => names.has(name)));
  }

  /** The segment that is being written, where something in it has expired. */
  async #seal(ages: Ages): Promise<void> {
    const { writer } = this.#deps;
    const last = writer.segments.at(-1);
    if (last !== undefined && (await this.#mayHoldExpired(last, ages))) await writer.seal();
  }

  async #expire(ref: SegmentRef, ages: Ages): Promise<void> {
    const { segments } = this.#deps.writer;
    const index = segments.findIndex(({ name }) => name === ref.name);
    const next = index === -1 ? undefined : segments[index + 1];
    // Dropped meanwhile, or not sealed yet.
    if (next === undefined || !(await this.#mayHoldExpired(ref, ages))) return;
    // State is made of choices and erasures: they go when snapshots have them, as with a segment that is dropped.
    const isCovered = next.firstOffset <= this.#deps.mayDropBefore();
    const proofsMaxAgeMs = isCovered ? ages.proofsMaxAgeMs : Number.POSITIVE_INFINITY;
    const { nowMs, rules } = ages;
    let untilMs = Number.POSITIVE_INFINITY;
    const left = (_offset: number, record: LogRecord): LogRecord => {
      this.#checkOpen();
      const kept = withoutOldProofs(record, proofsMaxAgeMs, nowMs);
      untilMs = Math.min(untilMs, proofsUntilMs(kept, ages.proofsMaxAgeMs));
      const rule = rules.get(record.datastreamId);
      if (rule === undefined) return kept;
      const shown = withoutExpired(kept, rule, nowMs);
      untilMs = Math.min(untilMs, keptUntilMs(shown, rule, nowMs));
      return shown;
    };
    const gone: [string, number][] = [];
    const { records } = await rewriteSegment(this.#deps, ref, next.firstOffset, left, (before, after) => {
      gone.push([before.datastreamId, before.events.length - after.events.length]);
    });
    for (const [datastreamId, count] of gone)
      if (count > 0) this.#removed.set(datastreamId, (this.#removed.get(datastreamId) ?? 0) + count);
    if (records > 0) this.#isToTell = true;
    this.#keptUntilMs.set(ref.name, untilMs);
  }

  /**
   * Where that is not known: nothing in a segment is much older than it, but where the clock was ahead when it was begun, and was
   * put right since: what came then is older than it says.
   */
  async #mayHoldExpired(ref: SegmentRef, ages: Ages): Promise<boolean> {
    const known = this.#keptUntilMs.get(ref.name);
    if (known !== undefined) return ages.nowMs > known;
    const { fs, directory, writer } = this.#deps;
    const createdMs = await createdAtMs(fs, directory, ref);
    const next = writer.segments.find(({ number }) => number > ref.number);
    const nextMs = (next === undefined ? null : await createdAtMs(fs, directory, next)) ?? ages.nowMs;
    return createdMs === null || createdMs > nextMs || ages.nowMs > createdMs - TIME_SLACK_MS + shortestOf(ages);
  }

  async #tell(): Promise<void> {
    await this.#deps.hidden.rewritten();
    this.#isToTell = false;
  }
}

/** Nothing goes before it is as old as this. */
function shortestOf({ rules, proofsMaxAgeMs }: Ages): number {
  return Math.min(proofsMaxAgeMs, ...[...rules.values()].map(shortestAgeMs));
}
