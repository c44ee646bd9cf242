import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CREDITS, type Credit } from '../../src/model/credit.ts';
import { Calendar, dayText, parseDay } from '../../src/reports/calendar.ts';
import { TooMany } from '../../src/reports/fingerprints.ts';
import { type Report, reportOf } from '../../src/reports/report.ts';
import { type Counted, EVERYBODY, type Goal, Tally } from '../../src/reports/tally.ts';
import {
  ACTIVITY,
  DAY_MS,
  happened,
  logOf,
  MINUTE_MS,
  ORG,
  OTHER_ORG,
  START_MS,
  type Step,
  steps,
} from './histories.ts';
import { type NaiveGoal, naiveReport } from './naive-report.ts';

const goals: readonly (NaiveGoal & { readonly id: string })[] = [
  { id: 'buyers', count: 'visitor', windowMs: 2 * DAY_MS },
  { id: 'purchases', count: 'total', windowMs: 60 * MINUTE_MS },
  { id: 'revenue', count: 'sum', windowMs: 30 * DAY_MS },
];

function goalOf({ id, count, windowMs }: (typeof goals)[number]): Goal {
  return {
    ...{ id, name: id, count, windowMs },
    valueOf({ xdm }) {
      if (xdm['eventType'] !== 'commerce.purchases') return null;
      if (count !== 'sum') return 1;
      return typeof xdm['total'] === 'number' ? xdm['total'] : Number.NaN;
    },
  };
}

/** The clocks are set forward there on 29 March 2026, in the middle of the histories. */
const calendar = new Calendar('Europe/Berlin');
const counted: Counted = {
  ...{ orgId: ORG, activityId: ACTIVITY, bucketBy: 'ECID', credit: 'display', calendar },
  goals: goals.map(goalOf),
};
const berlin = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Berlin', dateStyle: 'short' });

function plain({ arms, bots }: Report): Record<string, unknown> {
  return Object.fromEntries(
    [...arms, ...bots].map(({ arm: { key }, totals, days }) => [
      `${key.isBot ? 'bot ' : ''}${key.kind === 'experience' ? key.experienceId : key.kind}`,
      { totals, days: days.map(([day, counts]) => [dayText(day), counts]) },
    ]),
  );
}

const days = fc.option(
  fc.integer({ min: -1, max: 12 }).map((n) => new Date(START_MS + n * DAY_MS).toISOString().slice(0, 10)),
);

describe('a report', () => {
  test.each(CREDITS)(
    'counts what a naive count of what happened comes to, whatever the history: by %s',
    async (credit) => {
      const by = { ...counted, credit };
      await fc.assert(
        fc.asyncProperty(steps, days, days, fc.nat(120), async (all, from, to, middle) => {
          const story = happened(all);
          const log = logOf(story);
          const dayOf = (ms: number): string => berlin.format(ms);
          const expected = naiveReport(story, { orgId: ORG, activityId: ACTIVITY, credit, goals, dayOf, from, to });
          const range = { from: from === null ? null : parseDay(from), to: to === null ? null : parseDay(to) };

          const tally = new Tally(by);
          for (const stored of log.slice(0, middle)) tally.take(stored);
          // Asked for in between, and gone on with.
          await reportOf([tally], range);
          for (const stored of log.slice(middle)) tally.take(stored);
          expect(plain(await reportOf([tally], range))).toEqual(expected);

          const shares = [0, 1, 2].map((index) => new Tally(by, { index, of: 3 }));
          for (const share of shares) for (const stored of log) share.take(stored);
          const ofShares = await reportOf(shares, range);
          expect(plain(ofShares)).toEqual(expected);
          expect(ofShares.notCounted).toEqual(tally.notCounted);
        }),
        { numRuns: 100 },
      );
    },
  );

  const step = (what: Step['what'], more: Partial<Step> = {}): Step => ({
    ...{ afterMs: MINUTE_MS, lateMs: 0, orgId: ORG, visitor: 0, what, outcome: 'shown', experience: 'a' },
    ...{ activity: ACTIVITY, isBot: false, back: 0, kinds: ['display'], token: 'true', amount: 10, ...more },
  });
  async function countedOf(...all: readonly Step[]): Promise<{ report: Report; tally: Tally }> {
    return countedBy('display', ...all);
  }
  async function countedBy(credit: Credit, ...all: readonly Step[]): Promise<{ report: Report; tally: Tally }> {
    const tally = new Tally({ ...counted, credit });
    for (const stored of logOf(happened(all))) tally.take(stored);
    return { report: await reportOf([tally], { from: null, to: null }), tally };
  }

  test('counts a display once, however often and however late it is told again', async () => {
    const again = step('tell', { afterMs: 14 * DAY_MS });
    const { report } = await countedOf(step('decide'), step('tell'), step('tell'), again, again);
    expect(report.arms[0]?.totals).toMatchObject({ decisions: 1, displays: 1, visitors: 1 });
    expect(report.notCounted).toMatchObject({ duplicates: 3, expired: 0 });
  });

  test('takes a token for 30 days, to the second', async () => {
    const at = (afterMs: number) => countedOf(step('decide', { afterMs: 0 }), step('tell', { afterMs }));
    expect((await at(30 * DAY_MS)).report.notCounted.expired).toBe(0);
    expect((await at(30 * DAY_MS + 1)).report.notCounted.expired).toBe(1);
  });

  test('credits a goal to the very end of its window and no longer', async () => {
    const bought = async (afterMs: number) =>
      (await countedOf(step('decide'), step('tell'), step('buy', { afterMs }))).report.arms[0]?.totals.goals[1]?.events;
    expect(await bought(60 * MINUTE_MS)).toBe(1);
    expect(await bought(60 * MINUTE_MS + 1)).toBe(0);
  });

  test('does not credit what happened before the display, though it came in after it', async () => {
    const { report } = await countedOf(step('decide'), step('tell'), step('buy', { lateMs: 5 * MINUTE_MS }));
    expect(report.arms[0]?.totals.goals[0]?.visitors).toBe(0);
  });

  describe('of what was never displayed, and of the held out', () => {
    const story: readonly Step[] = [
      ...[step('decide'), step('buy'), step('decide', { visitor: 1, outcome: 'holdout' }), step('buy', { visitor: 1 })],
    ];
    const reachedBy = async (credit: Credit) =>
      (await countedBy(credit, ...story)).report.arms.map(
        ({
          totals: {
            assigned,
            visitors,
            goals: [buyers],
          },
        }) => [...[assigned, visitors, buyers!.visitors]],
      );

    test('counts nothing by display', async () => {
      expect(await reachedBy('display')).toEqual([
        [1, 0, 0],
        [1, 0, 0],
      ]);
    });

    test('counts both alike by decision', async () => {
      expect(await reachedBy('decision')).toEqual([
        [1, 1, 1],
        [1, 1, 1],
      ]);
    });
  });

  test.each(CREDITS)('does not credit the purchase with which it came, by %s', async (credit) => {
    const { report } = await countedBy(credit, step('decide', { amount: 25 }), step('tell', { amount: 25 }));
    const decidedBefore = credit === 'decision' ? 1 : 0;
    expect(report.arms[0]?.totals.goals[0]?.events).toBe(decidedBefore);
  });

  test('knows displays for as long as a late event may be within a window of them', async () => {
    const later = step('decide', { afterMs: 35 * DAY_MS });
    const late = step('buy', { lateMs: 10 * DAY_MS });
    const { report } = await countedOf(step('decide'), step('tell'), later, step('tell'), late);
    expect(report.arms[0]?.totals.goals[2]).toMatchObject({ visitors: 1, sum: 10 });
  });

  test('says what it did not count', async () => {
    const { report } = await countedOf(
      ...[step('decide'), step('tell', { token: 'forged' }), step('tell', { orgId: OTHER_ORG })],
      ...[step('tell', { token: 'none' }), step('tell', { visitor: null }), step('tell', { kinds: ['interact'] })],
      ...[step('decide', { outcome: 'preview' }), step('tell'), step('tell', { back: 1 })],
      step('buy', { amount: null }),
    );
    // The first that told of the display was nobody: it stands for the decision all the same.
    expect(report.notCounted).toEqual({
      ...{ unsigned: 2, withoutVisitor: 1, previews: 1, duplicates: 1, expired: 0, withoutNumber: 0 },
    });
  });

  test('tells an event without a number once, however many goals would have it', () => {
    const sums = [goals[2]!, { ...goals[2]!, id: 'revenue-of-a-day', windowMs: DAY_MS }];
    const tally = new Tally({ ...counted, goals: sums.map(goalOf) });
    for (const stored of logOf(happened([step('decide'), step('tell'), step('buy', { amount: null })])))
      tally.take(stored);
    expect(tally.notCounted.withoutNumber).toBe(1);
  });

  test('keeps to its bound of visitors', async () => {
    const tally = new Tally(counted, EVERYBODY, 2);
    const log = logOf(happened([step('decide'), step('decide', { visitor: 1 }), step('decide', { visitor: 2 })]));
    tally.take(log[0]!);
    tally.take(log[1]!);
    expect(() => tally.take(log[2]!)).toThrow(TooMany);
  });
});
