import { once } from 'node:events';
import { Agent, get as getPlain, type IncomingMessage, request } from 'node:http';
import { get as getTls } from 'node:https';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Random } from '../sim/random.ts';
import { makeCertificate } from '../support/certificate.ts';
import { Ledger } from '../support/ledger.ts';
import { open } from '../support/raw-http.ts';
import { readEvents, type Server, startServer } from '../support/server.ts';
import { tempFolder } from '../support/temp-folder.ts';

/**
 * SIGTERM under load, as a deployment sends it: every request that the server took is answered and stored, none is
 * reset, and the process is gone within ten seconds with exit code 0.
 */
const ROUNDS = Number(process.env['WEIR_STOPS'] ?? 3);
const CLIENTS = 64;
const STOPPED_MS_MAX = 10_000;
/** Of a stop that takes as long as it may, on a busy machine. */
const LATE_MS = 5_000;
/** Of the quarter of a second that open connections are served: what is sent later, by a client that had no processor, may be cut. */
const SERVED_MS = 100;
const WORKSPACE = { 'weir.yaml': '{}\n', 'datastreams/shop.yaml': 'id: shop\norg: STOP@AdobeOrg\nname: Shop\n' };

test(`${ROUNDS} stops under load reset no request and lose none`, async () => {
  const data = tempFolder();
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round++) {
    const random = new Random(round);
    const server = await startServer({ workspace: WORKSPACE, data });
    const agents = Array.from({ length: CLIENTS }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    try {
      // A connection that the kernel took and the server did not is reset with the listener: each is to be the server's.
      for (const agent of agents) await send(server, agent, ledger, random);
      const clients = agents.map((agent) => sendUntilRefused(server, agent, ledger, random));
      await new Promise((resolve) => setTimeout(resolve, 100 + random.below(100)));
      const stoppingAtMs = performance.now();
      const gone = once(server.process, 'exit');
      server.process.kill('SIGTERM');
      expect(await gone).toEqual([0, null]);
      expect(performance.now() - stoppingAtMs).toBeLessThan(STOPPED_MS_MAX);
      const failures = (await Promise.all(clients)).flat();
      expect(failures.filter(({ sentAtMs }) => sentAtMs < stoppingAtMs + SERVED_MS)).toEqual([]);
    } finally {
      for (const agent of agents) agent.destroy();
      await server.stop();
    }
  }
  ledger.verify(await readEvents(data));
  expect(ledger.acknowledged.size).toBeGreaterThan(ROUNDS * CLIENTS);
});

test('connections that say nothing do not hold up a stop, not even before their TLS handshake', async () => {
  const { cert, key } = makeCertificate(tempFolder(), ['localhost']);
  const args = ['--tls-port', '0', '--tls-cert', cert, '--tls-key', key];
  const server = await startServer({ workspace: WORKSPACE, args });
  const { edge, admin, edgeTls } = server.urls;
  const silent = [edge, admin, edgeTls!].map((url) => connect(Number(new URL(url).port), '127.0.0.1'));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  // The kernel takes connections before the server does, and in this order: those in front of an answered one are the
  // server's. And a stop waits for the admin plane, which is loaded behind the ready line: that is not what is timed here.
  await Promise.all([edge, `${admin}/ready`, edgeTls!].map(answered));
  const stoppingAtMs = performance.now();
  const gone = silent.map(
    (socket) => new Promise((resolve) => socket.on('error', resolve).on('end', resolve).resume()),
  );
  expect(await server.stop()).toBe(0);
  expect(performance.now() - stoppingAtMs).toBeLessThan(STOPPED_MS_MAX);
  await Promise.all(gone);
});

test('who reads slowly gets all that was asked for; who does not read holds up a stop for so long, and no longer', async () => {
  const page = 'x'.repeat(4 * 1024 * 1024);
  const site = { ...WORKSPACE, 'weir.yaml': 'site: { root: site }\n', 'site/index.html': page };
  const server = await startServer({ workspace: site });
  // More than the kernel keeps of it.
  const pages = 4;
  const ask = async (): Promise<Socket> => {
    const socket = await open(server.urls.edge);
    socket.on('error', () => socket.destroy()).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(pages));
    await once(socket, 'readable');
    return socket;
  };
  const [slow, silent] = await Promise.all([ask(), ask()]);
  const stoppingAtMs = performance.now();
  const gone = once(server.process, 'exit');
  server.process.kill('SIGTERM');
  await sleep(1_000);
  let bytes = 0;
  slow.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(slow, 'close');
  expect(bytes).toBeGreaterThan(pages * page.length);
  expect(await gone).toEqual([0, null]);
  expect(performance.now() - stoppingAtMs).toBeLessThan(STOPPED_MS_MAX + LATE_MS);
  silent.destroy();
});

/** Of whatever status; the certificate is nobody's. */
async function answered(url: string): Promise<void> {
  const get = url.startsWith('https:') ? getTls : getPlain;
  const [answer] = (await once(get(url, { agent: false, rejectUnauthorized: false }), 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
}

interface Failure {
  readonly sentAtMs: number;
  readonly why: string;
}

/** One request after the other on one connection, until no new connection is taken. Returns what went wrong before that. */
async function sendUntilRefused(server: Server, agent: Agent, ledger: Ledger, random: Random): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (;;) {
    const sentAtMs = performance.now();
    try {
      const status = await send(server, agent, ledger, random);
      if (status !== 200 && status !== 204) failures.push({ sentAtMs, why: `answered with ${status}` });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ECONNREFUSED') return failures;
      failures.push({ sentAtMs, why: message });
    }
  }
}

async function send(server: Server, agent: Agent, ledger: Ledger, random: Random): Promise<number> {
  const requestId = ledger.plan(random);
  const { path, body } = ledger.sent.get(requestId)!;
  const status = await post(`${server.urls.edge}${path}?configId=shop&requestId=${requestId}`, body, agent);
  if (status === 200 || status === 204) ledger.acknowledge(requestId);
  return status;
}

async function post(url: string, body: string, agent: Agent): Promise<number> {
  const headers = { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) };
  const sent = request(url, { method: 'POST', agent, headers });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return answer.statusCode!;
}
