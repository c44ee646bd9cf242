import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cookiePrefixOf } from '../../src/model/datastream.ts';
import { decodeIdentityCookie } from '../../src/model/identity-cookie.ts';
import { isObject, type Json, type JsonObject, mergeJson, valueAt } from '../../src/model/json.ts';
import { bytesOf, type CapturedRequest, captures } from '../support/captures.ts';
import { type RawAnswer, sendBytes } from '../support/raw-http.ts';
import { type DecodedAnswer, decodeAnswer, decodeProblem } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/**
 * Every captured request of the real Web SDK, byte for byte over a socket, in the order in which it was made; each answer
 * held against the contract, and each stored event against what was sent.
 */
const ALL = captures();
const { datastreamId: DATASTREAM, orgId: ORG } = ALL[0]!;
const PREFIX = cookiePrefixOf(ORG);
/** Where the page that made the requests lives; its endpoint below it is first-party. */
const FIRST_PARTY_HOST = 'firstparty.shop.test';
const DAY_MS = 24 * 60 * 60 * 1_000;

const NAMESPACES = `identity: { namespaces: { "${ORG}": { CRM: {} } } }\n`;
const files = {
  'weir.yaml': NAMESPACES,
  'datastreams/shop.yaml': `id: ${DATASTREAM}\norg: ${ORG}\nname: Shop\n`,
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

let plain: Weir;
/** Trusts this machine as a proxy, so that requests can be said to have come over https. */
let proxied: Weir;
beforeAll(async () => {
  plain = await startWeir(files);
  proxied = await startWeir({ ...files, 'weir.yaml': `${NAMESPACES}proxies: [127.0.0.1]\n` });
});
afterAll(() => Promise.all([plain.stop(), proxied.stop()]));

const REQUESTS = ALL.flatMap(({ scenario, requests }) =>
  requests.map((request, i) => [`${scenario} ${i + 1}: ${new URL(request.url).pathname}`, request] as const),
);
test('there are 34 of them', () => {
  expect(REQUESTS).toHaveLength(34);
});

interface Expected {
  readonly requestId: string;
  readonly hint: string;
  readonly body: JsonObject;
  readonly origin: string;
  readonly isFirstParty: boolean;
  /** As the request names it; null where Weir is to make one. */
  readonly ecid: string | null;
  /** The identity cookie is to be written. */
  readonly writesIdentity: boolean;
  readonly consent: string | null;
}

function expectedOf(request: CapturedRequest): Expected {
  const url = new URL(request.url);
  const header = (name: string) => request.rawHeaders.find(([other]) => other.toLowerCase() === name)?.[1];
  const body = JSON.parse(request.rawBody) as JsonObject;
  const cookies = new Map(
    (header('cookie') ?? '').split('; ').map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
  for (const entry of (valueAt(body, 'meta', 'state', 'entries') ?? []) as JsonObject[])
    cookies.set(String(entry['key']), String(entry['value']));
  const brought = decodeIdentityCookie(cookies.get(`${PREFIX}identity`) ?? '');
  const named = [body, body['xdm'], valueAt(body['events'] ? (body['events'] as Json[])[0] : null, 'xdm')]
    .map((place) => valueAt(place, 'identityMap', 'ECID'))
    .find((list) => Array.isArray(list)) as JsonObject[] | undefined;
  const ecid = (named?.[0]?.['id'] as string | undefined) ?? brought?.ecid ?? null;
  const general = (body['consent'] as JsonObject[] | undefined)?.[0]?.['value'];
  return {
    requestId: url.searchParams.get('requestId')!,
    hint: url.pathname.split('/')[2] === 'va6' ? 'va6' : 'or2',
    body,
    origin: header('origin')!,
    isFirstParty: url.hostname === FIRST_PARTY_HOST,
    ecid,
    writesIdentity: brought === null || brought.ecid !== ecid || Date.now() - brought.writtenAtMs >= DAY_MS,
    consent: isObject(general) ? `general=${String(general['general'])}` : null,
  };
}

function judge(answer: RawAnswer, wanted: Expected, isHttps: boolean): string | null {
  expect(answer.header('x-request-id')).toMatch(new RegExp(`^${wanted.requestId}-[0-9a-f]{16}$`));
  expect(answer.header('access-control-allow-origin')).toBe(wanted.origin);
  expect(answer.header('access-control-allow-credentials')).toBe('true');
  expect(answer.header('access-control-expose-headers')).toContain('Retry-After, X-Adobe-Edge');
  expect(answer.header('x-adobe-edge')).toMatch(/^[A-Z0-9]+;[1-9][0-9]*$/);
  if (answer.status === 204) {
    expect(answer.body.length).toBe(0);
    return wanted.ecid;
  }
  const decoded = decodeAnswer(answer.json);
  expect(decoded.errors).toEqual([]);
  expect(decoded.warnings).toEqual([]);
  const payload = (type: string) => decoded.handle.find((handle) => handle.type === type)?.payload;
  const ecid = payload('identity:result')![0]!['id'] as string;
  if (wanted.ecid !== null) expect(ecid).toBe(wanted.ecid);
  expect(payload('identity:result')).toEqual([{ id: ecid, namespace: { code: 'ECID' } }]);
  expect(payload('locationHint:result')![2]).toEqual({ scope: 'EdgeNetwork', hint: wanted.hint, ttlSeconds: 1800 });
  judgeCookies(answer, decoded, wanted, ecid, isHttps);
  return ecid;
}

/** The cookies of an answer as key, value, seconds and attributes, from wherever they stand. */
function cookiesIn(answer: RawAnswer, decoded: DecodedAnswer) {
  const set = answer.all('set-cookie').map((line) => {
    const [pair, maxAge, ...attributes] = line.split('; ');
    const [key, value] = pair!.split(/=(.*)/s);
    return { key: key!, value: value!, maxAge: Number(maxAge!.split('=')[1]), attributes: attributes.join('; ') };
  });
  const store = decoded.handle.find((handle) => handle.type === 'state:store')?.payload ?? [];
  return {
    set,
    store: store.map((entry) => ({
      key: entry['key'] as string,
      value: entry['value'] as string,
      maxAge: entry['maxAge'] as number,
      attributes: JSON.stringify(entry['attrs']),
    })),
  };
}

function judgeCookies(
  answer: RawAnswer,
  decoded: DecodedAnswer,
  wanted: Expected,
  ecid: string,
  isHttps: boolean,
): void {
  const { set, store } = cookiesIn(answer, decoded);
  expect(wanted.isFirstParty ? store : set).toEqual([]);
  const cookies = wanted.isFirstParty ? set : store;
  const names = [
    'cluster',
    ...(wanted.writesIdentity ? ['identity'] : []),
    ...(wanted.consent === null ? [] : ['consent', 'consent_check']),
  ];
  expect(cookies.map((cookie) => cookie.key)).toEqual(names.map((name) => `${PREFIX}${name}`));
  expect(cookies.map((cookie) => cookie.maxAge)).toEqual(
    names.map((name) => ({ cluster: 1_800, identity: 34_128_000, consent: 15_552_000, consent_check: 7_200 })[name]),
  );
  const of = (name: string) => cookies.find((cookie) => cookie.key === `${PREFIX}${name}`)?.value;
  expect(of('cluster')).toBe(wanted.hint);
  if (wanted.writesIdentity) expect(decodeIdentityCookie(of('identity')!)?.ecid).toBe(ecid);
  if (wanted.consent !== null) expect([of('consent'), of('consent_check')]).toEqual([wanted.consent, '1']);
  const attributes = wanted.isFirstParty
    ? `Path=/; Domain=shop.test; ${isHttps ? 'SameSite=None; Secure' : 'SameSite=Lax'}`
    : isHttps
      ? '{"SameSite":"None"}'
      : undefined;
  for (const cookie of cookies) expect(cookie.attributes).toBe(attributes);
}

/** What is to be read back of a body's event: as sent, with the shared xdm, and the ECID that it was answered with. */
function storedXdm(body: JsonObject, index: number, ecid: string | null): JsonObject {
  const shared = isObject(body['xdm']) ? body['xdm'] : {};
  const xdm = mergeJson(shared, valueAt((body['events'] as Json[])[index], 'xdm') as JsonObject);
  if (ecid === null) return xdm;
  const map = isObject(xdm['identityMap']) ? xdm['identityMap'] : {};
  const hasPrimary = Object.values(map).some((list) => (list as JsonObject[]).some((one) => one['primary'] === true));
  const [first, ...rest] = (map['ECID'] ?? [
    { id: ecid, authenticatedState: 'ambiguous', primary: false },
  ]) as JsonObject[];
  return { ...xdm, identityMap: { ...map, ECID: [hasPrimary ? first! : { ...first, primary: true }, ...rest] } };
}

describe.each(REQUESTS)('%s', (_name, request) => {
  const wanted = expectedOf(request);
  const { pathname } = new URL(request.url);

  if (pathname.includes('/va/')) {
    test('media is not available yet', async () => {
      const answer = await sendBytes(plain.edge, bytesOf(request));
      expect(answer.status).toBe(404);
      expect(decodeProblem(answer.json)['detail']).toContain('/va');
      expect(answer.header('access-control-allow-origin')).toBe(wanted.origin);
    });
    return;
  }

  test('is answered as the contract says, and stored as it was sent', async () => {
    const answer = await sendBytes(plain.edge, bytesOf(request));
    expect(answer.status).toBe(pathname.endsWith('/collect') ? 204 : 200);
    const ecid = judge(answer, wanted, false);
    const stored = (await plain.events()).filter((event) => event.id.startsWith(`${wanted.requestId}-`));
    const events = (wanted.body['events'] ?? []) as JsonObject[];
    expect(stored).toHaveLength(events.length);
    stored.forEach((event, i) => {
      const { data = null, query = null, meta = null } = events[i]!;
      expect(event).toMatchObject({ index: i, data, query, meta });
      expect(event.xdm).toEqual(storedXdm(wanted.body, i, ecid));
      expect(event.record.meta).toEqual(wanted.body['meta'] ?? {});
      expect(Buffer.from(event.record.raw!).toString()).toBe(request.rawBody);
    });
  });

  test('over https its cookies are marked for it', async () => {
    const overHttps: CapturedRequest = {
      ...request,
      rawHeaders: [...request.rawHeaders, ['X-Forwarded-Proto', 'https']],
    };
    const answer = await sendBytes(proxied.edge, bytesOf(overHttps));
    judge(answer, wanted, true);
  });
});

describe('retries among them (12: after 503 and 429; 9: another host)', () => {
  test.each(['12-retry-503-429-then-200', '09-demdex-blocked-fallback'])(
    '%s is one event, and one ECID',
    async (scenario) => {
      const { requests } = ALL.find((one) => one.scenario === scenario)!;
      const answers = [];
      for (const request of requests) answers.push(await sendBytes(plain.edge, bytesOf(request)));
      const ecids = answers.map((answer) => decodeAnswer(answer.json).handle[0]!.payload[0]!['id']);
      expect(new Set(ecids).size).toBe(1);
      const { requestId } = expectedOf(requests[0]!);
      const stored = (await plain.events()).filter((event) => event.id.startsWith(`${requestId}-`));
      expect(stored).toHaveLength(1);
      expect(stored[0]!.record.ecid).toBe(ecids[0]);
    },
  );
});
