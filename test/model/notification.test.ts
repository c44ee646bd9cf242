import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { notificationOf } from '../../src/model/notification.ts';

const proposition = {
  id: 'p',
  scope: '__view__',
  scopeDetails: { activity: { id: 'hero' }, characteristics: { eventToken: 'tok' } },
};
const known = [{ token: 'tok', claimedActivityId: 'hero' }];
const told = (more: JsonObject, eventType?: string): JsonObject => ({
  ...(eventType === undefined ? {} : { eventType }),
  _experience: { decisioning: { propositions: [proposition], ...more } },
});

test.each<[string, JsonObject, unknown]>([
  [
    'the type of the propositions, as the Web SDK sends it',
    told({ propositionEventType: { display: 1 } }, 'decisioning.propositionDisplay'),
    { kinds: ['display'], propositions: known },
  ],
  [
    'a page view that carries displays',
    told({ propositionEventType: { display: 1 } }, 'web.webpagedetails.pageViews'),
    { kinds: ['display'], propositions: known },
  ],
  ['the event type alone', told({}, 'decisioning.propositionDismiss'), { kinds: ['dismiss'], propositions: known }],
  [
    'two types at once',
    told({ propositionEventType: { interact: 1, display: 1 } }),
    { kinds: ['display', 'interact'], propositions: known },
  ],
  ['a count of 0', told({ propositionEventType: { display: 0 } }, 'decisioning.propositionDisplay'), null],
  ['a type that is none', told({ propositionEventType: { seen: 1 } }), null],
  ['neither', told({}, 'page'), null],
  ['propositions that are no list', { _experience: { decisioning: { propositions: {} } } }, null],
  ['another experience', { eventType: 'decisioning.propositionDisplay', _experience: { analytics: {} } }, null],
  ['no experience', { eventType: 'decisioning.propositionDisplay' }, null],
  [
    'what the Web SDK makes up for a view without content, beside another',
    {
      _experience: {
        decisioning: {
          propositions: [
            { scope: 'home', scopeDetails: { characteristics: { scopeType: 'view' } } },
            { scope: 'home', scopeDetails: { characteristics: { scopeType: 'view', eventToken: 'T' } } },
            { id: 'a', scope: 'home', scopeDetails: { characteristics: { scopeType: 'view' } } },
          ],
          propositionEventType: { display: 1 },
        },
      },
    },
    {
      kinds: ['display'],
      propositions: [
        { token: 'T', claimedActivityId: null },
        { token: null, claimedActivityId: null },
      ],
    },
  ],
  [
    'propositions without details',
    {
      _experience: { decisioning: { propositions: [null, 'p', { scopeDetails: { activity: { id: 7 } } }] } },
      eventType: 'decisioning.propositionInteract',
    },
    {
      kinds: ['interact'],
      propositions: [
        { token: null, claimedActivityId: null },
        { token: null, claimedActivityId: null },
        { token: null, claimedActivityId: null },
      ],
    },
  ],
])('%s', (_what, xdm, expected) => {
  expect(notificationOf(xdm)).toEqual(expected);
});
