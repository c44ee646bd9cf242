import fc from 'fast-check';
import { expect } from 'vitest';
import { CompiledEngine, compileDecisions } from '../../src/decisions/engine.ts';
import { type Decision, type DecisionInput, HELD_OUT, type Outcome } from '../../src/model/decision.ts';
import type { DecisionDefinitions } from '../../src/model/decision-definitions.ts';
import { anyDefinitions, anyInput } from './arbitraries.ts';

/** What a decision may take: the bar is 5 ms of its own work, and the machine is shared, so the best of some tries counts. */
const STALL_MS = 5;

/** Decides about random definitions and inputs, and holds each decision to what is true of all. Returns how often each outcome was met. */
export function decideAnything(runs: number): ReadonlyMap<Outcome, number> {
  const met = new Map<Outcome, number>();
  fc.assert(
    fc.property(anyDefinitions, fc.array(anyInput, { minLength: 1, maxLength: 4 }), (definitions, inputs) => {
      const before = JSON.stringify(definitions);
      const engine = compileDecisions(definitions);
      // With a judge, each comparison is made anew wherever it stands.
      const patient = new CompiledEngine(definitions, (_comparison, holds) => holds);
      for (const input of inputs) {
        const first = engine.decide(input, null);
        expect(tookMs(() => engine.decide(input, null))).toBeLessThan(STALL_MS);
        expect(engine.decide(input, null)).toEqual(first);
        expect(patient.decide(input, null)).toEqual(first);
        check(definitions, input, first);
        for (const { outcome } of first.verdicts) met.set(outcome, (met.get(outcome) ?? 0) + 1);
      }
      expect(JSON.stringify(definitions)).toBe(before);
    }),
    { numRuns: runs },
  );
  return met;
}

function check(definitions: DecisionDefinitions, input: DecisionInput, decision: Decision): void {
  const ids = new Set(definitions.activities.map(({ id }) => id));
  for (const { activityId, outcome, because } of decision.verdicts) {
    if (outcome === 'broken') expect(because).not.toBe('');
    if (!activityId.includes('~')) expect(ids).toContain(activityId);
  }
  for (const proposition of decision.propositions) {
    expect([...input.query.scopes, ...input.query.surfaces, ...viewsOf(definitions)]).toContain(proposition.scope);
    expect(proposition.items.length).toBeGreaterThan(0);
    // What strict clients demand: texts as ids and schemas, data that is an object but for default content.
    for (const { id, schema, data } of proposition.items) {
      expect([typeof id, typeof schema]).toEqual(['string', 'string']);
      if (schema !== 'https://ns.adobe.com/personalization/default-content-item') expect(typeof data).toBe('object');
    }
    const { outcome } = decision.verdicts.find(({ activityId }) => activityId === proposition.activityId)!;
    // Offers: who is held out of everything has the fallback.
    const isHeldOut = proposition.activityId.includes('~') && proposition.experienceId === HELD_OUT;
    expect(isHeldOut ? ['global-holdout'] : ['shown', 'preview']).toContain(outcome);
  }
}

function viewsOf({ activities }: DecisionDefinitions): readonly string[] {
  return activities.flatMap(({ experiences }) =>
    experiences.flatMap(({ items }) =>
      items
        .map(({ place }) => place)
        .filter(({ kind }) => kind === 'view')
        .map(({ name }) => name),
    ),
  );
}

function tookMs(work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3 && best >= STALL_MS; i++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
