import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { post, type RawAnswer, send } from '../support/raw-http.ts';
import { decodeProblem } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir({
    'datastreams/listed.yaml':
      'id: listed\norg: TEST@AdobeOrg\nname: Listed\norigins: ["https://www.shop.test", "http://localhost:3000"]\n',
    'datastreams/closed.yaml':
      'id: closed\norg: TEST@AdobeOrg\nname: Closed\naccess: authenticated\norigins: ["https://www.shop.test"]\n',
  });
});
afterAll(() => weir.stop());

const ORIGIN = 'https://www.shop.test';
const body = { events: [{ xdm: {} }] };
const corsHeaders = (answer: RawAnswer) => answer.headers.filter(([name]) => name.startsWith('access-control-'));
const granted = (origin: string) => [
  ['access-control-allow-origin', origin],
  ['access-control-allow-credentials', 'true'],
  ['access-control-expose-headers', 'Retry-After, X-Adobe-Edge, X-Request-Id'],
];

describe('a page may read the answer', () => {
  test.each<[string, number, unknown, string]>([
    ['200', 200, body, '/ee/v1/interact?configId=shop'],
    ['202', 202, body, '/ee/v2/collect?datastreamId=shop'],
    ['204', 204, body, '/ee/v1/collect?configId=shop'],
    ['an unknown datastream', 400, body, '/ee/v1/interact?configId=nobody'],
    ['no datastream', 400, body, '/ee/v1/interact'],
    ['a wrong shape', 400, {}, '/ee/v1/interact?configId=shop'],
    ['no body', 408, '', '/ee/v1/interact?configId=shop'],
    ['too large a body', 413, 'x'.repeat(65_537), '/ee/v1/interact?configId=shop'],
    ['media', 404, body, '/ee/va/v1/play?configId=shop'],
    ['an unknown path', 404, body, '/ee/v1/other'],
    ['an unknown hint', 404, body, '/ee/zz9/v1/interact'],
  ])('%s', async (_what, status, sent, path) => {
    const answer = await post(weir.edge, path, sent as string, [
      ['Origin', ORIGIN],
      ['Content-Type', 'text/plain; charset=UTF-8'],
    ]);
    expect(answer.status).toBe(status);
    expect(corsHeaders(answer)).toEqual(granted(ORIGIN));
    expect(answer.all('vary')).toEqual(['Origin']);
  });

  test('405 and 401 too', async () => {
    const headers = [['Origin', ORIGIN] as const];
    const get = await send(weir.edge, { method: 'GET', path: '/ee/v1/interact?configId=shop', headers });
    expect([get.status, corsHeaders(get)]).toEqual([405, granted(ORIGIN)]);
    const server = await send(weir.server, { path: '/ee/v1/interact?configId=shop', headers });
    expect([server.status, corsHeaders(server)]).toEqual([401, granted(ORIGIN)]);
  });

  test.each(['null', '*', 'https://a,https://b', 'not an origin'])('never for Origin: %s', async (origin) => {
    const answer = await post(weir.edge, '/ee/v1/interact?configId=shop', body, [['Origin', origin]]);
    expect(answer.status).toBe(200);
    expect(corsHeaders(answer)).toEqual([]);
    expect(answer.header('vary')).toBe('Origin');
  });
});

describe('a datastream with a list of origins', () => {
  const path = '/ee/v1/interact?configId=listed';

  test.each([ORIGIN, 'http://localhost:3000'])('takes %s', async (origin) => {
    const answer = await post(weir.edge, path, body, [['Origin', origin]]);
    expect([answer.status, corsHeaders(answer)]).toEqual([200, granted(origin)]);
  });

  test('takes requests that come from no page', async () => {
    expect((await post(weir.edge, path, body)).status).toBe(200);
  });

  test.each([
    'https://www.shop.test.evil.test',
    'https://evil-www.shop.test',
    'http://www.shop.test',
    'https://shop.test',
    'null',
  ])('refuses %s, stores nothing, and lets nobody read why', async (origin) => {
    const before = (await weir.records()).length;
    const answer = await post(weir.edge, path, body, [['Origin', origin]]);
    expect(answer.status).toBe(403);
    expect(corsHeaders(answer)).toEqual([]);
    expect(decodeProblem(answer.json)['detail']).toContain('origins');
    expect(await weir.records()).toHaveLength(before);
  });

  test.each<[string, string | object]>([
    ['an empty body', ''],
    ['a wrong shape', {}],
    ['too large a body', 'x'.repeat(65_537)],
  ])('lets no other page read its errors: %s', async (_what, sent) => {
    const answer = await post(weir.edge, path, sent, [['Origin', 'https://evil.test']]);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(corsHeaders(answer)).toEqual([]);
  });
});

describe('a preflight', () => {
  const preflight = (path: string, origin: string) =>
    send(weir.edge, {
      method: 'OPTIONS',
      path,
      headers: [
        ['Origin', origin],
        ['Access-Control-Request-Method', 'POST'],
        ['Access-Control-Request-Headers', 'content-type'],
      ],
    });

  test.each(['/ee/v2/interact?datastreamId=shop', '/ee/or2/v1/privacy/set-consent?configId=shop', '/ee/v1/collect'])(
    'is granted: %s',
    async (path) => {
      const answer = await preflight(path, ORIGIN);
      expect(answer.status).toBe(204);
      expect(corsHeaders(answer).slice(0, 3)).toEqual(granted(ORIGIN));
      expect(answer.header('access-control-allow-methods')).toContain('POST');
      expect(answer.header('access-control-allow-headers')).toContain('Content-Type');
      expect(answer.header('allow')).toBe('POST, OPTIONS');
    },
  );

  test('is not for an origin that is not listed', async () => {
    const answer = await preflight('/ee/v1/interact?configId=listed', 'https://evil.test');
    expect([answer.status, corsHeaders(answer)]).toEqual([204, []]);
  });
});

describe('access: authenticated', () => {
  test.each<[string, string | object, number]>([
    ['a good body', body, 401],
    ['an empty one', '', 401],
    ['a wrong one', {}, 401],
    ['one that is too large', 'x'.repeat(65_537), 401],
  ])('answers 0500-401 to %s on the edge', async (_what, sent, status) => {
    const answer = await post(weir.edge, '/ee/v1/interact?configId=closed', sent, [['Authorization', 'Bearer x']]);
    expect(answer.status).toBe(status);
    expect(decodeProblem(answer.json)['type']).toBe('https://ns.adobe.com/aep/errors/EXEG-0500-401');
  });

  test('GET is no method there either', async () => {
    const answer = await send(weir.edge, { method: 'GET', path: '/ee/v1/interact?configId=closed' });
    expect(answer.status).toBe(405);
  });

  test('a preflight is answered as one: it cannot carry a token', async () => {
    const headers = [
      ['Origin', 'https://www.shop.test'],
      ['Access-Control-Request-Method', 'POST'],
      ['Access-Control-Request-Headers', 'authorization,x-api-key,x-gw-ims-org-id'],
    ] as const;
    for (const base of [weir.edge, weir.server]) {
      const answer = await send(base, { method: 'OPTIONS', path: '/ee/v1/interact?configId=closed', headers });
      expect(answer.status).toBe(204);
      expect(corsHeaders(answer).slice(0, 3)).toEqual(granted('https://www.shop.test'));
      expect(answer.header('access-control-allow-headers')).toContain('Authorization, X-Api-Key, X-Gw-Ims-Org-Id');
    }
  });

  test('a page that is not on its list cannot read that', async () => {
    const answer = await post(weir.edge, '/ee/v1/interact?configId=closed', body, [['Origin', 'https://evil.test']]);
    expect(answer.status).toBeGreaterThanOrEqual(401);
    expect(corsHeaders(answer)).toEqual([]);
  });
});
