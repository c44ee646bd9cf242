import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isEcid } from '../../src/model/identity.ts';
import { type JsonObject, valueAt } from '../../src/model/json.ts';
import { post, type RawAnswer, send } from '../support/raw-http.ts';
import { decodeAnswer, decodeProblem } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir({
    'datastreams/shop.yaml':
      'id: shop\norg: TEST@AdobeOrg\nname: Shop\nenvironments:\n  dev: {}\n  off: {enabled: false}\n',
  });
});
afterAll(() => weir.stop());

const GIVEN = 'eae31ab8-7d83-41da-bd64-681f23094d78';
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
const hex16 = '[0-9a-f]{16}';
const event = { xdm: { eventType: 'a' } };
const one = { event };
const many = { events: [event] };
const consent = { consent: [{ standard: 'Adobe', version: '2.0', value: { collect: { val: 'y' } } }] };
const acquire = { query: { identity: { fetch: ['ECID'] } } };

/** Name, path, a body that is taken, status, types of the handles. */
const ENDPOINTS: readonly (readonly [string, string, JsonObject, number, readonly string[] | null])[] = [
  ['v2/interact', '/v2/interact?datastreamId=shop', one, 200, ['locationHint:result', 'state:store']],
  ['v1/interact', '/v1/interact?configId=shop', many, 200, ['locationHint:result', 'state:store']],
  ['v2/collect', '/v2/collect?datastreamId=shop', many, 202, null],
  ['v2/collect, silent', '/v2/collect?datastreamId=shop&silent=true', many, 204, null],
  ['v2/collect, not silent', '/v2/collect?datastreamId=shop&silent=false', many, 202, null],
  ['v1/collect', '/v1/collect?configId=shop', many, 204, null],
  [
    'set-consent',
    '/v1/privacy/set-consent?configId=shop',
    consent,
    200,
    ['locationHint:result', 'consent:preferences', 'state:store'],
  ],
  [
    'acquire',
    '/v1/identity/acquire?configId=shop',
    acquire,
    200,
    ['identity:result', 'locationHint:result', 'state:store'],
  ],
];

function judge(answer: RawAnswer, status: number, handles: readonly string[] | null, requestId: RegExp): void {
  expect(answer.status).toBe(status);
  expect(answer.header('x-request-id')).toMatch(requestId);
  if (status === 204) {
    expect(answer.body.length).toBe(0);
    expect(answer.header('content-type')).toBeUndefined();
    return;
  }
  expect(answer.header('content-type')).toBe('application/json;charset=utf-8');
  if (status === 202) {
    expect(answer.json).toEqual({ requestId: answer.header('x-request-id') });
    return;
  }
  const decoded = decodeAnswer(answer.json);
  expect(decoded.requestId).toBe(answer.header('x-request-id'));
  expect(decoded.handle.map((handle) => handle.type)).toEqual(handles);
  expect(decoded.errors).toEqual([]);
  expect(decoded.warnings).toEqual([]);
}

describe.each(ENDPOINTS)('%s', (_name, path, body, status, handles) => {
  test('with a request id in the query', async () => {
    const answer = await post(weir.edge, `/ee${path}&requestId=${GIVEN}`, body);
    judge(answer, status, handles, new RegExp(`^${GIVEN}-${hex16}$`));
  });

  test('with one in the header, behind a region hint', async () => {
    const answer = await post(weir.edge, `/ee/va6${path}`, body, [['X-Request-Id', 'from.the-header']]);
    judge(answer, status, handles, new RegExp(`^from\\.the-header-${hex16}$`));
    expect(answer.header('x-adobe-edge')).toBe('VA6;7');
  });

  test('without one, under the path of pre-production', async () => {
    const answer = await post(weir.edge, `/ee-pre-prd${path}`, body);
    judge(answer, status, handles, new RegExp(`^${UUID}-${hex16}$`));
    expect(answer.header('x-adobe-edge')).toBe('OR2;9');
  });

  test('the query comes before the header', async () => {
    const answer = await post(weir.edge, `/ee${path}&requestId=${GIVEN}`, body, [['x-request-id', 'other']]);
    judge(answer, status, handles, new RegExp(`^${GIVEN}-`));
  });

  test.each(['a b', 'x'.repeat(129), 'a/b', ''])(
    'an id that cannot be used (%j) is replaced, with a warning',
    async (id) => {
      const answer = await post(weir.edge, `/ee${path}&requestId=${encodeURIComponent(id)}`, body);
      expect(answer.status).toBe(status);
      expect(answer.header('x-request-id')).toMatch(new RegExp(`^${UUID}-${hex16}$`));
      if (status !== 204)
        expect(valueAt(answer.json, 'warnings')).toMatchObject([{ status: 200, title: 'Completed with warning(s)' }]);
    },
  );

  test.each(['GET', 'PUT', 'DELETE', 'PATCH'])('%s is 405', async (method) => {
    const answer = await send(weir.edge, { method, path: `/ee${path}` });
    expect(answer.status).toBe(405);
    expect(answer.header('allow')).toBe('POST, OPTIONS');
    expect(answer.header('content-type')).toBe('application/problem+json;charset=utf-8');
    expect(decodeProblem(answer.json)).toMatchObject({ status: 405, type: 'about:blank' });
  });

  test.each(['application/json', 'text/plain; charset=UTF-8', 'text/javascript'])('as %s', async (type) => {
    const answer = await post(weir.edge, `/ee${path}`, body, [['Content-Type', type]]);
    judge(answer, status, handles, /./);
  });
});

describe('how the datastream may be spelt', () => {
  test.each([
    ['/v2/interact?datastreamId=shop', one, 200],
    ['/v2/interact?dataStreamId=shop', one, 200],
    ['/v2/interact?configId=shop', one, 200],
    ['/v2/collect?dataStreamId=shop', many, 202],
    ['/v1/interact?configId=shop:dev', many, 200],
    ['/v1/interact?configId=shop%3Adev', many, 200],
    ['/v1/interact?configId=shop:off', many, 422],
    ['/v1/interact?configId=shop:none', many, 400],
  ])('%s', async (path, body, status) => {
    expect((await post(weir.edge, `/ee${path}`, body)).status).toBe(status);
  });

  test('an environment is part of the id that is stored', async () => {
    await post(weir.edge, '/ee/v1/interact?configId=shop:dev&requestId=of-the-dev-environment', many);
    const stored = (await weir.events()).find((one) => one.id.startsWith('of-the-dev-environment'))!;
    expect(stored.record.datastreamId).toBe('shop:dev');
  });
});

describe('paths', () => {
  test.each(['/ee/nowhere/v2/interact', '/ee/nowhere/va/v1/play', '/ee-pre-prd/xx1/v1/collect'])(
    'an unknown hint is a 404 without a byte: %s',
    async (path) => {
      const answer = await post(weir.edge, `${path}?configId=shop`, many, [['Origin', 'https://www.shop.test']]);
      expect(answer.status).toBe(404);
      expect(answer.body.length).toBe(0);
      expect(answer.header('content-length')).toBe('0');
      expect(answer.header('access-control-allow-origin')).toBe('https://www.shop.test');
    },
  );

  test.each(['/ee/va/v1/sessionStart', '/ee/va6/va/v1/play', '/ee/t34/va/v1/ping'])(
    'media is a 404 that says so: %s',
    async (path) => {
      const answer = await post(weir.edge, `${path}?configId=shop`, many);
      expect(answer.status).toBe(404);
      const problem = decodeProblem(answer.json);
      expect(problem['detail']).toContain('/va');
      expect(problem['detail']).toContain('not available');
    },
  );

  test.each(['/', '/ee', '/ee/or2', '/ee/v1/nothing', '/ee/or2/v3/interact', '/favicon.ico', '/other/v2/interact'])(
    'another path is a 404 that names the endpoints: %s',
    async (path) => {
      const answer = await post(weir.edge, path, one);
      expect(answer.status).toBe(404);
      expect(decodeProblem(answer.json)['detail']).toContain('v2/interact');
    },
  );
});

describe('every hint that is known is answered as the same', () => {
  test.each([
    ['or2', 'or2', 'OR2;9'],
    ['va6', 'va6', 'VA6;7'],
    ['sgp3', 'sgp3', 'SGP3;3'],
    ['irl1', 'irl1', /^IRL1;[1-9]/],
    ['t38', 'sgp3', 'SGP3;3'],
    ['t99', 'or2', 'OR2;9'],
  ])('%s', async (prefix, hint, header) => {
    const answer = await post(weir.edge, `/ee/${prefix}/v1/interact?configId=shop`, many);
    const { handle } = decodeAnswer(answer.json);
    expect(handle[0]!.payload.map((entry) => entry['scope'])).toEqual(['Target', 'AAM', 'EdgeNetwork']);
    expect(handle[0]!.payload[2]).toEqual({ scope: 'EdgeNetwork', hint, ttlSeconds: 1800 });
    expect(handle[1]!.payload[0]).toEqual({ key: 'kndctr_TEST_AdobeOrg_cluster', value: hint, maxAge: 1800 });
    expect(answer.header('x-adobe-edge')).toEqual(header instanceof RegExp ? expect.stringMatching(header) : header);
  });
});

describe('what is stored', () => {
  test('a mixed batch: every event with its own visitor, none made up', async () => {
    const of = (id: string) => ({ xdm: { identityMap: { ECID: [{ id }] } } });
    const [a, b] = ['1', '2'].map((digit) => digit.repeat(38)) as [string, string];
    const body = { events: [of(a), of(b), event] };
    await post(weir.edge, '/ee/v2/collect?datastreamId=shop&requestId=mixed-batch', body);
    const stored = (await weir.events()).filter((one) => one.id.startsWith('mixed-batch-'));
    expect(stored.map((one) => one.identities.map((identity) => identity.id))).toEqual([[a], [b], []]);
    expect(stored.map((one) => one.index)).toEqual([0, 1, 2]);
  });

  test('a first visit by interact: the new ECID stands in the event and in the answer', async () => {
    const answer = await post(weir.edge, '/ee/v2/interact?datastreamId=shop&requestId=first-visit', {
      event,
      ...acquire,
    });
    const { handle } = decodeAnswer(answer.json);
    const ecid = handle[0]!.payload[0]!['id'];
    expect(isEcid(ecid)).toBe(true);
    const stored = (await weir.events()).find((one) => one.id.startsWith('first-visit-'))!;
    expect(stored.xdm).toEqual({
      eventType: 'a',
      identityMap: { ECID: [{ id: ecid, authenticatedState: 'ambiguous', primary: true }] },
    });
    expect(stored.record.ecid).toBe(ecid);
  });

  test('acquire stores nothing', async () => {
    const before = (await weir.records()).length;
    const answer = await post(weir.edge, '/ee/v1/identity/acquire?configId=shop', acquire);
    expect(answer.header('x-weir-ack')).toBeUndefined();
    expect(await weir.records()).toHaveLength(before);
  });
});

describe('headers', () => {
  test.each(ENDPOINTS.map(([name, path, body]) => [name, path, body] as const))('%s', async (_name, path, body) => {
    const answer = await post(weir.edge, `/ee${path}`, body);
    expect(answer.header('cache-control')).toBe('no-cache, no-store, max-age=0, no-transform, private');
    expect(answer.header('x-content-type-options')).toBe('nosniff');
    expect(answer.header('x-adobe-edge')).toBe('OR2;9');
    expect(answer.header('vary')).toBe('Origin');
    expect(answer.header('x-powered-by')).toBeUndefined();
    expect(answer.header('server')).toBeUndefined();
  });

  test('x-weir-ack stands on what was appended, without the position where the caller does not own the log', async () => {
    for (const [name, path, body] of ENDPOINTS) {
      const answer = await post(weir.edge, `/ee${path}`, body);
      expect([name, answer.all('x-weir-ack')]).toEqual([name, name === 'acquire' ? [] : ['local-fsync']]);
    }
    expect((await post(weir.edge, '/ee/v2/interact?datastreamId=shop', {})).header('x-weir-ack')).toBeUndefined();
  });
});

describe('the server listener', () => {
  const paths = [...ENDPOINTS.map(([, path]) => `/ee${path}`), '/ee/v2/interact'];

  test.each(paths)('%s is 0500-401 without a token', async (path) => {
    const answer = await send(weir.server, { path, headers: [['Authorization', 'Bearer x']] });
    expect(answer.status).toBe(401);
    expect(answer.header('www-authenticate')).toBe('Bearer');
    expect(decodeProblem(answer.json)).toMatchObject({ type: 'https://ns.adobe.com/aep/errors/EXEG-0500-401' });
  });

  test.each<[string, string, number]>([
    ['POST', '/', 404],
    ['POST', '/ee/va/v1/play', 404],
    ['POST', '/ee/nowhere/v1/interact', 404],
    ['GET', '/ee/v2/interact?datastreamId=shop', 405],
    ['OPTIONS', '/ee/v2/interact?datastreamId=shop', 204],
  ])('%s %s tells nothing of anyone, so it needs no token: %i', async (method, path, status) => {
    expect((await send(weir.server, { method, path })).status).toBe(status);
  });

  test('a Host header of the edge does not change what it is', async () => {
    const answer = await post(weir.server, '/ee/v2/interact?datastreamId=shop', one, [['Host', 'edge.adobedc.net']]);
    expect(answer.status).toBe(401);
  });
});
