import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { post, type RawAnswer } from '../support/raw-http.ts';
import { decodeAnswer } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/** The rules are those of the Web SDK's tests against the service (documented), where nothing else is said. */

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir({
    'weir.yaml': 'thirdParty: { hosts: [id.weir.test] }\nproxies: [127.0.0.1]\n',
    'datastreams/closed.yaml': 'id: closed\norg: TEST@AdobeOrg\nname: Closed\nconsent: { default: out }\n',
    'datastreams/other.yaml': 'id: other\norg: OTHER@AdobeOrg\nname: Other\n',
  });
});
afterAll(() => weir.stop());

type Headers = [string, string][];
const META = { state: { domain: 'shop.test', cookiesEnabled: true } };
interface Asked {
  readonly datastream?: string;
  readonly host?: string;
  readonly cookie?: string;
  readonly ecid?: string;
  readonly fpid?: string;
  readonly consent?: readonly JsonObject[];
  readonly path?: string;
  readonly https?: boolean;
  readonly query?: string;
}
async function ask({
  datastream = 'shop',
  host = 'id.weir.test',
  cookie,
  ecid,
  fpid,
  consent,
  https = true,
  ...rest
}: Asked): Promise<RawAnswer> {
  const { path = '/v1/identity/acquire', query = '' } = rest;
  const headers: Headers = [
    ['host', host],
    ['x-forwarded-proto', https ? 'https' : 'http'],
  ];
  if (cookie !== undefined) headers.push(['cookie', cookie]);
  const identityMap = {
    ...(ecid !== undefined && { ECID: [{ id: ecid }] }),
    ...(fpid !== undefined && { FPID: [{ id: fpid }] }),
  };
  const xdm: JsonObject = Object.keys(identityMap).length === 0 ? {} : { identityMap };
  const events = path.endsWith('interact') ? { events: [{ xdm: {} }] } : {};
  const choice = consent === undefined ? {} : { consent, identityMap };
  const body = { query: { identity: { fetch: ['ECID', 'CORE'] } }, meta: META, xdm, ...events, ...choice };
  const answer = await post(weir.edge, `/ee${path}?configId=${datastream}${query}`, body, headers);
  expect(answer.status, answer.text).toBe(200);
  return answer;
}
function idOf(answer: RawAnswer, code: string): string | undefined {
  const result = decodeAnswer(answer.json).handle.find(({ type }) => type === 'identity:result');
  const all = (result?.payload ?? []) as { id: string; namespace: { code: string } }[];
  return all.find(({ namespace }) => namespace.code === code)?.id;
}
const setCookie = ({ headers }: RawAnswer): string[] =>
  headers.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value);
const coreOf = (answer: RawAnswer): string => /^demdex=(\d{38});/.exec(setCookie(answer)[0]!)![1]!;

test('a first visit is given an id for all sites, as a cookie of the host alone', async () => {
  const answer = await ask({});
  const core = coreOf(answer);
  expect(setCookie(answer)).toEqual([`demdex=${core}; Max-Age=15552000; Path=/; SameSite=None; Secure; HttpOnly`]);
  expect(idOf(answer, 'CORE')).toBe(core);
  expect(idOf(answer, 'ECID')).toMatch(/^\d{38}$/);
  expect(idOf(answer, 'ECID')).not.toBe(core);
  // The site's own cookies still go through the answer's body.
  const store = decodeAnswer(answer.json).handle.find(({ type }) => type === 'state:store')!;
  expect(store.payload.map(({ key }) => key)).toContain('kndctr_TEST_AdobeOrg_identity');
});

test('two sites of one org have one ECID by it, and of two orgs two', async () => {
  const core = coreOf(await ask({}));
  const cookie = `demdex=${core}`;
  const [first, again, foreign] = [
    await ask({ cookie }),
    await ask({ cookie, path: '/v1/interact' }),
    await ask({ cookie, datastream: 'other' }),
  ];
  for (const answer of [first, again, foreign]) expect([idOf(answer, 'CORE'), coreOf(answer)]).toEqual([core, core]);
  expect(idOf(again, 'ECID')).toBe(idOf(first, 'ECID'));
  expect(idOf(foreign, 'ECID')).not.toBe(idOf(first, 'ECID'));
});

test('the first answer’s ECID is the one that its cookie makes', async () => {
  const first = await ask({});
  expect(idOf(await ask({ cookie: `demdex=${coreOf(first)}` }), 'ECID')).toBe(idOf(first, 'ECID'));
});

test('a known ECID has its CORE on other hosts too, also after a restart, and never another org’s', async () => {
  const first = await ask({});
  const [ecid, core] = [idOf(first, 'ECID')!, coreOf(first)];
  const elsewhere = { host: 'edge.weir.test', ecid };
  const answer = await ask(elsewhere);
  expect([idOf(answer, 'ECID'), idOf(answer, 'CORE'), setCookie(answer)]).toEqual([ecid, core, []]);
  await weir.restart();
  expect(idOf(await ask(elsewhere), 'CORE')).toBe(core);
  expect(idOf(await ask({ ...elsewhere, datastream: 'other' }), 'CORE')).toBeUndefined();
});

describe('an ECID that is known before', () => {
  const known = '6'.repeat(37);
  test('is kept, and given a CORE, which it keeps', async () => {
    const first = await ask({ ecid: `${known}1` });
    expect(idOf(first, 'ECID')).toBe(`${known}1`);
    expect(coreOf(await ask({ ecid: `${known}1` }))).toBe(coreOf(first));
  });
  test('takes the browser’s CORE where there is one', async () => {
    const core = coreOf(await ask({}));
    const answer = await ask({ ecid: `${known}2`, cookie: `demdex=${core}` });
    expect([idOf(answer, 'ECID'), coreOf(answer)]).toEqual([`${known}2`, core]);
  });
});

describe('the ECID that the CORE makes', () => {
  const fpid = '8f1c0b6e-3d52-4c7a-9e41-5a7b90c3d21f';
  test('comes behind the one of a cookie of the Visitor API', async () => {
    const before = '41861666193140161934276845651148876988';
    const core = coreOf(await ask({}));
    const answer = await ask({ cookie: `demdex=${core}; AMCV_TEST%40AdobeOrg=MCMID|${before}` });
    expect([idOf(answer, 'ECID'), coreOf(answer)]).toEqual([before, core]);
  });
  test('comes before the one of an FPID', async () => {
    const first = await ask({});
    const answer = await ask({ cookie: `demdex=${coreOf(first)}`, fpid });
    expect(idOf(answer, 'ECID')).toBe(idOf(first, 'ECID'));
    expect(idOf(await ask({ fpid }), 'ECID')).not.toBe(idOf(first, 'ECID'));
  });
});

describe('of a visitor who is not in nothing is noted', () => {
  const coreElsewhere = async (first: RawAnswer, datastream = 'shop'): Promise<string | undefined> =>
    idOf(await ask({ host: 'edge.weir.test', ecid: idOf(first, 'ECID')!, datastream }), 'CORE');
  const choose = async (val: string): Promise<RawAnswer> => {
    const consent = [{ standard: 'Adobe', version: '2.0', value: { collect: { val } } }];
    return ask({ path: '/v1/privacy/set-consent', consent });
  };

  test.each(['/v1/identity/acquire', '/v1/interact'])('where none is by default: %s', async (path) => {
    const first = await ask({ path, datastream: 'closed' });
    expect(coreOf(first)).toMatch(/^\d{38}$/);
    expect(await coreElsewhere(first, 'closed')).toBeUndefined();
  });
  test('who opts out with it; who opts in is known', async () => {
    expect(await coreElsewhere(await choose('n'))).toBeUndefined();
    const chosen = await choose('y');
    expect(await coreElsewhere(chosen)).toBe(coreOf(chosen));
  });
  test('who has opted out', async () => {
    const cookie = `demdex=${coreOf(await ask({}))}`;
    const consent = [{ standard: 'Adobe', version: '1.0', value: { general: 'out' } }];
    const ecid = '5'.repeat(37).padEnd(38, '1');
    await ask({ host: 'edge.weir.test', path: '/v1/privacy/set-consent', consent, ecid });
    const answer = await ask({ cookie, ecid });
    expect(idOf(answer, 'ECID')).toBe(ecid);
    expect(await coreElsewhere(answer)).toBeUndefined();
  });
});

test.each(['', 'x', '123', '0'.repeat(38), '1'.repeat(39)])('a cookie %j is none', async (value) => {
  expect(coreOf(await ask({ cookie: `demdex=${value}` }))).not.toBe(value);
});

test('another host sets no such cookie and heeds none', async () => {
  const cookie = `demdex=${'4'.repeat(38)}`;
  const answer = await ask({ host: 'edge.weir.test', cookie });
  expect([setCookie(answer), idOf(answer, 'CORE')]).toEqual([[], undefined]);
  expect(idOf(answer, 'ECID')).not.toBe(idOf(await ask({ cookie }), 'ECID'));
});

test('over http the cookie is not for other sites: browsers would refuse it', async () => {
  expect(setCookie(await ask({ https: false }))[0]).toMatch(/; SameSite=Lax; HttpOnly$/);
});

test('a retry is of the same visitor', async () => {
  const query = '&requestId=5b1e8a0c-6a55-4f1e-9f43-1b6b1c7f3f10';
  for (const path of ['/v1/identity/acquire', '/v1/interact']) {
    const [first, second] = [await ask({ query, path }), await ask({ query, path })];
    expect([idOf(second, 'ECID'), idOf(second, 'CORE')]).toEqual([idOf(first, 'ECID'), idOf(first, 'CORE')]);
  }
});
