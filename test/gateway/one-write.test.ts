import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { fitsOneWrite, KEEP_ALIVE_TIMEOUT_MS, linesOf, writeWhole } from '../../src/gateway/one-write.ts';

const HEADERS = ['x-request-id', 'a-1', 'content-type', 'application/json', 'content-length', '7'];
const BODY = '{"a":1}';
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** Every connection's bytes, in answer to `sent`, up to its end or until `enough` is there. */
async function answersTo(sent: string, answer: (res: ServerResponse) => void, enough: RegExp): Promise<string> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS }, (req, res) => {
    req.resume();
    answer(res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => server.close());
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  stops.push(() => socket.destroy());
  socket.write(sent);
  let bytes = '';
  for await (const chunk of socket) {
    bytes += chunk;
    if (enough.test(bytes)) break;
  }
  return bytes;
}

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: weir.test\r\n${more}\r\n`;
const whole = (res: ServerResponse): void => writeWhole(res, 200, '', HEADERS, BODY);
const byNode = (res: ServerResponse): void => {
  res.writeHead(200, HEADERS);
  res.end(BODY);
};
const withoutDate = (answer: string): string => answer.replaceAll(/Date: .*\r\n/g, 'Date: …\r\n');

test('an answer written whole is byte for byte what node:http writes', async () => {
  const [ours, theirs] = await Promise.all([
    answersTo(get('/'), whole, /\{"a":1\}$/),
    answersTo(get('/'), byNode, /\{"a":1\}$/),
  ]);
  expect(ours).toMatch(/\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
  expect(withoutDate(ours)).toBe(withoutDate(theirs));
});

test('the next request of the connection is taken, also one that came before the answer left', async () => {
  const order: string[] = [];
  const bytes = await answersTo(
    get('/1') + get('/2') + get('/3'),
    (res) => {
      order.push(`${res.req.url} ${fitsOneWrite(res)}`);
      setImmediate(() => (fitsOneWrite(res) ? whole(res) : byNode(res)));
    },
    /(\{"a":1\}.*){3}/s,
  );
  expect(order).toEqual(['/1 true', '/2 false', '/3 false']);
  expect(bytes.split('HTTP/1.1 200 OK')).toHaveLength(4);
});

describe('left to node:http', () => {
  test.each([
    ['a connection that the client wants closed', get('/', 'Connection: close\r\n'), () => {}],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', () => {}],
    [
      'the last answer of a connection',
      get('/'),
      (res: ServerResponse) => {
        res.setHeader('connection', 'close');
      },
    ],
  ])('%s', async (_name, sent, before) => {
    let fits: boolean | null = null;
    await answersTo(
      sent,
      (res) => {
        before(res);
        fits = fitsOneWrite(res);
        byNode(res);
      },
      /\{"a":1\}$/,
    );
    expect(fits).toBe(false);
  });
});

test.each(['a\r\nset-cookie: b=c', 'a\n', 'a\0', 'ä'])('a header value of %j is refused', (value) => {
  expect(() => linesOf(['x-a', value])).toThrow(/x-a/);
});
