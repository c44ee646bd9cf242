import { expect, test } from 'vitest';
import { clientFactsIn } from '../../src/decisions/needs.ts';
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
