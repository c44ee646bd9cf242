import type { Credit } from '../../src/model/credit.ts';
import { DAY_MS, ecidOf, type Happened, isBelieved, isPurchase, MINUTE_MS } from './histories.ts';

/** The same counts as a report's, from what happened and not from the log, by going through everything again and again. */

export interface NaiveGoal {
  readonly count: 'visitor' | 'total' | 'sum';
  readonly windowMs: number;
}
interface Fact {
  readonly arm: string;
  readonly visitor: string;
  readonly what: 'assigned' | 'seen' | 'display' | 'interact' | 'dismiss';
  readonly order: number;
  readonly occurredMs: number;
  readonly day: string;
  readonly isLate: boolean;
}

const GRACE_MS = 10 * MINUTE_MS;

function factsOf(
  all: readonly Happened[],
  orgId: string,
  activityId: string,
  credit: Credit,
  dayOf: (ms: number) => string,
): readonly Fact[] {
  const facts: Fact[] = [];
  const told: { readonly of: string; readonly kind: string }[] = [];
  for (const [order, one] of all.entries()) {
    if (one.orgId !== orgId) continue;
    const occurredMs = one.atMs - one.lateMs;
    const day = dayOf(occurredMs);
    const rest = { order, occurredMs, day, isLate: dayOf(one.atMs - GRACE_MS) > day };
    if (one.what === 'decide' && one.activity === activityId && one.visitor !== null) {
      const bot = one.isBot ? 'bot ' : '';
      const visitor = ecidOf(one.visitor);
      const arms: Partial<Record<string, string>> = {
        ...{ shown: one.experience, holdout: 'holdout', 'global-holdout': 'global-holdout' },
      };
      const arm = arms[one.outcome];
      if (arm !== undefined) {
        facts.push({ arm: `${bot}${arm}`, visitor, what: 'assigned', ...rest });
        if (credit === 'decision') facts.push({ arm: `${bot}${arm}`, visitor, what: 'seen', ...rest });
      }
    }
    if (one.what !== 'tell' || one.of === null || one.of.activityId !== activityId || one.of.isPreview) continue;
    if (!isBelieved(one) || one.atMs - one.of.atSeconds * 1000 > 30 * DAY_MS) continue;
    for (const kind of ['display', 'interact', 'dismiss'] as const) {
      if (!one.kinds.includes(kind)) continue;
      if (told.some((before) => before.of === one.of!.requestId && before.kind === kind)) continue;
      told.push({ of: one.of.requestId, kind });
      if (one.visitor === null) continue;
      const fact = {
        arm: `${one.of.isBot ? 'bot ' : ''}${one.of.experienceId.replace('#holdout', 'global-holdout')}`,
        visitor: ecidOf(one.visitor),
        ...rest,
      };
      facts.push({ ...fact, what: kind });
      if (kind === 'display' && credit === 'display') facts.push({ ...fact, what: 'seen' });
    }
  }
  return facts;
}

interface Reaching {
  readonly arm: string;
  readonly visitor: string;
  readonly day: string;
  readonly amount: number;
  readonly isLate: boolean;
}

function reachingOf(
  all: readonly Happened[],
  facts: readonly Fact[],
  orgId: string,
  goal: NaiveGoal,
  dayOf: (ms: number) => string,
): readonly Reaching[] {
  const arms = [...new Set(facts.map(({ arm }) => arm))];
  return all.flatMap((one, order) => {
    if (one.orgId !== orgId || !isPurchase(one) || one.visitor === null) return [];
    if (goal.count === 'sum' && one.amount === null) return [];
    const visitor = ecidOf(one.visitor);
    const atMs = one.atMs - one.lateMs;
    const credited = arms.filter((arm) =>
      facts.some(
        (fact) =>
          fact.what === 'seen' &&
          fact.arm === arm &&
          fact.visitor === visitor &&
          fact.order < order &&
          fact.occurredMs <= atMs &&
          atMs <= fact.occurredMs + goal.windowMs,
      ),
    );
    const day = dayOf(atMs);
    const isLate = dayOf(one.atMs - GRACE_MS) > day;
    return credited.map((arm) => ({ arm, visitor, day, amount: one.amount ?? 0, isLate }));
  });
}

export function naiveReport(
  all: readonly Happened[],
  {
    orgId,
    activityId,
    credit,
    goals,
    dayOf,
    from,
    to,
  }: {
    readonly orgId: string;
    readonly activityId: string;
    readonly credit: Credit;
    readonly goals: readonly NaiveGoal[];
    readonly dayOf: (ms: number) => string;
    readonly from: string | null;
    readonly to: string | null;
  },
): Record<string, unknown> {
  const isIn = ({ day }: { readonly day: string }): boolean =>
    (from === null || day >= from) && (to === null || day <= to);
  const everything = factsOf(all, orgId, activityId, credit, dayOf);
  const facts = everything.filter(isIn);
  const reached = goals.map((goal) => reachingOf(all, everything, orgId, goal, dayOf).filter(isIn));
  const arms = [...new Set([...facts, ...reached.flat()].map(({ arm }) => arm))].sort();
  return Object.fromEntries(
    arms.map((arm) => {
      const mine = <T extends { readonly arm: string }>(list: readonly T[]): T[] =>
        list.filter((one) => one.arm === arm);
      const own = mine(facts);
      const days = [...new Set([...own, ...mine(reached.flat())].map(({ day }) => day))].sort();
      const on = (day: string | null): Record<string, unknown> => {
        const here = own.filter((fact) => day === null || fact.day === day);
        const count = (what: Fact['what']): number => here.filter((fact) => fact.what === what).length;
        const distinct = (what: Fact['what']): number =>
          new Set(here.filter((fact) => fact.what === what).map(({ visitor }) => visitor)).size;
        const reachedHere = reached.map((list) => mine(list).filter((one) => day === null || one.day === day));
        return {
          ...{ decisions: count('assigned'), assigned: distinct('assigned'), visitors: distinct('seen') },
          ...{ displays: count('display'), clicks: count('interact'), dismissals: count('dismiss') },
          late:
            here.filter(({ isLate, what }) => isLate && what !== 'seen').length +
            reachedHere.flat().filter(({ isLate }) => isLate).length,
          goals: goals.map((goal, index) => {
            const list = reachedHere[index]!;
            const visitors = [...new Set(list.map(({ visitor }) => visitor))];
            if (day !== null) {
              if (goal.count === 'visitor') return visitors.length;
              return goal.count === 'total' ? list.length : list.reduce((sum, { amount }) => sum + amount, 0);
            }
            const values = visitors.map((visitor) => {
              const his = list.filter((one) => one.visitor === visitor);
              if (goal.count === 'visitor') return 1;
              return goal.count === 'total' ? his.length : his.reduce((sum, { amount }) => sum + amount, 0);
            });
            return {
              ...{ visitors: visitors.length, events: list.length },
              sum: values.reduce((sum, value) => sum + value, 0),
              sumOfSquares: values.reduce((sum, value) => sum + value * value, 0),
            };
          }),
        };
      };
      return [arm, { totals: on(null), days: days.map((day) => [day, on(day)]) }];
    }),
  );
}
