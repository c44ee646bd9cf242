import TargetDecisioningEngine from '@adobe/target-decisioning-engine';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileDecisions } from '../../src/decisions/engine.ts';
import type { ActivityDefinition } from '../../src/model/decision-definitions.ts';
import { activityOf, decided, definitionsOf, experienceOf, inputOf, itemOf } from '../support/decisions.ts';

/**
 * Experiences of `bucketing: target` against Adobe Target's own on-device engine, asked as its users ask it: an artifact with
 * the rules that Target publishes, and the offers of a visitor. Each case is one activity for one visitor.
 */
const CASES = 12_000;
const ACTIVITIES = 100;

interface Planned {
  readonly id: number;
  /** Percent, with two decimals at most, 100 together. */
  readonly percents: readonly number[];
}

/** Hundredths of percents, cut from 10,000 at random places; whole percents as often, as people write them. */
const percents = fc.tuple(fc.array(fc.nat({ max: 10_000 }), { maxLength: 4 }), fc.boolean()).map(([cuts, areWhole]) => {
  const ends = [...cuts.map((cut) => (areWhole ? Math.round(cut / 100) * 100 : cut)), 10_000].sort((a, b) => a - b);
  return ends.map((end, index) => (end - (ends[index - 1] ?? 0)) / 100).filter((percent) => percent > 0);
});
const planned: fc.Arbitrary<Planned> = fc.record({ id: fc.integer({ min: 1, max: 999_999 }), percents });
const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 38, maxLength: 38 });
const visitors = fc.oneof(digits, fc.uuid(), fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }));

/** As Target writes allocation: the first interval from 0 on, the others from behind the one before, to the end and with it. */
function ruleOf({ id, percents: shares }: Planned, index: number): unknown {
  const end = hundredths(shares, index + 1);
  const start = hundredths(shares, index);
  return {
    ruleKey: String(id),
    activityId: id,
    meta: { 'activity.id': id, 'experience.id': index, 'audience.ids': [] },
    condition: {
      and: [{ [index === 0 ? '<=' : '<']: [start, { var: 'allocation' }] }, { '>=': [end, { var: 'allocation' }] }],
    },
    consequence: { name: `m${id}`, options: [{ type: 'json', content: { experience: index } }], metrics: [] },
  };
}

function hundredths(shares: readonly number[], count: number): number {
  return Math.round(shares.slice(0, count).reduce((sum, share) => sum + share, 0) * 100) / 100;
}

function activityFor({ id, percents: shares }: Planned): ActivityDefinition {
  return activityOf(String(id), {
    bucketing: 'target',
    experiences: shares.map((weight, index) => experienceOf(String(index), [itemOf(`m${id}`)], { weight })),
  });
}

it(`chooses the experiences that Adobe Target's on-device engine chooses, in ${CASES} cases`, async () => {
  let cases = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(planned, { selector: ({ id }) => id, minLength: ACTIVITIES, maxLength: ACTIVITIES }),
      fc.stringMatching(/^[a-z]{1,20}$/),
      visitors,
      async (activities, client, visitor) => {
        const names = activities.map(({ id }) => `m${id}`);
        const rules = activities.map((activity) => activity.percents.map((_, index) => ruleOf(activity, index)));
        const artifactPayload = {
          version: '1.0.0',
          meta: { clientCode: client, environment: 'production' },
          globalMbox: 'target-global-mbox',
          responseTokens: [],
          ...{ remoteMboxes: [], remoteViews: [], localMboxes: names, localViews: [] },
          rules: { mboxes: Object.fromEntries(names.map((name, index) => [name, rules[index]!])), views: {} },
        };
        const oracle = await TargetDecisioningEngine({
          client,
          organizationId: 'O',
          pollingInterval: 0,
          artifactPayload,
        });
        const { execute } = await oracle.getOffers({
          request: {
            id: { marketingCloudVisitorId: visitor },
            context: { channel: 'web' },
            execute: { mboxes: names.map((name, index) => ({ name, index })) },
          },
        });
        const expected = execute.mboxes.map(({ options }) => String(options?.[0]?.content.experience));
        const engine = compileDecisions(
          definitionsOf({ targetClient: client, activities: activities.map(activityFor) }),
        );
        const { verdicts } = decided(engine, inputOf(names, { ecid: visitor }));
        const found = new Map(verdicts.map(({ activityId, experienceId }) => [activityId, experienceId]));
        expect(activities.map(({ id }) => found.get(String(id)))).toEqual(expected);
        cases += activities.length;
      },
    ),
    { numRuns: CASES / ACTIVITIES },
  );
  expect(cases).toBeGreaterThanOrEqual(CASES);
});
