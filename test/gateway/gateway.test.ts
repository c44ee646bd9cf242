import { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../src/components.ts';
import { Outlet } from '../../src/gateway/outlet.ts';
import { DISCARDED_BYTES_MAX, WholeRequest } from '../../src/gateway/whole-request.ts';
import type { Workspace } from '../../src/model/datastream.ts';
import { decodeIdentityCookie } from '../../src/model/identity-cookie.ts';
import { LogUnavailable, type Stage, type StateStore } from '../../src/model/parts.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { IdentityCounts } from '../../src/telemetry/identity-counts.ts';
import { datastreamOf, SEAL, workspaceOf } from '../support/exchanges.ts';
import type { GatewayServer } from '../support/gateway-server.ts';
import { type GatewayParts, startGateway } from '../support/gateway-server.ts';
import { HeldLog } from '../support/held-log.ts';
import { open, post, type RawAnswer, readAnswer, requestBytes, send } from '../support/raw-http.ts';
import { decodeAnswer, decodeProblem } from '../support/strict-decoder.ts';

let stop: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stop.map((one) => one()));
  stop = [];
});
async function start(parts: GatewayParts = {}): Promise<GatewayServer> {
  const server = await startGateway(parts);
  stop.push(server.stop);
  return server;
}
function automatic(): HeldLog {
  return Object.assign(new HeldLog(), { automatic: true });
}

const PATH = '/ee/v2/interact?datastreamId=shop';
const BODY = { event: { xdm: { eventType: 'a' } } };
const codeOf = (answer: RawAnswer) => String(decodeProblem(answer.json)['type']).split('/').at(-1);
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The ECID in the identity cookie that an answer writes. */
function ecidIn(answer: RawAnswer): string | undefined {
  const store = decodeAnswer(answer.json).handle.find((handle) => handle.type === 'state:store');
  const entry = store?.payload.find((one) => String(one['key']).endsWith('_identity'));
  return decodeIdentityCookie(String(entry?.['value']))?.ecid;
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000 && !condition(); i++) await pause(5);
  expect(condition()).toBe(true);
}

/** `{"event":{"xdm":{"a":"xxx…"}}}` of exactly so many bytes. */
function bodyOf(bytes: number): string {
  const frame = '{"event":{"xdm":{"a":""}}}';
  return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
}

describe('the limit of a body', () => {
  test.each([
    [65_536, 200],
    [65_537, 413],
  ])('%i bytes: %i, in one piece, in small ones, and chunked', async (bytes, status) => {
    const { edge } = await start();
    const body = bodyOf(bytes);
    expect((await post(edge, PATH, body)).status).toBe(status);

    const pieces = await open(edge);
    pieces.setNoDelay(true);
    const whole = requestBytes(edge, { path: PATH, body });
    const pieced = readAnswer(pieces);
    for (let at = 0; at < whole.length; at += 4_999) {
      pieces.write(whole.subarray(at, at + 4_999));
      if (at % 3 === 0) await new Promise(setImmediate);
    }
    expect((await pieced).status).toBe(status);

    const chunks: string[] = [];
    for (let at = 0; at < body.length; at += 7_001) {
      const chunk = body.slice(at, at + 7_001);
      chunks.push(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
    }
    const chunked = await send(edge, {
      path: PATH,
      headers: [['Transfer-Encoding', 'chunked']],
      body: `${chunks.join('')}0\r\n\r\n`,
    });
    expect(chunked.status).toBe(status);
    if (status === 413) expect(codeOf(chunked)).toBe('EXEG-0112-413');
    if (status === 413) expect(decodeProblem(chunked.json)['detail']).toContain('65536 bytes');
  });

  test('characters of several bytes that are cut between pieces come out whole', async () => {
    const log = automatic();
    const { edge } = await start({ eventLog: log });
    const text = 'ä€😀'.repeat(20);
    const bytes = requestBytes(edge, { path: PATH, body: JSON.stringify({ event: { xdm: { text } } }) });
    const socket = await open(edge);
    socket.setNoDelay(true);
    const answer = readAnswer(socket);
    for (let at = 0; at < bytes.length; at += 7) {
      socket.write(bytes.subarray(at, at + 7));
      await new Promise(setImmediate);
    }
    expect((await answer).status).toBe(200);
    expect(log.stored[0]!.events[0]!.xdm['text']).toBe(text);
  });

  test('is an option', async () => {
    const { edge } = await start({ requestBytesMax: 100 });
    expect((await post(edge, PATH, bodyOf(100))).status).toBe(200);
    expect(decodeProblem((await post(edge, PATH, bodyOf(101))).json)['detail']).toContain('100 bytes');
  });

  test('a refused body is still read for a while, so that the client gets to read the refusal; then it is cut off', async () => {
    const { edge } = await start();
    expect((await post(edge, PATH, 'x'.repeat(500_000))).status).toBe(413);
    const endless = await open(edge);
    const closed = new Promise((resolve) => endless.once('close', resolve));
    endless.on('error', () => {});
    endless.write(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nContent-Type: text/plain\r\n\r\n`);
    endless.write(Buffer.alloc(DISCARDED_BYTES_MAX + 200_000));
    await closed;
  });
});

describe('one deadline', () => {
  test('a body that does not come in time is a 503 that asks for another try, and the connection goes', async () => {
    const log = automatic();
    const { edge, told } = await start({ eventLog: log, deadlineMs: 100 });
    const socket = await open(edge);
    const whole = requestBytes(edge, { path: PATH, body: JSON.stringify(BODY) });
    socket.write(whole.subarray(0, whole.length - 5));
    const answer = await readAnswer(socket);
    expect([answer.status, codeOf(answer)]).toEqual([503, 'EXEG-0000-503']);
    expect(answer.header('retry-after')).toMatch(/^([2-9]|10)$/);
    expect(answer.header('connection')).toBe('close');
    expect(log.stored).toEqual([]);
    // Or whoever sends slowly would fill the operator's log.
    expect(told).toEqual([]);
  });

  test('a late append is a 503; the retry is answered as the first time would have been, and stored once', async () => {
    const log = new HeldLog();
    // The retry has no more than this either, and a busy machine takes some of it.
    const { edge } = await start({ eventLog: log, deadlineMs: 1_000 });
    const path = `${PATH}&requestId=late-append`;
    const body = { ...BODY, query: { identity: { fetch: ['ECID'] } } };
    const late = await post(edge, path, body);
    expect([late.status, codeOf(late)]).toEqual([503, 'EXEG-0000-503']);
    expect(late.header('retry-after')).toMatch(/^([2-9]|10)$/);
    expect(late.header('x-weir-ack')).toBeUndefined();

    log.sync();
    await pause(10);
    const retried = await post(edge, path, body);
    expect(retried.status).toBe(200);
    expect(retried.header('x-weir-ack')).toBe('local-fsync');
    expect(decodeAnswer(retried.json).handle[0]!.payload[0]!['id']).toBe(log.stored[0]!.ecid);
    expect(log.stored).toHaveLength(1);
    expect(log.held).toEqual([]);
  });

  test('a retry that comes while the first copy is on its way waits for it', async () => {
    const log = new HeldLog();
    const { edge } = await start({ eventLog: log });
    const path = `${PATH}&requestId=both`;
    const first = post(edge, path, BODY);
    await until(() => log.held.length === 1);
    const second = post(edge, path, BODY);
    await pause(50);
    expect(log.held).toHaveLength(1);
    log.sync();
    const answers = [await first, await second];
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    for (const answer of answers) {
      expect(decodeAnswer(answer.json).handle.map((handle) => handle.type)).toEqual([
        'locationHint:result',
        'state:store',
      ]);
      expect(ecidIn(answer)).toBe(log.stored[0]!.ecid);
    }
    expect(log.stored).toHaveLength(1);
  });

  test('what runs late is not gone on with: nothing is stored of a request that was given up', async () => {
    const log = automatic();
    const ran: string[] = [];
    const slow: Stage = { name: 'slow', service: null, run: () => pause(150) };
    const probe: Stage = {
      name: 'probe',
      service: null,
      run() {
        ran.push('probe');
        return undefined;
      },
    };
    const matrix = ENDPOINTS.map(([endpoint]) => [endpoint, [slow, probe]] as const);
    const { edge } = await start({ eventLog: log, matrix, deadlineMs: 50 });
    expect((await post(edge, PATH, BODY)).status).toBe(503);
    await pause(200);
    expect(ran).toEqual([]);
  });

  test('a state that does not answer is a 504 well before the deadline, and nothing is stored', async () => {
    const log = automatic();
    const state: StateStore = Object.assign(new MemoryState(), { get: () => new Promise<null>(() => {}) });
    const { edge } = await start({ eventLog: log, state, deadlineMs: 400 });
    const answer = await post(edge, PATH, BODY);
    expect([answer.status, codeOf(answer)]).toEqual([504, 'EXEG-0200-504']);
    expect(answer.header('retry-after')).toMatch(/^([2-9]|10)$/);
    expect(log.stored).toEqual([]);
  });

  test.each([100, 250, 2_000])('of a deadline of %i ms, services have at least half', async (deadlineMs) => {
    const left: number[] = [];
    const probe: Stage = {
      name: 'probe',
      service: null,
      run(x) {
        left.push(deadlineMs - x.reserveMs);
        throw new LogUnavailable('queue-full', 'Nothing is stored here.');
      },
    };
    const matrix = ENDPOINTS.map(([endpoint]) => [endpoint, [probe]] as const);
    const { edge } = await start({ matrix, deadlineMs });
    await post(edge, PATH, BODY);
    expect(left).toEqual([Math.max(deadlineMs / 2, deadlineMs - 250)]);
  });

  test('an append that is refused is a 503 at once', async () => {
    const log = new HeldLog();
    const { edge, told } = await start({ eventLog: log });
    const answering = post(edge, PATH, BODY);
    await until(() => log.held.length === 1);
    log.refuse(new LogUnavailable('disk-full', 'ENOSPC at /var/lib/weir/log'));
    const answer = await answering;
    expect([answer.status, codeOf(answer)]).toEqual([503, 'EXEG-0000-503']);
    expect(answer.text).toContain('disk is full');
    expect(answer.text).not.toContain('/var/lib');
    expect(JSON.stringify(told)).toContain('/var/lib/weir/log');
  });
});

describe('nothing is answered before it is durable', () => {
  test.each([
    ['interact', PATH, BODY],
    ['v2/collect', '/ee/v2/collect?datastreamId=shop', { events: [BODY.event] }],
    ['v1/collect', '/ee/v1/collect?configId=shop', { events: [BODY.event] }],
    [
      'set-consent',
      '/ee/v1/privacy/set-consent?configId=shop',
      { consent: [{ standard: 'Adobe', version: '1.0', value: { general: 'in' } }] },
    ],
  ])('%s', async (_name, path, body) => {
    const log = new HeldLog();
    const { edge } = await start({ eventLog: log });
    let isAnswered = false;
    const answering = post(edge, path, body).then((answer) => {
      isAnswered = true;
      return answer;
    });
    await until(() => log.held.length === 1);
    await pause(60);
    expect(isAnswered).toBe(false);
    log.sync();
    expect((await answering).header('x-weir-ack')).toBe('local-fsync');
  });
});

describe('a stage that fails by our own mistake', () => {
  const broken: Stage = {
    name: 'broken',
    service: null,
    run() {
      throw new TypeError("Cannot read properties of undefined (reading 'secret')");
    },
  };

  test('is 0001-500 without the cause, which the operator log has under the same id', async () => {
    const matrix = ENDPOINTS.map(([endpoint]) => [endpoint, [broken]] as const);
    const { edge, told } = await start({ matrix });
    const answer = await post(edge, PATH, BODY);
    expect([answer.status, codeOf(answer)]).toEqual([500, 'EXEG-0001-500']);
    expect(answer.text).not.toContain('secret');
    expect(answer.header('retry-after')).toBeUndefined();
    expect(JSON.stringify(told)).toContain('secret');
    expect(JSON.stringify(told)).toContain(answer.header('x-request-id'));
  });

  test('an error of a service that does not stop the request makes the answer a 207, handles included', async () => {
    const { problem } = await import('../../src/model/problem.ts');
    const { Answer } = await import('../../src/stages/answer.ts');
    const { HANDLES } = await import('../../src/components.ts');
    const failing: Stage = {
      name: 'failing',
      service: null,
      run(x) {
        x.errors.push(problem('EXEG-0201-503', 'The service decisions is not available.', { eventIndex: 0 }));
        return undefined;
      },
    };
    const { edge } = await start({
      matrix: ENDPOINTS.map(
        ([endpoint]) => [endpoint, [failing, new Answer(HANDLES, SEAL, new IdentityCounts())]] as const,
      ),
    });
    const answer = await post(edge, PATH, BODY);
    expect(answer.status).toBe(207);
    const { handle, errors } = decodeAnswer(answer.json);
    expect(handle.map((one) => one.type)).toEqual(['locationHint:result', 'state:store']);
    expect(errors).toMatchObject([{ status: 503, report: { eventIndex: 0 } }]);
  });
});

describe('clients that leave', () => {
  test('in the middle of a body, or before the answer: the server goes on', async () => {
    const log = new HeldLog();
    const { edge, gateway } = await start({ eventLog: log });
    const early = await open(edge);
    early.write(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 50\r\n\r\n{"ev`);
    await until(() => gateway.inFlight === 1);
    early.destroy();
    await until(() => gateway.inFlight === 0);

    const late = await open(edge);
    late.write(requestBytes(edge, { path: PATH, body: JSON.stringify(BODY) }));
    await until(() => log.held.length === 1);
    late.destroy();
    await until(() => gateway.inFlight === 0);
    log.sync();
    await pause(10);
    log.automatic = true;
    expect((await post(edge, PATH, BODY)).status).toBe(200);
    expect(log.stored).toHaveLength(2);
  });
});

describe('counts', () => {
  test('events by fate, problems by code', async () => {
    const { edge, counters } = await start();
    const path = `${PATH}&requestId=counted`;
    await post(edge, path, BODY);
    await post(edge, path, BODY);
    await post(edge, PATH, {});
    await send(edge, { method: 'GET', path: PATH });
    expect(counters.ledger.sinceStart()).toEqual({ store: 1, withheld: 0, rejected: 1, duplicate: 1, refused: 0 });
    expect(counters.problems).toEqual({ 'EXEG-0103-400': 1, 'http-405': 1 });
  });
});

describe('a workspace that changes', () => {
  test('holds from the next request on, its regions too', async () => {
    let workspace: Workspace = workspaceOf([datastreamOf()]);
    const { edge } = await start({ workspace: () => workspace });
    expect((await post(edge, '/ee/xx1/v2/interact?datastreamId=shop', BODY)).status).toBe(404);
    const region = { hint: 'xx1', targetId: 77, audienceManagerId: 5 };
    workspace = workspaceOf([datastreamOf({ id: 'new' })], {
      regions: { byHint: new Map([['xx1', region]]), byTargetId: new Map([[77, region]]) },
      ownRegion: region,
    });
    const answer = await post(edge, '/ee/t77/v2/interact?datastreamId=new', BODY);
    expect([answer.status, answer.header('x-adobe-edge')]).toEqual([200, 'XX1;5']);
    expect(codeOf(await post(edge, PATH, BODY))).toBe('EXEG-0003-400');
  });

  test('a request is judged by the one that it came under, also where its body comes later', async () => {
    let workspace: Workspace = workspaceOf([datastreamOf()]);
    const { edge, gateway } = await start({ workspace: () => workspace });
    const whole = requestBytes(edge, { path: PATH, body: JSON.stringify(BODY) });
    const socket = await open(edge);
    const answer = readAnswer(socket);
    socket.write(whole.subarray(0, -1));
    await until(() => gateway.inFlight === 1);
    workspace = workspaceOf([datastreamOf({ id: 'new' })]);
    socket.write(whole.subarray(-1));
    expect((await answer).status).toBe(200);
  });

  test('pages of its site are served on the edge, to GET and HEAD, and never instead of an endpoint', async () => {
    const page = { contentType: 'text/html; charset=utf-8', body: Buffer.from('<p>hello') };
    const pages = new Map([
      ['/', page],
      ['/ee/v2/interact', page],
    ]);
    const { edge, server } = await start({ workspace: () => workspaceOf([datastreamOf()], { pages }) });
    const got = await send(edge, { method: 'GET', path: '/?x=1' });
    expect([got.status, got.header('content-type'), got.text]).toEqual([200, 'text/html; charset=utf-8', '<p>hello']);
    expect((await send(edge, { method: 'GET', path: '/other' })).status).toBe(404);
    expect((await send(edge, { path: '/' })).status).toBe(404);
    expect((await send(edge, { method: 'GET', path: '/ee/v2/interact' })).status).toBe(405);
    expect((await send(server, { method: 'GET', path: '/' })).status).toBe(404);
  });
});

describe('while it stops', () => {
  test('answers ask their clients to come back on a new connection', async () => {
    const { edge, gateway } = await start();
    expect((await post(edge, PATH, BODY)).header('connection')).toBe('keep-alive');
    gateway.startClosing();
    expect((await post(edge, PATH, BODY)).header('connection')).toBe('close');
  });
});

test('a client that goes when its whole body has been read is not forgotten: a page that closes waits for no answer', async () => {
  const log = automatic();
  const { gateway } = await start({ eventLog: log });
  const req = Object.assign(new WholeRequest(new Socket()), {
    ...{ method: 'POST', url: PATH, httpVersion: '1.1' },
    rawHeaders: ['Host', 'weir.test', 'Content-Type', 'application/json'],
  });
  const answers: string[] = [];
  const outlet = new Outlet({
    isGone: true,
    makeResponse() {
      throw new Error('Nobody asks for a response.');
    },
    write: (answer) => void answers.push(answer),
  });
  gateway.handler('edge', false)(req, outlet);
  req.push(Buffer.from(JSON.stringify(BODY)));
  req.push(null);
  outlet.close();
  await until(() => log.stored.length === 1);
  expect(log.stored[0]!.events).toHaveLength(1);
  expect(gateway.inFlight).toBe(0);
});
