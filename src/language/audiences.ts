import { type Condition, type ConditionContext, type ConditionProblem, type Facts, MARKS } from '../model/condition.ts';
import type { Json } from '../model/json.ts';
import { compileCondition, isCondition } from './condition.ts';
import { AUDIENCE_DEPTH_MAX, RULE_DEPTH_MAX, RULE_NODES_MAX } from './limits.ts';

export interface Audiences {
  /** Each remembers its answer in `marks`, so that it is worked out once, however many conditions ask. */
  readonly conditions: ReadonlyMap<string, Condition>;
  /** By audience, those that have any. */
  readonly problems: ReadonlyMap<string, readonly ConditionProblem[]>;
  /** The first index of `marks` that they do not use. */
  readonly nextLeaf: number;
}

/**
 * Compiles conditions that have names and may name each other; circles are problems. They share one `marks` with the
 * conditions that name them, which is all zeros when a decision begins.
 */
export function compileAudiences(
  rules: ReadonlyMap<string, Json>,
  context: Omit<ConditionContext, 'audiences'>,
): Audiences {
  const conditions = new Map<string, Condition>();
  const problems = new Map<string, readonly ConditionProblem[]>();
  // One that is broken is no mistake of those that name it.
  const named = new Map<string, Condition>([...rules.keys()].map((id) => [id, NOBODY]));
  const depths = new Map<string, number>();
  const open: string[] = [];
  let nextLeaf = context.firstLeaf;

  /** How deep the audience's own audiences go. */
  const visit = (id: string, rule: Json): number => {
    const known = depths.get(id);
    if (known !== undefined) return known;
    open.push(id);
    const found: ConditionProblem[] = [];
    let depth = 1;
    for (const { name, path } of namedIn(rule)) {
      const inner = rules.get(name);
      if (inner === undefined) continue;
      const circle = open.indexOf(name);
      if (circle !== -1) {
        found.push({ path, message: circleText([...open.slice(circle), name]) });
        continue;
      }
      if (open.length < AUDIENCE_DEPTH_MAX) depth = Math.max(depth, 1 + visit(name, inner));
      if (open.length >= AUDIENCE_DEPTH_MAX || depth > AUDIENCE_DEPTH_MAX) {
        found.push({
          path,
          message: `Audiences name audiences more than ${AUDIENCE_DEPTH_MAX} deep here. Write some of them out.`,
        });
      }
    }
    open.pop();
    depths.set(id, depth);
    compile(id, rule, found);
    return depth;
  };

  const compile = (id: string, rule: Json, found: readonly ConditionProblem[]): void => {
    const compiled = compileCondition(rule, { ...context, audiences: named, firstLeaf: nextLeaf });
    const all = isCondition(compiled) ? found : [...found, ...compiled];
    if (all.length > 0) problems.set(id, all);
    if (!isCondition(compiled)) return;
    nextLeaf += compiled.leaves.length + 1;
    const condition = remembering(compiled, nextLeaf - 1);
    conditions.set(id, condition);
    named.set(id, condition);
  };

  for (const [id, rule] of rules) visit(id, rule);
  return { conditions, problems, nextLeaf };
}

const NOBODY: Condition = { test: () => false, leaves: [], reads: [], conjunction: null };

/** `mark`: index of `marks` for the answer. */
function remembering({ test, leaves, reads }: Condition, mark: number): Condition {
  return {
    test: (facts: Facts, marks: Uint8Array): boolean => {
      const known = marks[mark];
      if (known !== MARKS.unseen) return known === MARKS.yes;
      const holds = test(facts, marks);
      marks[mark] = holds ? MARKS.yes : MARKS.no;
      return holds;
    },
    leaves,
    reads,
    conjunction: null,
  };
}

function circleText(circle: readonly string[]): string {
  return `Audiences name each other in a circle: ${circle.map((id) => `'${id}'`).join(' → ')}. Take one of the names out.`;
}

interface Named {
  readonly name: string;
  readonly path: readonly (string | number)[];
}

/** Every `{"audience": "id"}` of a rule, as deep as one that compiles. Not recursive: nobody has looked at how deep it is. */
function namedIn(rule: Json): readonly Named[] {
  const found: Named[] = [];
  const pending: { readonly value: Json; readonly path: readonly (string | number)[] }[] = [{ value: rule, path: [] }];
  for (let at = pending.pop(); at !== undefined && found.length <= RULE_NODES_MAX; at = pending.pop()) {
    const { value, path } = at;
    if (typeof value === 'string') {
      const operator = typeof path.at(-1) === 'number' ? path.at(-2) : path.at(-1);
      if (operator === 'audience') found.push({ name: value, path });
    }
    if (typeof value !== 'object' || value === null || path.length > PATH_NAMES_MAX) continue;
    const children: [string | number, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
    for (const [name, child] of children) pending.push({ value: child, path: [...path, name] });
  }
  return found.reverse();
}
/** Of an operator's name and the index of its argument, for each level. */
const PATH_NAMES_MAX = 2 * RULE_DEPTH_MAX;
