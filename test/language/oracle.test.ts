import fc from 'fast-check';
import jsonLogic from 'json-logic-js';
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { facts, tested } from './facts.ts';

/** Rules of `and`, `or`, `!`, `if` and comparisons of numbers, as a tree that a naive reader can follow. */
type Tree =
  | { readonly op: 'and' | 'or'; readonly parts: readonly Tree[] }
  | { readonly op: '!'; readonly part: Tree }
  | { readonly op: 'if'; readonly parts: readonly [Tree, Tree, Tree] }
  | { readonly op: '<' | '<=' | '>' | '>=' | '==' | '!='; readonly name: 'a' | 'b' | 'c'; readonly number: number }
  | { readonly op: 'between'; readonly name: 'a' | 'b' | 'c'; readonly low: number; readonly high: number };
type Numbers = Readonly<Record<'a' | 'b' | 'c', number>>;

const name = fc.constantFrom('a' as const, 'b' as const, 'c' as const);
const number = fc.integer({ min: -2, max: 2 });
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, depthIdentifier: 'tree' },
    fc.record({
      op: fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const, '==' as const, '!=' as const),
      name,
      number,
    }),
    fc.record({ op: fc.constant('between' as const), name, low: number, high: number }),
    fc.record({
      op: fc.constantFrom('and' as const, 'or' as const),
      parts: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ op: fc.constant('!' as const), part: tie('tree') }),
    fc.record({ op: fc.constant('if' as const), parts: fc.tuple(tie('tree'), tie('tree'), tie('tree')) }),
  ),
}));

function ruleOf(node: Tree): Json {
  switch (node.op) {
    case 'and':
    case 'or':
      return { [node.op]: node.parts.map(ruleOf) };
    case '!':
      return { '!': ruleOf(node.part) };
    case 'if':
      return { if: node.parts.map(ruleOf) };
    case 'between':
      return { '<=': [node.low, { var: `profile.${node.name}` }, node.high] };
    default:
      return { [node.op]: [{ var: `profile.${node.name}` }, node.number] };
  }
}

function naive(node: Tree, numbers: Numbers): boolean {
  switch (node.op) {
    case 'and':
      return node.parts.map((part) => naive(part, numbers)).every(Boolean);
    case 'or':
      return node.parts.map((part) => naive(part, numbers)).some(Boolean);
    case '!':
      return !naive(node.part, numbers);
    case 'if': {
      const [condition, then, other] = node.parts;
      return (
        (naive(condition, numbers) && naive(then, numbers)) || (!naive(condition, numbers) && naive(other, numbers))
      );
    }
    case 'between':
      return node.low <= numbers[node.name] && numbers[node.name] <= node.high;
    case '==':
      return numbers[node.name] === node.number;
    case '!=':
      return numbers[node.name] !== node.number;
    case '<':
      return numbers[node.name] < node.number;
    case '<=':
      return numbers[node.name] <= node.number;
    case '>':
      return numbers[node.name] > node.number;
    case '>=':
      return numbers[node.name] >= node.number;
  }
}

test('and, or, !, if and comparisons say what a naive reader says, and what json-logic-js says', () => {
  fc.assert(
    fc.property(tree, fc.record({ a: number, b: number, c: number }), (node, numbers) => {
      const rule = ruleOf(node);
      const { holds } = tested(rule, facts({ profile: numbers }));
      expect(holds).toBe(naive(node, numbers));
      expect(holds).toBe(Boolean(jsonLogic.apply(rule as never, { profile: numbers })));
    }),
    { numRuns: 1_500 },
  );
});

/** Values of one type on both sides, where the two languages agree: everything but coercion. */
const texts = fc.constantFrom('', 'a', 'ab', 'abc', 'b', '10', '9');
const numbers = fc.constantFrom(-1, 0, 1, 2.5, 10);
const profile = fc.record({
  t: texts,
  u: texts,
  n: numbers,
  m: numbers,
  list: fc.array(numbers, { maxLength: 4 }),
  yes: fc.boolean(),
});
const t: Json = { var: 'profile.t' };
const u: Json = { var: 'profile.u' };
const n: Json = { var: 'profile.n' };
const m: Json = { var: 'profile.m' };
const list: Json = { var: 'profile.list' };
const RULES: readonly Json[] = [
  { '==': [t, u] },
  { '===': [n, m] },
  { '!=': [t, u] },
  { '!==': [n, m] },
  { '<': [t, u] },
  { '<': [n, m, 3] },
  { in: [t, { cat: [u, 'b'] }] },
  { in: [n, list] },
  { in: [t, ['a', 'b', '10']] },
  { some: [list, { '>': [{ var: '' }, 0] }] },
  { all: [list, { '>': [{ var: '' }, 0] }] },
  { none: [list, { '>': [{ var: '' }, 0] }] },
  { '!': list },
  { '!!': [t] },
  { '!!': [n] },
  { '==': [{ cat: [t, u, n] }, 'ab1'] },
  { '==': [{ substr: [t, 1] }, 'b'] },
  { '==': [{ substr: [t, -2, 1] }, 'b'] },
  { '==': [{ substr: [t, 0, -1] }, 'a'] },
  { '<': [{ '+': [n, m, 1] }, { '*': [n, m] }] },
  { '==': [{ '-': [n, m] }, { '-': [n] }] },
  { '==': [{ min: [n, m, 1] }, { max: [n, 0] }] },
  { '==': [{ '+': '10' }, n] },
  { '==': [{ '%': [n, 3] }, 1] },
  { '==': [{ if: [{ '>': [n, 1] }, t, { '<': [m, 1] }, u, 'x'] }, 'a'] },
  { '==': [{ or: [t, u, 'x'] }, 'a'] },
  { '==': [{ and: [t, u] }, 'a'] },
  { '==': [{ var: ['profile.gone', 'a'] }, t] },
  { '==': [{ var: 'profile.gone' }, null] },
  { missing: ['profile.t', 'profile.gone'] },
  { '!': { missing: ['profile.t', 'profile.n'] } },
  { '!': { missing_some: [1, ['profile.t', 'profile.gone']] } },
  { and: [{ var: 'profile.yes' }, { '==': [{ var: 'profile.list.0' }, n] }] },
];

test.each(RULES.map((rule) => [JSON.stringify(rule), rule] as const))(
  '%s is what json-logic-js says',
  (_text, rule) => {
    fc.assert(
      fc.property(profile, (about) => {
        const { holds } = tested(rule, facts({ profile: about as unknown as JsonObject }));
        expect(holds).toBe(jsonLogic.truthy(jsonLogic.apply(rule as never, { profile: about })));
      }),
      { numRuns: 100 },
    );
  },
);
