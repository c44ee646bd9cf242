import { describe, expect, it } from 'vitest';
import { compileDecisions } from '../../src/decisions/engine.ts';
import type { DecisionInput } from '../../src/model/decision.ts';
import type { ActivityDefinition } from '../../src/model/decision-definitions.ts';
import {
  activityOf,
  CONSENT,
  decided,
  definitionsOf,
  experienceOf,
  factsOf,
  inputOf,
  itemOf,
  NOW_MS,
  outcomesOf,
  PERSONALIZATION,
} from '../support/decisions.ts';

const HOUR_MS = 3_600_000;
const GOLD = { '==': [{ var: 'profile.tier' }, 'gold'] };
const gold = factsOf({ profile: { tier: 'gold' } });

describe('the checks of an activity', () => {
  const cases: readonly [string, Partial<ActivityDefinition>, Partial<DecisionInput>, string, string | null][] = [
    ['nothing in the way', {}, {}, 'shown', null],
    ['another property token', { propertyToken: 'p1' }, { propertyToken: 'p2' }, 'property-token', null],
    ['no property token', { propertyToken: 'p1' }, {}, 'property-token', null],
    ['its property token', { propertyToken: 'p1' }, { propertyToken: 'p1' }, 'shown', null],
    ['before its start', { startMs: NOW_MS + 1 }, {}, 'not-started', null],
    ['at its start', { startMs: NOW_MS }, {}, 'shown', null],
    ['just before its end', { endMs: NOW_MS + 1 }, {}, 'shown', null],
    ['at its end', { endMs: NOW_MS }, {}, 'ended', null],
    [
      'a consent that is missing',
      { requires: { adobe: ['personalize.content'] } },
      { consent: { ...CONSENT, default: 'out' } },
      'no-consent',
      'adobe:personalize.content',
    ],
    ['another audience', { when: GOLD }, {}, 'audience', null],
    ['its audience', { when: GOLD }, { facts: gold }, 'shown', null],
    ['no traffic', { trafficPercent: 0 }, {}, 'traffic', null],
    ['everybody held out', { holdoutPercent: 100 }, {}, 'holdout', null],
    [
      'a condition that no visitor fits',
      { kind: 'targeted', experiences: [experienceOf('a', [itemOf('hero')], { when: GOLD })] },
      {},
      'no-experience',
      null,
    ],
    [
      'weights of nothing',
      { experiences: [experienceOf('a', [itemOf('hero')], { weight: 0 })] },
      {},
      'no-experience',
      null,
    ],
    [
      'a schema that was not asked for',
      {},
      { query: { schemas: new Set([`${PERSONALIZATION}json-content-item`]), scopes: ['hero'], surfaces: [] } },
      'nothing-here',
      null,
    ],
  ];
  it.each(cases)('%s', (_name, activity, input, outcome, because) => {
    const engine = compileDecisions(definitionsOf({ activities: [activityOf('x', activity)] }));
    const { verdicts, propositions } = decided(engine, inputOf(['hero'], input));
    expect(verdicts).toMatchObject([{ activityId: 'x', outcome, because }]);
    expect(propositions).toHaveLength(outcome === 'shown' ? 1 : 0);
  });

  it('are not made of one that runs in other datastreams, or that is not enabled', () => {
    const activities = [activityOf('x', { datastreams: ['other'] }), activityOf('y', { enabled: false })];
    const engine = compileDecisions(definitionsOf({ activities }));
    expect(decided(engine, inputOf(['hero'])).verdicts).toEqual([]);
    expect(outcomesOf(decided(engine, inputOf(['hero'], { datastreamId: 'other' })))).toEqual({ x: 'shown' });
  });

  it('hold out everybody from everything', () => {
    const engine = compileDecisions(definitionsOf({ holdoutPercent: 100, activities: [activityOf('x')] }));
    expect(outcomesOf(decided(engine, inputOf(['hero'])))).toEqual({ x: 'global-holdout' });
  });

  it('hold out from everything only those who would have been shown something', () => {
    const outcome = (given: Partial<ActivityDefinition>): unknown => {
      const activities = [activityOf('x', given)];
      const engine = compileDecisions(definitionsOf({ holdoutPercent: 100, activities }));
      return outcomesOf(decided(engine, inputOf(['hero'])))['x'];
    };
    expect(outcome({ when: GOLD })).toBe('audience');
    expect(outcome({ trafficPercent: 0 })).toBe('traffic');
    expect(outcome({ experiences: [experienceOf('a', [itemOf('hero')], { weight: 0 })] })).toBe('no-experience');
    expect(outcome({ holdoutPercent: 100 })).toBe('global-holdout');
  });

  it('hold out from everything nobody to whom another would have been shown there', () => {
    const outcomes = (first: Partial<ActivityDefinition>, place = 'hero'): unknown => {
      const activities = [
        activityOf('first', { priority: 1, ...first }),
        activityOf('second', { experiences: [experienceOf('a', [itemOf(place)])] }),
      ];
      const engine = compileDecisions(definitionsOf({ holdoutPercent: 100, activities }));
      return outcomesOf(decided(engine, inputOf(['hero', 'box'])));
    };
    expect(outcomes({})).toEqual({ first: 'global-holdout', second: 'outranked' });
    expect(outcomes({ when: GOLD })).toEqual({ first: 'audience', second: 'global-holdout' });
    expect(outcomes({}, 'box')).toEqual({ first: 'global-holdout', second: 'global-holdout' });
    expect(outcomes({ holdoutPercent: 100 }), 'it would have left the place').toEqual({
      first: 'global-holdout',
      second: 'global-holdout',
    });
  });

  it('are made in the order that is told', () => {
    const failing: readonly [Partial<ActivityDefinition>, string][] = [
      [{ propertyToken: 'p1' }, 'property-token'],
      [{ startMs: NOW_MS + 1 }, 'not-started'],
      [{ requires: { adobe: ['share'] } }, 'no-consent'],
      [{ when: GOLD }, 'audience'],
      [{ caps: [{ max: 1, periodMs: HOUR_MS }] }, 'capped'],
      [{ trafficPercent: 0 }, 'traffic'],
      [{ experiences: [experienceOf('a', [itemOf('hero')], { weight: 0 })] }, 'no-experience'],
      [
        { experiences: [experienceOf('a', [itemOf('hero', { schema: `${PERSONALIZATION}json-content-item` })])] },
        'nothing-here',
      ],
      [{ holdoutPercent: 100, experiences: [experienceOf('a', [itemOf('hero')])] }, 'holdout'],
    ];
    const html = { schemas: new Set([`${PERSONALIZATION}html-content-item`]), scopes: ['hero'], surfaces: [] };
    const shown = new Map([['ECID', { x: { shown: [NOW_MS / 1_000 - 1] } }]]);
    for (const [first] of failing.entries()) {
      // Of two that speak of one field, the earlier.
      const given = failing.slice(first).map(([fields]) => fields);
      const activity = activityOf('x', Object.assign({}, ...given.reverse()));
      const engine = compileDecisions(definitionsOf({ activities: [activity] }));
      const input = inputOf(['hero'], { query: html, histories: shown, consent: { ...CONSENT, default: 'out' } });
      expect(outcomesOf(decided(engine, input))).toEqual({ x: failing[first]![1] });
    }
  });
});
