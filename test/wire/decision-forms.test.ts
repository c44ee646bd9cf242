import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type Json, type JsonObject, valueAt } from '../../src/model/json.ts';
import { post, type RawAnswer } from '../support/raw-http.ts';
import { type DecodedAnswer, decodeAnswer, decodeStream } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/** Forms in which clients ask for content, what they get, and that the strictest of them can read it. */

const PERSONALIZATION = 'https://ns.adobe.com/personalization/';
const COMPONENT = 'https://ns.adobe.com/experience/offer-management/content-component-';
const activity = (id: string, place: string, content: string, org = 'TEST'): Record<string, string> => ({
  [`activities/${org}-${id}.yaml`]: `id: ${id}\norg: ${org}@AdobeOrg\n${place}\nexperiences:\n  - id: x\n    ${content}\n`,
});
const html = (text: string): string => `html: <p>${text}</p>`;

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir({
    'datastreams/other.yaml': 'id: other\norg: OTHER@AdobeOrg\nname: Other\n',
    ...activity('hero', 'scope: hero', html('hero')),
    ...activity('settings', 'scope: settings', 'json: { a: [1] }'),
    ...activity('go', 'scope: go', 'redirect: https://shop.example/sale'),
    ...activity('metric', 'scope: metric', 'items: [{ html: <p>metric</p> }, { measure: click }]'),
    ...activity('page', 'scope: __view__', 'actions: [{ setText: page, selector: "#a" }]'),
    ...activity('cart', 'view: cart', 'actions: [{ setText: cart, selector: "#b" }]'),
    ...activity('home', 'surface: web://shop.example/', html('home')),
    ...activity('part', 'surface: web://shop.example/#part', html('part')),
    ...activity('boots', 'surface: web://*.example/boots/*', html('boots')),
    ...activity('webapp', 'surface: webapp://shop.example/app', html('webapp')),
    ...activity('message', 'surface: mobileapp://com.example.shop', 'message: { html: <p>message</p> }'),
    ...activity('hero', 'scope: hero', html('theirs'), 'OTHER'),
    'offers/deals.yaml': `org: TEST@AdobeOrg
placements:
  - { id: banner, type: html }
  - { id: facts, type: json }
  - { id: line, type: text }
  - { id: picture, type: image }
offers:
  - { id: first, priority: 2, content: { banner: <p>first</p>, facts: { content: { n: 1 } }, line: first, picture: https://i.example/1.png } }
  - { id: second, priority: 1, content: { banner: { content: <p>second</p>, language: [en], characteristics: { tone: warm } } } }
decisions:
  - id: deal
    placements:
      - { placement: banner, offers: [first, second] }
      - { placement: facts, offers: [first] }
      - { placement: line, offers: [first] }
      - { placement: picture, offers: [first] }
`,
  });
});
afterAll(() => weir.stop());

const base64 = (value: JsonObject): string => Buffer.from(JSON.stringify(value)).toString('base64');
const DEAL = base64({ activityId: 'deal', placementId: 'banner' });
const XDM_DEAL = base64({ 'xdm:activityId': 'deal', 'xdm:placementId': 'banner', 'xdm:itemCount': 2 });
const URL_SAFE = base64({ activityId: 'deal', placementId: 'facts', note: '???' })
  .replaceAll('/', '_')
  .replace(/=+$/, '');
const LINE = base64({ activityId: 'deal', placementId: 'line' });
const PICTURE = base64({ placementId: 'picture', activityId: 'deal' });

/** [scope, schema without its prefix, content]. */
type Told = readonly [scope: string, schema: string, content: Json];
const ns = (...names: string[]): string[] => names.map((name) => PERSONALIZATION + name);

interface Row {
  readonly what: string;
  readonly asked: Json;
  readonly told: readonly Told[];
}
const ROWS: readonly Row[] = [
  { what: 'a scope', asked: { decisionScopes: ['hero'] }, told: [['hero', 'html-content-item', '<p>hero</p>']] },
  {
    what: 'scopes in the order of the request, those that match nothing left out',
    asked: { decisionScopes: ['settings', 'nothing', 'hero'] },
    told: [
      ['settings', 'json-content-item', { a: [1] }],
      ['hero', 'html-content-item', '<p>hero</p>'],
    ],
  },
  { what: 'a scope in other capitals', asked: { decisionScopes: ['Hero'] }, told: [] },
  {
    what: 'a redirect',
    asked: { decisionScopes: ['go'] },
    told: [['go', 'redirect-item', 'https://shop.example/sale']],
  },
  {
    what: 'a metric beside its content, whatever the schemas',
    asked: { decisionScopes: ['metric'], schemas: ns('html-content-item') },
    told: [
      ['metric', 'html-content-item', '<p>metric</p>'],
      ['metric', 'measurement', null],
    ],
  },
  {
    what: 'the page, with its views',
    asked: { decisionScopes: ['__view__'] },
    told: [
      ['cart', 'dom-action', 'cart'],
      ['__view__', 'dom-action', 'page'],
    ],
  },
  {
    what: 'only schemas that were asked for',
    asked: { decisionScopes: ['hero', 'settings'], schemas: ns('json-content-item') },
    told: [['settings', 'json-content-item', { a: [1] }]],
  },
  {
    what: 'no schema, which is every one',
    asked: { decisionScopes: ['hero'], schemas: [] },
    told: [['hero', 'html-content-item', '<p>hero</p>']],
  },
  {
    what: 'a surface, in other capitals and with a slash at its end',
    asked: { surfaces: ['web://Shop.Example'] },
    told: [['web://Shop.Example', 'html-content-item', '<p>home</p>']],
  },
  {
    what: 'a fragment of it',
    asked: { surfaces: ['web://shop.example/#part', 'web://shop.example/#other'] },
    told: [['web://shop.example/#part', 'html-content-item', '<p>part</p>']],
  },
  {
    what: 'surfaces that a wildcard stands for',
    asked: { surfaces: ['web://shop.example/boots/red', 'web://www.shop.example/boots', 'web://shop.example/bootsy'] },
    told: [
      ['web://shop.example/boots/red', 'html-content-item', '<p>boots</p>'],
      ['web://www.shop.example/boots', 'html-content-item', '<p>boots</p>'],
    ],
  },
  {
    what: 'surfaces of apps',
    asked: { surfaces: ['webapp://shop.example/app', 'mobileapp://com.example.shop', 'mobileapp://COM.example.shop'] },
    told: [
      ['webapp://shop.example/app', 'html-content-item', '<p>webapp</p>'],
      ['mobileapp://com.example.shop', 'ruleset-item', null],
    ],
  },
  { what: 'an offer', asked: { decisionScopes: [DEAL] }, told: [[DEAL, 'html', '<p>first</p>']] },
  {
    what: 'two offers, by prefixed keys',
    asked: { decisionScopes: [XDM_DEAL] },
    told: [
      [XDM_DEAL, 'html', '<p>first</p>'],
      [XDM_DEAL, 'html', '<p>second</p>'],
    ],
  },
  {
    what: 'offers of every kind, in any alphabet of base64',
    asked: {
      decisionScopes: [URL_SAFE, LINE, PICTURE],
      schemas: [`${COMPONENT}json`, `${COMPONENT}text`, `${COMPONENT}imagelink`],
    },
    told: [
      [URL_SAFE, 'json', { n: 1 }],
      [LINE, 'text', 'first'],
      [PICTURE, 'imagelink', 'https://i.example/1.png'],
    ],
  },
  { what: 'an offer, without its schema', asked: { decisionScopes: [DEAL], schemas: [`${COMPONENT}json`] }, told: [] },
  { what: 'nothing, in many words', asked: { decisionScopes: [], surfaces: [], schemas: [] }, told: [] },
];

let requests = 0;
function ask(body: JsonObject, path: string): Promise<RawAnswer> {
  requests += 1;
  const id = `00000000-0000-4000-8000-${String(requests).padStart(12, '0')}`;
  return post(weir.edge, `/ee${path}&requestId=${id}`, JSON.stringify(body));
}

/** Where a query may stand, by version. */
const FORMS: readonly (readonly [string, (asked: Json) => Promise<RawAnswer>])[] = [
  [
    'v2, of the request',
    (asked) => ask({ event: { xdm: {} }, query: { personalization: asked } }, '/v2/interact?datastreamId=shop'),
  ],
  [
    'v2, of the event',
    (asked) => ask({ event: { xdm: {}, query: { personalization: asked } } }, '/v2/interact?datastreamId=shop'),
  ],
  [
    'v1, of the event',
    (asked) => ask({ events: [{ xdm: {}, query: { personalization: asked } }] }, '/v1/interact?configId=shop'),
  ],
  [
    'v1, of the request',
    (asked) => ask({ events: [{ xdm: {} }], query: { personalization: asked } }, '/v1/interact?configId=shop'),
  ],
];

function propositionsOf({ handle }: DecodedAnswer): readonly JsonObject[] {
  return handle.filter(({ type }) => type === 'personalization:decisions').flatMap(({ payload }) => payload);
}

function toldBy(answer: DecodedAnswer): readonly Told[] {
  return propositionsOf(answer).flatMap(({ scope, items }) =>
    (items as JsonObject[]).map(({ schema, data }): Told => {
      const name = String(schema).replace(PERSONALIZATION, '').replace(COMPONENT, '');
      const { content = null, deliveryURL = content } = isObject(data) ? data : {};
      return [String(scope), name, deliveryURL];
    }),
  );
}

describe.each(FORMS)('%s', (_form, send) => {
  test.each(ROWS)('$what', async ({ asked, told }) => {
    const answer = await send(asked);
    expect(answer.status).toBe(200);
    expect(toldBy(decodeAnswer(answer.json))).toEqual(told);
  });

  test('enabled: false asks for nothing', async () => {
    const answer = await send({ enabled: false, decisionScopes: ['hero'] });
    expect(answer.status).toBe(200);
    expect(decodeAnswer(answer.json).handle.map(({ type }) => type)).not.toContain('personalization:decisions');
  });

  test.each<[string, JsonObject, RegExp]>([
    [
      'more than 30 scopes',
      { decisionScopes: Array.from({ length: 31 }, (_, n) => `s${n}`) },
      /decisionScopes.*31.*30/,
    ],
    ['scopes that are no list', { decisionScopes: 'hero' }, /decisionScopes.*hero/],
    ['a surface that is no text', { surfaces: [7] }, /surfaces\[0\].*7/],
  ])('%s: refused, and said where', async (_what, asked, detail) => {
    const answer = await send(asked);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ type: expect.stringContaining('EXEG-0102-400') });
    expect((answer.json as JsonObject)['detail']).toMatch(detail);
  });
});

test('30 scopes are taken', async () => {
  const decisionScopes = [...Array.from({ length: 29 }, (_, n) => `s${n}`), 'hero'];
  const answer = await FORMS[0]![1]({ decisionScopes });
  expect(toldBy(decodeAnswer(answer.json))).toEqual([['hero', 'html-content-item', '<p>hero</p>']]);
});

test('an event’s own query stands for the request’s, and each event has its answer', async () => {
  const body: JsonObject = {
    events: [{ xdm: {} }, { xdm: {}, query: { personalization: { decisionScopes: ['settings'] } } }],
    query: { personalization: { decisionScopes: ['hero'] } },
  };
  const { json } = await ask(body, '/v1/interact?configId=shop');
  decodeAnswer(json);
  const handles = (json as { handle: JsonObject[] }).handle.filter(({ type }) => type === 'personalization:decisions');
  expect(
    handles.map(({ eventIndex, payload }) => [eventIndex, (payload as JsonObject[]).map(({ scope }) => scope)]),
  ).toEqual([
    [0, ['hero']],
    [1, ['settings']],
  ]);
});

test('streamed, as the mobile SDKs ask for it', async () => {
  const body = {
    meta: { konductorConfig: { streaming: { enabled: true, recordSeparator: '\u0000', lineFeed: '\n' } } },
    xdm: { identityMap: { ECID: [{ id: '48687206838416839171302184372036854775', primary: false }] } },
    events: [
      {
        xdm: { eventType: 'personalization.request', _id: 'M1', timestamp: new Date().toISOString() },
        data: { __adobe: { ajo: { 'in-app-response-format': 2 } } },
        query: {
          personalization: {
            schemas: ns('html-content-item', 'json-content-item', 'ruleset-item', 'message/inbox'),
            surfaces: ['mobileapp://com.example.shop'],
            decisionScopes: [DEAL],
          },
        },
      },
    ],
  };
  const answer = await ask(body, '/v1/interact?configId=shop');
  expect(answer.status).toBe(200);
  const { answer: decoded } = decodeStream(answer.body);
  expect(toldBy(decoded)).toEqual([
    ['mobileapp://com.example.shop', 'ruleset-item', null],
    [DEAL, 'html', '<p>first</p>'],
  ]);
  const again = decodeStream((await ask(body, '/v1/interact?configId=shop')).body).answer;
  expect(propositionsOf(again).map(({ id, items }) => [id, items])).toEqual(
    propositionsOf(decoded).map(({ id, items }) => [id, items]),
  );
});

test('a copy of a request gets the same propositions, with tokens that speak of the copy', async () => {
  const body = JSON.stringify({
    event: { xdm: { _id: 'COPY' } },
    query: { personalization: { decisionScopes: ['hero', XDM_DEAL, '__view__'] } },
  });
  const path = '/ee/v2/interact?datastreamId=shop&requestId=11111111-0000-4000-8000-000000000000';
  const first = decodeAnswer((await post(weir.edge, path, body)).json);
  const entries = first.handle.find(({ type }) => type === 'state:store')!.payload;
  const again = JSON.stringify({ ...JSON.parse(body), meta: { state: { domain: '', cookiesEnabled: true, entries } } });
  const copies = [await post(weir.edge, path, again), await post(weir.edge, path, again)];
  const tokensOf = (answer: DecodedAnswer): readonly unknown[] =>
    propositionsOf(answer).map(({ scopeDetails }) => valueAt(scopeDetails, 'characteristics', 'eventToken'));
  const withoutTokens = (answer: DecodedAnswer): unknown => {
    const tokens = new Set(tokensOf(answer));
    return JSON.parse(JSON.stringify(propositionsOf(answer), (_, value) => (tokens.has(value) ? 'token' : value)));
  };
  const answers = [first, ...copies.map(({ json }) => decodeAnswer(json))];
  for (const answer of answers) expect(withoutTokens(answer)).toEqual(withoutTokens(first));
  const tokens = answers.flatMap(tokensOf);
  expect(tokens.every((token) => typeof token === 'string')).toBe(true);
  expect(new Set(tokens).size).toBe(tokens.length);
});

test('two tenants: each has its own content, and the other’s token is none', async () => {
  const hero = { event: { xdm: {} }, query: { personalization: { decisionScopes: ['hero'] } } };
  const mine = decodeAnswer((await ask(hero, '/v2/interact?datastreamId=shop')).json);
  const theirs = decodeAnswer((await ask(hero, '/v2/interact?datastreamId=other')).json);
  expect(toldBy(mine)).toEqual([['hero', 'html-content-item', '<p>hero</p>']]);
  expect(toldBy(theirs)).toEqual([['hero', 'html-content-item', '<p>theirs</p>']]);
  const told = (answer: DecodedAnswer, of: DecodedAnswer): JsonObject => ({
    event: {
      xdm: {
        eventType: 'decisioning.propositionDisplay',
        _experience: {
          decisioning: {
            propositions: propositionsOf(of).map(
              ({ id, scope, scopeDetails }): JsonObject => ({
                ...{ id: id!, scope: scope!, scopeDetails: scopeDetails! },
              }),
            ),
            propositionEventType: { display: 1 },
          },
        },
      },
    },
    meta: { state: { domain: '', cookiesEnabled: true, entries: storeOf(answer) } },
  });
  const own = decodeAnswer((await ask(told(mine, mine), '/v2/interact?datastreamId=shop')).json);
  expect(own.warnings).toEqual([]);
  const foreign = decodeAnswer((await ask(told(theirs, mine), '/v2/interact?datastreamId=other')).json);
  expect(foreign.warnings).toMatchObject([{ type: expect.stringContaining('EXEG-0204-200') }]);
});

function storeOf({ handle }: DecodedAnswer): JsonObject[] {
  return [...handle.find(({ type }) => type === 'state:store')!.payload];
}
