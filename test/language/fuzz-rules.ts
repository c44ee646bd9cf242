import { expect } from 'vitest';
import { compileCondition, isCondition } from '../../src/language/condition.ts';
import type { Condition, Facts } from '../../src/model/condition.ts';
import { compiled } from './facts.ts';
import { Rules } from './rules.ts';

/** No test of a condition may take longer. */
export const STALL_MS = 5;
/** A machine that is busy with other things stalls by itself: what was slow is tried again. */
const TRIES = 40;

/** Compiles random rules and tests them on random facts: nothing throws, nothing stalls, marks are marks. Returns how many compiled. */
export function fuzzRules(
  seed: number,
  rules: number,
  factsEach: number,
): { readonly compiled: number; readonly slowestMs: number } {
  const audiences: ReadonlyMap<string, Condition> = new Map([['known', compiled({ exists: 'profile.a' })]]);
  let count = 0;
  let slowestMs = 0;
  for (let i = 0; i < rules; i++) {
    const random = new Rules(seed + i);
    const rule = random.rule(1 + (i % 6));
    const label = `seed ${seed + i}: ${JSON.stringify(rule).slice(0, 2_000)}`;
    const condition = compileCondition(rule, { audiences, firstLeaf: 0 });
    if (!isCondition(condition)) {
      expect(condition.length, label).toBeGreaterThan(0);
      continue;
    }
    count += 1;
    for (let j = 0; j < factsEach; j++) {
      const about = random.facts();
      const marks = new Uint8Array(condition.leaves.length);
      const holds = condition.test(about, marks);
      if (typeof holds !== 'boolean' || marks.some((mark) => mark > 3)) expect.fail(label);
      const ms = fastestMs(condition, about, marks);
      if (ms > STALL_MS) expect.fail(`${ms} ms: ${label}`);
      slowestMs = Math.max(slowestMs, ms);
      if (condition.test(about, marks) !== holds) expect.fail(`Not the same twice: ${label}`);
    }
  }
  return { compiled: count, slowestMs };
}

function fastestMs(condition: Condition, about: Facts, marks: Uint8Array): number {
  let best = Number.POSITIVE_INFINITY;
  for (let tried = 0; tried < TRIES && best > 1; tried++) {
    const started = performance.now();
    condition.test(about, marks);
    best = Math.min(best, performance.now() - started);
  }
  return best;
}
