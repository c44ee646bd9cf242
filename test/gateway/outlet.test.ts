import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { requestByNode, watchConnection } from '../../src/gateway/connection.ts';
import { ConnectionBudget } from '../../src/gateway/connection-budget.ts';
import { listen } from '../../src/gateway/listen.ts';
import { wholeAnswer } from '../../src/gateway/one-write.ts';
import type { Outlet } from '../../src/gateway/outlet.ts';
import { WholeRequest } from '../../src/gateway/whole-request.ts';
import { open } from '../support/raw-http.ts';

/** Answers in one string past node:http, and everything that makes it node:http's after all. */

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Asked {
  readonly url: string;
  readonly outlet: Outlet;
  readonly isDirect: boolean;
  closed: number;
}

/** A listener that holds its requests until it is told to answer. */
async function listener(silenceMs = 5_000): Promise<{ asked: Asked[]; url: string; clientErrors: () => number }> {
  const asked: Asked[] = [];
  let refused = 0;
  const listening = await listen(
    'edge',
    { host: '127.0.0.1', port: 0 },
    {
      onRequest: (req, outlet) => hold(asked, req, outlet),
      onError: (error) => {
        throw error;
      },
      onUnreadable() {
        refused += 1;
      },
      connections: new ConnectionBudget(100, () => {}),
      silenceMs,
    },
  );
  stops.push(() => Promise.all([listening.close(), listening.closeNow()]));
  return { asked, url: listening.url, clientErrors: () => refused };
}

function hold(asked: Asked[], req: WholeRequest, outlet: Outlet): void {
  const one: Asked = { url: req.url ?? '', outlet, isDirect: outlet.direct !== null, closed: 0 };
  outlet.onClose = () => {
    one.closed += 1;
  };
  asked.push(one);
}

/** In one string where that may be. */
function answer({ outlet, url }: Asked, body = url): void {
  const length = ['content-length', String(body.length)];
  if (outlet.direct !== null) outlet.direct.write(wholeAnswer(200, '', length, body));
  else outlet.res.writeHead(200, length).end(body);
}

/** All that a connection has heard so far. */
function hearing(socket: Socket): () => string {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString();
  });
  socket.on('error', () => {}); // Being cut off is what some are for.
  return () => text;
}

const post = (target: string, more = '', version = '1.1'): string =>
  `POST ${target} HTTP/${version}\r\nHost: a\r\n${more}Content-Length: 1\r\n\r\nx`;

const bodiesIn = (text: string): string[] => text.match(/(?<=\r\n\r\n)\/\d/g) ?? [];

describe('a request that has its connection to itself', () => {
  test('is answered past node:http, and so is the next one', async () => {
    const { asked, url } = await listener();
    const socket = await open(url);
    const heard = hearing(socket);
    for (const target of ['/1', '/2', '/3']) {
      socket.write(post(target));
      await expect.poll(() => asked.at(-1)?.url).toBe(target);
      answer(asked.at(-1)!);
      await expect.poll(() => bodiesIn(heard()).at(-1)).toBe(target);
    }
    expect(asked.map(({ isDirect, closed }) => [isDirect, closed])).toEqual(Array(3).fill([true, 1]));
  });

  test('closes once where its client goes', async () => {
    const { asked, url } = await listener();
    const socket = await open(url);
    socket.write(post('/1'));
    await expect.poll(() => asked).toHaveLength(1);
    socket.destroy();
    await expect.poll(() => asked[0]!.closed).toBe(1);
    expect(asked[0]!.outlet.isGone).toBe(true);
    answer(asked[0]!);
    await sleep(20);
    expect(asked[0]!.closed).toBe(1);
  });

  test('gets a response of node:http where one is asked for; the next one is direct again', async () => {
    const { asked, url } = await listener();
    const socket = await open(url);
    const heard = hearing(socket);
    socket.write(post('/1'));
    await expect.poll(() => asked).toHaveLength(1);
    asked[0]!.outlet.res.writeHead(200, ['content-length', '2']).end('/1');
    expect(asked[0]!.outlet.direct).toBeNull();
    await expect.poll(() => asked[0]!.closed).toBe(1);
    socket.write(post('/2'));
    await expect.poll(() => asked).toHaveLength(2);
    answer(asked[1]!);
    await expect.poll(() => bodiesIn(heard())).toEqual(['/1', '/2']);
    expect(asked[1]!.isDirect).toBe(true);
  });
});

describe('in company', () => {
  test.each([
    ['in one read', [post('/1') + post('/2') + post('/3')]],
    ['one after the other', [post('/1'), post('/2'), post('/3')]],
  ])('answers leave in order, whichever is ready first: %s', async (_, writes) => {
    const { asked, url } = await listener();
    const socket = (await open(url)).setNoDelay();
    const heard = hearing(socket);
    for (const bytes of writes) {
      socket.write(bytes);
      await sleep(5);
    }
    await expect.poll(() => asked).toHaveLength(3);
    for (const one of [...asked].reverse()) answer(one);
    await expect.poll(() => bodiesIn(heard())).toEqual(['/1', '/2', '/3']);
    expect(asked.map(({ isDirect }) => isDirect)).toEqual([true, false, false]);
    await expect.poll(() => asked.map(({ closed }) => closed)).toEqual([1, 1, 1]);
  });

  test('one that comes with half of another is answered directly, as is the other', async () => {
    const { asked, url } = await listener();
    const socket = await open(url);
    const heard = hearing(socket);
    const second = post('/2');
    socket.write(post('/1') + second.slice(0, 30));
    await expect.poll(() => asked).toHaveLength(1);
    answer(asked[0]!);
    socket.write(second.slice(30));
    await expect.poll(() => asked).toHaveLength(2);
    answer(asked[1]!);
    await expect.poll(() => bodiesIn(heard())).toEqual(['/1', '/2']);
  });

  test('bytes that are no request are answered behind it', async () => {
    const { asked, url, clientErrors } = await listener();
    const socket = await open(url);
    const heard = hearing(socket);
    socket.write(`${post('/1')}garbage\r\n\r\n`);
    await expect.poll(() => asked).toHaveLength(1);
    expect(clientErrors()).toBe(0);
    answer(asked[0]!);
    await once(socket, 'close');
    expect(heard()).toMatch(/^HTTP\/1\.1 200 .*HTTP\/1\.1 400 /s);
  });
});

describe('node:http has it from the start', () => {
  test.each([
    ['what is no POST', 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['the last request of a connection', post('/1', 'Connection: close\r\n')],
    ['HTTP/1.0', post('/1', 'Connection: keep-alive\r\n', '1.0')],
    ['an expectation', post('/1', 'EXPECT: 100-continue\r\n')],
    ['another protocol', post('/1', 'Connection: Upgrade\r\nUpgrade: h2c\r\n')],
    ['another protocol, not asked for', post('/1', 'uPGRADE: h2c\r\n')],
  ])('%s', async (_, bytes) => {
    const { asked, url } = await listener();
    const socket = await open(url);
    const heard = hearing(socket);
    socket.write(bytes);
    await expect.poll(() => asked).toHaveLength(1);
    expect(asked[0]!.isDirect).toBe(false);
    answer(asked[0]!);
    await expect.poll(() => bodiesIn(heard())).toEqual(['/1']);
  });

  test('where its parser does not let us in', async () => {
    const asked: Asked[] = [];
    const server = createServer({ IncomingMessage: WholeRequest }, requestByNode);
    server.on('connection', (socket: Socket & { parser: unknown }) => {
      const { parser } = socket;
      socket.parser = null;
      watchConnection(socket, (req, outlet) => hold(asked, req, outlet), true, 5_000);
      socket.parser = parser;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => server.closeAllConnections());
    stops.push(() => server.close());
    const socket = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const heard = hearing(socket);
    socket.write(post('/1') + post('/2'));
    await expect.poll(() => asked).toHaveLength(2);
    for (const one of asked) answer(one);
    await expect.poll(() => bodiesIn(heard())).toEqual(['/1', '/2']);
    expect(asked.map(({ isDirect }) => isDirect)).toEqual([false, false]);
  });
});

describe('a connection that is silent', () => {
  const SILENCE_MS = 150;

  test('between requests is kept', async () => {
    const { asked, url } = await listener(SILENCE_MS);
    const socket = await open(url);
    const heard = hearing(socket);
    socket.write(post('/1'));
    await expect.poll(() => asked).toHaveLength(1);
    answer(asked[0]!);
    await sleep(4 * SILENCE_MS);
    socket.write(post('/2'));
    await expect.poll(() => asked).toHaveLength(2);
    answer(asked[1]!);
    await expect.poll(() => bodiesIn(heard())).toEqual(['/1', '/2']);
  });

  test('because its client does not read is cut off, and its request is over then', async () => {
    const { asked, url } = await listener(SILENCE_MS);
    const socket = await open(url);
    socket.on('error', () => {}).pause();
    const large = 'x'.repeat(32 * 1024 * 1024);
    socket.write(post('/1'));
    await expect.poll(() => asked).toHaveLength(1);
    answer(asked[0]!, large);
    expect(asked[0]!.closed).toBe(0);
    // What comes meanwhile waits its turn.
    socket.write(post('/2'));
    await expect.poll(() => asked).toHaveLength(2);
    expect(asked[1]!.isDirect).toBe(false);
    await expect.poll(() => asked[0]!.closed).toBe(1);
    expect(asked[0]!.outlet.isGone).toBe(true);
  });
});
