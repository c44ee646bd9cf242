import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LiveReports, READ_MS_MAX, REPORTS_KEPT_MAX } from '../src/live-reports.ts';
import type { Credit } from '../src/model/credit.ts';
import type { DecisionDefinitions } from '../src/model/decision-definitions.ts';
import type { JsonObject } from '../src/model/json.ts';
import type { Stored } from '../src/model/record.ts';
import { TooMany } from '../src/reports/fingerprints.ts';
import { ACTIVITY, DAY_MS, happened, logOf, MINUTE_MS, ORG, type Step, steps } from './reports/histories.ts';
import { activityOf, definitionsOf, experienceOf, itemOf } from './support/decisions.ts';

const activity = activityOf(ACTIVITY, {
  experiences: [experienceOf('a', [itemOf('hero')]), experienceOf('b', [itemOf('hero')])],
  goals: [
    {
      ...{ id: 'bought', name: 'Bought', windowMs: 2 * DAY_MS, count: 'total', value: null },
      when: { '==': [{ var: 'xdm.eventType' }, 'commerce.purchases'] },
    },
  ],
});
const definitions: DecisionDefinitions = definitionsOf({ orgId: ORG, activities: [activity] });
const ALL = { from: null, to: null };
const step = (what: Step['what'], more: Partial<Step> = {}): Step => ({
  ...{ afterMs: MINUTE_MS, lateMs: 0, orgId: ORG, visitor: 0, what, outcome: 'shown', experience: 'a' },
  ...{ activity: ACTIVITY, isBot: false, back: 0, kinds: ['display'], token: 'true', amount: 10, ...more },
});

/** A log that grows, and a clock that a test sets. */
class Growing {
  readonly records: Stored[] = [];
  readonly reads: number[] = [];
  nowMs = 0;
  msPerRecord = 0;
  readonly reports: LiveReports;

  constructor(visitorsMax?: number) {
    const { records, reads } = this;
    const pass = (): void => {
      this.nowMs += this.msPerRecord;
    };
    this.reports = new LiveReports({
      async *read(offset) {
        for (const stored of records.slice(offset)) {
          reads.push(stored.position.offset);
          pass();
          yield stored;
        }
      },
      nextOffset: () => records.length,
      clockMs: () => this.nowMs,
      turn: async () => {},
      ...(visitorsMax === undefined ? {} : { visitorsMax }),
    });
  }

  grow(to: readonly Stored[]): void {
    this.records.push(...to.slice(this.records.length));
  }
}

describe('reports of a running server', () => {
  test('are, whenever they are asked for, those of the whole log, and read each record once', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.array(fc.nat(120), { maxLength: 4 }), async (all, stops) => {
        const log = logOf(happened(all));
        const growing = new Growing();
        for (const stop of [...stops.sort((a, b) => a - b), log.length]) {
          growing.grow(log.slice(0, stop));
          const whole = new Growing();
          whole.grow(log.slice(0, stop));
          expect(await growing.reports.report(definitions, ACTIVITY, ALL, 'display')).toEqual(
            await whole.reports.report(definitions, ACTIVITY, ALL, 'display'),
          );
        }
        expect(growing.reads).toEqual(log.map((_, offset) => offset));
      }),
      { numRuns: 40 },
    );
  });

  test('of several calls at once are counted once', async () => {
    const growing = new Growing();
    growing.grow(logOf(happened([step('decide'), step('tell'), step('buy')])));
    const all = await Promise.all([1, 2, 3].map(() => growing.reports.report(definitions, ACTIVITY, ALL, 'display')));
    expect(growing.reads).toEqual([0, 1, 2]);
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
  });

  test('that take too long say how far they came, and go on from there', async () => {
    const growing = new Growing();
    const long = Array.from({ length: 250 }, () => step('decide'));
    growing.grow(logOf(happened(long)));
    growing.msPerRecord = READ_MS_MAX / 100;
    const first = await growing.reports.report(definitions, ACTIVITY, ALL, 'display');
    expect(first).toMatchObject({ complete: false, readUpTo: '0:99' });
    growing.msPerRecord = 0;
    expect(await growing.reports.report(definitions, ACTIVITY, ALL, 'display')).toMatchObject({
      complete: true,
      readUpTo: '0:249',
    });
    expect(growing.reads).toHaveLength(250);
  });

  test('begin anew where goals change, and not where anything else does', async () => {
    const growing = new Growing();
    growing.grow(logOf(happened([step('decide'), step('tell'), step('buy')])));
    await growing.reports.report(definitions, ACTIVITY, ALL, 'display');
    const renamed = { ...definitions, hash: 'ffffffffffffffff', activities: [{ ...activity, name: 'Other' }] };
    expect(await growing.reports.report(renamed, ACTIVITY, ALL, 'display')).toMatchObject({
      activity: { name: 'Other' },
    });
    expect(growing.reads).toHaveLength(3);
    const [goal] = activity.goals;
    const changed = { ...definitions, activities: [{ ...activity, goals: [{ ...goal!, count: 'visitor' as const }] }] };
    expect(await growing.reports.report(changed, ACTIVITY, ALL, 'display')).toMatchObject({
      goals: [{ count: 'visitor' }],
    });
    expect(growing.reads).toHaveLength(6);
  });

  test('are kept apart by what visitors are counted from', async () => {
    const growing = new Growing();
    growing.grow(logOf(happened([step('decide', { outcome: 'holdout' }), step('buy')])));
    const visitorsBy = async (credit: Credit) => {
      const report = await growing.reports.report(definitions, ACTIVITY, ALL, credit);
      const arms = report?.['arms'] as readonly JsonObject[];
      return { credit: report?.['credit'], arms: arms.filter((arm) => arm['kind'] === 'holdout') };
    };
    for (let call = 0; call < 2; call++) {
      expect(await visitorsBy('display')).toMatchObject({ credit: 'display', arms: [{ assigned: 1, visitors: 0 }] });
      expect(await visitorsBy('decision')).toMatchObject({ credit: 'decision', arms: [{ assigned: 1, visitors: 1 }] });
    }
    expect(growing.reads).toEqual([0, 1, 0, 1]);
  });

  test('begin anew after an erasure, once', async () => {
    const growing = new Growing();
    const log = logOf(happened([step('decide'), step('tell'), step('look')]));
    growing.grow(log.slice(0, 2));
    await growing.reports.report(definitions, ACTIVITY, ALL, 'display');
    const { position, record } = log[2]!;
    growing.records.push({
      position,
      record: { ...record, changes: [{ kind: 'erasure', key: 'k', time: '1', body: {} }] },
    });
    for (let call = 0; call < 3; call++) await growing.reports.report(definitions, ACTIVITY, ALL, 'display');
    expect(growing.reads).toEqual([0, 1, 2, 0, 1, 2]);
  });

  test('begin anew when they are told that less is shown', async () => {
    const growing = new Growing();
    growing.grow(logOf(happened([step('decide'), step('decide', { visitor: 1 }), step('decide', { visitor: 2 })])));
    await growing.reports.report(definitions, ACTIVITY, ALL, 'display');
    const [first, ...rest] = growing.records.splice(0);
    growing.grow([{ ...first!, record: { ...first!.record, events: [], decisions: null } }, ...rest]);
    const whole = new Growing();
    whole.grow(growing.records);
    const expected = await whole.reports.report(definitions, ACTIVITY, ALL, 'display');
    expect(await growing.reports.report(definitions, ACTIVITY, ALL, 'display')).not.toEqual(expected);
    growing.reports.forget();
    expect(await growing.reports.report(definitions, ACTIVITY, ALL, 'display')).toEqual(expected);
  });

  test('of more activities than are kept count those again that were asked for longest ago', async () => {
    const growing = new Growing();
    const ids = Array.from({ length: REPORTS_KEPT_MAX + 1 }, (_, n) => `a${n}`);
    const many = { ...definitions, activities: ids.map((id) => ({ ...activity, id })) };
    growing.grow(logOf(happened([step('look')])));
    for (const id of [...ids, ids.at(-1)!]) await growing.reports.report(many, id, ALL, 'display');
    expect(growing.reads).toHaveLength(ids.length);
    await growing.reports.report(many, ids[0]!, ALL, 'display');
    expect(growing.reads).toHaveLength(ids.length + 1);
  });

  test('are refused beyond their bound, and null for an activity that is not there', async () => {
    const growing = new Growing(1);
    growing.grow(logOf(happened([step('decide'), step('decide', { visitor: 1 })])));
    await expect(growing.reports.report(definitions, ACTIVITY, ALL, 'display')).rejects.toThrow(TooMany);
    expect(await growing.reports.report(definitions, 'other', ALL, 'display')).toBeNull();
  });
});
