import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROUTES } from '../../src/admin/routes.ts';
import { adminTokens } from '../../src/server.ts';
import { credentials, tokenFor } from '../support/issuers.ts';
import { open, post, type RawAnswer, requestBytes, send } from '../support/raw-http.ts';
import { type Server, startServer } from '../support/server.ts';
import { startTraceReceiver, type TraceReceiver } from '../support/trace-receiver.ts';
import { writeFile } from '../support/workspace-folder.ts';
import { Canaries } from './canaries.ts';
import { canaryRequests } from './canary-requests.ts';

/**
 * What is written down about persons: values planted in every field, through good requests and bad ones, on a server as
 * operators run it. None of them comes up in what it writes or shows, but for what is told to the sender of it.
 */

const DATASTREAM = 'org: CANARY@AdobeOrg\nname: Shop\n';
const FILES = {
  // Issuers' keys that nobody serves: what needs them fails on our side, and is logged.
  'weir.yaml': `proxies: [127.0.0.1]
auth: { issuers: [{ issuer: 'https://login.test', jwks: 'http://127.0.0.1:9/keys', audience: [weir] }] }
`,
  'datastreams/shop.yaml': `id: shop\n${DATASTREAM}identity: { fpidCookie: FPID }\n`,
  'datastreams/addresses.yaml': `id: addresses\n${DATASTREAM}ipObfuscation: partial\n`,
  'datastreams/listed.yaml': `id: listed\n${DATASTREAM}origins: [https://shop.example]\n`,
  'datastreams/closed.yaml': `id: closed\n${DATASTREAM}access: authenticated\n`,
};
const INTERACT = '/ee/v2/interact?datastreamId=shop';
/** More devices than an id may meet in a day, so that it is quarantined, which is logged. */
const DEVICES = 52;

const canaries = new Canaries();
const planted = canaryRequests(canaries);
const SHARED_ID = canaries.text('id that all use');
let server: Server;
let traces: TraceReceiver;
let operator: string;
let said = '';
beforeAll(async () => {
  traces = await startTraceReceiver();
  server = await startServer({ workspace: FILES, env: { OTEL_EXPORTER_OTLP_ENDPOINT: traces.url } });
  for (const stream of [server.process.stdout!, server.process.stderr!]) {
    stream.on('data', (bytes: Buffer | string) => {
      said += bytes.toString();
    });
  }
  const scope = { orgId: null, role: 'admin', datastreams: null } as const;
  operator = (await (await adminTokens(server.data)).create(scope, 3_600_000, {})).text;
});
afterAll(async () => {
  await server.stop();
  await traces.stop();
});

const shownOf = ({ headers, text }: RawAnswer): string => JSON.stringify(headers) + text;
const asOperator = (method: string, path: string): Promise<RawAnswer> =>
  send(server.urls.admin, { method, path, headers: [['authorization', `Bearer ${operator}`]] });

test('there are canaries enough', () => {
  expect(canaries.names.length).toBeGreaterThanOrEqual(40);
});

test.each(planted.map((sent) => [sent.name, sent] as const))('%s', async (_name, sent) => {
  const answer = await send(server.urls[sent.to], sent);
  expect([answer.status, canaries.in(shownOf(answer))], answer.text).toEqual([sent.status, sent.repeated ?? []]);
});

describe('what is logged, with canaries around it', () => {
  test('an id that is quarantined', async () => {
    for (let i = 0; i < DEVICES; i++) {
      const identityMap = { ECID: [{ id: String(i + 1).padStart(38, '7') }], CRMID: [{ id: SHARED_ID }] };
      await post(server.urls.edge, INTERACT, { event: { xdm: { identityMap } } });
    }
    await expect.poll(() => said).toContain('quarantined');
  });

  test('a body that does not come whole: 503', async () => {
    const half = canaries.text('half a body');
    const headers = [
      ['User-Agent', canaries.text('User-Agent of half a body')],
      ['Content-Length', '999'],
    ] as const;
    const answer = await send(server.urls.edge, { path: INTERACT, headers, body: `{"event":{"xdm":{"a":"${half}"` });
    expect([answer.status, canaries.in(shownOf(answer))]).toEqual([503, []]);
  });

  test('a token whose issuer is away: 503', async () => {
    const key = canaries.text('x-api-key of a token');
    const token = tokenFor('CANARY@AdobeOrg', { client_id: key, sub: canaries.text('sub of a token') });
    canaries.as('signature of a token', token.split('.')[2]!);
    // A failure that is logged: so everything that it might be logged with is here.
    const headers = [
      ...credentials(token, key, 'CANARY@AdobeOrg'),
      ['User-Agent', canaries.text('User-Agent with a token')],
      ['Referer', `https://shop.example/${canaries.text('Referer with a token')}`],
      ['X-Forwarded-For', canaries.as('address with a token', '203.0.113.201')],
      ['Cookie', `a=${canaries.text('cookie with a token')}`],
    ] as const;
    const path = `${INTERACT}&note=${canaries.text('query with a token')}`;
    const body = { event: { xdm: { note: canaries.text('body with a token') } } };
    const answer = await post(server.urls.server, path, body, headers);
    expect([answer.status, canaries.in(shownOf(answer))]).toEqual([503, []]);
    // The answer may be here before what the server wrote to its log.
    await expect.poll(() => said).toContain('127.0.0.1:9');
  });

  test('a workspace that is wrong, and right again', async () => {
    const workspace = join(server.data, '../workspace');
    writeFile(workspace, 'datastreams/shop.yaml', 'id: shop\n');
    expect((await asOperator('POST', '/api/v1/workspace/reload')).status).toBe(409);
    const answer = await post(server.urls.edge, INTERACT, {
      event: { xdm: { a: canaries.text('while it is wrong') } },
    });
    expect(answer.status).toBe(200);
    writeFile(workspace, 'datastreams/shop.yaml', `${FILES['datastreams/shop.yaml']}enabled: false\n`);
    server.process.kill('SIGHUP');
    await expect.poll(() => said).toContain('is in force');
  });
});

test('the canaries were there: what was to be stored is, and is found where it belongs', async () => {
  const stored = canaries.in(JSON.stringify(await server.events()));
  for (const name of ['Email', 'full name', 'key in xdm', 'data', 'postal code', 'xdm of a batch', 'while it is wrong'])
    expect(stored).toContain(name);
  const person = await asOperator('GET', `/api/v1/datastreams/shop/identities/ECID/${canaries.value('ECID')}`);
  expect(canaries.in(person.text).sort()).toEqual(['ECID', 'Email', 'Phone']);
});

describe('none is shown', () => {
  test.each(ROUTES.map(({ method, path }) => [method, path] as const))('%s %s', async (method, path) => {
    const answer = await asOperator(method, path.replace(':id', 'shop').replaceAll(/:\w+/g, 'nobody'));
    expect(canaries.in(shownOf(answer))).toEqual([]);
  });

  test('in the audit log, which has the reload', () => {
    const audit = readFileSync(join(server.data, 'admin/audit.jsonl'), 'utf8');
    expect(audit).toContain('configuration.reloaded');
    expect(canaries.in(audit)).toEqual([]);
  });
});

test('none is in the log, up to a stop with a request under way', async () => {
  const body = JSON.stringify({ event: { xdm: { a: canaries.text('while it stops') } } });
  const socket = await open(server.urls.edge);
  socket.on('error', () => {}).write(requestBytes(server.urls.edge, { path: INTERACT, body }).subarray(0, -3));
  const gone = once(server.process, 'close');
  server.process.kill('SIGTERM');
  expect(await gone).toEqual([0, null]);
  socket.destroy();

  const lines = said.split('\n').filter((line) => line !== '');
  expect(lines.length).toBeGreaterThanOrEqual(5);
  expect(lines.filter((line) => canaries.in(line).length > 0)).toEqual([]);
});

test('none is in the traces, which have a span for each request', () => {
  const requests = traces.spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  expect(requests.length).toBeGreaterThan(planted.length);
  expect(traces.spans.length).toBeGreaterThan(3 * DEVICES);
  expect(canaries.in(traces.text)).toEqual([]);
});

test('of a request the data folder has the body, and neither headers nor cookies, addresses, tokens or an FPID', () => {
  const files = readdirSync(server.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'));
  // Files are made longer than what is in them.
  const stored = canaries.in(bytes.join('\n').replaceAll(/\0+/g, '\0'));
  expect(stored).toEqual(expect.arrayContaining(['Email', 'birth date', 'data', 'meta of the event', 'state entry']));
  expect(bytes.join().match(/"ipV[46]":"[^"]*"/g)).toEqual(['"ipV4":"203.0.113.0"', '"ipV6":"2001:db8:77::"']);
  const notStored =
    /^(address|User-Agent|Referer|X-|Forwarded|Accept|Sec|traceparent|Host|Origin)|header|cookie$|cookie of|s_ecid|FPID$|[Tt]oken|password|key of a|query string/;
  expect(canaries.names.filter((name) => notStored.test(name)).length).toBeGreaterThan(25);
  expect(stored.filter((name) => notStored.test(name))).toEqual([]);
});
