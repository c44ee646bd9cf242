import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileDecisions } from '../../src/decisions/engine.ts';
import type { Decision, Proposition, StoredDecision } from '../../src/model/decision.ts';
import { propositionJson } from '../../src/model/proposition-json.ts';
import { decisionJson, MadeDecision, writtenDecision } from '../../src/model/stored-decision.ts';
import { anyDefinitions, anyInput } from '../decisions/arbitraries.ts';

const INPUTS = { bot: true, client: { deviceType: 'mobile' } } as const;
const SEED = '0123456789abcdef'.repeat(2);

/** What the log has always kept of one. */
function plain({ verdicts, propositions }: Decision) {
  return {
    ...{ i: 3, h: '0123456789abcdef', seed: SEED, in: INPUTS },
    v: verdicts.map((one) => [one.activityId, one.outcome, one.experienceId, one.bucket, one.marks, one.because]),
    p: propositions.map((one) => [
      ...[one.id, one.scope, one.activityId, one.experienceId],
      one.items.map((item) => item['id'] ?? ''),
    ]),
  };
}

/** As answers have always had one. */
function told({ id, scope, scopeDetails, offer, items }: Proposition, eventToken: string) {
  const characteristics = { ...(scopeDetails['characteristics'] as object), eventToken };
  return { id, scope, scopeDetails: { ...scopeDetails, characteristics }, ...offer, items };
}

test('what is decided is kept and told whole, whether its texts were made before or not', () => {
  const met = { shown: 0, refused: 0, ready: 0 };
  fc.assert(
    fc.property(anyDefinitions, fc.array(anyInput, { minLength: 1, maxLength: 4 }), (definitions, inputs) => {
      const engine = compileDecisions(definitions);
      for (const input of [...inputs, ...inputs]) {
        const decision = engine.decide(input, null);
        const made = new MadeDecision(3, '0123456789abcdef', SEED, INPUTS, decision);
        const { v, p } = made;
        expect({ ...made, v, p }).toEqual(plain(decision));
        expect(writtenDecision(JSON.parse(made.json))).toEqual(JSON.parse(JSON.stringify(plain(decision))));
        expect(decisionJson(plain(decision) as unknown as StoredDecision)).toBe(made.json);
        for (const proposition of decision.propositions) {
          const { before, after } = propositionJson(proposition);
          const whole = JSON.parse(`${before}tok_en-1${after}`);
          expect(whole).toEqual(JSON.parse(JSON.stringify(told(proposition, 'tok_en-1'))));
          if (Object.isFrozen(proposition)) met.ready += 1;
        }
        met.shown += decision.propositions.length;
        met.refused += decision.verdicts.length;
      }
    }),
  );
  expect(Object.values(met).every((times) => times > 0)).toBe(true);
});

test('a proposition that is made for each request is told as it is now', () => {
  const proposition = {
    ...{ id: 'x', scope: 's', offer: null, activityId: 'a', experienceId: 'e', isPreview: false },
    scopeDetails: { decisionProvider: 'TGT' },
    items: [{ id: '1' }],
  };
  expect(propositionJson(proposition).stored).toBe('["x","s","a","e",["1"]]');
  proposition.items = [{ id: '2' }];
  expect(propositionJson(proposition).stored).toBe('["x","s","a","e",["2"]]');
});
