import { compileCondition, isCondition } from '../../src/language/condition.ts';
import type { Condition, Facts } from '../../src/model/condition.ts';
import type { Json } from '../../src/model/json.ts';

/** 2026-11-28T12:00:00Z, a Saturday. */
export const NOW_MS = Date.UTC(2026, 10, 28, 12);

export const facts = (parts: Partial<Facts> = {}): Facts => ({
  xdm: {},
  data: {},
  profile: {},
  consent: {},
  client: {},
  page: {},
  time: { now: NOW_MS, date: '2026-11-28', hour: 12, minute: 0, weekday: 6 },
  ...parts,
});

export function compiled(rule: Json, audiences: ReadonlyMap<string, Condition> = new Map()): Condition {
  const condition = compileCondition(rule, { audiences, firstLeaf: 0 });
  if (!isCondition(condition))
    throw new Error(condition.map(({ path, message }) => `${path.join('/')}: ${message}`).join('\n'));
  return condition;
}

/** What a rule says of facts, and the marks of its leaves: `1` yes, `0` no, `-` not looked at, `!` of wrong types. */
export function tested(rule: Json, about: Facts): { holds: boolean; marks: string } {
  const condition = compiled(rule);
  const marks = new Uint8Array(condition.leaves.length);
  const holds = condition.test(about, marks);
  return { holds, marks: [...marks].map((mark) => '-01!'[mark]).join('') };
}
