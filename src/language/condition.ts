import type { Condition, ConditionContext, ConditionProblem } from '../model/condition.ts';
import type { Json } from '../model/json.ts';
import { Compilation } from './compilation.ts';

/**
 * Compiles a rule of JSON Logic (docs/conditions.md) to closures, or says what is wrong with it: every mistake, the first
 * ones first. `marks` of a test has room for `firstLeaf + leaves.length` at least.
 */
export function compileCondition(rule: Json, context: ConditionContext): Condition | readonly ConditionProblem[] {
  const compilation = new Compilation(context);
  const test = compilation.test(rule, { path: [], depth: 1, leaf: null, scope: 'facts' });
  const { problems, leaves, reads, budget, conjuncts } = compilation;
  if (problems.length > 0) return problems;
  return {
    test: (facts, marks) => {
      budget.reset();
      return test(facts, marks, null);
    },
    leaves,
    reads: [...reads],
    conjunction: conjuncts.of(test, context.shared, budget),
  };
}

export function isCondition(compiled: Condition | readonly ConditionProblem[]): compiled is Condition {
  return !Array.isArray(compiled);
}
