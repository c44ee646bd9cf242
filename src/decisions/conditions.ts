import { compileAudiences } from '../language/audiences.ts';
import { compileCondition, isCondition } from '../language/condition.ts';
import { ComparisonsOnce } from '../language/shared-comparisons.ts';
import type { Condition, ConditionContext, ConditionProblem, Leaf } from '../model/condition.ts';
import type { AudienceDefinition } from '../model/decision-definitions.ts';
import { isObject, type Json } from '../model/json.ts';

/**
 * The conditions of one org. What is known of audiences stands at the beginning of `marks` throughout a decision; behind it
 * is the space in which activities are judged, one after the other.
 */
export class Conditions {
  readonly audiences: ReadonlyMap<string, Condition>;
  /** The first index of `marks` that no audience uses. */
  readonly end: number;
  /** To be begun anew for each decision. */
  readonly once = new ComparisonsOnce();
  readonly #judge: Judge | null;
  readonly #named: ReadonlyMap<string, readonly string[]>;

  constructor(definitions: readonly AudienceDefinition[], judge: Judge | null) {
    const rules = new Map(definitions.map(({ id, when }) => [id, when]));
    const compiled = compileAudiences(rules, { firstLeaf: 0, ...judging(judge, this.once) });
    this.audiences = compiled.conditions;
    this.end = compiled.nextLeaf;
    this.#judge = judge;
    this.#named = new Map(definitions.map(({ id, when }) => [id, audiencesNamedIn(when)]));
  }

  /** Throws where the condition is wrong: its owner is then broken. */
  compile(rule: Json, firstLeaf: number): Condition {
    const compiled = compileCondition(rule, {
      audiences: this.audiences,
      firstLeaf,
      ...judging(this.#judge, this.once),
    });
    if (isCondition(compiled)) return compiled;
    throw new Error(textOf(compiled));
  }

  /** Leaves of the audiences that the rules name, and of those that these name. */
  leavesOfNamed(rules: readonly (Json | null)[]): readonly Leaf[] {
    const seen = new Set<string>();
    const pending = rules.flatMap(audiencesNamedIn);
    for (let id = pending.shift(); id !== undefined; id = pending.shift()) {
      if (seen.has(id)) continue;
      seen.add(id);
      pending.push(...(this.#named.get(id) ?? []));
    }
    return [...seen].flatMap((id) =>
      (this.audiences.get(id)?.leaves ?? []).map((leaf) => ({ ...leaf, text: `audience '${id}': ${leaf.text}` })),
    );
  }
}

/** To explain: what a comparison is taken for, whoever makes it. */
export type Judge = NonNullable<ConditionContext['judge']>;

function judging(judge: Judge | null, shared: ComparisonsOnce): Pick<ConditionContext, 'judge' | 'shared'> {
  return judge === null ? { shared } : { judge };
}

function textOf(problems: readonly ConditionProblem[]): string {
  return problems.map(({ message }) => message).join(' ');
}

/** Ids in `{"audience": "id"}` anywhere in a rule, in the order of its text. Not recursive: nobody has looked at how deep it is. */
function audiencesNamedIn(rule: Json): readonly string[] {
  const found: string[] = [];
  const pending: Json[] = [rule];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (Array.isArray(value)) pending.push(...value.toReversed());
    if (!isObject(value)) continue;
    const named = value['audience'];
    const id = Array.isArray(named) ? named[0] : named;
    if (typeof id === 'string') found.push(id);
    pending.push(...Object.values(value).toReversed());
  }
  return found;
}
