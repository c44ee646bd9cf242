import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { compiled, facts, tested } from './facts.ts';

const profile: JsonObject = {
  tier: 'gold',
  age: 30,
  vip: true,
  none: null,
  empty: '',
  zero: 0,
  interests: ['boots', 'tents', 7],
  orders: [{ total: 5 }, { total: 50 }],
  mixed: [{ total: 'x' }, { total: 50 }],
  nothing: [],
  amount: '12.5',
  born: '2026-11-20',
  seen: '2026-11-28T11:00:00Z',
  app: '17.4.1',
  text: 'Boots for snow',
};
const about = facts({ profile });
const v = (name: string): Json => ({ var: `profile.${name}` });

/** Operator's arguments; the mark: `1` yes, `0` no, `!` of wrong types. */
type Case = readonly [rule: Json, mark: string];
const check = ([rule, mark]: Case): void => {
  const { holds, marks } = tested(rule, about);
  expect({ rule, marks, holds }).toEqual({ rule, marks: mark, holds: mark === '1' });
};
const cases = (...list: Case[]): readonly { rule: string; one: Case }[] =>
  list.map((one) => ({ rule: JSON.stringify(one[0]), one }));

describe('equality', () => {
  test.each(
    cases(
      [{ '==': [v('tier'), 'gold'] }, '1'],
      [{ '==': ['gold', v('tier')] }, '1'],
      [{ '==': [v('tier'), 'Gold'] }, '0'],
      [{ '==': [v('age'), 30] }, '1'],
      [{ '==': [v('age'), '30'] }, '!'],
      [{ '==': [v('vip'), true] }, '1'],
      [{ '==': [v('vip'), 1] }, '!'],
      [{ '==': [v('gone'), null] }, '1'],
      [{ '==': [v('none'), null] }, '1'],
      [{ '==': [v('zero'), null] }, '0'],
      [{ '==': [v('gone'), 'gold'] }, '0'],
      [{ '==': [v('interests'), 'boots'] }, '!'],
      [{ '==': [v('interests'), v('interests')] }, '!'],
      [{ '!=': [v('tier'), 'gold'] }, '0'],
      [{ '!=': [v('gone'), 'gold'] }, '1'],
      [{ '!=': [v('age'), '30'] }, '!'],
      [{ '===': [v('age'), '30'] }, '0'],
      [{ '===': [v('age'), 30] }, '1'],
      [{ '===': [v('gone'), null] }, '1'],
      [{ '===': [v('interests'), v('interests')] }, '0'],
      [{ '!==': [v('age'), '30'] }, '1'],
      [{ '!==': [v('age'), 30] }, '0'],
    ),
  )('$rule', ({ one }) => check(one));
});

describe('order', () => {
  test.each(
    cases(
      [{ '<': [v('age'), 31] }, '1'],
      [{ '<': [v('age'), 30] }, '0'],
      [{ '<=': [v('age'), 30] }, '1'],
      [{ '>': [v('age'), 29] }, '1'],
      [{ '>': [v('age'), 30] }, '0'],
      [{ '>=': [v('age'), 30] }, '1'],
      [{ '<': [29, v('age'), 31] }, '1'],
      [{ '<': [30, v('age'), 31] }, '0'],
      [{ '<=': [30, v('age'), 30] }, '1'],
      [{ '>': [31, v('age'), 29] }, '1'],
      [{ '>=': [30, v('age'), 31] }, '0'],
      [{ '<': [v('age'), '31'] }, '!'],
      [{ '<': [v('tier'), 'golf'] }, '1'],
      [{ '<': [v('gone'), 5] }, '0'],
      [{ '<': [v('vip'), 5] }, '!'],
      [{ '<': [1, v('age'), v('tier')] }, '!'],
    ),
  )('$rule', ({ one }) => check(one));
});

test('a path reads own names only', () => {
  for (const path of ['profile.constructor', 'profile.__proto__', 'profile.tier.length', 'profile.interests.map']) {
    expect(tested({ exists: path }, about).marks).toBe('0');
  }
  expect(tested({ '==': [{ var: 'profile.interests.length' }, 3] }, about).marks).toBe('1');
  expect(tested({ '==': [{ var: 'profile.orders.1.total' }, 50] }, about).marks).toBe('1');
});

test('leaves are told in plain words', () => {
  const { leaves, reads } = compiled({
    and: [
      { '==': [v('tier'), 'gold'] },
      { or: [{ '<': [18, v('age'), 30] }, { startsWith: [{ var: 'page.query.utm_source' }, 'news'] }] },
    ],
  });
  expect(leaves).toEqual([
    { index: 0, text: "profile.tier is 'gold'" },
    { index: 1, text: 'profile.age is more than 18 and is less than 30' },
    { index: 2, text: "page.query.utm_source starts with 'news'" },
  ]);
  expect(reads).toEqual(['profile.tier', 'profile.age', 'page.query.utm_source']);
});
