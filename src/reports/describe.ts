import type { Credit } from '../model/credit.ts';
import type { ActivityDefinition } from '../model/decision-definitions.ts';
import type { JsonObject } from '../model/json.ts';
import { Arm, type ArmKey, type DayCounts } from './arms.ts';
import { dayText } from './calendar.ts';
import {
  type ArmReport,
  type ArmTotals,
  type GoalTotals,
  noTotals,
  orderOf,
  type Range,
  type Report,
} from './report.ts';
import type { Goal, Tally } from './tally.ts';

/** What a report is of. */
export interface Subject {
  readonly orgId: string;
  readonly timeZone: string;
  /** Of the definitions by which goals are looked for. */
  readonly hash: string;
  readonly credit: Credit;
  readonly activity: {
    readonly id: string;
    readonly name: string;
    /** `offers`: a placement of an offer decision, whose experiences are offers, their ids with commas. */
    readonly kind: ActivityDefinition['kind'] | 'offers';
    readonly experiences: readonly { readonly id: string; readonly name: string }[];
  };
  /** The arms that the definitions have. Of offers, of which any number stand together, only those held out of everything. */
  readonly arms: readonly ArmKey[];
  readonly warnings: readonly string[];
}

/** How far the log was read. */
export interface Extent {
  /** The end of the log was reached. */
  readonly isComplete: boolean;
  readonly readUpTo: Tally['readUpTo'];
  /** When the oldest record that the log holds was received: what was before is not counted. */
  readonly firstAtMs: number | null;
}

/** A report for programs. Field by field: these are an interface. */
export function describeReport(subject: Subject, report: Report, range: Range, extent: Extent): JsonObject {
  const { activity, orgId, timeZone, hash, credit, warnings } = subject;
  const { readUpTo, firstAtMs, isComplete } = extent;
  return {
    activity: { id: activity.id, name: activity.name, kind: activity.kind },
    org: orgId,
    credit,
    timeZone,
    from: range.from === null ? null : dayText(range.from),
    to: range.to === null ? null : dayText(range.to),
    definitions: hash,
    complete: isComplete,
    readUpTo: readUpTo === null ? null : `${readUpTo.partition}:${readUpTo.offset}`,
    logStartsAt: firstAtMs === null ? null : new Date(firstAtMs).toISOString(),
    goals: report.goals.map(({ id, name, count, windowMs }) => ({ id, name, count, windowMs })),
    arms: withUnseen(report, subject).map((arm) => describeArm(arm, report.goals, subject)),
    bots: report.bots.map((arm) => describeArm(arm, report.goals, subject)),
    notCounted: { ...report.notCounted },
    warnings: [...warnings],
  };
}

/** The arms that the definitions have and nobody had. */
export function unseenOf(subject: Subject, counted: readonly ArmReport[]): readonly ArmKey[] {
  const seen = new Set(counted.map(({ arm: { key } }) => `${key.kind} ${key.experienceId}`));
  return subject.arms.filter(({ kind, experienceId }) => !seen.has(`${kind} ${experienceId}`));
}

/** An arm that nobody had is one with zeros: who compares arms need not learn elsewhere that it is there. */
function withUnseen({ arms, goals }: Report, subject: Subject): readonly ArmReport[] {
  const empty = unseenOf(subject, arms).map((key): ArmReport => {
    return { arm: new Arm(key, goals.length), totals: noTotals(goals.length), days: [] };
  });
  return [...arms, ...empty].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

function describeArm({ arm: { key }, totals, days }: ArmReport, goals: readonly Goal[], subject: Subject): JsonObject {
  return {
    kind: key.kind,
    experience: key.kind === 'experience' ? key.experienceId : null,
    name: nameOfArm(key.kind, key.experienceId, subject),
    ...countsOf(totals),
    goals: Object.fromEntries(totals.goals.map((goal, index) => [goals[index]!.id, describeGoal(goal)])),
    days: days.map(([day, counts]) => ({
      day: dayText(day),
      ...countsOf(counts),
      goals: Object.fromEntries(counts.goals.map((value, index) => [goals[index]!.id, rounded(value)])),
    })),
  };
}

function countsOf(counts: Omit<DayCounts, 'goals'> | ArmTotals): JsonObject {
  const { decisions, assigned, visitors, displays, clicks, dismissals, late } = counts;
  return { decisions, assigned, visitors, displays, clicks, dismissals, late };
}

function describeGoal({ visitors, events, sum, sumOfSquares }: GoalTotals): JsonObject {
  return { visitors, events, sum: rounded(sum), sumOfSquares: rounded(sumOfSquares) };
}

/** As it was in the definitions; its id, where they no longer have it. */
export function nameOfArm(kind: string, experienceId: string, { activity }: Subject): string {
  if (kind === 'holdout') return 'held out';
  if (kind === 'global-holdout') return 'held out of everything';
  const nameOf = (one: string): string => activity.experiences.find(({ id }) => id === one)?.name ?? one;
  return activity.kind === 'offers' ? experienceId.split(',').map(nameOf).join(', ') : nameOf(experienceId);
}

/** Sums of binary fractions are off at the 16th digit, by the order of their parts: 0.1 + 0.2. */
const DIGITS = 12;
export function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
