import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin } from '../../src/admin/api.ts';
import { Failures } from '../../src/admin/failures.ts';
import { cursorOf, type QueryKind } from '../../src/admin/query.ts';
import { type AdminRoute, type Plane, ROUTES } from '../../src/admin/routes.ts';
import type { TokenStore } from '../../src/admin/token-store.ts';
import type { TokenScope } from '../../src/admin/tokens.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { adminTokens } from '../../src/server.ts';
import { post, type RawAnswer, send } from '../support/raw-http.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/**
 * Who may call what, and what of another org can be seen: made from the table of routes, so that a new route is tested
 * when it is added, and does not pass until it stands in `CLASSES`.
 */

const HOUR_MS = 3_600_000;
const MINE = 'MINE@AdobeOrg';
/** Everything of the other org has this in its name. */
const CANARY = 'canary';
const FOREIGN = `${CANARY}-shop`;
const UNKNOWN = 'nobodys-shop';

let weir: Weir;
let tokens: TokenStore;
const texts = new Map<string, string>();
beforeAll(async () => {
  weir = await startWeir({
    'weir.yaml': `identity: { namespaces: { ${MINE}: { shop: {} }, ${CANARY}@AdobeOrg: { ${FOREIGN}: {} } } }\n`,
    'datastreams/shop.yaml': `id: shop\norg: ${MINE}\nname: Shop\n`,
    'datastreams/other.yaml': `id: other\norg: ${MINE}\nname: Other\n`,
    'datastreams/foreign.yaml': `id: ${FOREIGN}\norg: ${CANARY}@AdobeOrg\nname: The ${CANARY}\n`,
    'activities/shop.yaml': `id: shop\norg: ${MINE}\nscope: hero\nexperiences: [{ id: shop, html: <p>A</p> }]\n`,
    'activities/foreign.yaml': `id: ${FOREIGN}\norg: ${CANARY}@AdobeOrg\nscope: hero\nexperiences: [{ id: a, html: <p>A</p> }]\n`,
  });
  for (const id of ['shop', 'other', FOREIGN])
    await post(weir.edge, `/ee/v1/interact?configId=${id}`, {
      events: [{ xdm: { identityMap: { [id]: [{ id }] } } }],
    });
  tokens = await adminTokens(weir.data);
  const make = async (name: string, scope: Partial<TokenScope>, lifetimeMs = HOUR_MS) => {
    const made = await tokens.create({ orgId: null, role: 'read', datastreams: null, ...scope }, lifetimeMs, {});
    texts.set(name, made.text);
    return made.token;
  };
  await make('operator reads', {});
  await make('operator', { role: 'admin' });
  await make('org reads', { orgId: MINE });
  await make('org', { orgId: MINE, role: 'admin' });
  await make('one datastream', { orgId: MINE, datastreams: ['shop'] });
  await make('expired', { role: 'admin' }, 1);
  await tokens.revoke((await make('revoked', { role: 'admin' })).id, {});
  await sleep(2);
  const erasing = '/api/v1/datastreams/shop/identities/shop/erased/erasure';
  const headers: [string, string][] = [['authorization', `Bearer ${texts.get('org')}`]];
  const erased = await send(weir.running.urls.admin, { method: 'POST', path: erasing, headers });
  erasure = (erased.json as { erasure: string }).erasure;
});
/** One of the caller's org. */
let erasure: string;
afterAll(() => weir.stop());

function call(
  route: AdminRoute,
  path: string,
  token: string | null,
  headers: [string, string][] = [],
): Promise<RawAnswer> {
  const all: [string, string][] =
    token === null ? headers : [['authorization', `Bearer ${texts.get(token) ?? token}`], ...headers];
  // Each from an address of its own: after ten wrong tokens an address is not listened to.
  calls += 1;
  const from = `127.0.${1 + (calls >> 8)}.${calls & 255}`;
  return send(weir.running.urls.admin, {
    method: route.method,
    path,
    headers: [...all, ['connection', 'close']],
    from,
  });
}
let calls = 0;
/** A route's path with ids that exist and belong to the caller. */
const own = (route: AdminRoute): string => route.path.replace(':erasure', erasure).replaceAll(/:\w+/g, 'shop');
const withQuery = (path: string, name: string, value: string) => `${path}?${name}=${encodeURIComponent(value)}`;
const shownOf = ({ status, headers, text }: RawAnswer) => ({
  status,
  headers: headers.filter(([name]) => name !== 'date'),
  // Each erasure has an id and a place of its own, each preview a second at which it ends.
  text: text.replace(/"erasure":"\w+"|"position":"[\d:]+"|"parameter":"[^"]+"|"expiresAt":"[^"]+"/g, ''),
});

/**
 * Who may call each route, said here once more: what follows is made from the routes' own classes, so it cannot tell that one
 * has the wrong class.
 */
const CLASSES: Readonly<Record<string, string>> = {
  'GET /health': 'open, read',
  'GET /ready': 'open, read',
  'GET /metrics': 'open, read',
  'GET /api/v1/status': 'operator, read',
  'GET /api/v1/datastreams': 'org, read',
  'GET /api/v1/datastreams/:id': 'org, read',
  'GET /api/v1/datastreams/:id/identities/:namespace/:identity': 'org, read',
  'POST /api/v1/datastreams/:id/identities/:namespace/:identity/erasure': 'org, admin',
  'GET /api/v1/datastreams/:id/identities/:namespace/:identity/export': 'org, admin',
  'GET /api/v1/datastreams/:id/activities/:activity/report': 'org, read',
  'POST /api/v1/datastreams/:id/activities/:activity/experiences/:experience/preview': 'org, admin',
  'GET /api/v1/erasures/:erasure': 'org, read',
  'GET /api/v1/ledger': 'org, read',
  'GET /api/v1/audit': 'operator, read',
  'POST /api/v1/workspace/reload': 'operator, admin',
};

const routes = ROUTES.map((route) => [`${route.method} ${route.path} (${route.access})`, route] as const);

test('every route has the class that it is meant to have', () => {
  expect(Object.fromEntries(ROUTES.map((one) => [`${one.method} ${one.path}`, `${one.access}, ${one.role}`]))).toEqual(
    CLASSES,
  );
});

test('every route that answers is in the table', () => {
  const unused = undefined as unknown as Plane;
  const app = createAdmin({ plane: unused, tokens, failures: new Failures(), isOpen: true, report: () => {} });
  const served = app.printRoutes({ commonPrefix: false, includeHooks: false }).match(/\(([A-Z, ]+)\)/g) ?? [];
  expect(served.join().match(/[A-Z]+/g)).toHaveLength(ROUTES.length);
  for (const { method, path } of ROUTES) expect(app.hasRoute({ method, url: path })).toBe(true);
});

const allowed = (route: AdminRoute, token: string): number => {
  if (route.access === 'open') return 200;
  if (route.access === 'operator' && !token.startsWith('operator')) return 403;
  const mayOnlyRead = token.endsWith('reads') || token === 'one datastream';
  if (route.role === 'admin' && mayOnlyRead) return 403;
  return route.path.endsWith('/erasure') ? 202 : 200;
};

describe('who may call', () => {
  describe.each(routes)('%s', (_, route) => {
    test.each(['operator reads', 'operator', 'org reads', 'org', 'one datastream'])('%s', async (token) => {
      expect((await call(route, own(route), token)).status).toBe(allowed(route, token));
    });

    test('nobody without a token, with one that has expired or was revoked, or with another scheme', async () => {
      const expected = route.access === 'open' ? 200 : 401;
      expect((await call(route, own(route), null)).status).toBe(expected);
      for (const token of ['expired', 'revoked']) expect((await call(route, own(route), token)).status).toBe(expected);
      const basic: [string, string][] = [['authorization', `Basic ${texts.get('operator')}`]];
      const refused = await call(route, own(route), null, basic);
      expect(refused.status).toBe(expected);
      if (expected === 401) expect(refused.header('www-authenticate')).toContain('Bearer');
    });
  });
});

describe('of another org nothing is seen', () => {
  const scoped = routes.filter(([, { access }]) => access === 'org');
  const idsIn = ({ query }: AdminRoute, kind: QueryKind) => Object.keys(query).filter((name) => query[name] === kind);

  test('there are org-scoped routes, and the other org has something to see', async () => {
    expect(scoped.length).toBeGreaterThan(2);
    for (const [, route] of scoped.filter(([, { path }]) => !path.includes(':'))) {
      expect((await call(route, route.path, 'operator')).text).toContain(CANARY);
    }
  });

  describe.each(scoped)('%s', (_, route) => {
    test.each(['org', 'org reads', 'one datastream'])('by %s: in path, query, header or cursor', async (token) => {
      const answers: RawAnswer[] = [];
      const mayCall = allowed(route, token) !== 403;
      const same = async (foreign: string, unknown: string, headers: [string, string][] = []) => {
        const answer = await call(route, foreign, token, headers);
        expect(shownOf(answer)).toEqual(shownOf(await call(route, unknown, token)));
        answers.push(answer);
      };
      for (const [parameter] of route.path.matchAll(/:\w+/g)) {
        await same(route.path.replace(parameter, FOREIGN), route.path.replace(parameter, UNKNOWN));
        expect(answers.at(-1)!.status).toBe(mayCall ? 404 : 403);
      }
      for (const name of idsIn(route, 'id')) {
        await same(withQuery(own(route), name, FOREIGN), withQuery(own(route), name, UNKNOWN));
        expect(answers.at(-1)!.status).toBe(404);
      }
      for (const name of ['x-gw-ims-org-id', 'x-org-id', 'x-weir-org', 'x-datastream-id']) {
        await same(own(route), own(route), [[name, `${CANARY}@AdobeOrg`]]);
      }
      for (const name of idsIn(route, 'cursor')) {
        // A cursor is a place in an order: one at the other org's thing goes on behind it, and shows nothing of it.
        for (const key of [FOREIGN, `${'0'.repeat(15)} ${FOREIGN}`]) {
          answers.push(await call(route, withQuery(own(route), name, cursorOf(key)), token));
        }
      }
      for (const name of ['org', 'orgId', 'tenant']) {
        const refused = await call(route, withQuery(own(route), name, `${CANARY}@AdobeOrg`), token);
        expect(refused.status).toBe(mayCall ? 400 : 403);
      }
      for (const { text, headers } of answers) expect(`${text}${JSON.stringify(headers)}`).not.toContain(CANARY);
    });
  });

  test('a token for one datastream sees that one', async () => {
    const [list, other] = [ROUTES.find(({ path }) => path.endsWith('/datastreams'))!, '/api/v1/datastreams/other'];
    const { items } = (await call(list, list.path, 'one datastream')).json as unknown as { items: { id: string }[] };
    expect(items.map(({ id }) => id)).toEqual(['shop']);
    expect((await call(list, other, 'one datastream')).status).toBe(404);
    expect((await call(list, other, 'org')).status).toBe(200);
  });
});

describe('addresses that are not there', () => {
  test.each(['/', '/api', '/api/v1', '/api/v2/status', '/console', '/%2e%2e/health'])('%s', async (path) => {
    const { status, header } = await send(weir.running.urls.admin, { method: 'GET', path });
    expect([status, header('content-type')]).toEqual([404, 'application/problem+json; charset=utf-8']);
  });

  test('a method that is not', async () => {
    expect((await send(weir.running.urls.admin, { method: 'DELETE', path: '/health' })).status).toBe(404);
  });
});

test('a report is counted from what was asked for', async () => {
  const [, route] = routes.find(([, { path }]) => path.endsWith('/report'))!;
  const creditOf = async (query: string) =>
    ((await call(route, own(route) + query, 'org')).json as JsonObject)['credit'];
  expect([await creditOf(''), await creditOf('?credit=decision')]).toEqual(['display', 'decision']);
  const refused = await call(route, `${own(route)}?credit=seen`, 'org');
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('it takes display or decision')]);
});

test('a preview is for as many days as it may be', async () => {
  const [, route] = routes.find(([, { path }]) => path.endsWith('/preview'))!;
  const made = async (query: string) => (await call(route, own(route) + query, 'org')).json as JsonObject;
  const daysOf = async (query: string) =>
    Math.round((Date.parse(String((await made(query))['expiresAt'])) - Date.now()) / (24 * HOUR_MS));
  expect([await daysOf(''), await daysOf('?days=1'), await daysOf('?days=90')]).toEqual([7, 1, 90]);
  for (const days of [0, 91]) expect((await made(`?days=${days}`))['detail']).toContain('it takes 1 to 90');
});
