import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { post, type RawAnswer, send } from '../support/raw-http.ts';
import { decodeStream } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/** Requests as the mobile SDKs make them: an ECID from the device, streaming always on, a new request id for each try. */

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir({
    'datastreams/shop.yaml': [
      'id: shop',
      'org: TEST@AdobeOrg',
      'name: Shop',
      'overrides:',
      '  registered:',
      '    com_adobe_analytics: {reportSuites: [suite-a, suite-b]}',
      '    com_adobe_experience_platform: {datasets: {event: {datasetId: [dataset-a]}}}',
      '',
    ].join('\n'),
  });
});
afterAll(() => weir.stop());

const ECID = '48687206838416839171302184372036854775';
const PREFIX = 'kndctr_TEST_AdobeOrg_';
const HEADERS = [
  ['accept', 'application/json'],
  ['Content-Type', 'application/json'],
  ['User-Agent', 'Mozilla/5.0 (iPhone; CPU OS 18_0 like Mac OS X)'],
  ['Accept-Language', 'en-US'],
] as const;
const STREAMING = { enabled: true, recordSeparator: '\u0000', lineFeed: '\n' };
const identityMap = { ECID: [{ id: ECID, authenticatedState: 'ambiguous', primary: false }] };

function bodyOf(event: JsonObject, meta: JsonObject = {}): JsonObject {
  return {
    meta: { konductorConfig: { streaming: STREAMING }, ...meta },
    xdm: {
      identityMap,
      implementationDetails: {
        name: 'https://ns.adobe.com/experience/mobilesdk/ios',
        version: '5.3.1+5.0.3',
        environment: 'app',
      },
    },
    events: [event],
  };
}
let tries = 0;
function hit(body: string, hint = ''): Promise<RawAnswer> {
  tries += 1;
  const path = `/ee${hint}/v1/interact?configId=shop&requestId=TRY${tries}-0000-4000-8000-000000000000`;
  return post(weir.edge, path, body, [...HEADERS]);
}
const pretty = (body: JsonObject) => JSON.stringify(body, null, 2).replaceAll('\u0000', '\\u0000');
const storedOf = async (id: string) => (await weir.events()).filter((event) => event.xdm['_id'] === id);

/** The same JSON with the keys of every object in reverse: what serialising anew may do. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, child]) => [key, reversed(child)]),
  );
}

test('a first event: one fragment with one hint and one store, the device’s ECID adopted', async () => {
  const xdm = { _id: 'E1', timestamp: new Date().toISOString(), eventType: 'application.launch' };
  const answer = await hit(pretty(bodyOf({ xdm })));
  expect(answer.status).toBe(200);
  const { fragments, answer: decoded } = decodeStream(answer.body);
  expect(fragments).toHaveLength(1);
  expect(decoded.handle.map((handle) => handle.type)).toEqual(['locationHint:result', 'state:store']);
  expect(decoded.handle[0]!.payload.map((entry) => entry['scope'])).toEqual(['Target', 'AAM', 'EdgeNetwork']);
  const store = decoded.handle[1]!.payload;
  expect(store.map((entry) => [Object.keys(entry), entry['key']])).toEqual([
    [['key', 'value', 'maxAge'], `${PREFIX}cluster`],
    [['key', 'value', 'maxAge'], `${PREFIX}identity`],
  ]);
  const [stored] = await storedOf('E1');
  expect(stored!.identities).toEqual([{ namespace: 'ECID', id: ECID, authenticatedState: 'ambiguous', primary: true }]);
  expect(stored).toMatchObject({ occurredAtFrom: 'timestamp', occurredAtMs: Date.parse(xdm.timestamp) });
});

test('the next, with the stored entries and the hint: both reissued as far as they must be', async () => {
  const first = await hit(pretty(bodyOf({ xdm: { _id: 'E2a' } })), '/va6');
  const entries = decodeStream(first.body).answer.handle[1]!.payload as JsonObject[];
  const body = bodyOf({ xdm: { _id: 'E2b' } }, { state: { entries: entries.toReversed() } });
  const { handle } = decodeStream((await hit(pretty(body), '/va6')).body).answer;
  expect(handle[0]!.payload[2]).toEqual({ scope: 'EdgeNetwork', hint: 'va6', ttlSeconds: 1800 });
  expect(handle[1]!.payload).toEqual([{ key: `${PREFIX}cluster`, value: 'va6', maxAge: 1800 }]);
});

describe('a retry has another request id and, serialised anew, other bytes', () => {
  const event = {
    xdm: { _id: 'R1', timestamp: new Date().toISOString(), a: { b: 1, c: [1, { d: 2, e: 3 }] } },
    data: { x: 1, y: 2 },
  };

  test('it is stored once, and answered as the first', async () => {
    const body = bodyOf(event);
    const first = await hit(pretty(body));
    const again = await hit(JSON.stringify(reversed(body)));
    const third = await hit(JSON.stringify(body), '/va6');
    expect(await storedOf('R1')).toHaveLength(1);
    const types = (answer: RawAnswer) => decodeStream(answer.body).answer.handle.map((handle) => handle.type);
    for (const answer of [again, third]) {
      expect(answer.status).toBe(200);
      expect(answer.header('x-weir-ack')).toBe('local-fsync');
      expect(types(answer)).toEqual(types(first));
    }
  });

  test.each<[string, JsonObject]>([
    ['another value', { ...event, xdm: { ...event.xdm, a: 2 } }],
    ['other data', { ...event, data: { x: 1, y: 3 } }],
    ['a list in another order', { ...event, xdm: { ...event.xdm, a: { b: 1, c: [{ d: 2, e: 3 }, 1] } } }],
  ])('%s under the same _id is no copy: nobody’s event is lost to a guessed id', async (_what, other) => {
    const before = (await storedOf('R1')).length;
    await hit(JSON.stringify(bodyOf(other)));
    expect(await storedOf('R1')).toHaveLength(before + 1);
  });

  test('the same event of another visitor is no copy', async () => {
    const before = (await storedOf('R1')).length;
    const body = bodyOf(event);
    const other = { ECID: [{ id: '9'.repeat(38), authenticatedState: 'ambiguous', primary: false }] };
    await hit(JSON.stringify({ ...body, xdm: { ...(body['xdm'] as JsonObject), identityMap: other } }));
    expect(await storedOf('R1')).toHaveLength(before + 1);
  });
});

test('registered overrides and a registered datastream are taken, and stay on the record', async () => {
  const configOverrides = {
    com_adobe_experience_platform: { datasets: { event: { datasetId: 'dataset-a' } } },
    com_adobe_analytics: { reportSuites: ['suite-b'] },
  };
  const meta = { configOverrides, sdkConfig: { datastream: { original: 'another' } } };
  const event = { xdm: { _id: 'O1' }, meta: { collect: { datasetId: 'of-the-event' } } };
  const answer = await hit(pretty(bodyOf(event, meta)));
  expect(answer.status).toBe(200);
  const [stored] = await storedOf('O1');
  expect(stored!.record.meta).toMatchObject(meta);
  expect(stored!.meta).toEqual({ collect: { datasetId: 'of-the-event' } });
});

test('a push token: data alone, no event type', async () => {
  const data = {
    pushNotificationDetails: [
      {
        appID: 'a',
        token: 't',
        platform: 'apns',
        denylisted: false,
        identity: { namespace: { code: 'ECID' }, id: ECID },
      },
    ],
  };
  expect((await hit(pretty(bodyOf({ xdm: { _id: 'P1', timestamp: new Date().toISOString() }, data })))).status).toBe(
    200,
  );
  expect((await storedOf('P1'))[0]!.data).toEqual(data);
});

test('fields that no schema knows are taken', async () => {
  const xdm = { _id: 'U1', _mytenant: { anything: [true, null, 1.5, 'ä'] }, commerce: { purchases: { value: 1 } } };
  expect((await hit(pretty(bodyOf({ xdm })))).status).toBe(200);
  expect((await storedOf('U1'))[0]!.xdm).toMatchObject(xdm);
});

describe('set-consent as the consent extension sends it', () => {
  const consentBody = (map: JsonObject, value: JsonObject) => ({
    meta: { konductorConfig: { streaming: STREAMING } },
    query: { consent: { operation: 'update' } },
    identityMap: map,
    consent: [
      { standard: 'Adobe', version: '2.0', value: { ...value, metadata: { time: '2026-11-23T09:30:00.000Z' } } },
    ],
  });
  const change = (map: JsonObject, value: JsonObject) =>
    send(weir.edge, {
      path: '/ee/v1/privacy/set-consent?configId=shop&requestId=5A4D6A6C-0000-4000-8000-000000000000',
      headers: HEADERS,
      body: pretty(consentBody(map, value)),
    });
  const preferencesIn = (answer: RawAnswer) =>
    decodeStream(answer.body).answer.handle.find((handle) => handle.type === 'consent:preferences')?.payload;

  test('updates merge; all of the preferences come back, unwrapped, in the first payload', async () => {
    const metadata = { time: '2026-11-23T09:30:00.000Z' };
    const device = { ECID: [{ id: '5'.repeat(38), authenticatedState: 'ambiguous', primary: false }] };
    expect(preferencesIn(await change(device, { collect: { val: 'y' } }))).toEqual([
      { collect: { val: 'y' }, metadata },
    ]);
    expect(preferencesIn(await change(device, { adID: { val: 'n', idType: 'IDFA' } }))).toEqual([
      { collect: { val: 'y' }, adID: { val: 'n', idType: 'IDFA' }, metadata },
    ]);
    expect(preferencesIn(await change(device, { collect: { val: 'n' } }))).toEqual([
      { collect: { val: 'n' }, adID: { val: 'n', idType: 'IDFA' }, metadata },
    ]);
  });

  test('an empty identity map is a new visitor', async () => {
    expect((await change({}, { collect: { val: 'y' } })).status).toBe(200);
  });

  /** `collect.val`: y sends the queue, n drops it, anything else waits; what is sent all the same has the same end. */
  test.each<[val: string, outcome: 'stored' | 'withheld']>([
    ['y', 'stored'],
    ['n', 'withheld'],
    ['p', 'withheld'],
    ['u', 'withheld'],
  ])('collect %s: the next event is %s', async (val, outcome) => {
    const id = `C-${val}`;
    const device = {
      ECID: [{ id: val.charCodeAt(0).toString().padStart(38, '3'), authenticatedState: 'ambiguous', primary: false }],
    };
    // Without collect, a change of another preference leaves it as it is.
    const values: JsonObject[] = [{ collect: { val } }, { adID: { val: 'n', idType: 'IDFA' } }, {}];
    for (const value of values) {
      expect((await change(device, value)).status).toBe(200);
    }
    const body = bodyOf({ xdm: { _id: id } });
    const answer = await hit(pretty({ ...body, xdm: { ...(body['xdm'] as JsonObject), identityMap: device } }));
    const { warnings } = decodeStream(answer.body).answer;
    expect([answer.status, warnings.map(({ type }) => String(type).split('/').at(-1))]).toEqual([
      200,
      outcome === 'stored' ? [] : ['EXEG-0301-200'],
    ]);
    expect(await storedOf(id)).toHaveLength(outcome === 'stored' ? 1 : 0);
  });
});

/** Contract of the mobile clients: names of what makes the request, and what is there only when it is set. */
describe('the forms of an event', () => {
  const SDK = 'https://ns.adobe.com/experience/mobilesdk';
  const platforms = ['/ios', '/tvos', '/android'].flatMap((os) =>
    ['', '/reactnative', '/cordova', '/flutter', '/unity', '/xamarin'].map((wrapper) => `${SDK}${os}${wrapper}`),
  );
  test.each(platforms)('%s', async (name) => {
    const body = bodyOf({ xdm: { _id: name } });
    const xdm = {
      ...(body['xdm'] as JsonObject),
      implementationDetails: { name, version: '3.1.0+3.0.2', environment: 'app' },
    };
    expect((await hit(pretty({ ...body, xdm }))).status).toBe(200);
    expect((await storedOf(name))[0]!.xdm['implementationDetails']).toMatchObject({ name });
  });

  test.each<[string, JsonObject]>([
    ['nothing but its id and time', { xdm: { timestamp: '2026-11-23T09:30:00.000Z' } }],
    [
      'the bridge of older libraries',
      {
        xdm: { eventType: 'analytics.track' },
        data: {
          __adobe: { analytics: { linkName: 'a', linkType: 'other', contextData: { b: 'c' }, cp: 'foreground' } },
        },
      },
    ],
    ['empty data and query', { xdm: {}, data: {}, query: {} }],
    [
      'a query',
      {
        xdm: { eventType: 'personalization.request' },
        query: { personalization: { decisionScopes: ['mbox'], schemas: [] } },
      },
    ],
    ['a dataset of its own', { xdm: {}, meta: { collect: { datasetId: 'dataset-a' } } }],
  ])('%s', async (what, event) => {
    const answer = await hit(pretty(bodyOf({ ...event, xdm: { ...(event['xdm'] as JsonObject), _id: what } })));
    expect(answer.status).toBe(200);
    const { fragments } = decodeStream(answer.body);
    expect(fragments.length).toBeGreaterThan(0);
    const [stored] = await storedOf(what);
    expect(stored!.xdm).toMatchObject(event['xdm'] as JsonObject);
    expect([stored!.data, stored!.query, stored!.meta]).toEqual([
      event['data'] ?? null,
      event['query'] ?? null,
      event['meta'] ?? null,
    ]);
  });
});
