import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeIdentityCookie, encodeIdentityCookie } from '../../src/model/identity-cookie.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { post, type RawAnswer } from '../support/raw-http.ts';
import { decodeAnswer, decodeProblem } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

let direct: Weir;
/** Behind a proxy on this machine that it trusts. */
let behind: Weir;
beforeAll(async () => {
  direct = await startWeir();
  behind = await startWeir({ 'weir.yaml': 'proxies: [127.0.0.1]\n' });
});
afterAll(() => Promise.all([direct.stop(), behind.stop()]));

const PREFIX = 'kndctr_TEST_AdobeOrg_';
const ECID = '41861666193140161934276845651148876988';
const DAY_MS = 24 * 60 * 60 * 1_000;
type Headers = readonly (readonly [string, string])[];

function interact(weir: Weir, state: Json, headers: Headers = [], body: JsonObject = {}): Promise<RawAnswer> {
  const sent = { events: [{ xdm: {} }], meta: { state }, ...body };
  return post(weir.edge, '/ee/v1/interact?configId=shop', sent, headers);
}
const storeOf = (answer: RawAnswer) =>
  decodeAnswer(answer.json).handle.find((handle) => handle.type === 'state:store')?.payload;
const keysOf = (answer: RawAnswer) => storeOf(answer)?.map((entry) => String(entry['key']).slice(PREFIX.length));
const cookie = (writtenAtMs: number, ecid = ECID) =>
  encodeIdentityCookie({ ecid, createdAtMs: 1_000, isNew: true, source: 'random', writtenAtMs }, 'va6', null);
const OWN = { domain: 'shop.test', cookiesEnabled: true };
const FIRST_PARTY: Headers = [['Host', 'data.shop.test']];

describe('first-party: Set-Cookie, cluster then identity', () => {
  const values = (answer: RawAnswer) =>
    answer.all('set-cookie').map((one) => one.replace(/_identity=[^;]+/, '_identity=…'));

  test.each(['data.shop.test', 'shop.test', 'DATA.Shop.Test:8443', 'a.b.shop.test'])('at %s', async (host) => {
    const answer = await interact(direct, OWN, [['Host', host]]);
    expect(values(answer)).toEqual([
      `${PREFIX}cluster=or2; Max-Age=1800; Path=/; Domain=shop.test; SameSite=Lax`,
      `${PREFIX}identity=…; Max-Age=34128000; Path=/; Domain=shop.test; SameSite=Lax`,
    ]);
    expect(decodeAnswer(answer.json).handle.map((handle) => handle.type)).toEqual(['locationHint:result']);
  });

  test.each([
    ['https', undefined, 'SameSite=None; Secure'],
    ['https', 'https://www.shop.test/p', 'SameSite=None; Secure'],
    ['https', 'http://www.shop.test/p', 'SameSite=Lax'],
    ['http', 'https://www.shop.test/p', 'SameSite=Lax'],
  ])('behind a trusted proxy, over %s, from %s: %s', async (proto, referer, attributes) => {
    const headers: [string, string][] = [
      ['Host', '10.0.0.5:8080'],
      ['X-Forwarded-For', '203.0.113.9'],
      ['X-Forwarded-Proto', proto],
      ['X-Forwarded-Host', 'data.shop.test'],
    ];
    if (referer !== undefined) headers.push(['Referer', referer]);
    const [cluster] = (await interact(behind, OWN, headers)).all('set-cookie');
    expect(cluster).toBe(`${PREFIX}cluster=or2; Max-Age=1800; Path=/; Domain=shop.test; ${attributes}`);
  });

  test('what a stranger forwards counts for nothing', async () => {
    const forged: Headers = [
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'data.shop.test'],
    ];
    expect((await interact(direct, OWN, forged)).all('set-cookie')).toEqual([]);
    const [cluster] = (await interact(direct, OWN, [...FIRST_PARTY, ...forged])).all('set-cookie');
    expect(cluster).toContain('SameSite=Lax');
  });

  test('the consent cookie follows; collect sets cookies too, without a body', async () => {
    const consent = [{ standard: 'Adobe', version: '1.0', value: { general: 'in' } }];
    const answer = await post(
      direct.edge,
      '/ee/v1/privacy/set-consent?configId=shop',
      { consent, meta: { state: OWN } },
      FIRST_PARTY,
    );
    expect(values(answer)[2]).toBe(
      `${PREFIX}consent=general=in; Max-Age=15552000; Path=/; Domain=shop.test; SameSite=Lax`,
    );
    const beacon = await post(
      direct.edge,
      '/ee/v1/collect?configId=shop',
      { events: [{ xdm: {} }], meta: { state: OWN } },
      FIRST_PARTY,
    );
    expect(beacon.status).toBe(204);
    expect(beacon.all('set-cookie')).toHaveLength(1);
  });

  test('the Cookie header says who it is', async () => {
    const written = cookie(Date.now());
    const answer = await interact(direct, OWN, [...FIRST_PARTY, ['Cookie', `a=b; ${PREFIX}identity=${written}`]], {
      query: { identity: { fetch: ['ECID'] } },
    });
    expect(decodeAnswer(answer.json).handle[0]!.payload[0]!['id']).toBe(ECID);
    expect(answer.all('set-cookie')).toHaveLength(1);
  });
});

describe('third-party: state:store', () => {
  test.each<[string, Json, Headers]>([
    ['no state', null, FIRST_PARTY],
    ['cookies not enabled', { domain: 'shop.test' }, FIRST_PARTY],
    ['cookies disabled', { domain: 'shop.test', cookiesEnabled: false }, FIRST_PARTY],
    ['cookiesEnabled as text', { domain: 'shop.test', cookiesEnabled: 'true' }, FIRST_PARTY],
    ['another domain', OWN, [['Host', 'edge.weir.test']]],
    ['a suffix that is no parent', OWN, [['Host', 'evilshop.test']]],
    ['localhost', { domain: '', cookiesEnabled: true }, [['Host', 'localhost:8080']]],
    ['a top-level domain', { domain: 'test', cookiesEnabled: true }, FIRST_PARTY],
    ['a public suffix', { domain: 'co.uk', cookiesEnabled: true }, [['Host', 'data.shop.co.uk']]],
    ['a suffix of a hosting company', { domain: 'github.io', cookiesEnabled: true }, [['Host', 'shop.github.io']]],
    ['an address', { domain: '127.0.0.1', cookiesEnabled: true }, [['Host', '127.0.0.1:8080']]],
    ['a domain with attributes in it', { domain: 'shop.test; Secure', cookiesEnabled: true }, FIRST_PARTY],
    ['a leading dot', { domain: '.shop.test', cookiesEnabled: true }, FIRST_PARTY],
  ])('%s', async (_what, state, headers) => {
    const answer = await interact(direct, state, headers);
    expect(answer.status).toBe(200);
    expect(answer.all('set-cookie')).toEqual([]);
    expect(keysOf(answer)).toEqual(['cluster', 'identity']);
    for (const entry of storeOf(answer)!) expect(Object.keys(entry)).toEqual(['key', 'value', 'maxAge']);
  });

  test.each([
    ['https', { ...OWN }, { SameSite: 'None' }],
    ['http', { ...OWN }, undefined],
    ['https', { domain: 'shop.test' }, undefined],
  ])('over %s with %j: attrs %j', async (proto, state, attrs) => {
    const answer = await interact(behind, state, [['X-Forwarded-Proto', proto]]);
    for (const entry of storeOf(answer)!) expect(entry['attrs']).toEqual(attrs);
  });

  test('0110 only where a domain is needed and absent', async () => {
    const answer = await interact(direct, { cookiesEnabled: true });
    expect(answer.status).toBe(400);
    const problem = decodeProblem(answer.json);
    expect(problem['type']).toContain('EXEG-0110-400');
    expect(problem['detail']).toContain("'meta.state.domain'");
    expect((await interact(direct, { cookiesEnabled: true, domain: null })).status).toBe(400);
    expect((await interact(direct, { cookiesEnabled: true, domain: 7 })).json).toMatchObject({ status: 400 });
    expect((await interact(direct, {})).status).toBe(200);
  });
});

describe('the identity cookie is written', () => {
  const entries = (value: string) => ({ ...OWN, entries: [{ key: `${PREFIX}identity`, value, maxAge: 34_128_000 }] });

  test('not where the request brought it, less than a day old', async () => {
    expect(keysOf(await interact(direct, entries(cookie(Date.now() - DAY_MS + 60_000))))).toEqual(['cluster']);
  });

  test('again after a day, as of now, of the same ECID and age', async () => {
    const answer = await interact(direct, entries(cookie(Date.now() - DAY_MS - 60_000)));
    expect(keysOf(answer)).toEqual(['cluster', 'identity']);
    const written = decodeIdentityCookie(String(storeOf(answer)![1]!['value']))!;
    // It had no signature, so what it says of its origin is not believed.
    expect(written).toMatchObject({ ecid: ECID, createdAtMs: 1_000, isNew: false, source: 'received' });
    expect(Math.abs(written.writtenAtMs - Date.now())).toBeLessThan(60_000);
  });

  test('where the request names another ECID', async () => {
    const other = '1'.repeat(38);
    const answer = await interact(direct, entries(cookie(Date.now())), [], {
      xdm: { identityMap: { ECID: [{ id: other }] } },
    });
    expect(decodeIdentityCookie(String(storeOf(answer)![1]!['value']))!.ecid).toBe(other);
  });

  test('where it is another org’s, or no cookie at all', async () => {
    for (const entry of [
      { key: 'kndctr_OTHER_AdobeOrg_identity', value: cookie(Date.now()) },
      { key: `${PREFIX}identity`, value: 'garbage' },
    ])
      expect(keysOf(await interact(direct, { ...OWN, entries: [entry] }))).toEqual(['cluster', 'identity']);
  });

  test('padded and percent-encoded values are the same cookie', async () => {
    const value = cookie(Date.now());
    const padded = `${value}${'='.repeat((4 - (value.length % 4)) % 4)}`;
    expect(keysOf(await interact(direct, entries(padded)))).toEqual(['cluster']);
    expect(keysOf(await interact(direct, entries(padded.replaceAll('=', '%3D'))))).toEqual(['cluster']);
  });
});
