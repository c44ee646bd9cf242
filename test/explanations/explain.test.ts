import { expect, test } from 'vitest';
import { explain } from '../../src/explanations/explain.ts';
import { HELD_OUT, type StoredDecision } from '../../src/model/decision.ts';
import { decideAgain, deciderOf } from '../../src/replays/recompute.ts';
import { FIRST, Traffic } from '../replays/made-traffic.ts';

/** Of the activity that goes by persons, where the device keeps `experience`. */
function keeping(experience: string | null): string {
  const [{ record, decision: sent, input: asked }] = [...new Traffic(1, 20).requests(1)] as [never];
  const query = { schemas: null, scopes: ['box'], surfaces: [] };
  const histories = new Map(experience === null ? [] : [['ECID', { person: { experience } }]]);
  const input = { ...(asked as object), query, histories } as never;
  const decider = deciderOf({ ...FIRST, holdoutPercent: 0 });
  const made = decideAgain(decider, input, { v: [], p: [] }, false);
  const decision: StoredDecision = { ...(sent as StoredDecision), ...made };
  return explain({ position: '0:0', record, decision, decider, input }, 'person').split('\n\n').at(-1)!;
}

test('what is kept from an earlier visit is said to be, and not to have been drawn', () => {
  for (const experience of ['x', 'y']) {
    expect(keeping(experience)).toBe(`'person' (Activity person)
  Shown: '${experience}' (Experience ${experience}).
  Kept from an earlier visit, of the device or of the id in CRM: nothing was drawn.
`);
  }
  expect(keeping(null)).toMatch(/\n {2}Bucket \d+ of 10000 /);
});

test('who was held out before is not said to be among 0 % of those who take part', () => {
  expect(keeping(HELD_OUT)).toBe(`'person' (Activity person)
  Not shown: the visitor was held out to compare with on an earlier visit, and stays so.
`);
});
