import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCondition, isCondition } from '../../src/language/condition.ts';
import { CONJUNCTION_LEAVES_MAX } from '../../src/language/conjunction.ts';
import { ComparisonsOnce } from '../../src/language/shared-comparisons.ts';
import { type Condition, HOLDS, MARKS } from '../../src/model/condition.ts';
import type { Json } from '../../src/model/json.ts';
import { factsOf } from '../support/decisions.ts';

function compiled(rule: Json, shared = new ComparisonsOnce()): Condition {
  const condition = compileCondition(rule, { audiences: new Map(), firstLeaf: 0, shared });
  if (!isCondition(condition)) throw new Error('the rule does not compile');
  return condition;
}

const is = (path: string, value: Json): Json => ({ '==': [{ var: `profile.${path}` }, value] });
/** Of one that is smaller than a text, an error. */
const below = (path: string, value: number): Json => ({ '<': [{ var: `profile.${path}` }, value] });
const name = fc.constantFrom('a', 'b', 'c');
const comparison = fc.oneof(
  fc.tuple(name, fc.constantFrom(1, 'x')).map(([path, value]) => is(path, value)),
  fc.tuple(name, fc.nat(2)).map(([path, value]) => below(path, value)),
);
const conjunction = fc.letrec<{ rule: Json }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 2 },
    comparison,
    fc.array(tie('rule'), { minLength: 1, maxLength: 3 }).map((parts) => ({ and: parts })),
  ),
})).rule;
const profile = fc.dictionary(name, fc.constantFrom<Json>(1, 'x', 0));

describe('a conjunction', () => {
  it('says what the test says, and how its leaves are marked then, whatever is known already', () => {
    const met = new Set<boolean>();
    fc.assert(
      fc.property(fc.array(conjunction, { minLength: 1, maxLength: 4 }), profile, (rules, attributes) => {
        const facts = factsOf({ profile: attributes });
        const once = new ComparisonsOnce();
        const conditions = rules.map((rule) => compiled(rule, once));
        once.begin();
        for (const [i, condition] of conditions.entries()) {
          const scratch = new Uint8Array(40);
          const refusal = condition.conjunction!.refusal(facts, scratch);
          const marks = new Uint8Array(condition.leaves.length);
          const holds = compiled(rules[i]!).test(facts, marks);
          expect(refusal).toBe(holds ? HOLDS : marks.reduce((code, mark) => code * 4 + mark, 0));
          met.add(holds);
        }
      }),
    );
    expect(met.size).toBe(2);
  });

  it('has what a test has to spend, each time: where that is at an end, the rest are errors', () => {
    const text = 'x'.repeat(1_000);
    const names = Array.from({ length: 9 }, (_, i) => `a${i}`);
    const rule = {
      and: names.map((path) => ({ contains: [{ var: `profile.${path}` }, { var: 'profile.part' }] })),
    };
    const texts = Object.fromEntries(names.map((path) => [path, text]));
    const facts = factsOf({ profile: { ...texts, part: text.slice(1) } });
    const marks = new Uint8Array(9);
    expect(compiled(rule).test(facts, marks)).toBe(false);
    expect([...marks]).toEqual(expect.arrayContaining([MARKS.yes, MARKS.error]));
    const once = new ComparisonsOnce();
    const { conjunction: costly } = compiled(rule, once);
    for (let again = 0; again < 3; again++) {
      once.begin();
      expect(costly!.refusal(facts, new Uint8Array(9))).toBe(marks.reduce((code, mark) => code * 4 + mark, 0));
    }
  });

  it('has no more comparisons than a small integer has room for', () => {
    const ofLength = (length: number) => compiled({ and: Array.from({ length }, (_, i) => is(`a${i}`, i)) });
    const longest = ofLength(CONJUNCTION_LEAVES_MAX).conjunction!;
    const refusal = longest.refusal(factsOf(), new Uint8Array(CONJUNCTION_LEAVES_MAX));
    expect(refusal).toBe(4 ** (CONJUNCTION_LEAVES_MAX - 1));
    expect(ofLength(CONJUNCTION_LEAVES_MAX + 1).conjunction).toBeNull();
  });

  it.each<[string, Json]>([
    ['or', { or: [is('a', 1), is('b', 1)] }],
    ['not', { and: [is('a', 1), { '!': is('b', 1) }] }],
    ['a list', { and: [is('a', 1), { some: [{ var: 'profile.list' }, { '==': [{ var: '' }, 1] }] }] }],
    ['being there', { exists: 'profile.a' }],
    ['nothing', true],
  ])('is nothing that holds %s', (_what, rule) => {
    expect(compiled(rule).conjunction).toBeNull();
  });

  it('is none where comparisons are not shared', () => {
    const condition = compileCondition(is('a', 1), { audiences: new Map(), firstLeaf: 0 });
    expect(isCondition(condition) && condition.conjunction).toBeNull();
  });
});
