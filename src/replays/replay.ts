import type { Outcome, StoredDecision } from '../model/decision.ts';
import { withoutNobodies } from '../model/identity-rules.ts';
import type { LogRecord, Position, Stored } from '../model/record.ts';
import { Fingerprints } from '../reports/fingerprints.ts';
import { type Decider, decideAgain, ecidOf, inputOf, type Lack, noteAbsent } from './recompute.ts';
import type { Sections } from './sections.ts';

/** What an activity came to in one decision. */
export interface Came {
  readonly outcome: Outcome | 'absent';
  readonly experienceId: string | null;
}

/** Decisions in which an activity came to something else, the same way. */
export interface Shift {
  readonly activityId: string;
  readonly from: Came;
  readonly to: Came;
  decisions: number;
  readonly visitors: Fingerprints;
}

/** A decision that came out otherwise. */
export interface Difference {
  readonly position: Position;
  readonly requestId: string;
  readonly eventIndex: number;
  /** What differs, for people. */
  readonly what: string;
}

export interface ReplayCounts {
  decisions: number;
  same: number;
  different: number;
  readonly lacking: Record<Lack | 'time', number>;
}

export interface ReplayOptions {
  /** By what a recorded decision is made again; null where the definitions are not there. */
  readonly deciderFor: (record: LogRecord, decision: StoredDecision) => Promise<Decider | null>;
  /** By its own definitions every detail has to be the same; by others, what visitors get. */
  readonly isOwn: boolean;
  /** Only this one is compared; null: all. */
  readonly activityId: string | null;
  /** Differences that are named one by one at most. */
  readonly namedMax: number;
}

export type IsWanted = (record: LogRecord, decision: StoredDecision) => boolean;

type Verdict = StoredDecision['v'][number];
type Shown = StoredDecision['p'][number];
const ABSENT: Came = { outcome: 'absent', experienceId: null };

/** Makes recorded decisions again while the log is folded, record by record, and keeps what came out otherwise. */
export class Replay {
  readonly counts: ReplayCounts = {
    ...{ decisions: 0, same: 0, different: 0 },
    lacking: { person: 0, event: 0, client: 0, definitions: 0, time: 0 },
  };
  readonly named: Difference[] = [];
  readonly visitors = new Fingerprints();
  readonly #shifts = new Map<string, Shift>();
  readonly #options: ReplayOptions;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  /** Those of most visitors first. */
  get shifts(): readonly Shift[] {
    return [...this.#shifts.values()].sort(
      (a, b) => b.visitors.size - a.visitors.size || (nameOf(a) < nameOf(b) ? -1 : 1),
    );
  }

  /**
   * To be given every record, oldest first, once for each share of the decisions; those are made again that are wanted.
   * `sections`: as they were before the record, of all whom its wanted decisions read.
   */
  async take({ position, record }: Stored, sections: Sections, isWanted: IsWanted): Promise<void> {
    for (const decision of record.decisions ?? []) {
      if (isWanted(record, decision)) await this.#again(position, record, decision, sections);
      noteAbsent(record, decision, sections);
    }
    sections.take(position, record.changes, record.atMs);
  }

  async #again(position: Position, record: LogRecord, recorded: StoredDecision, sections: Sections): Promise<void> {
    const { deciderFor, isOwn, activityId } = this.#options;
    if (activityId !== null && isOwn && !recorded.v.some(([id]) => id === activityId)) return;
    this.counts.decisions += 1;
    const decider = await deciderFor(record, recorded);
    const input = decider === null ? 'definitions' : inputOf(record, recorded, decider, sections);
    if (typeof input === 'string') {
      this.counts.lacking[input] += 1;
      return;
    }
    // What was left undone for want of time says nothing of what others would have come to.
    if (!isOwn && recorded.v.some(([, outcome]) => outcome === 'out-of-time')) {
      this.counts.lacking.time += 1;
      return;
    }
    const made = decideAgain(decider!, input, recorded, isOwn);
    const differing = differences(only(recorded, activityId), only(made, activityId), isOwn);
    if (differing.length === 0) {
      this.counts.same += 1;
      return;
    }
    this.counts.different += 1;
    const visitor = visitorOf(record, recorded);
    this.visitors.add(visitor);
    for (const { id, from, to } of differing) this.#shift(id, from, to, visitor);
    this.#name({
      ...{ position, requestId: record.requestId, eventIndex: recorded.i },
      what: differing.map(({ text }) => text).join('; '),
    });
  }

  /** The first ones of the log, whichever share they are of. */
  #name(difference: Difference): void {
    const at = this.named.findLastIndex(({ position }) => position.offset <= difference.position.offset) + 1;
    if (at >= this.#options.namedMax) return;
    this.named.splice(at, 0, difference);
    if (this.named.length > this.#options.namedMax) this.named.pop();
  }

  #shift(activityId: string, from: Came, to: Came, visitor: string): void {
    const name = nameOf({ activityId, from, to });
    let shift = this.#shifts.get(name);
    if (shift === undefined) {
      shift = { activityId, from, to, decisions: 0, visitors: new Fingerprints() };
      this.#shifts.set(name, shift);
    }
    shift.decisions += 1;
    shift.visitors.add(visitor);
  }
}

/** Who got it: the device, else whom the event names, else the request by itself; of an event that is gone, the request's. */
export function visitorOf(record: LogRecord, { i, in: { nobodies } }: StoredDecision): string {
  const event = record.events.find(({ index }) => index === i);
  if (event === undefined) return record.ecid ?? record.requestId;
  const ecid = ecidOf(record, event);
  if (ecid !== null) return ecid;
  const identities = withoutNobodies(event.identities, nobodies ?? null);
  const named = identities.find(({ primary }) => primary) ?? identities[0];
  return named === undefined ? event.id : `${named.namespace} ${named.id}`;
}

type Stand = Pick<StoredDecision, 'v' | 'p'>;

function only({ v, p }: Stand, activityId: string | null): Stand {
  if (activityId === null) return { v, p };
  return { v: v.filter(([id]) => id === activityId), p: p.filter(([, , id]) => id === activityId) };
}

interface Differing {
  readonly id: string;
  readonly from: Came;
  readonly to: Came;
  readonly text: string;
}

/** By activity. `isStrict`: the bucket, the marks and the order count too. */
function differences(before: Stand, after: Stand, isStrict: boolean): readonly Differing[] {
  if (isStrict && equal(before, after)) return [];
  const ids = new Set([...before.v, ...after.v].map(([id]) => id));
  const found: Differing[] = [];
  for (const id of ids) {
    const [from, to] = [cameOf(before.v, id), cameOf(after.v, id)];
    const isSame = from.experienceId === to.experienceId && isSeen(from) === isSeen(to);
    if (!isStrict && isSame && equal(itemsOf(before.p, id), itemsOf(after.p, id))) continue;
    const text = `${id}: ${wordsOf(from)} → ${wordsOf(to)}`;
    if (!isSame) found.push({ id, from, to, text });
    else if (!isStrict) found.push({ id, from, to, text: `${text}, other items` });
    else if (
      !equal(verdictsOf(before.v, id), verdictsOf(after.v, id)) ||
      !equal(shownOf(before.p, id), shownOf(after.p, id))
    )
      found.push({ id, from, to, text: `${text}, ${detailOf(before, after, id)}` });
  }
  if (found.length > 0 || !isStrict) return found;
  const [first] = before.v;
  const came = cameOf(before.v, first?.[0] ?? '');
  return [{ id: first?.[0] ?? '', from: came, to: came, text: 'the order differs' }];
}

function detailOf(before: Stand, after: Stand, id: string): string {
  const [from, to] = [verdictsOf(before.v, id), verdictsOf(after.v, id)];
  if (!equal(from, to)) return `${JSON.stringify(from)} → ${JSON.stringify(to)}`;
  return `${JSON.stringify(shownOf(before.p, id))} → ${JSON.stringify(shownOf(after.p, id))}`;
}

function isSeen({ outcome }: Came): boolean {
  return outcome === 'shown' || outcome === 'preview';
}

function cameOf(verdicts: readonly Verdict[], id: string): Came {
  const verdict = verdicts.find(([one]) => one === id);
  if (verdict === undefined) return ABSENT;
  const [, outcome, experience] = verdict;
  return { outcome, experienceId: isSeen({ outcome, experienceId: null }) ? experience : null };
}

/** "shown b", "not shown (audience)". */
export function wordsOf({ outcome, experienceId }: Came): string {
  if (experienceId !== null) return `${outcome} ${experienceId}`;
  return outcome === 'absent' ? 'not asked for' : `not shown (${outcome})`;
}

function verdictsOf(verdicts: readonly Verdict[], id: string): readonly Verdict[] {
  return verdicts.filter(([one]) => one === id);
}
function shownOf(shown: readonly Shown[], id: string): readonly Shown[] {
  return shown.filter(([, , one]) => one === id);
}
function itemsOf(shown: readonly Shown[], id: string): readonly unknown[] {
  return shownOf(shown, id).map(([, scope, , , items]) => [scope, items]);
}

/** Short lists of texts and numbers. */
function equal(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function nameOf({ activityId, from, to }: Pick<Shift, 'activityId' | 'from' | 'to'>): string {
  return JSON.stringify([activityId, from.outcome, from.experienceId, to.outcome, to.experienceId]);
}
