import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { type Running, startServer } from '../src/server.ts';
import { open, post, readAnswer, requestBytes, send } from './support/raw-http.ts';
import { startWeir, type Weir } from './support/weir.ts';
import { writeFile } from './support/workspace-folder.ts';

let started: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of started.reverse()) await stop();
  started = [];
});
async function start(files: Readonly<Record<string, string>> = {}): Promise<Weir> {
  const weir = await startWeir(files);
  started.push(weir.stop);
  return weir;
}

const PORTS = { edgePort: 0, serverPort: 0, adminPort: 0 };
const silent = { info() {}, warn() {}, error() {} };
const PATH = '/ee/v1/interact?configId=shop';
const BODY = { events: [{ xdm: {} }] };
const health = async ({ running }: { running: Running }) =>
  (await send(running.urls.admin, { method: 'GET', path: '/health' })).json as Record<string, Record<string, unknown>>;
const portOf = (url: string) => Number(new URL(url).port);
const until = (condition: () => Promise<boolean>) => expect.poll(condition, { interval: 10 }).toBe(true);

describe('starting', () => {
  test('three listeners, each on a free port of its own, on loopback', async () => {
    const { running } = await start();
    const { edge, server, admin, edgeTls } = running.urls;
    expect(new Set([edge, server, admin]).size).toBe(3);
    for (const url of [edge, server, admin]) expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(edgeTls).toBeUndefined();
  });

  test.each(['edgePort', 'serverPort', 'adminPort'] as const)(
    'a busy port is named with the option that changes it (%s), and nothing is left open',
    async (name) => {
      const first = await start();
      const second = await start();
      const busy = portOf(first.edge);
      await second.halt();
      const options = { workspace: second.workspace, data: second.data, log: silent };
      const failing = startServer({ ...options, listeners: { ...PORTS, [name]: busy } });
      await expect(failing).rejects.toThrow(new RegExp(`${busy}.*--${name.replace('Port', '')}-port`));
      // Its log and its ports are free again.
      const again = await startServer({ ...options, listeners: PORTS });
      expect((await post(again.urls.edge, PATH, BODY)).status).toBe(200);
      await again.stop();
    },
  );

  test('TLS needs all three of its options', async () => {
    const weir = await start();
    await weir.halt();
    const options = { workspace: weir.workspace, data: weir.data, log: silent };
    await expect(startServer({ ...options, listeners: { ...PORTS, tlsPort: 0 } })).rejects.toThrow('--tls-cert');
  });

  test('a second server on the same data is refused', async () => {
    const { workspace, data } = await start();
    const second = startServer({ workspace, data, log: silent, listeners: PORTS });
    await expect(second).rejects.toThrow(data);
  });

  test('options of weir.yaml hold', async () => {
    const { edge } = await start({ 'weir.yaml': 'basePath: data\nrequestBytesMax: 1024\nregion: va6\n' });
    expect((await post(edge, '/ee/v1/interact?configId=shop', BODY)).status).toBe(404);
    expect((await post(edge, '/data/v1/interact?configId=shop', BODY)).header('x-adobe-edge')).toBe('VA6;7');
    expect((await post(edge, '/data/v1/interact?configId=shop', 'x'.repeat(1_025))).status).toBe(413);
  });
});

describe('the workspace', () => {
  test('a new datastream is taken within a second; a wrong one keeps the last good, and /health says why', async () => {
    const weir = await start();
    const statusOf = async (id: string) => (await post(weir.edge, `/ee/v1/interact?configId=${id}`, BODY)).status;
    expect(await statusOf('new')).toBe(400);
    writeFile(weir.workspace, 'datastreams/new.yaml', 'id: new\norg: TEST@AdobeOrg\nname: New\n');
    await until(async () => (await statusOf('new')) === 200);

    writeFile(weir.workspace, 'datastreams/new.yaml', 'id: new\norg: TEST@AdobeOrg\n');
    writeFile(weir.workspace, 'datastreams/another.yaml', 'id: another\norg: TEST@AdobeOrg\nname: Another\n');
    await until(async () => (await health(weir))['status'] === ('degraded' as unknown));
    expect((await health(weir))['workspace']!['rejected']).toEqual([expect.stringMatching(/new\.yaml:\d+:\d+.*name/)]);
    expect([await statusOf('new'), await statusOf('another')]).toEqual([200, 400]);

    writeFile(weir.workspace, 'datastreams/new.yaml', 'id: new\norg: TEST@AdobeOrg\nname: Again\n');
    await until(async () => (await statusOf('another')) === 200);
    expect((await health(weir))['status']).toBe('ok');
  });

  test('a reload that fails is no failure of the server', async () => {
    const weir = await start();
    writeFile(weir.workspace, 'weir.yaml', '{');
    await weir.running.reload({ kind: 'test' });
    expect((await post(weir.edge, PATH, BODY)).status).toBe(200);
  });
});

describe('the admin listener', () => {
  test('says how the server is: durability, counts, and what it runs with', async () => {
    const weir = await start();
    await post(weir.edge, `${PATH}&requestId=a`, BODY);
    await post(weir.edge, `${PATH}&requestId=a`, BODY);
    await post(weir.edge, PATH, {});
    expect(await health(weir)).toMatchObject({
      status: 'ok',
      durability: 'local-fsync',
      workspace: { hash: expect.stringMatching(/^[0-9a-f]{16}$/), rejected: [] },
      log: { nextOffset: 1, refusing: null, damage: [] },
      eventsSinceStart: { store: 1, duplicate: 1, withheld: 0, rejected: 1, refused: 0 },
      problemsSinceStart: { 'EXEG-0103-400': 1 },
    });
  });

  test('knows no endpoint, and the edge knows no health', async () => {
    const { running } = await start();
    expect((await post(running.urls.admin, PATH, BODY)).status).toBe(404);
    expect((await send(running.urls.edge, { method: 'GET', path: '/health' })).status).toBe(404);
  });
});

describe('stopping', () => {
  test('finishes what is under way, and takes nothing new', async () => {
    const weir = await startWeir();
    const whole = requestBytes(weir.edge, { path: PATH, body: JSON.stringify(BODY) });
    const socket = await open(weir.edge);
    const answer = readAnswer(socket);
    socket.write(whole.subarray(0, whole.length - 3));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const stopping = weir.halt();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(open(weir.edge)).rejects.toThrow('ECONNREFUSED');
    socket.write(whole.subarray(whole.length - 3));
    expect(await answer).toMatchObject({ status: 200 });
    await stopping;
    expect(await weir.events()).toHaveLength(1);
    await weir.stop();
  });

  test('serves an open connection for a moment, and its answer asks the client to close', async () => {
    const weir = await startWeir({ 'weir.yaml': 'site: { root: site }\n', 'site/index.html': 'the page' });
    const bytes = [
      requestBytes(weir.edge, { path: PATH, body: JSON.stringify(BODY) }),
      requestBytes(weir.edge, { method: 'GET', path: '/' }),
    ];
    const sockets = await Promise.all(
      bytes.map(async (one) => {
        const socket = await open(weir.edge);
        socket.write(one);
        await once(socket, 'data');
        return socket;
      }),
    );
    const stopping = weir.halt();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const answers = sockets.map(readAnswer);
    sockets.forEach((socket, i) => {
      socket.write(bytes[i]!);
    });
    for (const answer of await Promise.all(answers)) {
      expect([answer.status, answer.header('connection')]).toEqual([200, 'close']);
    }
    await stopping;
    await weir.stop();
  });

  test('does not wait for connections that are idle', async () => {
    const weir = await startWeir();
    const idle = await open(weir.edge);
    const began = Date.now();
    await weir.halt();
    expect(Date.now() - began).toBeLessThan(5_000);
    idle.destroy();
    expect(readdirSync(weir.data)).toContain('log');
    await weir.stop();
  });
});
