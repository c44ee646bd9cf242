import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { KEEP_ALIVE_TIMEOUT_MS, linesOf, wholeAnswer } from '../../src/gateway/one-write.ts';

const HEADERS = ['x-request-id', 'a-1', 'content-type', 'application/json', 'content-length', '7'];
const BODY = '{"a":1}';
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** The bytes that answer a request to a server with our timeouts. */
async function answerOf(answer: (res: ServerResponse) => void): Promise<string> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS }, (_req, res) => answer(res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => server.close());
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  stops.push(() => socket.destroy());
  socket.write('GET / HTTP/1.1\r\nHost: weir.test\r\n\r\n');
  let bytes = '';
  for await (const chunk of socket) {
    bytes += chunk;
    if (bytes.endsWith(BODY)) break;
  }
  return bytes;
}

test('an answer written whole is byte for byte what node:http writes', async () => {
  const ours = wholeAnswer(200, '', HEADERS, BODY);
  const theirs = await answerOf((res) => {
    res.writeHead(200, HEADERS);
    res.end(BODY);
  });
  const withoutDate = (answer: string): string => answer.replaceAll(/Date: .*\r\n/g, 'Date: …\r\n');
  expect(ours).toMatch(/\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
  expect(withoutDate(ours)).toBe(withoutDate(theirs));
});

test.each(['a\r\nset-cookie: b=c', 'a\n', 'a\0', 'ä'])('a header value of %j is refused', (value) => {
  expect(() => linesOf(['x-a', value])).toThrow(/x-a/);
});
