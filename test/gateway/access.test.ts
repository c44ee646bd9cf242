import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KEYS_COOLDOWN_MS, KEYS_REFRESH_MS } from '../../src/gateway/keys.ts';
import { localKey, mintToken } from '../../src/gateway/local-issuer.ts';

import { type AuthOptions, LOCAL_CLIENT } from '../../src/model/auth.ts';
import type { Workspace } from '../../src/model/datastream.ts';
import { datastreamOf, ORG, workspaceOf } from '../support/exchanges.ts';
import { accessOf, type GatewayParts, startGateway } from '../support/gateway-server.ts';
import {
  authOf,
  CLIENT,
  claimsFor,
  credentials,
  EC,
  inSeconds,
  issuerOf,
  RSA,
  STRANGER,
  tokenFor,
} from '../support/issuers.ts';
import { jwksOf, jwt, keyPair } from '../support/key-pairs.ts';
import { type KeyServer, keyServer, saying } from '../support/key-server.ts';
import { open, post, readAnswer, requestBytes } from '../support/raw-http.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** How access behaves over time: reloads, keys that change or are away, tokens that were seen before. */

const PATH = '/ee/v2/interact?datastreamId=shop';
const EVENT = { event: { xdm: { identityMap: { Email: [{ id: 'a@b', primary: true }] } } } };
const workspaceWith = (auth: AuthOptions): Workspace => workspaceOf([datastreamOf()], { auth });

async function start(auth: AuthOptions, parts: GatewayParts = {}) {
  const state = { workspace: workspaceWith(auth) };
  const server = await startGateway({ workspace: () => state.workspace, ...parts });
  onTestFinished(() => server.stop());
  const send = (token: string, client = CLIENT) => post(server.server, PATH, EVENT, credentials(token, client, ORG));
  return {
    server,
    send,
    status: async (token: string, client?: string) => (await send(token, client)).status,
    reload(next: AuthOptions): void {
      state.workspace = workspaceWith(next);
    },
  };
}

describe('a token that was checked before', () => {
  test('is not let in once it has expired', async () => {
    const { status } = await start({ ...authOf(issuerOf()), clockToleranceSeconds: 0 });
    const token = tokenFor(ORG, { exp: inSeconds(2) });
    expect(await status(token)).toBe(200);
    await expect.poll(() => status(token)).toBe(401);
  });

  test('is checked again when the rules change, and not when anything else does', async () => {
    const { status, reload } = await start(authOf(issuerOf()));
    const token = tokenFor(ORG);
    expect(await status(token)).toBe(200);
    reload(authOf(issuerOf()));
    expect(await status(token)).toBe(200);
    reload(authOf(issuerOf({ scopes: ['collect'] })));
    expect(await status(token)).toBe(401);
    reload(authOf(issuerOf()));
    expect(await status(token)).toBe(200);
    reload(authOf(issuerOf({ jwks: jwksOf(EC) })));
    expect(await status(token)).toBe(401);
    reload(authOf());
    expect(await status(token)).toBe(401);
  });

  test('is checked again when a list of clients changes', async () => {
    const listed = (orgs: readonly string[]) =>
      authOf(issuerOf({ clients: new Map([[CLIENT, { orgs: new Set(orgs), datastreams: null }]]) }));
    const { status, reload } = await start(listed([ORG]));
    const token = tokenFor(ORG);
    expect(await status(token)).toBe(200);
    reload(listed(['x']));
    expect(await status(token)).toBe(401);
  });

  test('does not vouch for another under the same signature', async () => {
    const { status } = await start(authOf(issuerOf()));
    const token = tokenFor(ORG);
    expect(await status(token)).toBe(200);
    const [, , signature] = token.split('.');
    const [head, claims] = jwt(STRANGER, claimsFor(ORG, { exp: inSeconds(9_999) })).split('.');
    expect(await status(`${head}.${claims}.${signature}`)).toBe(401);
  });
});

describe('keys at a URL', () => {
  const issuerAt = (server: KeyServer) => authOf(issuerOf({ jwksUrl: server.url }));

  test('are fetched with the first token, and not with the next ones', async () => {
    const keys = await keyServer(saying(jwksOf(RSA)));
    const { status } = await start(issuerAt(keys));
    expect(keys.asked).toBe(0);
    for (let i = 0; i < 3; i++) expect(await status(tokenFor(ORG, { jti: i }))).toBe(200);
    expect(keys.asked).toBe(1);
  });

  test('that are away: 503 with Retry-After, never 401; and unauthenticated requests do not notice', async () => {
    const keys = await keyServer((_req, res) => void res.writeHead(502).end());
    const { send, server } = await start(issuerAt(keys));
    for (const token of [tokenFor(ORG), tokenFor(ORG, { exp: 1 }), jwt(STRANGER, claimsFor(ORG))]) {
      const answer = await send(token);
      expect([answer.status, answer.text]).toEqual([503, expect.stringContaining('EXEG-0000-503')]);
      expect(answer.header('retry-after')).toMatch(/^([2-9]|10)$/);
    }
    expect((await post(server.edge, PATH, EVENT)).status).toBe(200);
    expect((await send('x')).status).toBe(401);
  });

  test('that are slow: answered 503 before the deadline, and the body’s time is what is left', async () => {
    const keys = await keyServer(() => {});
    const { send } = await start(issuerAt(keys), { access: accessOf({ deadlineMs: 400 }), deadlineMs: 1_600 });
    const answer = await send(tokenFor(ORG));
    expect([answer.status, answer.text]).toEqual([503, expect.stringContaining('keys of its issuer')]);
  });

  test('a client that leaves meanwhile is counted as gone, and nothing of it is stored', async () => {
    let release = (): void => {};
    const keys = await keyServer((_req, res) => {
      release = () => void res.end(jwksOf(RSA));
    });
    const { server, status } = await start(issuerAt(keys));
    const collect = { path: '/ee/v2/collect?datastreamId=shop', body: JSON.stringify({ events: [EVENT.event] }) };
    const socket = await open(server.server);
    socket.write(requestBytes(server.server, { ...collect, headers: credentials(tokenFor(ORG), CLIENT, ORG) }));
    await expect.poll(() => keys.asked).toBe(1);
    socket.destroy();
    await expect.poll(() => server.gateway.inFlight).toBe(0);
    release();
    expect(await status(tokenFor(ORG))).toBe(200);
    const outcomes = [...server.counters.ledger.totals].map(([id, { stored, rejected }]) => [
      id,
      stored,
      rejected?.size,
    ]);
    expect(outcomes).toContainEqual(['(unknown)', 0, 1]);
    expect(outcomes).toContainEqual(['shop', 1, undefined]);
  });

  test('a body that comes while the keys do is read when they are there', async () => {
    let release = (): void => {};
    const keys = await keyServer((_req, res) => {
      release = () => void res.end(jwksOf(RSA));
    });
    const { server } = await start(issuerAt(keys));
    const body = JSON.stringify({ event: { xdm: { ...EVENT.event.xdm, long: 'x'.repeat(50_000) } } });
    const bytes = requestBytes(server.server, { path: PATH, headers: credentials(tokenFor(ORG), CLIENT, ORG), body });
    const socket = await open(server.server);
    const answer = readAnswer(socket);
    socket.write(bytes.subarray(0, 30_000));
    await expect.poll(() => keys.asked).toBe(1);
    socket.write(bytes.subarray(30_000));
    release();
    expect((await answer).status).toBe(200);
  });

  test('a new key is taken with its first token; tokens of a withdrawn one go when that is noticed', async () => {
    const clock = { nowMs: 0 };
    const keys = await keyServer(saying(jwksOf(RSA)));
    const { status } = await start(issuerAt(keys), { access: accessOf({ clockMs: () => clock.nowMs }) });
    const old = tokenFor(ORG);
    expect(await status(old)).toBe(200);
    const next = keyPair('RS256', 'next');
    keys.answer = saying(jwksOf(RSA, next));
    clock.nowMs += KEYS_COOLDOWN_MS;
    expect(await status(jwt(next, claimsFor(ORG)))).toBe(200);
    expect(await status(old)).toBe(200);
    keys.answer = saying(jwksOf(next));
    clock.nowMs += KEYS_REFRESH_MS + 1;
    await expect.poll(() => status(old)).toBe(401);
    expect(await status(jwt(next, claimsFor(ORG)))).toBe(200);
    expect(keys.asked).toBe(3);
  });

  test('stay through a reload, also while they are away', async () => {
    const keys = await keyServer(saying(jwksOf(RSA)));
    const { status, reload } = await start(issuerAt(keys));
    expect(await status(tokenFor(ORG))).toBe(200);
    keys.answer = (_req, res) => void res.destroy();
    reload(authOf(issuerOf({ jwksUrl: keys.url, maxAgeSeconds: 999 })));
    expect(await status(tokenFor(ORG))).toBe(200);
    expect(keys.asked).toBe(1);
  });
});

describe('local tokens', () => {
  const auth = { ...authOf(), local: true };
  const minted = async (folder: string, org = ORG) => mintToken(await localKey(folder), org, 600, Date.now());

  test('are taken where the workspace says so, and nowhere else', async () => {
    const keysFolder = join(tempFolder(), 'keys');
    const { status, reload } = await start(auth, { access: accessOf({ keysFolder }) });
    expect(await status(tokenFor(ORG, { iss: 'weir:local' }), LOCAL_CLIENT)).toBe(401);
    const token = await minted(keysFolder);
    expect(await status(token, LOCAL_CLIENT)).toBe(200);
    expect(await status(await minted(tempFolder()), LOCAL_CLIENT)).toBe(401);
    expect(await status(await minted(keysFolder, 'x'), LOCAL_CLIENT)).toBe(401);
    reload(authOf());
    expect(await status(token, LOCAL_CLIENT)).toBe(401);
  });

  test('no issuer of that name is made up from a token', async () => {
    const { status } = await start(authOf(issuerOf()));
    expect(await status(jwt(EC, claimsFor(ORG, { iss: 'weir:local', aud: 'weir:server' })))).toBe(401);
  });

  test('whose key cannot be read are our fault: 503', async () => {
    const keysFolder = join(tempFolder(), 'keys');
    mkdirSync(join(keysFolder, 'local-issuer.pem'), { recursive: true });
    const { status } = await start(auth, { access: accessOf({ keysFolder }) });
    expect(await status(await minted(tempFolder()), LOCAL_CLIENT)).toBe(503);
    const broken = join(tempFolder(), 'keys');
    mkdirSync(broken);
    writeFileSync(join(broken, 'local-issuer.pem'), 'no key');
    const other = await start(auth, { access: accessOf({ keysFolder: broken }) });
    expect(await other.status(await minted(tempFolder()), LOCAL_CLIENT)).toBe(503);
  });
});
