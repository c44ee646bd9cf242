import { expect, test } from 'vitest';
import { OUTCOMES, type Outcome } from '../../src/model/decision.ts';
import { DecisionCounts } from '../../src/telemetry/decision-counts.ts';

const CASES: readonly (readonly [string, readonly Outcome[], Partial<Record<Outcome, number>>])[] = [
  ['none', [], {}],
  ['one', ['shown'], { shown: 1 }],
  ['all alike', ['audience', 'audience', 'audience'], { audience: 3 }],
  ['one alone in front', ['shown', 'audience', 'audience'], { shown: 1, audience: 2 }],
  ['one alone at the end', ['audience', 'audience', 'broken'], { audience: 2, broken: 1 }],
  ['some that come again', ['audience', 'shown', 'audience', 'shown', 'shown'], { audience: 2, shown: 3 }],
  ['each once', OUTCOMES, Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 1]))],
];

test.each(CASES)('counts the outcomes of verdicts: %s', (_, outcomes, expected) => {
  const counts = new DecisionCounts();
  const none = { ...counts.outcomes };
  const verdicts = outcomes.map((outcome) => ({ outcome }));
  counts.countOutcomes(verdicts);
  expect(counts.outcomes).toEqual({ ...none, ...expected });
  counts.countOutcomes(verdicts);
  for (const outcome of OUTCOMES) expect(counts.outcomes[outcome]).toBe(2 * (expected[outcome] ?? 0));
});
