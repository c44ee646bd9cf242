import { bodyOf, CASE_ID, END, good, type HostileCase, head, headOf, LENGTH } from './case.ts';

const bytes = (...values: readonly number[]): string => String.fromCharCode(...values);

/** What is no HTTP/1, sent to a port of HTTP/1. */
export const OTHER_PROTOCOLS: readonly HostileCase[] = [
  [
    'HTTP/2 with prior knowledge',
    '9113 §3.4',
    `PRI * HTTP/2.0${END}SM${END}${bytes(0, 0, 0, 4, 0, 0, 0, 0, 0)}`,
    '400, closes',
  ],
  ['a TLS handshake', '8446 §4.1.2', bytes(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3), '400, closes'],
  ['a TLS alert', '8446 §6', bytes(0x15, 3, 1, 0, 2, 2, 40), '400, closes'],
  ['an SSL 2.0 handshake', '6101 appendix E', bytes(0x80, 0x2e, 1, 0, 2, 0, 0x15), '400, closes'],
  ['a SOCKS 4 request', '1928', bytes(4, 1, 0, 80, 127, 0, 0, 1, 0), '400, closes'],
  ['a SOCKS 5 greeting', '1928 §3', bytes(5, 1, 0), '400, closes'],
  ['the PROXY protocol, as text', '9112 §3', `PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n${good('a')}`, '400, closes'],
  ['the PROXY protocol, as bytes', '9112 §3', `\r\n\r\n\0\r\nQUIT\n!\x11${'x'.repeat(13)}${good('a')}`, '400, closes'],
  ['SSH', '4253 §4.2', 'SSH-2.0-OpenSSH_9.2\r\n', '400, closes'],
  ['SMTP', '5321 §4.1.1.1', 'EHLO weir.test\r\n', '400, closes'],
  ['Redis', '9112 §3', '*1\r\n$4\r\nPING\r\n', '400, closes'],
  ['memcached', '9112 §3', 'stats\r\n', '400, closes'],
  ['SIP', '3261 §7.1', 'INVITE sip:a@weir.test SIP/2.0\r\n', '400, closes'],
  ['RDP', '9112 §3', bytes(3, 0, 0, 0x13, 0x0e, 0xe0, 0, 0, 0, 0, 0), '400, closes'],
  ['MQTT', '9112 §3', bytes(0x10, 0x0e, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 2, 0x61, 0x62), '400, closes'],
  ['an answer', '9112 §4', `HTTP/1.1 200 OK\r\nContent-Length: 0${END}`, '400, closes'],
  ['only zeros', '9112 §3', '\0'.repeat(1_000), '400, closes'],
];

/** Requests that do not come to their end; the client closes its side. RFC 9112 §8. */
export const ENDS: readonly HostileCase[] = [
  ['nothing', '9112 §8', '', 'sees the end'],
  ['only empty lines', '9112 §2.2', '\r\n\r\n', 'sees the end'],
  ['half a line', '9112 §8', 'POST /ee/v2', '400, sees the end'],
  ['half a header', '9112 §8', head('x').slice(0, -10), '400, sees the end'],
  ['a head without its last line break', '9112 §8', head('x').slice(0, -2), '400, sees the end'],
  ['a head without its body', '9112 §8', head('x', `Content-Length: ${LENGTH}`), '400, sees the end'],
  ['half a body', '9112 §8', head('x', `Content-Length: ${LENGTH}`) + bodyOf('x').slice(0, 20), '400, sees the end'],
  [
    'a body that lacks its last byte',
    '9112 §8',
    head('x', `Content-Length: ${LENGTH + 1}`) + bodyOf('x'),
    '400, sees the end',
  ],
  [
    'chunks without the last one',
    '9112 §8',
    `${head('x', 'Transfer-Encoding: chunked')}${LENGTH.toString(16)}\r\n${bodyOf('x')}\r\n`,
    '400, sees the end',
  ],
  [
    'chunks without the last line break',
    '9112 §8',
    `${head('x', 'Transfer-Encoding: chunked')}${LENGTH.toString(16)}\r\n${bodyOf('x')}\r\n0\r\n`,
    '400, sees the end',
  ],
  [
    'half a chunk',
    '9112 §8',
    `${head('x', 'Transfer-Encoding: chunked')}${LENGTH.toString(16)}\r\n${bodyOf('x').slice(0, 20)}`,
    '400, sees the end',
  ],
  [
    'half a trailer',
    '9112 §8',
    `${head('x', 'Transfer-Encoding: chunked')}${LENGTH.toString(16)}\r\n${bodyOf('x')}\r\n0\r\nX: x`,
    '400, sees the end',
  ],
];

const coded = (coding: string): string => good('a', `Content-Encoding: ${coding}`);

/** RFC 9110 §8.4: how large a body is when it is unpacked is not known before. */
export const COMPRESSED: readonly HostileCase[] = [
  ['gzip', '9110 §8.4.1.3', coded('gzip'), '415, closes'],
  ['gzip in other letters', '9110 §8.4.1', coded('GZIP'), '415, closes'],
  ['x-gzip', '9110 §8.4.1.3', coded('x-gzip'), '415, closes'],
  ['deflate', '9110 §8.4.1.2', coded('deflate'), '415, closes'],
  ['brotli', '7932', coded('br'), '415, closes'],
  ['zstd', '8878', coded('zstd'), '415, closes'],
  ['an unknown coding', '9110 §8.4', coded('x'), '415, closes'],
  ['an empty coding', '9110 §8.4', coded(''), '415, closes'],
  ['identity and gzip', '9110 §8.4', coded('identity, gzip'), '415, closes'],
  [
    'identity, then gzip',
    '9110 §8.4',
    good('a', 'Content-Encoding: identity', 'Content-Encoding: gzip'),
    '415, closes',
  ],
  ['identity', '9110 §8.4', coded('identity'), '200, goes on'],
  [
    'gzip without a body',
    '9110 §8.4',
    headOf(`POST /nowhere?requestId=${CASE_ID}a HTTP/1.1`, 'Content-Encoding: gzip', 'Content-Length: 0'),
    '415, closes',
  ],
  ['gzip in the transfer', '9112 §7.2', `${head('a', 'Transfer-Encoding: gzip, chunked')}0${END}`, '400, closes'],
  ['an answer that may be compressed', '9110 §12.5.3', good('a', 'Accept-Encoding: gzip, br'), '200, goes on'],
];
