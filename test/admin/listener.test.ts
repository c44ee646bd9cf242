import { afterEach, describe, expect, test } from 'vitest';
import { FAILURES_MAX } from '../../src/admin/failures.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { adminTokens } from '../../src/server.ts';
import { open, post, readAnswer, requestBytes, send } from '../support/raw-http.ts';
import { startWeir, type Weir } from '../support/weir.ts';
import { writeFile } from '../support/workspace-folder.ts';

/** The admin listener of a whole server. */

let started: Weir[] = [];
afterEach(async () => {
  for (const weir of started) await weir.stop();
  started = [];
});
async function start(files: Readonly<Record<string, string>> = {}): Promise<Weir> {
  const weir = await startWeir(files);
  started.push(weir);
  return weir;
}
async function operator(weir: Weir): Promise<string> {
  const scope = { orgId: null, role: 'admin', datastreams: null } as const;
  return (await (await adminTokens(weir.data)).create(scope, 3_600_000, { kind: 'test' })).text;
}
const get = (base: string, path: string, token?: string) =>
  send(base, { method: 'GET', path, headers: token === undefined ? [] : [['authorization', `Bearer ${token}`]] });
const jsonOf = async (weir: Weir, path: string, token?: string) =>
  (await get(weir.running.urls.admin, path, token)).json as JsonObject;

describe('where it listens', () => {
  const elsewhere = (weir: Weir) => weir.running.urls.admin.replace('127.0.0.1', '127.0.0.2');

  test('on loopback, at its one address; what says how the server is needs no token there', async () => {
    const weir = await start();
    expect(weir.running.urls.admin).toMatch(/^http:\/\/127\.0\.0\.1:/);
    await expect(open(elsewhere(weir))).rejects.toThrow('ECONNREFUSED');
    for (const path of ['/health', '/ready', '/metrics'])
      expect((await get(weir.running.urls.admin, path)).status).toBe(200);
  });

  test('elsewhere everything needs a token', async () => {
    const weir = await start({ 'weir.yaml': 'listeners: { adminHost: 0.0.0.0 }\n' });
    const token = await operator(weir);
    for (const path of ['/health', '/ready', '/metrics']) {
      expect((await get(elsewhere(weir), path)).status).toBe(401);
      expect((await get(elsewhere(weir), path, token)).status).toBe(200);
    }
  });

  test('unless admin.openStatus says otherwise', async () => {
    const weir = await start({ 'weir.yaml': 'listeners: { adminHost: 0.0.0.0 }\nadmin: { openStatus: true }\n' });
    expect((await get(elsewhere(weir), '/ready')).status).toBe(200);
    expect((await get(elsewhere(weir), '/api/v1/status')).status).toBe(401);
  });
});

describe('/ready', () => {
  test('says while the server stops that it does, as long as a request is under way', async () => {
    const weir = await start();
    expect(await jsonOf(weir, '/ready')).toEqual({ ready: true, reasons: [] });
    const path = '/ee/v1/interact?configId=shop';
    const whole = requestBytes(weir.edge, { path, body: '{"events":[{"xdm":{}}]}' });
    const socket = await open(weir.edge);
    socket.write(whole.subarray(0, -3));
    const metrics = async () => (await get(weir.running.urls.admin, '/metrics')).text;
    await expect.poll(metrics).toContain('\nweir_requests_in_flight 1\n');
    const halted = weir.halt();
    const { status, json } = await get(weir.running.urls.admin, '/ready');
    expect([status, json]).toEqual([503, { ready: false, reasons: [expect.stringContaining('stopping')] }]);
    socket.write(whole.subarray(-3));
    expect((await readAnswer(socket)).status).toBe(200);
    await halted;
    await expect(get(weir.running.urls.admin, '/ready')).rejects.toThrow();
  });
});

describe('wrong tokens', () => {
  test(`more than ${FAILURES_MAX} in a minute are answered 429, and so is then the right one`, async () => {
    const weir = await start();
    const token = await operator(weir);
    const { admin } = weir.running.urls;
    // Asking without a token is no guess.
    for (let i = 0; i < FAILURES_MAX + 1; i++) expect((await get(admin, '/api/v1/status')).status).toBe(401);
    expect((await get(admin, '/api/v1/status', token)).status).toBe(200);
    for (let i = 0; i < FAILURES_MAX; i++)
      expect((await get(admin, '/api/v1/status', `${token}${i}`)).status).toBe(401);
    const refused = await get(admin, '/api/v1/status', token);
    expect([refused.status, refused.header('retry-after')]).toEqual([429, expect.stringMatching(/^[1-9]\d?$/)]);
    expect((await get(admin, '/metrics')).text).toContain(`weir_admin_authentication_failures_total ${FAILURES_MAX}\n`);
  });
});

describe('the audit log', () => {
  const auditOf = async (weir: Weir, token: string) =>
    (await jsonOf(weir, '/api/v1/audit', token))['items'] as JsonObject[];

  test('has every reload that was taken over: who, what changed, and where the event log was', async () => {
    const weir = await start();
    const token = await operator(weir);
    await post(weir.edge, '/ee/v1/interact?configId=shop', { events: [{ xdm: {} }] });
    writeFile(weir.workspace, 'datastreams/shop.yaml', 'id: shop\norg: TEST@AdobeOrg\nname: Renamed\n');
    await expect.poll(async () => (await auditOf(weir, token)).length).toBe(2);
    writeFile(weir.workspace, 'datastreams/shop.yaml', 'id: shop\norg: TEST@AdobeOrg\nname: Again\n');
    const headers: [string, string][] = [['authorization', `Bearer ${token}`]];
    const reloaded = await send(weir.running.urls.admin, { path: '/api/v1/workspace/reload', headers });
    expect(reloaded.status).toBe(200);
    const [created, byFiles, byToken, ...more] = await auditOf(weir, token);
    expect(more).toEqual([]);
    const renamed = (from: string, to: string): Json => ({
      key: 'datastreams.shop.name',
      old: `"${from}"`,
      new: `"${to}"`,
    });
    expect(byFiles).toMatchObject({
      what: 'configuration.reloaded',
      who: { kind: 'files' },
      details: { position: '0:1', changes: [renamed('Shop', 'Renamed')], more: 0 },
    });
    const id = (created!['details'] as JsonObject)['id'];
    expect(byToken).toMatchObject({ who: { kind: 'token', id }, details: { changes: [renamed('Renamed', 'Again')] } });
    expect(reloaded.json).toMatchObject({ hash: (byToken!['details'] as JsonObject)['to'], rejected: [] });
    expect((await auditOf(weir, token))[0]).not.toHaveProperty('details.hash');
    expect(await jsonOf(weir, '/api/v1/audit?after=2', token)).toMatchObject({
      items: [{ seq: 3 }],
      entries: 3,
      broken: null,
    });
  });

  test('a reload that is wrong is a 409, with what is wrong, and no entry', async () => {
    const weir = await start();
    const headers: [string, string][] = [['authorization', `Bearer ${await operator(weir)}`]];
    writeFile(weir.workspace, 'weir.yaml', 'region: nowhere\n');
    const reloaded = await send(weir.running.urls.admin, { path: '/api/v1/workspace/reload', headers });
    expect([reloaded.status, reloaded.json]).toEqual([
      409,
      expect.objectContaining({ rejected: [expect.stringMatching(/^weir\.yaml:1:9/)] }),
    ]);
  });

  test('that was tampered with makes /health say so, and where', async () => {
    const weir = await start();
    const token = await operator(weir);
    const { audit } = await jsonOf(weir, '/health');
    expect(audit).toEqual({ seq: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/), broken: null });
    writeFile(weir.data, 'admin/audit.jsonl', '{"seq":1}\n');
    const health = await jsonOf(weir, '/health');
    expect(health).toMatchObject({ status: 'degraded', audit: { broken: expect.stringContaining('Line 1') } });
    expect((await get(weir.running.urls.admin, '/metrics')).text).toContain('\nweir_audit_broken 1\n');
    expect((await jsonOf(weir, '/api/v1/audit', token))['broken']).toContain('Line 1');
  });
});

test('tokens that cannot be read let nobody in, and the rest goes on', async () => {
  const weir = await start();
  const token = await operator(weir);
  writeFile(weir.data, 'admin/tokens.json', '{');
  expect((await get(weir.running.urls.admin, '/api/v1/status', token)).status).toBe(500);
  expect((await get(weir.running.urls.admin, '/ready')).status).toBe(200);
});
