import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { open, readAnswer, requestBytes } from '../support/raw-http.ts';
import { type Server, startServer } from '../support/server.ts';

/**
 * Clients that hang on: each is ended in the time that operations.md says, a good client is answered all the while, and
 * the server's memory is bounded. The limits are the real ones; a busy machine may be late by as much as `LATE_MS`.
 */
export interface Crowd {
  /** Slow clients of each kind. */
  readonly slow: number;
  /** Connections that were answered once and are kept. */
  readonly idle: number;
  /** Also those that ask and do not read, which takes a minute. */
  readonly readers: boolean;
}

const LATE_MS = 10_000;
/** Documented: connections cost some 10 KB; the allocator and garbage may double and treble that. */
const CONNECTION_BYTES_MAX = 40 * 1024;
const NOISE_BYTES = 64 * 1024 * 1024;
/** Pages that a client asks for which reads none. All of them together are 170 times what may stay of it. */
const ASKED = 50;
/** What a request costs that waits for the one before it. Over, it may stay until V8 next looks through the old objects. */
const REQUEST_BYTES = 5 * 1024;
/** Connections that are made at once: more would wait for their turn behind each other. */
const AT_ONCE = 250;
const DRIP_MS = 500;
/** 15 to 30 s behind the last byte that moved; the kernel's buffers go on growing for a while. */
const SILENT_MS_MAX = 60_000;
const PAGE = 'x'.repeat(1024 * 1024);
const WORKSPACE = {
  'weir.yaml': 'site:\n  root: site\n',
  'site/index.html': PAGE,
  'datastreams/shop.yaml': 'id: shop\norg: SLOW@AdobeOrg\nname: Shop\n',
};
const PATH = '/ee/v2/interact?datastreamId=shop';
const HEAD = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n`;

export function testSlowClients({ slow, idle, readers }: Crowd): void {
  let server: Server;
  let neighbour: Neighbour;
  beforeAll(async () => {
    needDescriptors(idle + 1_000);
    server = await startServer({ workspace: WORKSPACE });
    neighbour = startNeighbour(server.urls.edge);
  });
  afterAll(async () => {
    await neighbour?.stop();
    expect(await server?.stop()).toBe(0);
  });

  const kinds: readonly (readonly [what: string, start: string, drip: string, answer: string, ms: number])[] = [
    ['whose headers do not end', `${HEAD}X: `, 'x', '408', 5_000],
    ['whose bodies do not end', `${HEAD}Content-Length: 9999\r\n\r\n`, 'x', '503', 2_000],
    ['whose chunks do not end', `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n', '503', 2_000],
    ['who send nothing', '', '', '', 5_000],
  ];
  test.concurrent.each(kinds)(`${slow} clients %s are ended in time`, async (_what, start, drip, answer, ms) => {
    const ends = await inTurns(slow, async () => {
      // Before the connection: the server's time runs from where it has it, whenever this process gets to know.
      const startMs = performance.now();
      return { end: untilEnd(await open(server.urls.edge), startMs, start, drip) };
    });
    const heard = await Promise.all(ends.map(({ end }) => end));
    expect([...new Set(heard.map(({ text }) => /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? text))]).toEqual([answer]);
    expect(Math.min(...heard.map(({ afterMs }) => afterMs))).toBeGreaterThan(ms - DRIP_MS);
    expect(Math.max(...heard.map(({ afterMs }) => afterMs))).toBeLessThan(ms + 1_000 + LATE_MS);
  });

  if (readers)
    test(`${slow} clients that do not read are ended, and hold no memory`, async () => {
      const before = residentBytes(server);
      const filesBefore = openFiles(server);
      const startMs = performance.now();
      const sockets = await inTurns(slow, async () => {
        const socket = await open(server.urls.edge);
        socket.on('error', () => socket.destroy()).pause();
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(ASKED));
        return socket;
      });
      await expect.poll(() => openFiles(server)).toBeGreaterThan(slow);
      // They are not told, for they do not read: the server's own files say that they are gone. Its neighbour has some too.
      await expect.poll(() => openFiles(server), { timeout: SILENT_MS_MAX + LATE_MS }).toBeLessThan(filesBefore + 10);
      expect(performance.now() - startMs).toBeGreaterThan(15_000 - DRIP_MS);
      const bytesMax = NOISE_BYTES + slow * (CONNECTION_BYTES_MAX + ASKED * REQUEST_BYTES);
      expect(residentBytes(server) - before).toBeLessThan(bytesMax);
      for (const socket of sockets) socket.destroy();
    });

  test(`${idle} idle connections cost little memory and nobody an answer`, async () => {
    const before = residentBytes(server);
    const sockets = await inTurns(idle, async () => {
      const socket = await open(server.urls.edge);
      socket.write(`OPTIONS ${PATH} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await once(socket, 'data');
      return socket;
    });
    try {
      expect(residentBytes(server) - before).toBeLessThan(NOISE_BYTES + idle * CONNECTION_BYTES_MAX);
      const answeredBefore = neighbour.answered();
      await expect.poll(neighbour.answered).toBeGreaterThan(answeredBefore + 20);
      // Still there, and served.
      const some = sockets.filter((_, i) => i % 100 === 0);
      for (const socket of some)
        socket.write(requestBytes(server.urls.edge, { path: PATH, body: '{"event":{"xdm":{}}}' }));
      const answers = await Promise.all(some.map(readAnswer));
      expect([...new Set(answers.map(({ status }) => status))]).toEqual([200]);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test('the good client was answered every time', async () => {
    // So many tell something; a busy machine takes longer for them.
    await expect.poll(neighbour.answered).toBeGreaterThan(100);
    expect(neighbour.failures).toEqual([]);
    expect(server.process.exitCode).toBe(null);
  });
}

interface Neighbour {
  readonly answered: () => number;
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** A client that sends one event after the other, each on a connection of its own. */
function startNeighbour(edge: string): Neighbour {
  const failures: string[] = [];
  let answered = 0;
  let isStopped = false;
  const one = async (): Promise<void> => {
    const socket = await open(edge);
    socket.write(requestBytes(edge, { path: PATH, body: '{"event":{"xdm":{}}}' }));
    const { status } = await readAnswer(socket);
    if (status === 200) answered += 1;
    else failures.push(`answered with ${status}`);
  };
  const all = async (): Promise<void> => {
    while (!isStopped) {
      await one().catch((error: Error) => failures.push(error.message));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const running = all();
  return {
    answered: () => answered,
    failures,
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

/** Sends a little again and again, until the server closes. */
async function untilEnd(
  socket: Socket,
  startMs: number,
  start: string,
  drip: string,
): Promise<{ text: string; afterMs: number }> {
  let text = '';
  socket
    .on('error', () => socket.destroy())
    .on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
  if (start !== '') socket.write(start);
  const timer = drip === '' ? undefined : setInterval(() => socket.writable && socket.write(drip), DRIP_MS);
  await once(socket, 'close');
  clearInterval(timer);
  return { text, afterMs: performance.now() - startMs };
}

async function inTurns<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  while (all.length < count) {
    all.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - all.length) }, make))));
  }
  return all;
}

function residentBytes(server: Server): number {
  const status = readFileSync(`/proc/${server.process.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) * 1024;
}

function openFiles(server: Server): number {
  return readdirSync(`/proc/${server.process.pid}/fd`).length;
}

/** Node raises its limit of open files as far as it may; what is above that is for whoever runs the tests to allow. */
function needDescriptors(needed: number): void {
  const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  if (limit !== undefined && Number(limit) < needed)
    throw new Error(
      `This test and its server need ${needed} open files each; ${limit} are allowed. Run 'ulimit -Hn ${needed}' as root in this shell, or raise 'nofile' in /etc/security/limits.conf.`,
    );
}
