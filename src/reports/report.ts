import type { Arm, DayCounts, Membership } from './arms.ts';
import type { Day } from './calendar.ts';
import type { Goal, NotCounted, Tally } from './tally.ts';

/** Days of the org's time zone, both included; null: no bound. */
export interface Range {
  readonly from: Day | null;
  readonly to: Day | null;
}

/**
 * What the visitors of an arm reached of a goal, each visitor one value: 1, how often, or the sum, as the goal counts. These
 * are what intervals and tests of means are computed from, with the number of visitors.
 */
export interface GoalTotals {
  /** Visitors who reached it. */
  visitors: number;
  events: number;
  sum: number;
  sumOfSquares: number;
}

export interface ArmTotals extends Omit<DayCounts, 'goals'> {
  readonly goals: readonly GoalTotals[];
}

export interface ArmReport {
  readonly arm: Arm;
  /** Visitors of several days count once. */
  readonly totals: ArmTotals;
  /** In order, those of the range on which something was counted. */
  readonly days: readonly (readonly [Day, DayCounts])[];
}

export interface Report {
  readonly goals: readonly Goal[];
  /** Experiences by id, then the held out; bots' arms are apart. */
  readonly arms: readonly ArmReport[];
  readonly bots: readonly ArmReport[];
  readonly notCounted: NotCounted;
}

/** Visitors that are summed up in one go: some 2 ms. */
const VISITORS_PER_SLICE = 10_000;

/** Puts a report together of the tallies of all shares, one after the other; each can be let go of when it was added. */
export class Reporting {
  readonly #range: Range;
  readonly #goals: readonly Goal[];
  readonly #sums = new Map<string, Sum>();
  #notCounted: NotCounted | null = null;

  constructor(range: Range, goals: readonly Goal[]) {
    this.#range = range;
    this.#goals = goals;
  }

  /** `pause`: awaited now and then, so that others have their turn. */
  async add(tally: Tally, pause: () => Promise<void> = async () => {}): Promise<void> {
    const byArm = new Map<Arm, Sum>();
    for (const [name, arm] of tally.arms) {
      const sum = this.#sums.get(name) ?? new Sum(arm, this.#goals.length);
      this.#sums.set(name, sum);
      byArm.set(arm, sum);
      sum.addDays(arm, this.#range);
    }
    let slice = 0;
    for (const members of tally.visitors.values()) {
      for (const member of members) byArm.get(member.arm)!.addVisitor(member, this.#range, this.#goals);
      slice = (slice + 1) % VISITORS_PER_SLICE;
      if (slice === 0) await pause();
    }
    // Every pass sees what no visitor has a part in; what visitors have, each in one.
    const withoutNumber = (this.#notCounted?.withoutNumber ?? 0) + tally.notCounted.withoutNumber;
    this.#notCounted = { ...tally.notCounted, withoutNumber };
  }

  /** Throws before anything was added. */
  report(): Report {
    if (this.#notCounted === null) throw new Error('Nothing was added to the report.');
    const arms = [...this.#sums.values()]
      .map((sum) => sum.report())
      .filter(({ days }) => days.length > 0)
      .sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
    return {
      goals: this.#goals,
      arms: arms.filter(({ arm }) => !arm.key.isBot),
      bots: arms.filter(({ arm }) => arm.key.isBot),
      notCounted: this.#notCounted,
    };
  }
}

/** Of tallies that are in memory all at once. */
export async function reportOf(
  tallies: readonly Tally[],
  range: Range,
  pause: () => Promise<void> = async () => {},
): Promise<Report> {
  const reporting = new Reporting(range, tallies[0]!.counted.goals);
  for (const tally of tallies) await reporting.add(tally, pause);
  return reporting.report();
}

export function noTotals(goals: number): ArmTotals {
  return {
    ...{ decisions: 0, assigned: 0, visitors: 0, displays: 0, clicks: 0, dismissals: 0, late: 0 },
    goals: Array.from({ length: goals }, () => ({ visitors: 0, events: 0, sum: 0, sumOfSquares: 0 })),
  };
}

/** One arm, put together of the shares. */
class Sum {
  readonly #arm: Arm;
  readonly #totals: ArmTotals;
  readonly #days = new Map<Day, DayCounts>();

  constructor(arm: Arm, goals: number) {
    this.#arm = arm;
    this.#totals = noTotals(goals);
  }

  addDays({ days }: Arm, range: Range): void {
    for (const [day, counts] of days) {
      if (!isIn(range, day)) continue;
      for (const name of ADDED) this.#totals[name] += counts[name];
      const sum = this.#days.get(day);
      if (sum === undefined) this.#days.set(day, { ...counts, goals: [...counts.goals] });
      else {
        for (const name of [...ADDED, ...DISTINCT]) sum[name] += counts[name];
        for (const [index, value] of counts.goals.entries()) sum.goals[index]! += value;
      }
    }
  }

  addVisitor({ assignedOn, seenOn, reached }: Membership, range: Range, goals: readonly Goal[]): void {
    if (assignedOn.some((day) => isIn(range, day))) this.#totals.assigned += 1;
    if (seenOn.some((day) => isIn(range, day))) this.#totals.visitors += 1;
    if (reached === null) return;
    for (const [index, one] of reached.entries()) {
      if (one === undefined) continue;
      let events = 0;
      let sum = 0;
      for (const [at, day] of one.days.entries()) {
        if (!isIn(range, day)) continue;
        events += one.events[at]!;
        sum += one.sums[at]!;
      }
      if (events === 0) continue;
      const { count } = goals[index]!;
      const value = count === 'visitor' ? 1 : count === 'total' ? events : sum;
      const totals = this.#totals.goals[index]!;
      totals.visitors += 1;
      totals.events += events;
      totals.sum += value;
      totals.sumOfSquares += value * value;
    }
  }

  report(): ArmReport {
    const days = [...this.#days].sort(([a], [b]) => a - b);
    return { arm: this.#arm, totals: this.#totals, days };
  }
}

/** What days add up to. */
const ADDED = ['decisions', 'displays', 'clicks', 'dismissals', 'late'] as const;
/** What they do not: a visitor may come on several. Shares of visitors do add up. */
const DISTINCT = ['assigned', 'visitors'] as const;

function isIn({ from, to }: Range, day: Day): boolean {
  return (from === null || day >= from) && (to === null || day <= to);
}

const KINDS = { experience: 0, holdout: 1, 'global-holdout': 2 } as const;
/** Experiences by id, then the held out. */
export function orderOf({ arm: { key } }: ArmReport): string {
  return `${KINDS[key.kind]} ${key.experienceId}`;
}
