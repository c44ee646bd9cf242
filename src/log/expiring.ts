import { keptUntilMs, shortestAgeMs, withoutExpired } from '../model/expiry.ts';
import type { OneAtATime } from '../model/one-at-a-time.ts';
import type { LogRecord } from '../model/record.ts';
import { TIME_SLACK_MS } from './cursor.ts';
import type { ExpiryRule } from './hidden.ts';
import { createdAtMs } from './recovery.ts';
import { removeUnfinished, rewriteSegment } from './rewriting.ts';
import type { SegmentRef } from './segment.ts';
import type { UpkeepDeps } from './upkeep.ts';

type Rules = ReadonlyMap<string, ExpiryRule>;

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

  /** One segment after the other, and what else is to be done to them in between. What cannot be read is passed over, and thrown at the end. */
  async pass(): Promise<void> {
    const { fs, directory, hidden, host, writer } = this.#deps;
    const rules = hidden.current.settledRules();
    const nowMs = host.nowMs();
    this.#begin(rules);
    const failures: unknown[] = [];
    const attempt = (what: () => Promise<void>): Promise<void> =>
      this.#alone
        .run(async () => {
          this.#checkOpen();
          await what();
        })
        .catch((error: unknown) => void failures.push(error));
    if (rules.size > 0) {
      await attempt(() => removeUnfinished(fs, directory));
      await attempt(() => this.#seal(rules, nowMs));
      for (const ref of [...writer.segments]) await attempt(() => this.#expire(ref, rules, nowMs));
    }
    if (this.#isToTell) await attempt(() => this.#tell());
    if (failures.length > 0) throw failures[0];
  }

  #begin(rules: Rules): void {
    const text = JSON.stringify([...rules.values()].map(({ eventTypes, ...rule }) => [rule, [...eventTypes]]));
    const names = new Set(text === this.#rules ? this.#deps.writer.segments.map(({ name }) => name) : []);
    this.#rules = text;
    this.#keptUntilMs = new Map([...this.#keptUntilMs].filter(([name]) => names.has(name)));
  }

  /** The segment that is being written, where something in it has expired. */
  async #seal(rules: Rules, nowMs: number): Promise<void> {
    const { writer } = this.#deps;
    const last = writer.segments.at(-1);
    if (last !== undefined && (await this.#mayHoldExpired(last, rules, nowMs))) await writer.seal();
  }

  async #expire(ref: SegmentRef, rules: Rules, nowMs: number): Promise<void> {
    const { segments } = this.#deps.writer;
    const index = segments.findIndex(({ name }) => name === ref.name);
    const next = index === -1 ? undefined : segments[index + 1];
    // Dropped meanwhile, or not sealed yet.
    if (next === undefined || !(await this.#mayHoldExpired(ref, rules, nowMs))) return;
    let untilMs = Number.POSITIVE_INFINITY;
    const left = (_offset: number, record: LogRecord): LogRecord => {
      this.#checkOpen();
      const rule = rules.get(record.datastreamId);
      if (rule === undefined) return record;
      const kept = withoutExpired(record, rule, nowMs);
      untilMs = Math.min(untilMs, keptUntilMs(kept, rule, nowMs));
      return kept;
    };
    const gone: [string, number][] = [];
    const { records } = await rewriteSegment(this.#deps, ref, next.firstOffset, left, (before, after) => {
      gone.push([before.datastreamId, before.events.length - after.events.length]);
    });
    for (const [datastreamId, count] of gone)
      this.#removed.set(datastreamId, (this.#removed.get(datastreamId) ?? 0) + count);
    if (records > 0) this.#isToTell = true;
    this.#keptUntilMs.set(ref.name, untilMs);
  }

  /** Where that is not known: nothing in a segment is much older than it. */
  async #mayHoldExpired(ref: SegmentRef, rules: Rules, nowMs: number): Promise<boolean> {
    const known = this.#keptUntilMs.get(ref.name);
    if (known !== undefined) return nowMs > known;
    const createdMs = await createdAtMs(this.#deps.fs, this.#deps.directory, ref);
    const shortestMs = Math.min(...[...rules.values()].map(shortestAgeMs));
    return createdMs === null || nowMs > createdMs - TIME_SLACK_MS + shortestMs;
  }

  async #tell(): Promise<void> {
    await this.#deps.hidden.rewritten();
    this.#isToTell = false;
  }
}
