import { describe, expect, test } from 'vitest';
import { HANDLES } from '../../src/components.ts';
import { consentPreferences } from '../../src/handles/consent-preferences.ts';
import { identityResult } from '../../src/handles/identity-result.ts';
import { locationHint } from '../../src/handles/location-hint.ts';
import { stateStore } from '../../src/handles/state-store.ts';
import type { Exchange } from '../../src/model/exchange.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import type { HandleSource } from '../../src/model/parts.ts';
import { DEFAULT_REGIONS } from '../../src/model/region.ts';
import { clientOf, ECID_A, eventOf, exchangeOf, PREFIX, REGIONS } from '../support/exchanges.ts';

test('their order in the answer, and which belong to services', () => {
  expect(HANDLES.map(({ type, service }) => `${type} ${service}`)).toEqual([
    'identity:result null',
    'personalization:decisions decisions',
    'personalization:decisions messages',
    'personalization:decisions offers',
    'activation:push audiences',
    'activation:pull activation',
    'locationHint:result null',
    'consent:preferences null',
    'state:store null',
  ]);
});

describe('identity:result', () => {
  const asking = (fetch: Json) => exchangeOf({ ecid: ECID_A, received: { query: { identity: { fetch } } } });
  const result = [{ type: 'identity:result', payload: [{ id: ECID_A, namespace: { code: 'ECID' } }] }];

  test.each<[string, JsonObject]>([
    ['no query', {}],
    ['no fetch', { identity: {} }],
    ['no list', { identity: { fetch: 'ECID' } }],
    ['null', { identity: null }],
  ])('%s: not wanted', (_what, query) => {
    expect(identityResult.wanted(exchangeOf({ ecid: ECID_A, received: { query } }))).toBe(false);
  });

  test.each<[Json, unknown, string | null]>([
    [['ECID'], result, null],
    [['ECID', 'CORE'], result, null],
    [['CORE'], [], null],
    [[], [], null],
    [['ECID', 'Email'], result, 'Email'],
    [['AAID'], [], 'AAID'],
    [['ecid'], [], 'ecid'],
    [[7], [], '7'],
    [[null], [], 'null'],
    [[{ toString: 1, valueOf: 2 }], [], '{"toString":1'],
  ])('fetch %j', (fetch, wanted, warned) => {
    const x = asking(fetch);
    expect(identityResult.wanted(x)).toBe(true);
    expect(identityResult.produce(x)).toEqual(wanted);
    expect(x.warnings.map((one) => one.spec.code)).toEqual(warned === null ? [] : ['EXEG-0303-200']);
    if (warned !== null) for (const word of [warned, 'ECID', 'CORE']) expect(x.warnings[0]!.detail).toContain(word);
  });

  test('an event may ask too; the request’s own question comes first', () => {
    const query = { identity: { fetch: ['ECID'] } };
    const x = exchangeOf({ ecid: ECID_A, events: [eventOf({}), eventOf({}, { query, index: 1 })] });
    expect(identityResult.produce(x)).toEqual(result);
    const both = exchangeOf({
      ecid: ECID_A,
      events: [eventOf({}, { query })],
      received: { query: { identity: { fetch: ['CORE'] } } },
    });
    expect(identityResult.produce(both)).toEqual([]);
  });

  test('without an ECID there is no result', () => {
    const x = exchangeOf({ ecid: null, received: { query: { identity: { fetch: ['ECID'] } } } });
    expect(identityResult.produce(x)).toEqual([]);
  });
});

describe('locationHint:result', () => {
  test.each(DEFAULT_REGIONS.map((region) => [region.hint, region.targetId, region.audienceManagerId] as const))(
    '%s: Target, AAM, EdgeNetwork, in this order, for half an hour',
    (hint, targetId, audienceManagerId) => {
      const x = exchangeOf({ region: REGIONS.byHint.get(hint)! });
      expect(locationHint.wanted(x)).toBe(true);
      const wanted = {
        type: 'locationHint:result',
        payload: [
          { scope: 'Target', hint: String(targetId), ttlSeconds: 1800 },
          { scope: 'AAM', hint: String(audienceManagerId), ttlSeconds: 1800 },
          { scope: 'EdgeNetwork', hint, ttlSeconds: 1800 },
        ],
      };
      expect(locationHint.produce(x)).toEqual([wanted]);
    },
  );

  test('the documented ids', () => {
    const ids = DEFAULT_REGIONS.map((region) => [region.hint, region.targetId, region.audienceManagerId]);
    for (const documented of [
      ['or2', 35, 9],
      ['va6', 34, 7],
      ['sgp3', 38, 3],
    ])
      expect(ids).toContainEqual(documented);
    expect(DEFAULT_REGIONS.map((region) => region.hint)).toEqual([
      'or2',
      'va6',
      'irl1',
      'ind1',
      'jpn3',
      'sgp3',
      'aus3',
    ]);
  });
});

describe('a handle that says its own JSON', () => {
  test.each<[string, HandleSource, Exchange]>([
    [
      'identity:result',
      identityResult,
      exchangeOf({ ecid: ECID_A, core: '"core\\', received: { query: { identity: { fetch: ['ECID', 'CORE'] } } } }),
    ],
    [
      'identity:result of one',
      identityResult,
      exchangeOf({ ecid: ECID_A, received: { query: { identity: { fetch: ['ECID'] } } } }),
    ],
    ...[true, false].map((https): [string, HandleSource, Exchange] => [
      `state:store, https ${https}`,
      stateStore,
      exchangeOf({
        client: clientOf({ https }),
        cookies: [
          { key: 'a', value: 'b', maxAgeSeconds: 0 },
          { key: '"\u2028', value: '\u0000é\ud800', maxAgeSeconds: null },
        ],
      }),
    ]),
  ])('%s says what JSON.stringify says', (_, source, x) => {
    const [handle] = source.produce(x);
    expect(handle!.json).toBe(JSON.stringify(handle));
  });
});

describe('consent:preferences', () => {
  test('all of them, without a wrapper, where the request changed one', () => {
    expect(consentPreferences.wanted(exchangeOf())).toBe(false);
    const preferences = { collect: { val: 'y' }, adID: { val: 'n' } };
    const x = exchangeOf({ preferences });
    expect(consentPreferences.wanted(x)).toBe(true);
    expect(consentPreferences.produce(x)).toEqual([{ type: 'consent:preferences', payload: [preferences] }]);
  });
});

describe('state:store', () => {
  const cookies = [
    { key: `${PREFIX}cluster`, value: 'or2', maxAgeSeconds: 1800 },
    { key: `${PREFIX}session`, value: 's', maxAgeSeconds: null },
  ];

  test.each([
    [false, false, undefined],
    [false, true, undefined],
    [true, false, undefined],
    [true, true, { SameSite: 'None' }],
  ])('cookiesEnabled %s, https %s: attrs %j; no maxAge for a session', (cookiesEnabled, https, attrs) => {
    const x = exchangeOf({ cookies: [...cookies], client: clientOf({ cookiesEnabled, https }) });
    expect(stateStore.wanted(x)).toBe(true);
    const [handle] = stateStore.produce(x);
    const more = attrs === undefined ? {} : { attrs };
    expect({ ...handle }).toStrictEqual({
      type: 'state:store',
      payload: [
        { key: `${PREFIX}cluster`, value: 'or2', maxAge: 1800, ...more },
        { key: `${PREFIX}session`, value: 's', ...more },
      ],
    });
  });

  test('not where the endpoint sets the cookies itself, nor where there are none', () => {
    expect(stateStore.wanted(exchangeOf({ cookies: [...cookies], client: clientOf({ thirdParty: false }) }))).toBe(
      false,
    );
    expect(stateStore.wanted(exchangeOf({ client: clientOf() }))).toBe(false);
  });
});
