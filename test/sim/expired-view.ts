import { isDeepStrictEqual } from 'node:util';
import { CLOCK_STEADY_MS } from '../../src/expiry.ts';
import { type ExpiryRule, RULE_SETTLES_MS } from '../../src/log/hidden.ts';
import type { EventAges } from '../../src/model/expiry.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { Change } from '../../src/model/person.ts';
import type { LogRecord } from '../../src/model/record.ts';
import { callMark } from './requests.ts';
import type { SimClock } from './sim-host.ts';

type Rules = ReadonlyMap<string, ExpiryRule>;

/** What readers went by from one change of rules, of the clock or of what was removed to the next. */
interface Phase {
  readonly nowMs: number;
  /** In the server. */
  readonly inForce: Rules;
  /** One of these stands on the disk. */
  readonly written: readonly Rules[];
}

/** A part of a request that expires by itself: an event, or a call that has none (its index is null). */
export interface Part {
  readonly mark: string;
  readonly index: number | null;
  readonly type: string | null;
  readonly visitor: string;
}

/** The phase in which a reading began, and whether it is the server's. */
interface Since {
  readonly expired: number;
  readonly isInside: boolean;
}

/** A pass that is under way, and by what it may go. */
interface Pass {
  readonly firstPhase: number;
  readonly proofsMaxAgeMs: number;
  readonly placed: ReadonlyMap<number, LogRecord>;
}

export function partsOf({ events, raw, requestId, ecid }: LogRecord): Part[] {
  if (events.length === 0)
    return raw === null ? [] : [{ mark: callMark(requestId), index: null, type: null, visitor: ecid! }];
  return events.map(({ index, xdm, identities }) => {
    const type = (xdm['eventType'] as string | undefined) ?? null;
    return { mark: String(xdm['mark']), index, type, visitor: identities[0]!.id };
  });
}

/** What marks a choice or an erasure; null for another change. */
export function proofMark({ kind, key, body }: Change): string | null {
  if (kind === 'erasure') return `"${key}"`;
  return kind === 'consent' ? String((body['value'] as JsonObject)['a']) : null;
}

export function proofsIn({ changes }: LogRecord): string[] {
  return changes.flatMap((change) => proofMark(change) ?? []);
}

/**
 * How long events, choices and erasures are kept, kept plainly. What readers may see of an event that is too old by the rules
 * is nothing; what no pass was allowed to remove has to be there, and what a whole pass had to remove is nowhere.
 */
export class ExpiredView {
  readonly #clock: SimClock;
  readonly #phases: Phase[];
  readonly #sent: LogRecord[] = [];
  /** Marks that a pass was allowed to remove. */
  readonly #maybeGone = new Set<string>();
  /** Marks that no reading which begins in this phase, or later, finds. */
  readonly #gone = new Map<string, number>();
  #pass: Pass | null = null;
  /** Of this boot: by how much the wall clock was wrong, and since when, by the clock that is never set. */
  #jumps: { readonly sinceMs: number; readonly byMs: number }[] = [];
  #boot = 0;

  constructor(clock: SimClock) {
    this.#clock = clock;
    this.#phases = [{ nowMs: clock.ms, inForce: new Map(), written: [new Map()] }];
  }

  get #last(): Phase {
    return this.#phases.at(-1)!;
  }

  /** The present phase: a reading that begins now sees nothing older. */
  now(): number {
    if (this.#last.nowMs !== this.#clock.ms) this.#begin({});
    return this.#phases.length - 1;
  }

  #begin(change: Partial<Phase>): void {
    this.#phases.push({ ...this.#last, nowMs: this.#clock.ms, ...change });
    this.#mayRemove();
  }

  send(record: LogRecord): void {
    this.#sent.push(record);
  }

  /** The process is no more. */
  end(): void {
    this.now();
    this.#pass = null;
  }

  /** A process has opened the log, in this boot of the machine, and found these rules. Returns what is wrong with them. */
  open(found: readonly ExpiryRule[], boot: number): string[] {
    if (boot !== this.#boot) this.#jumps = [];
    this.#boot = boot;
    if (this.#jumps.length === 0) this.jump();
    const rules = byDatastream(found);
    const isKnown = this.#last.written.some((one) => isDeepStrictEqual(one, rules));
    this.#begin({ inForce: rules, written: [rules] });
    return isKnown ? [] : [`the log opens with the rules ${text(rules)}, which are not the last`];
  }

  /** The workspace says so from now on. Returns the rules that it makes, or null where it changes none. */
  take(workspace: ReadonlyMap<string, EventAges>): Rules | null {
    const before = this.#last.inForce;
    const rules = new Map<string, ExpiryRule>();
    for (const [id, rule] of before) if (!workspace.has(id)) rules.set(id, rule);
    for (const [datastreamId, ages] of workspace) {
      const known = before.get(datastreamId);
      const isSame =
        known?.maxAgeMs === ages.maxAgeMs && isDeepStrictEqual(new Map(known.eventTypes), new Map(ages.eventTypes));
      if (ages.maxAgeMs === null && [...ages.eventTypes.values()].every((age) => age === null)) continue;
      rules.set(datastreamId, isSame ? known : { datastreamId, sinceMs: this.#clock.ms, ...ages });
    }
    if (isDeepStrictEqual(rules, before)) return null;
    this.#begin({ inForce: rules, written: [...this.#last.written, rules] });
    return rules;
  }

  /** Those of the server; they are to be these. */
  get inForce(): Rules {
    return this.#last.inForce;
  }

  checkRules(actual: readonly ExpiryRule[]): string[] {
    if (isDeepStrictEqual(byDatastream(actual), this.inForce)) return [];
    return [`the rules are ${text(byDatastream(actual))} and not ${text(this.inForce)}`];
  }

  /** These are durable: those before them will not come back. */
  write(rules: Rules): void {
    const at = this.#last.written.lastIndexOf(rules);
    if (at > 0) this.#begin({ written: this.#last.written.slice(at) });
  }

  get #monotonicMs(): number {
    return this.#clock.ms - this.#clock.jumpedMs;
  }

  jump(): void {
    this.#jumps.push({ sinceMs: this.#monotonicMs, byMs: this.#clock.jumpedMs });
    this.now();
  }

  /** For how long the clock has run evenly: since it last jumped, as everybody sees. */
  get steadyMs(): number {
    return this.#monotonicMs - this.#jumps.at(-1)!.sinceMs;
  }

  /** The same for one who looks now and then, and may miss that it jumped and was put right. */
  get #seemsSteadyMs(): number {
    return this.#monotonicMs - this.#jumps.find(({ byMs }) => byMs === this.#clock.jumpedMs)!.sinceMs;
  }

  /** A pass begins. Returns what is wrong with that. */
  beginPass(proofsMaxAgeMs: number, placed: ReadonlyMap<number, LogRecord>): string[] {
    const firstPhase = this.now();
    this.#pass = { firstPhase, proofsMaxAgeMs, placed };
    this.#mayRemove();
    if (this.#seemsSteadyMs >= CLOCK_STEADY_MS) return [];
    return [`a pass begins when the clock has run evenly for ${this.steadyMs} ms`];
  }

  /**
   * It is over, and whole. Old choices and erasures had to go from the segments that are still there, from `first` to `covered`;
   * of what was dropped before the pass, below `dropped`, where all are old: they go a file at a time.
   */
  endPass(dropped: number, first: number, covered: number): void {
    const pass = this.#pass;
    if (pass === null) return;
    this.now();
    this.#pass = null;
    this.#begin({});
    const phases = this.#phases.slice(pass.firstPhase);
    const isOld = ({ atMs }: LogRecord): boolean => phases.every(({ nowMs }) => nowMs - atMs > pass.proofsMaxAgeMs);
    const all = [...pass.placed];
    const areDroppedOld = all.every(([offset, record]) => offset >= dropped || isOld(record));
    for (const [offset, record] of all) {
      for (const { mark, type } of partsOf(record))
        if (phases.every((phase) => isExpired(record, type, settled(phase), phase.nowMs))) this.#noteGone(mark);
      const isCovered = offset >= first && offset < covered;
      const isDue = offset < dropped ? areDroppedOld : isCovered && isOld(record);
      if (isDue) for (const mark of proofsIn(record)) this.#noteGone(mark);
    }
  }

  #noteGone(mark: string): void {
    if (!this.#gone.has(mark)) this.#gone.set(mark, this.#phases.length - 1);
  }

  #mayRemove(): void {
    if (this.#pass === null) return;
    const { nowMs } = this.#last;
    const rules = settled(this.#last);
    for (const record of this.#sent) {
      for (const { mark, type } of partsOf(record))
        if (isExpired(record, type, rules, nowMs)) this.#maybeGone.add(mark);
      if (nowMs - record.atMs > this.#pass.proofsMaxAgeMs)
        for (const mark of [...proofsIn(record), callMark(record.requestId)]) this.#maybeGone.add(mark);
    }
  }

  mustHide(record: LogRecord, { mark, type }: Part, { expired, isInside }: Since): boolean {
    if (this.#isGone(mark, expired)) return true;
    return this.#since(expired).every((phase) =>
      rulesOf(phase, isInside).every((rules) => isExpired(record, type, rules, phase.nowMs)),
    );
  }

  mayHide(record: LogRecord, { mark, type }: Part, { expired, isInside }: Since): boolean {
    if (this.#maybeGone.has(mark)) return true;
    return this.#since(expired).some((phase) =>
      rulesOf(phase, isInside).some((rules) => isExpired(record, type, rules, phase.nowMs)),
    );
  }

  #since(phase: number): readonly Phase[] {
    this.now();
    return this.#phases.slice(phase);
  }

  #isGone(mark: string, since: number): boolean {
    return (this.#gone.get(mark) ?? Number.POSITIVE_INFINITY) <= since;
  }

  /** Of choices and erasures. */
  mustProofHide(mark: string, since: number): boolean {
    return this.#isGone(mark, since);
  }

  mayProofHide(mark: string): boolean {
    return this.#maybeGone.has(mark);
  }

  /** What is wrong with the bytes of the log. `kept`: records that are in it, of nobody who is erased. */
  faultsOn(files: ReadonlyMap<string, string>, kept: Iterable<LogRecord>): string[] {
    const faults: string[] = [];
    for (const mark of this.#gone.keys())
      for (const [path, bytes] of files)
        if (bytes.includes(mark)) faults.push(`${path} holds ${mark}, which was removed`);
    const all = [...files.values()].join();
    for (const record of kept)
      for (const { mark } of partsOf(record))
        if (!this.#maybeGone.has(mark) && !all.includes(mark)) faults.push(`${mark} was removed, and may not be yet`);
    return faults;
  }
}

function rulesOf({ inForce, written }: Phase, isInside: boolean): readonly Rules[] {
  return isInside ? [inForce] : written;
}

function isExpired({ datastreamId, atMs }: LogRecord, type: string | null, rules: Rules, nowMs: number): boolean {
  const rule = rules.get(datastreamId);
  if (rule === undefined) return false;
  const own = type === null ? undefined : rule.eventTypes.get(type);
  const ageMs = own === undefined ? rule.maxAgeMs : own;
  return ageMs !== null && nowMs - atMs > ageMs;
}

/** Rules that may remove by now. */
function settled({ inForce, nowMs }: Phase): Rules {
  return new Map([...inForce].filter(([, { sinceMs }]) => sinceMs <= nowMs - RULE_SETTLES_MS));
}

function byDatastream(rules: readonly ExpiryRule[]): Rules {
  return new Map(rules.map((rule) => [rule.datastreamId, rule]));
}

function text(rules: Rules): string {
  return JSON.stringify([...rules.values()].map((rule) => ({ ...rule, eventTypes: [...rule.eventTypes] })));
}
