import { compileAudiences } from '../../language/audiences.ts';
import { compileCondition, isCondition } from '../../language/condition.ts';
import type { Condition, ConditionProblem } from '../../model/condition.ts';
import type { Json } from '../../model/json.ts';
import type { Finding } from '../finding.ts';
import type { Source } from '../source.ts';
import type { WrittenCondition } from './authoring.ts';

/** An audience's condition, under its name. */
export interface WrittenAudience extends WrittenCondition {
  readonly id: string;
}

const NOBODY: Condition = { test: () => false, leaves: [], reads: [], conjunction: null };

/** What is wrong with the conditions of one org, each mistake at its place. */
export function conditionFindings(
  audiences: readonly WrittenAudience[],
  conditions: readonly WrittenCondition[],
): Finding[] {
  const findings: Finding[] = [];
  const rules = new Map<string, Json>(audiences.map(({ id, rule }) => [id, rule]));
  const { conditions: compiled, problems } = compileAudiences(rules, { firstLeaf: 0 });
  for (const { id, source, path } of audiences) findings.push(...findingsOf(source, path, problems.get(id) ?? []));
  // One that is broken was told of: those that name it are not wrong for it.
  const known = new Map([...rules.keys()].map((id) => [id, compiled.get(id) ?? NOBODY]));
  for (const { source, path, rule } of conditions) {
    const condition = compileCondition(rule, { audiences: known, firstLeaf: 0 });
    if (!isCondition(condition)) findings.push(...findingsOf(source, path, condition));
  }
  return findings;
}

function findingsOf(source: Source, path: WrittenCondition['path'], problems: readonly ConditionProblem[]): Finding[] {
  return problems.map((problem) => source.error([...path, ...problem.path], problem.message));
}
