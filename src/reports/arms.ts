import type { Day } from './calendar.ts';

/**
 * One side of a comparison: those who got one experience, or those who were held out to compare with. `holdout`: of the
 * activity; `global-holdout`: of everything. What bots got is another arm, so that it can be shown apart.
 */
export interface ArmKey {
  readonly kind: 'experience' | 'holdout' | 'global-holdout';
  /** Empty for the held out. */
  readonly experienceId: string;
  readonly isBot: boolean;
}

/** What was counted of an arm on one day. */
export interface DayCounts {
  /** Decisions for it, and the visitors whom they were for. */
  decisions: number;
  assigned: number;
  /** Of whom goals are counted: to whom it was displayed, or for whom it was decided, as the report's `credit` says. */
  visitors: number;
  displays: number;
  clicks: number;
  dismissals: number;
  /** By index of the goal: visitors, events or the sum, as the goal counts. */
  readonly goals: number[];
  /** Of all that, how much came when the day was over. */
  late: number;
}

/** What is kept of an arm. */
export class Arm {
  readonly key: ArmKey;
  readonly days = new Map<Day, DayCounts>();
  readonly #goals: number;

  constructor(key: ArmKey, goals: number) {
    this.key = key;
    this.#goals = goals;
  }

  on(day: Day): DayCounts {
    let counts = this.days.get(day);
    if (counts === undefined) {
      const goals = new Array<number>(this.#goals).fill(0);
      counts = { decisions: 0, assigned: 0, visitors: 0, displays: 0, clicks: 0, dismissals: 0, goals, late: 0 };
      this.days.set(day, counts);
    }
    return counts;
  }
}

/** What one visitor reached of one goal, a day each: how often, and the sum of the values. */
export interface Reached {
  readonly days: Day[];
  readonly events: number[];
  readonly sums: number[];
}

/** One visitor in one arm. Small: there is one for nearly every visitor. */
export class Membership {
  readonly arm: Arm;
  readonly assignedOn: Day[] = [];
  readonly seenOn: Day[] = [];
  /** When it was displayed, or decided, Unix epoch in milliseconds, ascending; what says nothing more is left out. */
  readonly seenAt: number[] = [];
  /** By index of the goal; null until one is reached. */
  reached: (Reached | undefined)[] | null = null;

  constructor(arm: Arm) {
    this.arm = arm;
  }

  /**
   * `windowMs`: the shortest of the goals. A time between two that are no further apart than that can go: whenever it lies
   * within a goal's window before something, one of its neighbours does too. `oldestMs`: no event that is still to come lies
   * within a window of what is older.
   */
  see(atMs: number, windowMs: number, oldestMs: number): void {
    const { seenAt } = this;
    while (seenAt.length > 0 && seenAt[0]! < oldestMs) seenAt.shift();
    let at = seenAt.length;
    while (at > 0 && seenAt[at - 1]! > atMs) at--;
    if (seenAt[at - 1] === atMs) return;
    seenAt.splice(at, 0, atMs);
    for (let i = Math.min(at + 1, seenAt.length - 2); i >= Math.max(at - 1, 1); i--) {
      if (seenAt[i + 1]! - seenAt[i - 1]! <= windowMs) seenAt.splice(i, 1);
    }
  }

  /** Whether it was seen at `atMs` or at most `windowMs` before. */
  hasSeenWithin(windowMs: number, atMs: number): boolean {
    const { seenAt } = this;
    for (let i = seenAt.length - 1; i >= 0; i--) if (seenAt[i]! <= atMs) return seenAt[i]! >= atMs - windowMs;
    return false;
  }

  /** Whether it is the visitor's first time on this day. */
  reach(goal: number, day: Day, value: number): boolean {
    this.reached ??= [];
    this.reached[goal] ??= { days: [], events: [], sums: [] };
    const { days, events, sums } = this.reached[goal];
    const at = days.lastIndexOf(day);
    if (at !== -1) {
      events[at]! += 1;
      sums[at]! += value;
      return false;
    }
    days.push(day);
    events.push(1);
    sums.push(value);
    return true;
  }
}

/** Whether the day is a new one. Mostly there is one day, and it is the last. */
export function addDay(days: Day[], day: Day): boolean {
  if (days.includes(day)) return false;
  days.push(day);
  return true;
}
