import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Server, startServer } from '../support/server.ts';

/** What visitors are answered with: a listening server, its workspace and plain requests. */

const ORG = '0123@AdobeOrg';
const SCHEMA = 'https://ns.adobe.com/personalization/';
let server: Server;
beforeAll(async () => {
  server = await startServer({
    workspace: {
      'weir.yaml': 'deadlineMs: 4500\ndecisions: { budgetMs: 1000 }\n',
      'datastreams/shop.yaml': `id: shop\norg: ${ORG}\nname: Shop\n`,
      'datastreams/other.yaml': 'id: other\norg: OTHER@AdobeOrg\nname: Other\n',
      'datastreams/off.yaml': `id: off\norg: ${ORG}\nname: Off\nservices: { messages: { enabled: false }, audiences: { enabled: false } }\n`,
      'activities/hero.yaml': `id: hero\norg: ${ORG}\nscope: hero\ncaps: [{ max: 1 }]\nexperiences: [{ id: a, html: "Hi {{profile.name | 'you'}}" }]\n`,
      'activities/banner.yaml': `id: banner\norg: ${ORG}\nsurface: "web://shop.example/*"\nexperiences: [{ id: a, json: { a: 1 } }]\n`,
      'activities/hidden.yaml': `id: hidden\norg: ${ORG}\nenabled: false\nscope: hidden\nexperiences: [{ id: x, html: X }, { id: y, html: Y }]\n`,
      'activities/other.yaml': 'id: other\norg: OTHER@AdobeOrg\nscope: hero\nexperiences: [{ id: o, html: Other }]\n',
      'audiences/gold.yaml': `id: gold\norg: ${ORG}\nwhen: { "==": [{ var: profile.tier }, gold] }\nsegment: { destination: cms, attributes: [tier] }\npush: [{ cookie: { name: t, value: gold } }]\n`,
      'offers/o.yaml': `org: ${ORG}\nplacements: [{ id: p, type: html }]\noffers: [{ id: o1, content: { p: Offer } }]\ndecisions: [{ id: d, placements: [{ placement: p, offers: [o1] }] }]\n`,
    },
  });
});
afterAll(() => server?.stop());

type Handle = { type: string; payload: Record<string, never>[]; eventIndex?: number };
interface Answer {
  readonly status: number;
  readonly body: { handle?: Handle[]; errors?: unknown[]; warnings?: { detail: string }[]; detail?: string };
}
let visitors = 0;
const visitor = (): string => {
  visitors += 1;
  return String(visitors).padStart(38, '1');
};

async function send(path: string, body: object, base = server.urls.edge): Promise<Answer> {
  const response = await fetch(`${base}/ee${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}
const xdmOf = (ecid: string) => ({ identityMap: { ECID: [{ id: ecid }] } });
const ask = (personalization: unknown, more: object = {}, datastream = 'shop', ecid = visitor()) =>
  send(`/v1/interact?configId=${datastream}`, {
    xdm: xdmOf(ecid),
    events: [{ xdm: {}, query: { personalization }, ...more }],
  });
const handles = ({ body }: Answer, type: string): Handle[] => (body.handle ?? []).filter((one) => one.type === type);
const decided = (answer: Answer): Record<string, never>[] =>
  handles(answer, 'personalization:decisions').flatMap(({ payload }) => payload);
const shown = (answer: Answer): string[] =>
  decided(answer).map((one) => `${one['scope']} ${JSON.stringify(one['items']?.[0]?.['data']?.['content'])}`);
const OFFER = Buffer.from('{"activityId":"d","placementId":"p"}').toString('base64');

describe('a request', () => {
  test.each<[what: string, personalization: unknown, ...shown: string[]]>([
    ['a scope', { decisionScopes: ['hero'] }, 'hero "Hi you"'],
    ['a scope twice', { decisionScopes: ['hero', 'hero'] }, 'hero "Hi you"'],
    ['an unknown scope', { decisionScopes: ['nothing'] }],
    ['a surface', { surfaces: ['web://shop.example/cart'] }, 'web://shop.example/cart {"a":1}'],
    ['an offer', { decisionScopes: [OFFER] }, `${OFFER} "Offer"`],
    ['a schema', { decisionScopes: ['hero'], schemas: [`${SCHEMA}html-content-item`] }, 'hero "Hi you"'],
    ['another schema', { decisionScopes: ['hero'], schemas: [`${SCHEMA}json-content-item`] }],
    ['nothing', {}],
  ])('for %s', async (_, personalization, ...expected) => {
    const answer = await ask(personalization);
    expect(answer.status).toBe(200);
    expect(shown(answer)).toEqual(expected);
    expect(handles(answer, 'personalization:decisions')[0]!.eventIndex).toBe(0);
  });

  test('that is switched off, or does not ask', async () => {
    for (const personalization of [{ enabled: false, decisionScopes: ['hero'] }, null]) {
      expect(handles(await ask(personalization), 'personalization:decisions')).toEqual([]);
    }
  });

  test('asks at its root, in v1 and v2; an event’s own query comes first', async () => {
    const query = { personalization: { decisionScopes: ['hero'] } };
    const xdm = xdmOf(visitor());
    expect(shown(await send('/v2/interact?datastreamId=shop', { event: { xdm }, query }))).toEqual(['hero "Hi you"']);
    expect(shown(await send('/v1/interact?configId=shop', { events: [{ xdm }], query }))).toEqual(['hero "Hi you"']);
    const own = { personalization: { decisionScopes: [OFFER] } };
    const answer = await send('/v1/interact?configId=shop', { events: [{ xdm, query: own }, { xdm }], query });
    expect(
      handles(answer, 'personalization:decisions').map(({ eventIndex, payload }) => [eventIndex, payload.length]),
    ).toEqual([
      [0, 0],
      [1, 1],
      [0, 1],
    ]);
  });

  const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i}`);
  test.each<[string, unknown, string]>([
    [
      '31 scopes',
      { decisionScopes: many(31) },
      "The field 'events[0].query.personalization.decisionScopes' holds 31 texts; at most 30 are taken.",
    ],
    [
      'a text for a list',
      { decisionScopes: 'hero' },
      'The field \'events[0].query.personalization.decisionScopes\' is "hero"; it takes an array of texts.',
    ],
    [
      'a number for a scope',
      { surfaces: ['a', 3] },
      "The field 'events[0].query.personalization.surfaces[1]' is 3; it takes a text.",
    ],
    ['a list', ['hero'], 'The field \'events[0].query.personalization\' is ["hero"]; it takes an object.'],
    [
      'a text for a switch',
      { enabled: 'false' },
      'The field \'events[0].query.personalization.enabled\' is "false"; it takes true or false.',
    ],
  ])('with %s is refused', async (_, personalization, detail) => {
    const { status, body } = await ask(personalization);
    expect([status, body.detail]).toEqual([400, detail]);
  });

  test('with 30 scopes is taken', async () => {
    expect(shown(await ask({ decisionScopes: [...many(29), 'hero'] }))).toEqual(['hero "Hi you"']);
  });
});

test('two orgs never see each other’s activities', async () => {
  expect(shown(await ask({ decisionScopes: ['hero', 'hidden', OFFER] }, {}, 'other'))).toEqual(['hero "Other"']);
  expect(shown(await ask({ decisionScopes: ['hero'] }))).toEqual(['hero "Hi you"']);
});

test('services that are off make nothing, by configuration and by override', async () => {
  const all = { decisionScopes: ['hero', OFFER], surfaces: ['web://shop.example/'] };
  const gold = { data: { __adobe: { target: { 'profile.tier': 'gold' } } } };
  const made = (answer: Answer) => [
    ...decided(answer).map((one) => one['scopeDetails']!['decisionProvider']),
    ...['activation:push', 'activation:pull'].filter((type) => handles(answer, type).length > 0),
  ];
  expect(made(await ask(all, gold))).toEqual(['TGT', 'AJO', 'ODE', 'activation:push', 'activation:pull']);
  expect(made(await ask(all, gold, 'off'))).toEqual(['TGT', 'ODE', 'activation:pull']);
  const platform = (child: string) => ({ com_adobe_experience_platform: { [child]: { enabled: false } } });
  for (const [configOverrides, expected] of [
    [{ com_adobe_target: { enabled: false } }, ['AJO', 'ODE', 'activation:push', 'activation:pull']],
    [platform('com_adobe_edge_ode'), ['TGT', 'AJO', 'activation:push', 'activation:pull']],
    [platform('com_adobe_edge_ajo'), ['TGT', 'ODE', 'activation:push', 'activation:pull']],
    [platform('com_adobe_edge_destinations'), ['TGT', 'AJO', 'ODE', 'activation:push']],
    [{ com_adobe_audience_manager: { enabled: false } }, ['TGT', 'AJO', 'ODE', 'activation:pull']],
  ] as const) {
    const events = [{ xdm: xdmOf(visitor()), query: { personalization: all }, ...gold }];
    expect(made(await send('/v1/interact?configId=shop', { events, meta: { configOverrides } }))).toEqual(expected);
  }
});

test('attributes are kept for the next event; segments are told, attributes only to authenticated callers', async () => {
  const ecid = visitor();
  const data = { '__adobe.target': { 'profile.tier': 'gold', 'profile.name': 'A<b' } };
  await send('/v1/collect?configId=shop', { events: [{ xdm: xdmOf(ecid), data }] });
  const answer = await ask({ decisionScopes: ['hero'] }, {}, 'shop', ecid);
  expect(shown(answer)).toEqual(['hero "Hi A&lt;b"']);
  const lookup = { type: 'profileLookup', destinationId: 'cms', alias: 'cms', segments: [{ id: 'gold' }] };
  expect(handles(answer, 'activation:pull')).toEqual([{ type: 'activation:pull', payload: [lookup], eventIndex: 0 }]);
});

test('without consent to personalisation nothing is shown; without consent to collection nothing is decided', async () => {
  const ecid = visitor();
  const consent = (value: object) =>
    send('/v1/privacy/set-consent?configId=shop', {
      identityMap: { ECID: [{ id: ecid }] },
      consent: [{ standard: 'Adobe', version: '2.0', value }],
    });
  await consent({ collect: { val: 'y' }, personalize: { content: { val: 'n' } } });
  expect(shown(await ask({ decisionScopes: ['hero'] }, {}, 'shop', ecid))).toEqual([]);
  await consent({ collect: { val: 'n' } });
  const answer = await ask({ decisionScopes: ['hero'] }, {}, 'shop', ecid);
  expect(handles(answer, 'personalization:decisions')).toEqual([]);
});

test('a display with its token counts once, for caps; a forged or foreign one is not counted, and said', async () => {
  const ecid = visitor();
  const answer = await ask({ decisionScopes: ['hero'] }, {}, 'shop', ecid);
  const { id, scope, scopeDetails } = decided(answer)[0]!;
  const tell = (details: unknown, who: string) =>
    send('/v1/interact?configId=shop', {
      events: [
        {
          xdm: {
            ...xdmOf(who),
            eventType: 'decisioning.propositionDisplay',
            _experience: {
              decisioning: {
                propositions: [{ id, scope, scopeDetails: details }],
                propositionEventType: { display: 1 },
              },
            },
          },
        },
      ],
    });
  const foreign = visitor();
  expect((await tell(scopeDetails, foreign)).body.warnings).toHaveLength(1);
  const forged = { ...(scopeDetails as unknown as object), characteristics: { eventToken: 'AAAA' } };
  expect((await tell(forged, ecid)).body.warnings).toHaveLength(1);
  expect(shown(await ask({ decisionScopes: ['hero'] }, {}, 'shop', ecid))).toEqual(['hero "Hi you"']);
  expect((await tell(scopeDetails, ecid)).body.warnings).toBeUndefined();
  expect(shown(await ask({ decisionScopes: ['hero'] }, {}, 'shop', ecid))).toEqual([]);
  expect(shown(await ask({ decisionScopes: ['hero'] }, {}, 'shop', foreign))).toEqual(['hero "Hi you"']);
});

test('a duplicate request gets the same propositions, and is stored once', async () => {
  const body = { events: [{ xdm: xdmOf(visitor()), query: { personalization: { decisionScopes: ['hero'] } } }] };
  const path = '/v1/interact?configId=shop&requestId=again';
  const withoutToken = (answer: Answer): unknown =>
    JSON.parse(JSON.stringify(decided(answer)).replace(/"eventToken":"[^"]*"/g, '"eventToken":""'));
  const [first, second] = [await send(path, body), await send(path, body)];
  expect(decided(first)).toHaveLength(1);
  expect(withoutToken(second)).toEqual(withoutToken(first));
});
