import { describe, expect, it } from 'vitest';
import { compileCondition, isCondition } from '../../src/language/condition.ts';
import { ComparisonsOnce } from '../../src/language/shared-comparisons.ts';
import { type Condition, type Facts, MARKS } from '../../src/model/condition.ts';
import type { Json } from '../../src/model/json.ts';
import { factsOf } from '../support/decisions.ts';

function compiled(rule: Json, shared: ComparisonsOnce, firstLeaf = 0): Condition {
  const condition = compileCondition(rule, { audiences: new Map(), firstLeaf, shared });
  if (!isCondition(condition)) throw new Error('the rule does not compile');
  return condition;
}

/** Facts that count how often the profile is read. */
function counted(tier: Json): { readonly facts: Facts; readonly reads: () => number } {
  let reads = 0;
  const facts = Object.defineProperty({ ...factsOf() }, 'profile', {
    get: () => {
      reads += 1;
      return { tier };
    },
  });
  return { facts, reads: () => reads };
}

const GOLD = { '==': [{ var: 'profile.tier' }, 'gold'] };

describe('a comparison that several conditions make', () => {
  it('is made once, marks the leaf of each, and is made anew for other facts', () => {
    const once = new ComparisonsOnce();
    const conditions = [compiled(GOLD, once), compiled({ and: [GOLD, { '!': GOLD }] }, once, 1)];
    for (const tier of ['gold', 'silver']) {
      once.begin();
      const marks = new Uint8Array(3);
      const { facts, reads } = counted(tier);
      expect(conditions.map((condition) => condition.test(facts, marks))).toEqual([tier === 'gold', false]);
      expect(reads()).toBe(1);
      const mark = tier === 'gold' ? MARKS.yes : MARKS.no;
      expect([...marks]).toEqual([mark, mark, tier === 'gold' ? mark : MARKS.unseen]);
    }
  });

  it('that is an error is found out by each', () => {
    const once = new ComparisonsOnce();
    const conditions = [compiled(GOLD, once), compiled(GOLD, once, 1)];
    const marks = new Uint8Array(2);
    const { facts, reads } = counted(1);
    once.begin();
    for (const condition of conditions) expect(condition.test(facts, marks)).toBe(false);
    expect([...marks]).toEqual([MARKS.error, MARKS.error]);
    expect(reads()).toBe(2);
  });

  it('is another one where the words differ, however many there are', () => {
    const once = new ComparisonsOnce();
    const conditions = Array.from({ length: 300 }, (_, n) => compiled({ '==': [{ var: 'profile.tier' }, n] }, once));
    once.begin();
    const held = conditions.filter((condition) => condition.test(counted(299).facts, new Uint8Array(1)));
    expect(held).toEqual([conditions[299]]);
  });

  it('is not known from long ago, when the count of decisions begins again', () => {
    const once = new ComparisonsOnce();
    const condition = compiled(GOLD, once);
    once.begin();
    expect(condition.test(counted('gold').facts, new Uint8Array(1))).toBe(true);
    const first = once.epoch;
    once.epoch = 2 ** 30 - 4;
    expect(condition.test(counted('gold').facts, new Uint8Array(1))).toBe(true);
    once.begin();
    expect(once.epoch).toBeLessThanOrEqual(first);
    expect(condition.test(counted('silver').facts, new Uint8Array(1))).toBe(false);
  });
});
