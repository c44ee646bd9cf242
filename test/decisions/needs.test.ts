import { expect, test } from 'vitest';
import { capacityOf, clientFactsIn } from '../../src/decisions/needs.ts';
import { activityOf, definitionsOf, experienceOf, itemOf } from '../support/decisions.ts';

test('facts of the client are found in conditions and in templates, and only those that there are', () => {
  const item = itemOf({ kind: 'scope', name: 'hero' }, { meta: { os: '{{client.os.name}}' } });
  const definitions = definitionsOf({
    audiences: [{ id: 'phones', name: '', when: { '==': [{ var: 'client.deviceType' }, 'mobile'] }, segment: null }],
    activities: [activityOf('a', { experiences: [experienceOf('b', [item])] })],
  });
  expect([...clientFactsIn(definitions)].sort()).toEqual(['deviceType', 'os']);
  const others = activityOf('a', { when: { '==': [{ var: 'xdm.client.browser' }, '{{client.nothing}}'] } });
  expect(clientFactsIn(definitionsOf({ activities: [others] }))).toEqual(['browser']);
  expect(clientFactsIn(definitionsOf())).toEqual([]);
});

test('as many displays are remembered as the largest cap needs', () => {
  const caps = [
    { max: 3, periodMs: null },
    { max: 5, periodMs: 1_000 },
  ];
  const offer = { id: 'mug', name: '', priority: 0, startMs: null, endMs: null, when: null, caps, content: {} };
  const capacity = capacityOf(
    definitionsOf({
      activities: [activityOf('capped', { caps: caps.slice(0, 1) }), activityOf('free')],
      offers: { placements: [], decisions: [], offers: [offer] },
    }),
  );
  expect(['capped', 'free', 'mug', 'unknown'].map(capacity)).toEqual([3, 0, 5, 0]);
});
