import { describe, expect, test } from 'vitest';
import { messageDecisions, offerDecisions, targetDecisions } from '../../src/handles/personalization-decisions.ts';
import type { Proposition } from '../../src/model/decision.ts';
import { exchangeOf } from '../support/exchanges.ts';

function proposition(id: string, decisionProvider: string, given: Partial<Proposition> = {}): Proposition {
  const base = { scope: 'hero', offer: null, activityId: `activity-${id}`, experienceId: 'a', isPreview: false };
  return { ...base, id, scopeDetails: { decisionProvider }, items: [{ id: `${id}-1` }], ...given };
}

const view = { decisionProvider: 'TGT', characteristics: { scopeType: 'view' }, correlationID: 'c' };
const propositions = [
  proposition('one', 'TGT'),
  proposition('two', 'AJO', { scope: 'web://"quoted"/ü' }),
  proposition('three', 'TGT', { scopeDetails: view }),
  proposition('four', 'ODE', { offer: { placement: { id: 'p' } } }),
];
const decision = { propositions, verdicts: [], segments: [], pushes: [], assigned: null };
const tokens = ['t1', 't2', 't3', 't4'];

function answered(source: typeof targetDecisions, isAsked = true, isEmpty = false) {
  const one = isEmpty ? { ...decision, propositions: [] } : decision;
  return source.produce(
    exchangeOf({ personalization: [{ eventIndex: 2, decision: one, isAsked, tokens, profile: null }] }),
  );
}

describe('personalization:decisions', () => {
  test.each([
    [
      'decisions',
      targetDecisions,
      [
        {
          ...{ id: 'one', scope: 'hero', items: [{ id: 'one-1' }] },
          scopeDetails: { decisionProvider: 'TGT', characteristics: { eventToken: 't1' } },
        },
        {
          ...{ id: 'three', scope: 'hero', items: [{ id: 'three-1' }] },
          scopeDetails: { ...view, characteristics: { scopeType: 'view', eventToken: 't3' } },
        },
      ],
    ],
    [
      'messages',
      messageDecisions,
      [
        {
          ...{ id: 'two', scope: 'web://"quoted"/ü', items: [{ id: 'two-1' }] },
          scopeDetails: { decisionProvider: 'AJO', characteristics: { eventToken: 't2' } },
        },
      ],
    ],
    [
      'offers',
      offerDecisions,
      [
        {
          ...{ id: 'four', scope: 'hero', items: [{ id: 'four-1' }], placement: { id: 'p' } },
          scopeDetails: { decisionProvider: 'ODE', characteristics: { eventToken: 't4' } },
        },
      ],
    ],
  ])('of the service %s has what it makes, each with its own token', (_service, source, payload) => {
    const [handle] = answered(source);
    expect(handle!.payload).toEqual(payload);
    expect(JSON.parse(handle!.json!)).toEqual({ type: 'personalization:decisions', payload, eventIndex: 2 });
  });

  test('is empty where nothing is for who asked, once', () => {
    expect([targetDecisions, messageDecisions, offerDecisions].map((one) => answered(one, true, true).length)).toEqual([
      ...[1, 0, 0],
    ]);
    const [handle] = answered(targetDecisions, true, true);
    expect(handle!.json).toBe('{"type":"personalization:decisions","payload":[],"eventIndex":2}');
  });

  test('is none where nobody asked', () => {
    expect(answered(targetDecisions, false)).toEqual([]);
  });
});
