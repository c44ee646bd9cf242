import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { DISCARDED_BYTES_MAX, TOO_LARGE, WholeRequest } from '../../src/gateway/whole-request.ts';

const BYTES_MAX = 1_000;
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A server that collects bodies and answers each at once; what came of them. */
async function collecting(
  isAsked = true,
): Promise<{ bodies: (string | symbol)[]; requests: number[]; open(): Socket }> {
  const bodies: (string | symbol)[] = [];
  const requests: number[] = [];
  const server = createServer({ IncomingMessage: WholeRequest }, (req, res) => {
    requests.push(requests.length);
    if (!isAsked) res.end('refused');
    else
      req.collect(BYTES_MAX, (body) => {
        bodies.push(body === TOO_LARGE ? body : body.toString());
        res.end('taken');
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const { port } = server.address() as AddressInfo;
  const open = (): Socket => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    stops.push(() => socket.destroy());
    return socket;
  };
  return { bodies, requests, open };
}

const post = (length: number, more = ''): string =>
  `POST / HTTP/1.1\r\nHost: weir.test\r\nContent-Length: ${length}\r\n${more}\r\n`;

describe('a body', () => {
  test.each([
    ['none', post(0), ''],
    ['one piece', `${post(5)}hello`, 'hello'],
    [
      'chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n',
      'hello',
    ],
    ['as large as it may be', post(BYTES_MAX) + 'x'.repeat(BYTES_MAX), 'x'.repeat(BYTES_MAX)],
    ['one byte more', post(BYTES_MAX + 1) + 'x'.repeat(BYTES_MAX + 1), TOO_LARGE],
  ])('%s', async (_name, sent, wanted) => {
    const { bodies, open } = await collecting();
    open().write(sent);
    await expect.poll(() => bodies).toEqual([wanted]);
  });

  test('byte by byte, and another request behind it', async () => {
    const { bodies, open } = await collecting();
    const socket = open().setNoDelay();
    for (const byte of `${post(4)}wxyz${post(2)}ab`) {
      socket.write(byte);
      await sleep(0);
    }
    await expect.poll(() => bodies).toEqual(['wxyz', 'ab']);
  });

  test('that is cut off is handed to nobody', async () => {
    const { bodies, requests, open } = await collecting();
    const socket = open();
    socket.write(`${post(10)}12345`);
    await expect.poll(() => requests).toHaveLength(1);
    socket.destroy();
    open().write(`${post(1)}a`);
    await expect.poll(() => bodies).toEqual(['a']);
  });

  test('that nobody asked for is thrown away, and the connection goes on', async () => {
    const { requests, open } = await collecting(false);
    open().write(`${post(300_000)}${'x'.repeat(300_000)}${post(1)}a`);
    await expect.poll(() => requests).toHaveLength(2);
  });

  test('that is refused is read a while, and then cut', async () => {
    const { bodies, open } = await collecting();
    const socket = open();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(post(100 * DISCARDED_BYTES_MAX));
    socket.write(Buffer.alloc(BYTES_MAX + DISCARDED_BYTES_MAX));
    await expect.poll(() => bodies).toEqual([TOO_LARGE]);
    socket.write(Buffer.alloc(1_000));
    await closed;
  });
});
