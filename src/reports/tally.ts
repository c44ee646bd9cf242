import type { Credit } from '../model/credit.ts';
import { HELD_OUT, type StoredDecision, type StoredNotice } from '../model/decision.ts';
import { claimsOf, type TokenClaims } from '../model/decision-token.ts';
import type { NotificationKind } from '../model/notification.ts';
import { notificationOf } from '../model/notification.ts';
import type { LogRecord, Position, Stored, StoredEvent } from '../model/record.ts';
import { OCCURRED_BEFORE_RECEIVED_MS_MAX } from '../model/timestamp.ts';
import { Arm, type ArmKey, addDay, type DayCounts, Membership } from './arms.ts';
import type { Calendar, Day } from './calendar.ts';
import { fingerprintOf, TooManyVisitors } from './fingerprints.ts';
import { SEEN_MAX, Seen } from './seen.ts';

/** A goal of the activity, ready to be looked for. */
export interface Goal {
  readonly id: string;
  readonly name: string;
  readonly count: 'visitor' | 'total' | 'sum';
  readonly windowMs: number;
  /** Null for an event that does not reach it, else what it adds to a sum; NaN where there is no number to add. */
  valueOf(event: StoredEvent, record: LogRecord): number | null;
}

/** What is counted of, and by. */
export interface Counted {
  readonly orgId: string;
  readonly activityId: string;
  /** Namespace by which visitors without an ECID are told apart. */
  readonly bucketBy: string;
  readonly credit: Credit;
  readonly goals: readonly Goal[];
  readonly calendar: Calendar;
}

const NONE: readonly StoredNotice[] = [];
const NO_DECISIONS: readonly StoredDecision[] = [];

/** Only the visitors of one of `of` shares, so that any number of them is counted in bounded memory: a pass for each share. */
export interface Share {
  readonly index: number;
  readonly of: number;
}
export const EVERYBODY: Share = { index: 0, of: 1 };

/** Of what was told about the activity and is in no count. */
export interface NotCounted {
  /** Told twice of one decision. */
  duplicates: number;
  /** Events that speak of the activity with a token that was not found true, or with none. */
  unsigned: number;
  previews: number;
  /** More than `TOKEN_AGE_MS_MAX` after the decision. */
  expired: number;
  /** Of nobody who could be told apart from others. */
  withoutVisitor: number;
  /** Events that reached a goal which sums, without the number. */
  withoutNumber: number;
}

/** Visitors in memory at most, some 800 bytes each. */
export const VISITORS_MAX = 500_000;
/** Requests travel: what comes so soon after midnight is not late. */
export const LATE_GRACE_MS = 10 * 60 * 1000;

type Count = 'displays' | 'clicks' | 'dismissals';
const COUNTS: Partial<Record<NotificationKind, Count>> = {
  display: 'displays',
  interact: 'clicks',
  dismiss: 'dismissals',
};

/**
 * Counts one activity over the log, record by record in the log's order: the same log gives the same counts, and counting can
 * go on where it stopped. What a day shows is what occurred on it, whenever it came in.
 */
export class Tally {
  readonly counted: Counted;
  readonly arms = new Map<string, Arm>();
  readonly visitors = new Map<string, Membership[]>();
  readonly notCounted: NotCounted = {
    ...{ duplicates: 0, unsigned: 0, previews: 0, expired: 0 },
    ...{ withoutVisitor: 0, withoutNumber: 0 },
  };
  /** The last record that was read, and when the first one was received; null before it. */
  readUpTo: Position | null = null;
  firstAtMs: number | null = null;
  readonly #share: Share;
  readonly #visitorsMax: number;
  readonly #seen: Seen;
  readonly #windowMsMin: number;
  readonly #windowMsMax: number;

  constructor(counted: Counted, share: Share = EVERYBODY, visitorsMax = VISITORS_MAX, seenMax = SEEN_MAX) {
    this.counted = counted;
    this.#seen = new Seen(seenMax);
    this.#share = share;
    this.#visitorsMax = visitorsMax;
    const windows = counted.goals.map(({ windowMs }) => windowMs);
    this.#windowMsMin = windows.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...windows);
    this.#windowMsMax = Math.max(0, ...windows);
  }

  /** To be given every record once, oldest first. Throws `TooMany`. */
  take({ position, record }: Stored): void {
    this.readUpTo = position;
    this.firstAtMs ??= record.atMs;
    if (record.orgId !== this.counted.orgId) return;
    this.#seen.forgetBefore(record.atMs);
    for (const event of record.events) {
      // What is decided for an event, and what it displays, come after what it reaches: a goal is credited to what was before.
      this.#takeGoals(record, event);
      for (const decision of record.decisions ?? NO_DECISIONS) {
        if (decision.i === event.index) this.#takeDecision(record, event, decision);
      }
      this.#takeNotices(record, event);
    }
  }

  #takeDecision(record: LogRecord, event: StoredEvent, { v, in: inputs }: StoredDecision): void {
    const { activityId, credit } = this.counted;
    for (const [id, outcome, experience] of v) {
      if (id !== activityId) continue;
      const isHeldOut = outcome === 'holdout' || outcome === 'global-holdout';
      if (outcome !== 'shown' && !isHeldOut) continue;
      const visitor = this.#visitorOf(record, event);
      if (visitor === null) continue;
      const kind = isHeldOut ? outcome : 'experience';
      const member = this.#member(visitor, armKey(kind, experience, inputs.bot === true));
      const day = this.#dayOf(event);
      const counts = this.#countsOn(member.arm, day, record);
      counts.decisions += 1;
      if (addDay(member.assignedOn, day)) counts.assigned += 1;
      if (credit === 'decision') this.#see(member, event, day, counts, record);
    }
  }

  #takeNotices(record: LogRecord, event: StoredEvent): void {
    const { activityId } = this.counted;
    let isNoted = false;
    for (const { i, k, t } of record.notices ?? NONE) {
      if (i !== event.index) continue;
      const claims = claimsOf(t);
      if (claims === null || claims.activityId !== activityId) continue;
      isNoted = true;
      this.#takeClaims(record, event, claims, k);
    }
    const claimed = isNoted ? null : notificationOf(event.xdm);
    if (claimed?.propositions.some((one) => one.claimedActivityId === activityId) === true)
      this.notCounted.unsigned += 1;
  }

  #takeClaims(record: LogRecord, event: StoredEvent, claims: TokenClaims, kind: NotificationKind): void {
    const count = COUNTS[kind];
    if (count === undefined) return;
    if (claims.isPreview) {
      this.notCounted.previews += 1;
      return;
    }
    if (this.#seen.isExpired(claims.atSeconds, record.atMs)) {
      this.notCounted.expired += 1;
      return;
    }
    if (!this.#seen.add(`${claims.requestId}/${claims.eventIndex} ${kind}`, claims.atSeconds)) {
      this.notCounted.duplicates += 1;
      return;
    }
    const visitor = this.#visitorOf(record, event);
    if (visitor === null) return;
    const { experienceId, isBot } = claims;
    const arm = experienceId === HELD_OUT ? 'global-holdout' : 'experience';
    const member = this.#member(visitor, armKey(arm, experienceId, isBot));
    const day = this.#dayOf(event);
    const counts = this.#countsOn(member.arm, day, record);
    counts[count] += 1;
    if (kind === 'display' && this.counted.credit === 'display') this.#see(member, event, day, counts, record);
  }

  #takeGoals(record: LogRecord, event: StoredEvent): void {
    const { goals } = this.counted;
    if (goals.length === 0) return;
    const members = this.visitors.get(visitorOf(record, event, this.counted.bucketBy) ?? '');
    if (members === undefined) return;
    let lacksNumber = false;
    for (const [index, goal] of goals.entries()) {
      const credited = members.filter((member) => member.hasSeenWithin(goal.windowMs, event.occurredAtMs));
      if (credited.length === 0) continue;
      const value = goal.valueOf(event, record);
      if (value === null) continue;
      if (Number.isNaN(value)) {
        lacksNumber = true;
        continue;
      }
      for (const member of credited) this.#reach(member, index, value, event, record);
    }
    if (lacksNumber) this.notCounted.withoutNumber += 1;
  }

  #reach(member: Membership, index: number, value: number, event: StoredEvent, record: LogRecord): void {
    const day = this.#dayOf(event);
    const isFirst = member.reach(index, day, value);
    const { count } = this.counted.goals[index]!;
    const counts = this.#countsOn(member.arm, day, record);
    if (count === 'visitor') counts.goals[index]! += isFirst ? 1 : 0;
    else counts.goals[index]! += count === 'total' ? 1 : value;
  }

  #see(member: Membership, event: StoredEvent, day: Day, counts: DayCounts, record: LogRecord): void {
    if (addDay(member.seenOn, day)) counts.visitors += 1;
    if (this.counted.goals.length === 0) return;
    const oldestMs = record.atMs - OCCURRED_BEFORE_RECEIVED_MS_MAX - this.#windowMsMax;
    member.see(event.occurredAtMs, this.#windowMsMin, oldestMs);
  }

  #dayOf(event: StoredEvent): Day {
    return this.counted.calendar.dayOf(event.occurredAtMs);
  }

  #countsOn(arm: Arm, day: Day, record: LogRecord): DayCounts {
    const counts = arm.on(day);
    if (this.counted.calendar.dayOf(record.atMs - LATE_GRACE_MS) > day) counts.late += 1;
    return counts;
  }

  /** Null for nobody, which is counted, and for a visitor of another share. */
  #visitorOf(record: LogRecord, event: StoredEvent): string | null {
    const visitor = visitorOf(record, event, this.counted.bucketBy);
    if (visitor === null) {
      this.notCounted.withoutVisitor += 1;
      return null;
    }
    const { index, of } = this.#share;
    return of === 1 || fingerprintOf(visitor)[1] % of === index ? visitor : null;
  }

  #member(visitor: string, key: ArmKey): Membership {
    const arm = this.#arm(key);
    const members = this.visitors.get(visitor);
    const known = members?.find((member) => member.arm === arm);
    if (known !== undefined) return known;
    const member = new Membership(arm);
    if (members !== undefined) members.push(member);
    else {
      if (this.visitors.size >= this.#visitorsMax) throw new TooManyVisitors(`more than ${this.#visitorsMax} visitors`);
      this.visitors.set(visitor, [member]);
    }
    return member;
  }

  #arm(key: ArmKey): Arm {
    const name = `${key.kind} ${key.isBot} ${key.experienceId}`;
    let arm = this.arms.get(name);
    if (arm === undefined) {
      arm = new Arm(key, this.counted.goals.length);
      this.arms.set(name, arm);
    }
    return arm;
  }
}

function armKey(kind: ArmKey['kind'], experienceId: string | null, isBot: boolean): ArmKey {
  return { kind, experienceId: kind === 'experience' ? (experienceId ?? '') : '', isBot };
}

/** By whom a visitor is known in reports: the device; where there is none, the first id of `namespace`. Null where neither. */
export function visitorOf(record: LogRecord, event: StoredEvent, namespace: string): string | null {
  for (const identity of event.identities) if (identity.namespace === 'ECID') return identity.id;
  if (record.ecid !== null) return record.ecid;
  for (const identity of event.identities) {
    if (identity.namespace === namespace) return `${namespace} ${identity.id}`;
  }
  return null;
}
