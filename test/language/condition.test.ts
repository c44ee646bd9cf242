import { describe, expect, test } from 'vitest';
import { compileAudiences } from '../../src/language/audiences.ts';
import { compileCondition, isCondition } from '../../src/language/condition.ts';
import {
  AUDIENCE_DEPTH_MAX,
  LEAF_CHARACTERS_MAX,
  PATH_CHARACTERS_MAX,
  PATH_NAMES_MAX,
  PATTERN_CHARACTERS_MAX,
  PATTERN_TEXT_CHARACTERS_MAX,
  PROBLEMS_MAX,
  RULE_DEPTH_MAX,
  RULE_LIST_ITEMS_MAX,
  RULE_NODES_MAX,
  STEPS_MAX,
  TEXT_CHARACTERS_MAX,
} from '../../src/language/limits.ts';
import type { ConditionProblem } from '../../src/model/condition.ts';
import type { Json } from '../../src/model/json.ts';
import { compiled, facts, tested } from './facts.ts';

const NONE = { audiences: new Map(), firstLeaf: 0 };
const problemsOf = (rule: Json): readonly ConditionProblem[] => {
  const condition = compileCondition(rule, NONE);
  return isCondition(condition) ? [] : condition;
};
const tier: Json = { '==': [{ var: 'profile.tier' }, 'gold'] };
const gold = facts({ profile: { tier: 'gold', text: 'x', list: [] } });

describe('what is wrong is said, with its place', () => {
  test.each<[Json, (string | number)[], string]>([
    [null, [], 'A condition belongs here'],
    ['profile.tier', [], 'A condition belongs here'],
    [{ and: [tier, 5] }, ['and', 1], 'A condition belongs here'],
    [{}, [], 'this one has none'],
    [{ '==': [1, 1], '!': true }, [], "this one has '==', '!'"],
    [{ startWith: [1, 2] }, ['startWith'], "The operator 'startWith' is not known. Did you mean 'startsWith'?"],
    [
      { reduce: [1, 2] },
      ['reduce'],
      'is not known. Known: and or ! !! if ?: some all none audience exists var missing ',
    ],
    [{ constructor: [1, 2] }, ['constructor'], "The operator 'constructor' is not known."],
    [{ '==': [1] }, ['=='], 'The operator \'==\' has 1 argument. Write {"==": [value, value]}.'],
    [{ and: [] }, ['and'], "The operator 'and' has 0 arguments."],
    [{ '==': [{ var: 'profle.tier' }, 1] }, ['==', 0, 'var'], "Did you mean 'profile'?"],
    [{ '==': [{ var: ['tier'] }, 1] }, ['==', 0, 'var', 0], "'tier', which is no fact. Did you mean 'time'?"],
    [{ '==': [{ var: 'client.browser.vesion' }, '1'] }, ['==', 0, 'var'], "Did you mean 'version'?"],
    [{ '==': [{ var: 'page.hots' }, 'x'] }, ['==', 0, 'var'], "Did you mean 'host'?"],
    [{ '==': [{ var: '' }, 1] }, ['==', 0, 'var'], 'takes a path'],
    [{ '==': [{ var: { cat: ['a'] } }, 1] }, ['==', 0, 'var'], 'a path that is written out'],
    [{ exists: 'profile..x' }, ['exists', 'var'], 'empty name'],
    [{ '==': [{ var: 'profile.tier' }, ['gold']] }, ['==', 1], "The operator '==' takes a text, a number"],
    [{ startsWith: [{ var: 'profile.tier' }, 5] }, ['startsWith', 1], 'takes a text of at most'],
    [{ '<': [{ var: 'profile.age' }, true] }, ['<', 1], 'takes a number or a text, not true.'],
    [{ before: [{ var: 'profile.born' }, 'yesterday'] }, ['before', 1], 'takes a date'],
    [{ semver: [{ var: 'profile.app' }, '=>', '1.0'] }, ['semver', 1], 'takes one of = != < <= > >= ^ ~, not "=>"'],
    [{ semver: [{ var: 'profile.app' }, '>=', 'one'] }, ['semver', 2], 'takes a version'],
    [{ matches: [{ var: 'profile.tier' }, '(a'] }, ['matches', 1], 'is none of RE2: '],
    [{ matches: [{ var: 'profile.tier' }, '(?=a)'] }, ['matches', 1], 'is none of RE2: '],
    [
      { matches: [{ var: 'profile.tier' }, { var: 'profile.x' }] },
      ['matches', 1],
      'has to be a text that is written out',
    ],
    [{ matches: [{ var: 'profile.tier' }, '(x{100}){10}'] }, ['matches', 1], 'instructions; at most'],
    [{ audience: 'vip' }, ['audience'], "There is no audience 'vip'. Known: none."],
    [{ audience: { var: 'profile.x' } }, ['audience'], 'takes the id of an audience'],
    [{ '==': [{ '+': ['1', true] }, 1] }, ['==', 0, '+', 0], 'The operator \'+\' takes a number, not "1".'],
    [{ '==': [{ '+': [[1]] }, 1] }, ['==', 0, '+', 0], "The operator '+' takes a text, a number"],
    [{ missing: [5] }, ['missing', 0], 'a path that is written out'],
  ])('%j', (rule, path, message) => {
    expect(problemsOf(rule)).toContainEqual({ path, message: expect.stringContaining(message) });
  });

  test('every mistake at once, up to a number', () => {
    expect(problemsOf({ and: [{ a: 1 }, { b: 1 }] })).toHaveLength(2);
    expect(problemsOf({ and: Array.from({ length: PROBLEMS_MAX + 1 }, () => ({ a: 1 })) })).toHaveLength(PROBLEMS_MAX);
  });
});

describe('limits, at their edges', () => {
  const compiles = (rule: Json): boolean => problemsOf(rule).length === 0;
  test('nodes', () => {
    // An `and`, and three for each comparison with one `var` and one value.
    const many = (nodes: number): Json => ({ and: Array.from({ length: nodes - 1 }, () => true) });
    expect([compiles(many(RULE_NODES_MAX)), compiles(many(RULE_NODES_MAX + 1))]).toEqual([true, false]);
  });
  test('depth', () => {
    const deep = (depth: number): Json => (depth === 1 ? true : { '!': [deep(depth - 1)] });
    expect([compiles(deep(RULE_DEPTH_MAX)), compiles(deep(RULE_DEPTH_MAX + 1))]).toEqual([true, false]);
    let bottomless: Json = true;
    for (let i = 0; i < 100_000; i++) bottomless = { '!': bottomless };
    expect(problemsOf(bottomless)).toHaveLength(1);
  });
  test('lists', () => {
    const list = (length: number): Json => ({ in: [{ var: 'profile.tier' }, Array.from({ length }, (_, i) => i)] });
    expect([compiles(list(RULE_LIST_ITEMS_MAX)), compiles(list(RULE_LIST_ITEMS_MAX + 1))]).toEqual([true, false]);
  });
  test('paths', () => {
    const path = (names: number): Json => ({
      exists: ['profile', ...Array.from({ length: names - 1 }, () => 'x')].join('.'),
    });
    expect([compiles(path(PATH_NAMES_MAX)), compiles(path(PATH_NAMES_MAX + 1))]).toEqual([true, false]);
    const long = (length: number): Json => ({ exists: `profile.${'x'.repeat(length - 8)}` });
    expect([compiles(long(PATH_CHARACTERS_MAX)), compiles(long(PATH_CHARACTERS_MAX + 1))]).toEqual([true, false]);
  });
  test('patterns', () => {
    const pattern = (length: number): Json => ({ matches: [{ var: 'profile.text' }, 'x'.repeat(length)] });
    expect([compiles(pattern(PATTERN_CHARACTERS_MAX)), compiles(pattern(PATTERN_CHARACTERS_MAX + 1))]).toEqual([
      true,
      false,
    ]);
    const on = (length: number): string =>
      tested({ matches: [{ var: 'profile.text' }, '^x'] }, facts({ profile: { text: 'x'.repeat(length) } })).marks;
    expect([on(PATTERN_TEXT_CHARACTERS_MAX), on(PATTERN_TEXT_CHARACTERS_MAX + 1)]).toEqual(['1', '!']);
  });
  test.each(['startsWith', 'endsWith', 'contains', 'equalsIgnoreCase', '=='])('texts of %s', (operator) => {
    const other = { var: 'profile.other' };
    const on = (length: number): string => {
      const profile = { text: 'x'.repeat(length), other: operator === '==' ? 'x'.repeat(length) : 'x' };
      return tested({ [operator]: [{ var: 'profile.text' }, other] }, facts({ profile })).marks;
    };
    expect(on(TEXT_CHARACTERS_MAX)).not.toBe('!');
    if (operator !== '==') expect(on(TEXT_CHARACTERS_MAX + 1)).toBe('!');
  });
  test('made texts', () => {
    const on = (length: number): string =>
      tested({ '==': [{ cat: [{ var: 'profile.text' }] }, ''] }, facts({ profile: { text: 'x'.repeat(length) } }))
        .marks;
    expect([on(TEXT_CHARACTERS_MAX), on(TEXT_CHARACTERS_MAX + 1)]).toEqual(['0', '!']);
  });
  test('steps: items of a list, each the parts of its condition', () => {
    const on = (length: number): string =>
      tested(
        { none: [{ var: 'profile.list' }, { '==': [{ var: '' }, 1] }] },
        facts({ profile: { list: Array.from({ length }, () => 0) } }),
      ).marks;
    expect([on(STEPS_MAX / 3), on(STEPS_MAX / 3 + 1)]).toEqual(['1', '!']);
    const twice: Json = { none: [{ var: 'profile.list' }, { '==': [{ var: '' }, 1] }] };
    const list = Array.from({ length: STEPS_MAX / 4 }, () => 0);
    const about = facts({ profile: { list } });
    expect(tested({ and: [twice, twice] }, about)).toEqual({ holds: false, marks: '1!' });
    // The next test has all its steps again.
    const condition = compiled(twice);
    const marks = new Uint8Array(1);
    expect([condition.test(about, marks), condition.test(about, marks)]).toEqual([true, true]);
  });
  test('words', () => {
    const long = compiled({ '==': [{ cat: Array.from({ length: 50 }, () => ({ var: 'profile.tier' })) }, 'x'] });
    expect(long.leaves[0]!.text).toHaveLength(LEAF_CHARACTERS_MAX);
  });
});

describe('leaves', () => {
  test('begin where they are told to, and are looked at only as far as the answer needs', () => {
    const rule = { or: [tier, { and: [tier, tier] }] };
    const condition = compileCondition(rule, { audiences: new Map(), firstLeaf: 7 });
    if (!isCondition(condition)) throw new Error('It compiles.');
    expect(condition.leaves.map(({ index }) => index)).toEqual([7, 8, 9]);
    const marks = new Uint8Array(10);
    condition.test(gold, marks);
    expect([...marks]).toEqual([0, 0, 0, 0, 0, 0, 0, 2, 0, 0]);
  });

  test('a judge is asked about each leaf that is looked at, and decides', () => {
    const asked: [string, boolean][] = [];
    const judge = (comparison: string, holds: boolean): boolean => {
      asked.push([comparison, holds]);
      return asked.length === 1 ? !holds : holds;
    };
    const condition = compileCondition({ or: [tier, { '==': [{ var: 'profile.tier' }, 5] }] }, { ...NONE, judge });
    if (!isCondition(condition)) throw new Error('It compiles.');
    const marks = new Uint8Array(2);
    expect(condition.test(gold, marks)).toBe(false);
    const [first, second] = condition.leaves.map(({ comparison }) => comparison);
    expect(asked).toEqual([
      [first, true],
      [second, false],
    ]);
    expect(first).not.toBe(second);
    expect([...marks]).toEqual([1, 3]);
  });

  test.each<[Json, string]>([
    [{ '!=': [{ var: 'profile.tier' }, 'gold'] }, "profile.tier is not 'gold'"],
    [{ '==': [{ var: 'profile.tier' }, null] }, 'profile.tier is missing'],
    [{ '!=': [{ var: 'profile.tier' }, null] }, 'profile.tier is there'],
    [{ '>=': [{ var: 'xdm.commerce.order.priceTotal' }, 100] }, 'xdm.commerce.order.priceTotal is at least 100'],
    [{ in: [{ var: 'profile.tier' }, ['gold', 'silver']] }, "profile.tier is one of ['gold', 'silver']"],
    [{ in: ['boots', { var: 'profile.list' }] }, "profile.list contains 'boots'"],
    [{ containsAny: [{ var: 'profile.list' }, ['a']] }, "profile.list contains any of ['a']"],
    [{ withinDays: [{ var: 'profile.seen' }, 7] }, 'profile.seen was within the last 7 days'],
    [{ semver: [{ var: 'client.os.version' }, '>=', '17.4'] }, "client.os.version is at least version '17.4'"],
    [
      { some: [{ var: 'xdm.productListItems' }, { '==': [{ var: 'SKU' }, 'A'] }] },
      "some of xdm.productListItems: SKU is 'A'",
    ],
    [{ exists: 'profile.tier' }, 'profile.tier is there'],
    [{ var: 'profile.vip' }, 'profile.vip is true or something'],
    [{ '>': [{ '+': [{ var: 'profile.age' }, 1] }, 5] }, '(profile.age + 1) is more than 5'],
  ])('%j in plain words', (rule, text) => {
    expect(compiled(rule).leaves.map((leaf) => leaf.text)).toEqual([text]);
  });
});

describe('audiences', () => {
  const all = (rules: Record<string, Json>) => compileAudiences(new Map(Object.entries(rules)), { firstLeaf: 0 });

  test('are worked out once, and are a leaf of each condition that names them', () => {
    const { conditions, problems, nextLeaf } = all({
      loyal: { and: [{ audience: 'gold' }, { exists: 'profile.text' }] },
      gold: tier,
    });
    expect(problems.size).toBe(0);
    const rule = { and: [{ audience: 'gold' }, { audience: 'loyal' }] };
    const condition = compileCondition(rule, { audiences: conditions, firstLeaf: nextLeaf });
    if (!isCondition(condition)) throw new Error('It compiles.');
    expect(condition.leaves.map(({ text }) => text)).toEqual([
      "the visitor is in the audience 'gold'",
      "the visitor is in the audience 'loyal'",
    ]);
    expect(condition.reads).toEqual(['profile.tier', 'profile.text']);
    const marks = new Uint8Array(nextLeaf + condition.leaves.length);
    expect(condition.test(gold, marks)).toBe(true);
    // What is known is not asked again: other facts, the same marks.
    expect(conditions.get('gold')!.test(facts(), marks)).toBe(true);
    expect(conditions.get('gold')!.test(facts(), new Uint8Array(marks.length))).toBe(false);
  });

  test('in a circle are a problem, at the name that closes it', () => {
    const { problems } = all({
      a: { '!': { audience: 'b' } },
      b: { or: [{ audience: 'c' }, tier] },
      c: { audience: ['a'] },
      d: { audience: 'd' },
    });
    expect([...problems]).toEqual([
      ['c', [{ path: ['audience', 0], message: expect.stringContaining("in a circle: 'a' → 'b' → 'c' → 'a'") }]],
      ['d', [{ path: ['audience'], message: expect.stringContaining("'d' → 'd'") }]],
    ]);
  });

  test('one that is unknown is a problem where it is named; one that is broken only its own', () => {
    const { problems } = all({ a: { audience: 'bb' }, b: { audience: 'broken' }, broken: { nothing: 1 } });
    expect([...problems.keys()]).toEqual(['a', 'broken']);
    expect(problems.get('a')![0]!.message).toContain("Did you mean 'b'?");
  });

  test('depth, at its edge', () => {
    const chain = (length: number) =>
      all(
        Object.fromEntries(
          Array.from({ length }, (_, i) => [`a${i}`, i + 1 < length ? { audience: `a${i + 1}` } : tier]),
        ),
      );
    expect(chain(AUDIENCE_DEPTH_MAX).problems.size).toBe(0);
    expect(chain(AUDIENCE_DEPTH_MAX + 1).problems.size).toBeGreaterThan(0);
    const backwards = (length: number) =>
      all(Object.fromEntries(Array.from({ length }, (_, i) => [`a${i}`, i > 0 ? { audience: `a${i - 1}` } : tier])));
    expect(backwards(AUDIENCE_DEPTH_MAX).problems.size).toBe(0);
    expect(backwards(AUDIENCE_DEPTH_MAX + 1).problems.size).toBeGreaterThan(0);
  });
});
