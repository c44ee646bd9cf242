import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { weir } from '../support/command.ts';
import { post } from '../support/raw-http.ts';
import { type Server, startServer } from '../support/server.ts';
import { writeFile } from '../support/workspace-folder.ts';

/** Tokens that `weir token` mints, used on a server as operators run it. */

const datastream = (id: string, org: string) => `id: ${id}\norg: ${org}\nname: Shop\naccess: authenticated\n`;
let server: Server;
const files = {
  'weir.yaml': 'auth: {local: true}\n',
  'datastreams/shop.yaml': datastream('shop', '0123@AdobeOrg'),
  'datastreams/foreign.yaml': datastream('foreign', 'OTHER@AdobeOrg'),
};
const workspaceOf = () => join(server.data, '../workspace');
const mint = (...args: readonly string[]) =>
  weir('token', '--datastream', 'shop', '--workspace', workspaceOf(), '--data', server.data, ...args);
beforeAll(async () => {
  server = await startServer({ workspace: files });
});
afterAll(() => server.stop());
const event = { event: { xdm: { eventType: 'a', identityMap: { Email: [{ id: 'a@b', primary: true }] } } } };
const headersOf = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.split(': ') as [string, string]);

test('the printed call is answered 200, and its event is stored', async () => {
  const { out } = await mint('--curl', '--url', server.urls.server);
  const { stdout } = await promisify(execFile)('sh', ['-c', `${out.trimEnd()} -s -w '%{http_code}'`]);
  expect(stdout).toMatch(/"handle":\[.*200$/s);
  expect((await server.events()).map(({ xdm }) => xdm['identityMap'])).toEqual([
    { Email: [{ id: 'ada@example.com', primary: true }] },
  ]);
});

test('the headers open the server listener and the authenticated datastream on the edge, for their own org', async () => {
  const headers = headersOf((await mint()).out);
  for (const base of [server.urls.server, server.urls.edge]) {
    expect((await post(base, '/ee/v2/interact?datastreamId=shop', event, headers)).status).toBe(200);
    const foreign = await post(base, '/ee/v2/interact?datastreamId=foreign', event, headers);
    expect([foreign.status, foreign.text]).toEqual([400, expect.stringContaining('EXEG-0003-400')]);
  }
});

test('without a token, the answer says how to get one and where else to send', async () => {
  const { status, text } = await post(server.urls.server, '/ee/v2/interact?datastreamId=shop', event);
  expect(status).toBe(401);
  expect(text).toContain('npm run -s weir -- token --datastream shop --curl');
  expect(text).toContain(`edge listener, ${server.urls.edge}.`);
  const edge = await post(server.urls.edge, '/ee/v2/interact?datastreamId=shop', event);
  expect(edge.text).toContain('access: authenticated');
});

test('a new key, none at all, and a workspace that takes local tokens no more', async () => {
  const call = async (headers: [string, string][]) =>
    (await post(server.urls.server, '/ee/v2/interact?datastreamId=shop', event, headers)).status;
  const old = headersOf((await mint()).out);
  expect(await call(old)).toBe(200);
  rmSync(join(server.data, 'keys/local-issuer.pem'));
  const fresh = headersOf((await mint()).out);
  expect(await call(fresh)).toBe(200);
  expect(await call(old)).toBe(401);
  rmSync(join(server.data, 'keys/local-issuer.pem'));
  await expect.poll(() => call(fresh), { timeout: 10_000 }).toBe(401);
  const fresher = headersOf((await mint()).out);
  expect(await call(fresher)).toBe(200);
  writeFile(workspaceOf(), 'weir.yaml', '{}\n');
  server.process.kill('SIGHUP');
  await expect.poll(() => call(fresher), { timeout: 10_000 }).toBe(401);
});
