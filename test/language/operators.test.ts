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

describe('texts', () => {
  test.each(
    cases(
      [{ startsWith: [v('text'), 'Boots'] }, '1'],
      [{ startsWith: [v('text'), 'boots'] }, '0'],
      [{ startsWith: [v('age'), '3'] }, '!'],
      [{ startsWith: [v('gone'), 'B'] }, '0'],
      [{ endsWith: [v('text'), 'snow'] }, '1'],
      [{ endsWith: [v('text'), 'rain'] }, '0'],
      [{ contains: [v('text'), 'for'] }, '1'],
      [{ contains: [v('text'), 'four'] }, '0'],
      [{ contains: [v('text'), 5] }, '!'],
      [{ in: ['for', v('text')] }, '1'],
      [{ equalsIgnoreCase: [v('tier'), 'GOLD'] }, '1'],
      [{ equalsIgnoreCase: [v('tier'), 'GOLDEN'] }, '0'],
      [{ equalsIgnoreCase: [v('age'), '30'] }, '!'],
      [{ matches: [v('text'), '^Boots\\b.*snow$'] }, '1'],
      [{ matches: [v('text'), '(?i)^BOOTS'] }, '1'],
      [{ matches: [v('text'), '^snow'] }, '0'],
      [{ matches: [v('age'), '3'] }, '!'],
      [{ matches: [v('gone'), '.*'] }, '0'],
    ),
  )('$rule', ({ one }) => check(one));
});

describe('sets', () => {
  test.each(
    cases(
      [{ in: [v('tier'), ['gold', 'silver']] }, '1'],
      [{ in: [v('tier'), ['bronze']] }, '0'],
      [{ in: [v('age'), ['30', 30]] }, '1'],
      [{ in: [v('age'), ['30']] }, '0'],
      [{ in: [v('gone'), ['gold']] }, '0'],
      [{ in: [v('interests'), ['boots']] }, '!'],
      [{ in: ['boots', v('interests')] }, '1'],
      [{ in: ['boots', v('gone')] }, '0'],
      [{ in: ['boots', v('age')] }, '!'],
      [{ in: [v('tier'), [{ var: 'profile.tier' }, 'x']] }, '1'],
      [{ contains: [v('interests'), 7] }, '1'],
      [{ contains: [v('interests'), '7'] }, '0'],
      [{ containsAny: [v('interests'), ['x', 'tents']] }, '1'],
      [{ containsAny: [v('interests'), ['x', '7']] }, '0'],
      [{ containsAny: [v('interests'), []] }, '0'],
      [{ containsAll: [v('interests'), ['boots', 7]] }, '1'],
      [{ containsAll: [v('interests'), ['boots', 'x']] }, '0'],
      [{ containsAll: [v('interests'), []] }, '1'],
      [{ containsAny: [v('text'), ['rain', 'snow']] }, '1'],
      [{ containsAll: [v('text'), ['Boots', 'rain']] }, '0'],
      [{ containsAny: [v('text'), ['snow', 5]] }, '!'],
      [{ containsAny: [v('age'), ['x']] }, '!'],
      [{ containsAny: [v('gone'), ['x']] }, '0'],
      [{ containsAny: [v('interests'), v('tier')] }, '!'],
      [{ containsAny: [v('interests'), v('interests')] }, '1'],
    ),
  )('$rule', ({ one }) => check(one));
});

describe('dates: the facts’ time is 2026-11-28T12:00:00Z', () => {
  const now: Json = { var: 'time.now' };
  test.each(
    cases(
      [{ before: [v('born'), now] }, '1'],
      [{ after: [v('born'), now] }, '0'],
      [{ after: [v('seen'), '2026-11-28T10:59:59Z'] }, '1'],
      [{ before: [v('seen'), '2026-11-28T12:00:00+01:00'] }, '0'],
      [{ before: [v('born'), '2026-11-20T00:00:01Z'] }, '1'],
      [{ before: [v('born'), 1_800_000_000_000] }, '1'],
      [{ before: [v('gone'), now] }, '0'],
      [{ before: [v('tier'), now] }, '!'],
      [{ before: [v('vip'), now] }, '!'],
      [{ withinDays: [v('born'), 9] }, '1'],
      [{ withinDays: [v('born'), 8] }, '0'],
      [{ withinDays: ['2026-11-29', 8] }, '0'],
      [{ withinDays: [now, 0] }, '1'],
      [{ withinDays: [v('tier'), 8] }, '!'],
      [{ withinDays: [v('gone'), 8] }, '0'],
      [{ withinNextDays: ['2026-11-29', 0.5] }, '1'],
      [{ withinNextDays: ['2026-11-29', 0.4] }, '0'],
      [{ withinNextDays: [v('born'), 100] }, '0'],
      [{ olderThanDays: [v('born'), 8] }, '1'],
      [{ olderThanDays: [v('born'), 9] }, '0'],
      [{ olderThanDays: [v('born'), v('tier')] }, '!'],
    ),
  )('$rule', ({ one }) => check(one));
});

describe('versions', () => {
  const versions = (a: Json, sign: string, b: Json): Json => ({ semver: [a, sign, b] });
  test.each(
    cases(
      [versions(v('app'), '>=', '17.4'), '1'],
      [versions(v('app'), '<', '17.10'), '1'],
      [versions('120.0.6099.109', '>', '120.0.6099.9'), '1'],
      [versions('1.0.0', '=', '1'), '1'],
      [versions('1.0.0', '!=', '1.0.1'), '1'],
      [versions('v1.0.0-beta.2', '<', '1.0.0-beta.11'), '1'],
      [versions('1.0.0-20261128093000123', '<', '1.0.0-20261128093000124'), '1'],
      [versions('1.0.0-9', '<', '1.0.0-20261128093000124'), '1'],
      [versions('1.0.0-20261128093000124', '<', '1.0.0-a'), '1'],
      [versions('1.0.0-alpha', '<', '1.0.0-alpha.1'), '1'],
      [versions('1.0.0-alpha.1', '<', '1.0.0-alpha.beta'), '1'],
      [versions('1.0.0-rc.1', '<=', '1.0.0'), '1'],
      [versions('1.0.0+a', '=', '1.0.0+b'), '1'],
      [versions('17.9', '^', '17.4'), '1'],
      [versions('18.0', '^', '17.4'), '0'],
      [versions('17.4.9', '~', '17.4'), '1'],
      [versions('17.5', '~', '17.4'), '0'],
      [versions(v('tier'), '>', '1'), '!'],
      [versions(v('age'), '>', '1'), '!'],
      [versions(v('gone'), '>', '1'), '0'],
    ),
  )('$rule', ({ one }) => check(one));
});

describe('lists', () => {
  const total = (sign: string, number: number): Json => ({ [sign]: [{ var: 'total' }, number] });
  test.each(
    cases(
      [{ some: [v('orders'), total('>', 10)] }, '1'],
      [{ some: [v('orders'), total('>', 50)] }, '0'],
      [{ all: [v('orders'), total('>=', 5)] }, '1'],
      [{ all: [v('orders'), total('>', 5)] }, '0'],
      [{ none: [v('orders'), total('>', 50)] }, '1'],
      [{ none: [v('orders'), total('>', 5)] }, '0'],
      [{ some: [v('interests'), { '===': [{ var: '' }, 'tents'] }] }, '1'],
      // No items, as JSON Logic has it; a list that is missing has none.
      [{ some: [v('nothing'), true] }, '0'],
      [{ all: [v('nothing'), true] }, '0'],
      [{ none: [v('nothing'), true] }, '1'],
      [{ none: [v('gone'), true] }, '1'],
      [{ all: [v('tier'), true] }, '!'],
      // One item that cannot be compared: an error, unless another one decides.
      [{ some: [v('mixed'), total('>', 10)] }, '1'],
      [{ some: [v('mixed'), total('>', 60)] }, '!'],
      [{ all: [v('mixed'), total('>', 10)] }, '!'],
      [{ none: [v('mixed'), total('>', 60)] }, '!'],
      [{ none: [v('mixed'), total('>', 10)] }, '0'],
      [{ some: [[1, 2, 3], { '>': [{ var: '' }, 2] }] }, '1'],
      [{ some: [v('orders'), { some: [[4, 5], { '<': [{ var: '' }, 5] }] }] }, '1'],
      [{ exists: 'profile.tier' }, '1'],
      [{ exists: 'profile.empty' }, '1'],
      [{ exists: 'profile.none' }, '0'],
      [{ exists: 'profile.gone.deeper' }, '0'],
      [{ exists: [{ var: 'profile.tier' }] }, '1'],
    ),
  )('$rule', ({ one }) => check(one));
});

describe('values', () => {
  test.each(
    cases(
      [{ '==': [{ '+': [v('age'), 1, 2] }, 33] }, '1'],
      [{ '==': [{ '+': v('amount') }, 12.5] }, '1'],
      [{ '==': [{ '+': [v('tier')] }, 1] }, '!'],
      [{ '==': [{ '-': [v('age')] }, -30] }, '1'],
      [{ '==': [{ '-': [v('age'), 1] }, 29] }, '1'],
      [{ '==': [{ '*': [v('age'), 2] }, 60] }, '1'],
      [{ '==': [{ '/': [v('age'), 4] }, 7.5] }, '1'],
      [{ '>': [{ '/': [v('age'), 0] }, 1] }, '!'],
      [{ '==': [{ '%': [v('age'), 7] }, 2] }, '1'],
      [{ '==': [{ min: [v('age'), 7] }, 7] }, '1'],
      [{ '==': [{ max: [v('age'), 7] }, 30] }, '1'],
      [{ '>': [{ '+': [v('gone'), 1] }, 0] }, '0'],
      [{ '>': [{ '+': [v('amount'), 1] }, 0] }, '!'],
      [{ '==': [{ cat: [v('tier'), '-', v('age'), v('gone')] }, 'gold-30'] }, '1'],
      [{ '==': [{ cat: [v('orders')] }, ''] }, '!'],
      [{ '==': [{ substr: [v('tier'), 1] }, 'old'] }, '1'],
      [{ '==': [{ substr: [v('tier'), -2] }, 'ld'] }, '1'],
      [{ '==': [{ substr: [v('tier'), 0, 2] }, 'go'] }, '1'],
      [{ '==': [{ substr: [v('tier'), 0, -1] }, 'gol'] }, '1'],
      [{ '==': [{ substr: [v('age'), 0] }, '30'] }, '!'],
      [{ '==': [{ lower: 'BOOTS' }, 'boots'] }, '1'],
      [{ '==': [{ length: v('interests') }, 3] }, '1'],
      [{ '==': [{ length: [v('tier')] }, 4] }, '1'],
      [{ '==': [{ var: ['profile.gone', 'none'] }, 'none'] }, '1'],
      [{ '==': [{ var: ['profile.tier', 'none'] }, 'none'] }, '0'],
      [{ '==': [{ if: [{ '>': [v('age'), 18] }, 'adult', 'child'] }, 'adult'] }, '1'],
      [{ '==': [{ if: [{ '>': [v('tier'), 18] }, 'adult', 'child'] }, 'child'] }, '!'],
      [{ '==': [{ '?:': [{ exists: 'profile.gone' }, 1, { exists: 'profile.tier' }, 2, 3] }, 2] }, '1'],
      [{ '==': [{ or: [v('gone'), v('empty'), 'friend'] }, 'friend'] }, '1'],
      [{ '==': [{ and: [v('tier'), v('age')] }, 30] }, '1'],
      [{ '==': [{ '<': [1, 2] }, true] }, '1'],
      [{ missing: ['profile.tier', 'profile.gone'] }, '1'],
      [{ in: ['profile.empty', { missing: ['profile.empty'] }] }, '1'],
      [{ missing_some: [1, ['profile.tier', 'profile.gone']] }, '0'],
      [{ missing_some: [2, ['profile.tier', 'profile.gone']] }, '1'],
    ),
  )('$rule', ({ one }) => check(one));
});

/** A value where a condition is wanted: as JSON Logic has it. */
test.each([
  ['tier', true],
  ['vip', true],
  ['interests', true],
  ['orders', true],
  ['zero', false],
  ['empty', false],
  ['nothing', false],
  ['none', false],
  ['gone', false],
])('profile.%s alone is %s', (name, holds) => {
  expect(tested(v(name), about).holds).toBe(holds);
  expect(tested({ '!': v(name) }, about).holds).toBe(!holds);
  expect(tested({ '!!': [v(name)] }, about).holds).toBe(holds);
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
  expect(leaves.map(({ index, text }) => ({ index, text }))).toEqual([
    { index: 0, text: "profile.tier is 'gold'" },
    { index: 1, text: 'profile.age is more than 18 and less than 30' },
    { index: 2, text: "page.query.utm_source starts with 'news'" },
  ]);
  expect(reads).toEqual(['profile.tier', 'profile.age', 'page.query.utm_source']);
});
