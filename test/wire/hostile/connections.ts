import {
  bodyOf,
  CASE_ID,
  chunked,
  chunks,
  END,
  good,
  goodOf,
  HIDDEN,
  type HostileCase,
  head,
  headOf,
  LENGTH,
  targetOf,
} from './case.ts';

const A = targetOf('a');
const H2_SETTINGS = 'AAMAAABkAARAAAAAAAIAAAAA';

/** RFC 9110 §10.1.1, §7.8; RFC 9112 §9. */
export const CONNECTIONS: readonly HostileCase[] = [
  ['an expectation', '9110 §10.1.1', good('a', 'Expect: 100-continue'), '100 200, goes on'],
  ['an expectation in other letters', '9110 §10.1.1', good('a', 'EXPECT: 100-Continue'), '100 200, goes on'],
  ['an expectation that only looks like one', '9110 §10.1.1', good('a', 'Expect: y 100-continue'), '417, closes'],
  ['an unknown expectation', '9110 §10.1.1', good('a', 'Expect: tea'), '417, closes'],
  ['an empty expectation', '9110 §10.1.1', good('a', 'Expect:'), '417, closes'],
  ['an expectation with a parameter', '9110 §10.1.1', good('a', 'Expect: 100-continue;x=y'), '417, closes'],
  ['two expectations', '9110 §10.1.1', good('a', 'Expect: 100-continue', 'Expect: tea'), '417, closes'],
  ['an expectation on several lines', '9112 §5.2', good('a', 'Expect:\r\n 100-continue'), '400, closes'],
  [
    'an expectation without a body',
    '9110 §10.1.1',
    headOf(`GET ${A} HTTP/1.1`, 'Expect: 100-continue'),
    '100 405, goes on',
  ],
  [
    'an expectation of a request that is refused',
    '9110 §10.1.1',
    good('a', 'Expect: 100-continue', 'Host: b'),
    '400, closes',
  ],
  [
    'an expectation in HTTP/1.0',
    '9110 §10.1.1',
    goodOf('a', `POST ${A} HTTP/1.0`, 'Expect: 100-continue'),
    '200, closes',
  ],
  ['an expectation and chunks', '9110 §10.1.1', chunked('a', chunks('a'), 'Expect: 100-continue'), '100 200, goes on'],
  [
    'an upgrade to h2c',
    '9113 §3.1',
    good('a', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', `HTTP2-Settings: ${H2_SETTINGS}`),
    '200, closes',
  ],
  [
    'an upgrade to a WebSocket',
    '6455 §4.1',
    headOf(
      `GET ${A} HTTP/1.1`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
    '405, closes',
  ],
  ['an upgrade to TLS', '2817 §3', good('a', 'Connection: Upgrade', 'Upgrade: TLS/1.0'), '200, closes'],
  [
    'an upgrade of a body that is a request',
    '9110 §7.8',
    head('a', 'Connection: Upgrade', 'Upgrade: x', `Content-Length: ${HIDDEN.length}`) + HIDDEN,
    '400, closes',
  ],
  [
    'an upgrade of a request without a body',
    '9110 §7.8',
    headOf(`OPTIONS ${A} HTTP/1.1`, 'Connection: Upgrade', 'Upgrade: x'),
    '204, closes',
  ],
  ['a connection that is to be closed', '9112 §9.6', good('a', 'Connection: close'), '200, closes'],
  [
    'a connection that is to be closed, among others',
    '9112 §9.6',
    good('a', 'Connection: keep-alive, close'),
    '200, closes',
  ],
  ['a request behind the last one', '9112 §9.6', good('a', 'Connection: close') + good('x'), '200, closes'],
  ['a host that belongs to the connection', '9110 §7.6.1', good('a', 'Connection: Host, Cookie'), '200, goes on'],
  ['a proxy’s connection header', '9110 §7.6.1', good('a', 'Proxy-Connection: close'), '200, closes'],
  ['two requests at once', '9112 §9.3.2', good('a') + good('b'), '200 200, goes on'],
  ['three requests at once', '9112 §9.3.2', good('a') + good('b') + good('c'), '200 200 200, goes on'],
  ['a preflight and a POST at once', '9112 §9.3.2', headOf(`OPTIONS ${A} HTTP/1.1`) + good('b'), '204 200, goes on'],
  ['a HEAD and a POST at once', '9112 §9.3.2', headOf(`HEAD ${A} HTTP/1.1`) + good('b'), '405 200, goes on'],
  [
    'lengths and chunks in turn',
    '9112 §9.3.2',
    good('a') + chunked('b', chunks('b')) + good('c'),
    '200 200 200, goes on',
  ],
  ['garbage behind a request', '9112 §3', `${good('a')}garbage${END}${good('x')}`, '200 400, closes'],
  [
    'a request that may be read in two ways behind a good one',
    '9112 §6.3',
    good('a') + good('b', 'Host: b') + good('x'),
    '200 400, closes',
  ],
  ['an empty line between requests', '9112 §2.2', `${good('a')}\r\n${good('b')}`, '200 200, goes on'],
];

/** RFC 9112 §6.3 and §11.2: a body that ends in one place for a proxy and in another for the server. */
export const SMUGGLED: readonly HostileCase[] = [
  [
    'CL.TE: chunks win',
    '9112 §6.3',
    `${head('a', `Content-Length: ${HIDDEN.length + 5}`, 'Transfer-Encoding: chunked')}0${END}${HIDDEN}`,
    '400, closes',
  ],
  [
    'TE.CL: the length wins',
    '9112 §6.3',
    head('a', 'Transfer-Encoding: chunked', 'Content-Length: 4') +
      `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0${END}`,
    '400, closes',
  ],
  [
    'length and chunks that agree',
    '9112 §6.3',
    head('a', `Content-Length: ${chunks('a').length}`, 'Transfer-Encoding: chunked') + chunks('a'),
    '400, closes',
  ],
  [
    'a length of nothing, and chunks',
    '9112 §6.3',
    head('a', 'Content-Length: 0', 'Transfer-Encoding: chunked') + chunks('a'),
    '400, closes',
  ],
  [
    'chunks, and a length of nothing',
    '9112 §6.3',
    head('a', 'Transfer-Encoding: chunked', 'Content-Length: 0') + chunks('a'),
    '400, closes',
  ],
  ...(
    [
      ['x', 'Transfer-Encoding: x'],
      ['chunked and something', 'Transfer-Encoding: chunked, x'],
      ['a space in front of the colon', 'Transfer-Encoding : chunked'],
      ['a tab in the value', 'Transfer-Encoding:\tchunked'],
      ['a vertical tab in the value', 'Transfer-Encoding: \x0bchunked'],
      ['a space in front of the name', ' Transfer-Encoding: chunked'],
      ['a bare LF in front of the name', 'X: x\nTransfer-Encoding: chunked'],
      ['a bare CR in front of the name', 'X: x\rTransfer-Encoding: chunked'],
      ['the value on the next line', 'Transfer-Encoding:\r\n chunked'],
      ['a NUL behind the value', 'Transfer-Encoding: chunked\0'],
      ['an empty value', 'Transfer-Encoding:'],
      ['identity', 'Transfer-Encoding: identity'],
      ['two headers', 'Transfer-Encoding: chunked\r\nTransfer-encoding: x'],
      ['quotes', 'Transfer-Encoding: "chunked"'],
    ] as const
  ).map(
    ([what, line]): HostileCase => [
      `CL.TE with a hidden coding: ${what}`,
      '9112 §6.3',
      `${head('a', `Content-Length: ${HIDDEN.length + 5}`, line)}0${END}${HIDDEN}`,
      '400, closes',
    ],
  ),
  [
    'CL.CL: two lengths',
    '9112 §6.3',
    head('a', 'Content-Length: 0', `Content-Length: ${HIDDEN.length}`) + HIDDEN,
    '400, closes',
  ],
  ['CL.CL: a list of two', '9112 §6.3', head('a', `Content-Length: 0, ${HIDDEN.length}`) + HIDDEN, '400, closes'],
  [
    'CL.CL: a length and a hidden one',
    '9112 §5.1',
    head('a', 'Content-Length: 0', `Content-Length : ${HIDDEN.length}`) + HIDDEN,
    '400, closes',
  ],
  [
    'CL.0: a length that counts, and an early answer',
    '9112 §6.3',
    headOf(`POST /nowhere?requestId=${CASE_ID}a HTTP/1.1`, `Content-Length: ${HIDDEN.length}`, 'Expect: 100-continue') +
      HIDDEN,
    '100 404, goes on',
  ],
  [
    '0.CL: a length behind a fold',
    '9112 §5.2',
    head('a', `X: x\r\n Content-Length: ${HIDDEN.length}`) + HIDDEN,
    '400, closes',
  ],
  [
    'TE.0: chunks of OPTIONS',
    '9112 §6.3',
    headOf(`OPTIONS ${A} HTTP/1.1`, 'Transfer-Encoding: chunked') +
      `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0${END}`,
    '204, goes on',
  ],
  [
    'a chunk’s extension that ends the line for some',
    '9112 §7.1.1',
    chunked('a', `5;\n${'x'.repeat(5)}\r\n0${END}${HIDDEN}`),
    '400, closes',
  ],
  ['a chunk that ends at a bare LF for some', '9112 §7.1', chunked('a', `5\r\nxxxxx\n0${END}${HIDDEN}`), '400, closes'],
  [
    'a last chunk whose trailer hides a request',
    '9112 §7.1.2',
    chunked('a', `${LENGTH.toString(16)}\r\n${bodyOf('a')}\r\n0\r\nX: x\n\n${HIDDEN}`),
    '400, closes',
  ],
  ['HTTP/2’s method in HTTP/1', '9113 §8.3', headOf(`:method POST ${A} HTTP/1.1`) + HIDDEN, '400, closes'],
  ['a header that ends the head for some', '9112 §5.5', good('a', `X: x\r\r${HIDDEN}`), '400, closes'],
  ['a header that hides a request behind a bare LF', '9112 §2.2', good('a', `X: x\n\n${HIDDEN}`), '400, closes'],
];
