import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isEcid } from '../../src/model/identity.ts';
import { decodeIdentityCookie } from '../../src/model/identity-cookie.ts';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { bytesOf, type CapturedRequest, captures } from '../support/captures.ts';
import { CLIENT, credentials, ISSUER, RSA, tokenFor } from '../support/issuers.ts';
import { jwksOf } from '../support/key-pairs.ts';
import { type RawAnswer, send, sendBytes } from '../support/raw-http.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/**
 * The two listeners are two doors to one house: each captured request goes to both, in the same order, of two servers
 * that are alike. What is answered and what is stored is equal, but for what stands in this list.
 */
const DIFFERENCES = {
  primary: 'on the server listener an event without a primary identity is refused (0306)',
  minting: 'on the server listener no event makes a new visitor: no identity:result, no identity cookie',
  acknowledgement: 'on the server listener x-weir-ack has the position too',
  bots: 'on the server listener bots are not scored; nor are they on the edge, until there is bot detection',
} as const;

const ALL = captures();
const { datastreamId: DATASTREAM, orgId: ORG } = ALL[0]!;
const ECID = '11111111111111111112222222222222222222';
const files = {
  'weir.yaml': `identity: {namespaces: {"${ORG}": {CRM: {}}}}\nauth: {issuers: [{issuer: "${ISSUER}", jwks: keys.json, audience: [weir]}]}\n`,
  'keys.json': jwksOf(RSA),
  'datastreams/shop.yaml': `id: ${DATASTREAM}\norg: ${ORG}\nname: Shop\n`,
  'datastreams/listed.yaml': `id: listed\norg: ${ORG}\nname: Listed\norigins: ['https://www.shop.test']\n`,
  'datastreams/other.yaml': [
    'id: other-ds',
    `org: ${ORG}`,
    'name: Other',
    'overrides:',
    '  registered:',
    '    com_adobe_analytics: {reportSuites: [g]}',
    '    com_adobe_experience_platform: {datasets: {event: {datasetId: [d1]}}}',
    '',
  ].join('\n'),
};

let edge: Weir;
let server: Weir;
beforeAll(async () => {
  [edge, server] = await Promise.all([startWeir(files), startWeir(files)]);
});
afterAll(() => Promise.all([edge.stop(), server.stop()]));

/** The same request with other events. */
function withEvents(request: CapturedRequest, identityMap: JsonObject): CapturedRequest {
  const body = JSON.parse(request.rawBody) as JsonObject;
  if (!Array.isArray(body['events'])) return request;
  const events = (body['events'] as JsonObject[]).map((event) => ({
    ...event,
    xdm: { ...(event['xdm'] as JsonObject), identityMap },
  }));
  const rawBody = JSON.stringify({ ...body, events });
  const rawHeaders = request.rawHeaders.map(([name, value]): [string, string] =>
    name.toLowerCase() === 'content-length' ? [name, String(Buffer.byteLength(rawBody))] : [name, value],
  );
  return { ...request, rawBody, rawHeaders };
}

async function askBoth(request: CapturedRequest): Promise<readonly [RawAnswer, RawAnswer]> {
  const proven = [...request.rawHeaders, ...credentials(tokenFor(ORG), CLIENT, ORG)];
  return [
    await sendBytes(edge.edge, bytesOf(request)),
    await sendBytes(server.server, bytesOf({ ...request, rawHeaders: proven })),
  ];
}

interface Said {
  readonly status: number;
  readonly handle: readonly JsonObject[];
  readonly cookies: readonly string[];
  readonly problems: Json;
  readonly headers: readonly string[];
}

/** What an answer says, without what is another for every request: ids that were made, and times. */
function said(answer: RawAnswer, request: CapturedRequest): Said {
  const json = answer.body.length === 0 ? {} : (answer.json as JsonObject);
  const plain = (value: string) => (isEcid(value) && !request.rawBody.includes(value) ? 'minted' : value);
  const cookie = (value: string) => {
    const decoded = decodeIdentityCookie(value);
    return decoded === null ? plain(value) : `${plain(decoded.ecid)} ${decoded.isNew} ${decoded.source}`;
  };
  const handle = (json['handle'] ?? []) as JsonObject[];
  const shown = JSON.stringify(handle, (key, value) =>
    key === 'value' ? cookie(value) : typeof value === 'string' ? plain(value) : value,
  );
  const requestId = answer.header('x-request-id')!;
  return {
    status: answer.status,
    handle: JSON.parse(shown),
    cookies: answer
      .all('set-cookie')
      .map((line) => line.replace(/=([^;]*)/, (_all, value: string) => `=${cookie(value)}`)),
    problems: [json['type'] ?? '', json['detail'] ?? '', json['errors'] ?? [], json['warnings'] ?? []],
    headers: answer.headers
      .filter(([name]) => !['date', 'content-length', 'x-weir-ack'].includes(name) && name !== 'set-cookie')
      .map(([name, value]) => `${name}: ${value.replace(requestId, 'requestId')}`),
  };
}

/** What remains of an answer at the edge where no visitor was made. */
function withoutIdentity({ handle, cookies, ...rest }: Said): Said {
  const isIdentity = (text: string) => /_identity\b/.test(text);
  return {
    ...rest,
    cookies: cookies.filter((line) => !isIdentity(line)),
    handle: handle
      .filter(({ type }) => type !== 'identity:result')
      .map((one) =>
        one['type'] !== 'state:store'
          ? one
          : { ...one, payload: (one['payload'] as JsonObject[]).filter(({ key }) => !isIdentity(String(key))) },
      ),
  };
}

const REQUESTS = ALL.flatMap(({ scenario, requests }) =>
  requests.map((request, i) => [`${scenario} ${i + 1}: ${new URL(request.url).pathname}`, request] as const),
);
const hasEvents = ({ rawBody }: CapturedRequest) => Array.isArray((JSON.parse(rawBody) as JsonObject)['events']);
const isMedia = ({ url }: CapturedRequest) => url.includes('/va/');
const namesPrimary = ({ rawBody }: CapturedRequest) => rawBody.includes('"primary":true');
const namesEcid = (request: CapturedRequest) =>
  request.rawBody.includes('"ECID":[') || /_identity/.test(JSON.stringify([request.rawHeaders, request.rawBody]));

/** Where a visitor was made at the edge, nothing of it is there. */
function wantedAtServer(request: CapturedRequest, atEdge: Said): Said {
  return hasEvents(request) && !namesEcid(request) ? withoutIdentity(atEdge) : atEdge;
}

describe.each(REQUESTS)('%s', (name, request) => {
  test('as it was captured', async () => {
    const [atEdge, atServer] = await askBoth(request);
    if (!isMedia(request) && hasEvents(request) && !namesPrimary(request)) {
      expect(atEdge.status, DIFFERENCES.primary).toBeLessThan(300);
      expect([atServer.status, atServer.text]).toEqual([400, expect.stringContaining('EXEG-0306-400')]);
      return;
    }
    expect(said(atServer, request)).toEqual(wantedAtServer(request, said(atEdge, request)));
  });

  if (!hasEvents(request) || isMedia(request)) return;

  test('about a visitor with an ECID: equal to the letter, and stored alike', async () => {
    const about = withEvents(renamed(request, `ecid-${name}`), { ECID: [{ id: ECID, primary: true }] });
    const [atEdge, atServer] = await askBoth(about);
    expect(atEdge.status).toBeLessThan(300);
    expect(said(atServer, about)).toEqual(said(atEdge, about));
    const acknowledged = atEdge.header('x-weir-ack');
    expect(atServer.header('x-weir-ack'), DIFFERENCES.acknowledgement).toMatch(`${acknowledged}; position=0:`);
    expect(await lastStored(server)).toEqual(await lastStored(edge));
  });

  test('about somebody with another id', async () => {
    const about = withEvents(renamed(request, `email-${name}`), { Email: [{ id: 'ada@example.com', primary: true }] });
    const [atEdge, atServer] = await askBoth(about);
    expect(said(atServer, about), DIFFERENCES.minting).toEqual(wantedAtServer(about, said(atEdge, about)));
  });
});

/** The same headers to both, and what proves who asks to the server listener. */
async function askListed(headers: readonly (readonly [string, string])[]): Promise<readonly RawAnswer[]> {
  const body = JSON.stringify({ event: { xdm: { identityMap: { ECID: [{ id: ECID, primary: true }] } } } });
  const sent = { path: '/ee/v2/interact?datastreamId=listed', headers, body };
  const proven = [...headers, ...credentials(tokenFor(ORG), CLIENT, ORG)];
  return [await send(edge.edge, sent), await send(server.server, { ...sent, headers: proven })];
}

test.each([
  ['https://www.shop.test', 200],
  ['https://other.test', 403],
] as const)('the origin %s, where the datastream has a list: %d at both', async (origin, status) => {
  expect((await askListed([['Origin', origin]])).map((answer) => answer.status)).toEqual([status, status]);
});

test('Global Privacy Control is heeded at both', async () => {
  await askListed([['Sec-GPC', '1']]);
  const stored = await lastStored(server);
  expect(stored).toEqual(await lastStored(edge));
  expect(stored['consent']).toMatchObject({ gpc: true });
});

/** Under another request id, so that it is no copy of what was sent before. */
function renamed(request: CapturedRequest, mark: string): CapturedRequest {
  return {
    ...request,
    url: request.url.replace(/requestId=[^&]+/, (all) => `${all}-${mark.replaceAll(/[^a-z0-9]/g, '-')}`.slice(0, 130)),
  };
}

/** The newest event in the log, without what is another for every request. */
async function lastStored(weir: Weir): Promise<JsonObject> {
  const { xdm, data, query, meta, identities, consent, record } = (await weir.events()).at(-1)!;
  const text = JSON.stringify({
    xdm,
    data,
    query,
    meta,
    identities,
    consent,
    record: [record.path, record.ecid, record.datastreamId],
  });
  const stored = JSON.parse(text) as Json;
  if (!isObject(stored)) throw new Error('An event is an object.');
  return stored;
}
