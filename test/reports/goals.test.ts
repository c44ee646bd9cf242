import { describe, expect, test } from 'vitest';
import { PLAIN_CONSENT } from '../../src/model/consent-in-force.ts';
import type { GoalDefinition } from '../../src/model/decision-definitions.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import type { LogRecord, StoredEvent } from '../../src/model/record.ts';
import { compileGoals } from '../../src/reports/goals.ts';
import { definitionsOf } from '../support/decisions.ts';

const record = {} as LogRecord;
const event = (xdm: JsonObject, occurredAtMs = 0): StoredEvent =>
  ({ xdm, data: { vip: true }, consent: PLAIN_CONSENT, occurredAtMs }) as unknown as StoredEvent;
const goalOf = (when: Json, given: Partial<GoalDefinition> = {}): GoalDefinition => ({
  ...{ id: 'bought', name: 'Bought', when, windowMs: 1, count: 'visitor', value: null, ...given },
});
const purchase: Json = { '==': [{ var: 'xdm.eventType' }, 'commerce.purchases'] };
const definitions = definitionsOf({
  timeZone: 'Asia/Tokyo',
  audiences: [{ id: 'vip', name: 'VIP', when: { '==': [{ var: 'data.vip' }, true] }, segment: null }],
});
function added(goal: GoalDefinition, one: StoredEvent): number | null {
  const { goals, warnings } = compileGoals(definitions, [goal]);
  expect(warnings).toEqual([]);
  return goals[0]!.valueOf(one, record);
}

describe('a goal', () => {
  const total = { count: 'sum', value: 'xdm.commerce.order.priceTotal' } as const;
  test.each<[string, GoalDefinition, StoredEvent, number | null]>([
    ['an event that it is about', goalOf(purchase), event({ eventType: 'commerce.purchases' }), 1],
    ['another event', goalOf(purchase), event({ eventType: 'page' }), null],
    ['a named condition', goalOf({ audience: 'vip' }), event({}), 1],
    [
      'a sum',
      goalOf(purchase, total),
      event({ eventType: 'commerce.purchases', commerce: { order: { priceTotal: 19.5 } } }),
      19.5,
    ],
    ['a sum without the number', goalOf(purchase, total), event({ eventType: 'commerce.purchases' }), Number.NaN],
    [
      'a sum of a text',
      goalOf(purchase, total),
      event({ eventType: 'commerce.purchases', commerce: { order: { priceTotal: '19.5' } } }),
      Number.NaN,
    ],
    [
      'the hour when it occurred, in the org’s time zone',
      goalOf({ '==': [{ var: 'time.hour' }, 9] }),
      event({}, Date.UTC(2026, 10, 28, 0, 30)),
      1,
    ],
  ])('%s', (_what, goal, one, expected) => {
    expect(added(goal, one)).toBe(expected);
  });

  test('that is wrong is left out, and said', () => {
    const { goals, warnings } = compileGoals(definitions, [goalOf({ nonsense: [] }), goalOf(purchase, { id: 'good' })]);
    expect(goals.map(({ id }) => id)).toEqual(['good']);
    expect(warnings).toEqual([expect.stringContaining("The goal 'bought' is not counted: ")]);
  });

  test('that sums what is no fact is left out, and said', () => {
    const sum = goalOf(purchase, { count: 'sum', value: 'commerce.order.priceTotal' });
    const { goals, warnings } = compileGoals(definitions, [sum]);
    expect(goals).toEqual([]);
    expect(warnings).toEqual([
      expect.stringContaining("The goal 'bought' is not counted: The path 'commerce.order.priceTotal' begins at"),
    ]);
  });

  test('that looks at what no record holds is counted, and said', () => {
    const { goals, warnings } = compileGoals(definitions, [goalOf({ '==': [{ var: 'profile.tier' }, 'gold'] })]);
    expect(goals).toHaveLength(1);
    expect(warnings).toEqual([
      "The goal 'bought' looks at 'profile', which is not kept with an event: it finds nothing there. Look at xdm, data, consent, page or time.",
    ]);
  });
});
