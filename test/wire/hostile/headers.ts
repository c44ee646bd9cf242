import { HEADERS_MAX } from '../../../src/gateway/framing.ts';
import { bodyOf, END, good, goodOf, type HostileCase, LENGTH, targetOf } from './case.ts';

/** A good request with these lines behind its first headers. */
const lines = (...texts: readonly string[]): string => good('a', ...texts);
/** `good` has three headers of its own. */
const many = (count: number): string => lines(...Array.from({ length: count - 3 }, (_, i) => `X-${i}: x`));
/** A good request whose headers begin with these lines in place of its Host. */
const hosts = (...texts: readonly string[]): string =>
  [`POST ${targetOf('a')} HTTP/1.1`, ...texts, 'Content-Type: text/plain', `Content-Length: ${LENGTH}`].join('\r\n') +
  END +
  bodyOf('a');

/** RFC 9112 §5, RFC 9110 §5. */
export const HEADERS: readonly HostileCase[] = [
  ['a value over two lines, with a space', '9112 §5.2', lines('X: a\r\n b'), '400, closes'],
  ['a value over two lines, with a tab', '9112 §5.2', lines('X: a\r\n\tb'), '400, closes'],
  ['a first header that begins with a space', '9112 §2.2', hosts(' Host: weir.test'), '400, closes'],
  ['a header that begins with a space', '9112 §5.2', lines(' X: x'), '400, closes'],
  ['a line of spaces', '9112 §5.2', lines('   '), '400, closes'],
  ['a value that begins on the next line', '9112 §5.2', lines('X:\r\n x'), '400, closes'],
  ['a bare LF behind a header', '9112 §2.2', lines('X: x\nY: y'), '400, closes'],
  ['a bare CR in a value', '9112 §2.2', lines('X: x\rY: y'), '400, closes'],
  ['CR CR LF behind a header', '9112 §2.2', lines('X: x\r'), '400, closes'],
  ['LF LF at the end of the head', '9112 §2.2', good('a').replace(END, '\n\n'), '400, closes'],
  ['CR LF LF at the end of the head', '9112 §2.2', good('a').replace(END, '\r\n\n'), '400, closes'],
  ['LF CR LF at the end of the head', '9112 §2.2', good('a').replace(END, '\n\r\n'), '400, closes'],
  ['CR CR LF at the end of the head', '9112 §2.2', good('a').replace(END, '\r\n\r\r\n'), '400, closes'],
  ['a NUL in a value', '9110 §5.5', lines('X: a\0b'), '400, closes'],
  ['a control character in a value', '9110 §5.5', lines('X: a\x01b'), '400, closes'],
  ['DEL in a value', '9110 §5.5', lines('X: a\x7fb'), '400, closes'],
  ['a vertical tab in a value', '9110 §5.5', lines('X: a\x0bb'), '400, closes'],
  ['bytes above 127 in a value', '9110 §5.5', lines('X: a\xe4b'), '200, goes on'],
  ['a tab in a value', '9110 §5.5', lines('X: a\tb'), '200, goes on'],
  ['no space in front of a value', '9112 §5.1', lines('X:a'), '200, goes on'],
  ['spaces around a value', '9112 §5.1', lines('X: \t a \t '), '200, goes on'],
  ['an empty value', '9110 §5.5', lines('X:'), '200, goes on'],
  ['no colon', '9112 §5', lines('X'), '400, closes'],
  ['an empty name', '9112 §5', lines(': x'), '400, closes'],
  ['a space in front of the colon', '9112 §5.1', lines('X : x'), '400, closes'],
  ['a tab in front of the colon', '9112 §5.1', lines('X\t: x'), '400, closes'],
  ['a space in a name', '9110 §5.1', lines('X Y: x'), '400, closes'],
  ['a NUL in a name', '9110 §5.1', lines('X\0: x'), '400, closes'],
  ['a NUL in front of a name', '9110 §5.1', lines('\0X: x'), '400, closes'],
  ['bytes above 127 in a name', '9110 §5.1', lines('X\xe4: x'), '400, closes'],
  ['a bracket in a name', '9110 §5.1', lines('X(Y): x'), '400, closes'],
  ['quotes around a name', '9110 §5.1', lines('"X": x'), '400, closes'],
  ['a slash in a name', '9110 §5.1', lines('X/Y: x'), '400, closes'],
  ['an equals sign for a colon', '9112 §5', lines('X=x'), '400, closes'],
  ['a name with every odd character that is allowed', '9110 §5.6.2', lines("!#$%&'*+-.^_`|~: x"), '200, goes on'],
  ['headers that are names of objects', '9110 §5.1', lines('__proto__: x', 'constructor: y'), '200, goes on'],
  ['as many headers as there may be', '9110 §5.4', many(HEADERS_MAX), '200, goes on'],
  ['a header too many', '9110 §5.4', many(HEADERS_MAX + 1), '431, closes'],
  ['2,000 headers', '9110 §5.4', many(2_000), '431, closes'],
  ['framing behind the headers that count', '9110 §5.4', many(300).replace('X-290: x', 'Host: b'), '431, closes'],
  ['a value of 17 KB', '9110 §5.4', lines(`X: ${'x'.repeat(17_000)}`), '431, closes'],
  ['a name of 17 KB', '9110 §5.4', lines(`${'x'.repeat(17_000)}: x`), '431, closes'],
  ['headers of 17 KB together', '9110 §5.4', lines(...Array(17).fill(`X: ${'x'.repeat(1_000)}`)), '431, closes'],
  ['a value of 8 KB', '9110 §5.4', lines(`X: ${'x'.repeat(8_000)}`), '200, goes on'],
  ['an empty content type', '9110 §8.3', lines('Content-Type:'), '200, goes on'],
  ['two content types', '9110 §5.3', lines('Content-Type: application/json'), '200, goes on'],
];

/** RFC 9112 §3.2, RFC 9110 §7.2, RFC 3986 §3.2.2. */
export const HOSTS: readonly HostileCase[] = [
  ['no host', '9112 §3.2', hosts(), '400, closes'],
  ['an empty host', '9110 §7.2', hosts('Host:'), '200, goes on'],
  ['two hosts', '9112 §3.2', hosts('Host: weir.test', 'Host: other.test'), '400, closes'],
  ['the same host twice', '9112 §3.2', hosts('Host: weir.test', 'HOST: weir.test'), '400, closes'],
  ['a host, then an empty one', '9112 §3.2', hosts('Host: weir.test', 'Host:'), '400, closes'],
  ['a host behind the body’s length', '9112 §3.2', lines('Host: other.test'), '400, closes'],
  ['a space in front of the host’s colon', '9112 §5.1', hosts('Host : weir.test'), '400, closes'],
  ['two hosts in one', '9112 §3.2', hosts('Host: weir.test, other.test'), '400, closes'],
  ['a host with a space', '9112 §3.2', hosts('Host: weir.test other.test'), '400, closes'],
  ['a host with a tab', '9112 §3.2', hosts('Host: weir.test\tother.test'), '400, closes'],
  ['a host with a path', '9112 §3.2', hosts('Host: weir.test/x'), '400, closes'],
  ['a host with a query', '9112 §3.2', hosts('Host: weir.test?x'), '400, closes'],
  ['a host with a fragment', '9112 §3.2', hosts('Host: weir.test#x'), '400, closes'],
  ['a host with a user', '9110 §7.2', hosts('Host: user@weir.test'), '400, closes'],
  ['a host with a scheme', '9112 §3.2', hosts('Host: http://weir.test'), '400, closes'],
  ['a host with a backslash', '9112 §3.2', hosts('Host: weir.test\\x'), '400, closes'],
  ['a host with quotes', '9112 §3.2', hosts('Host: "weir.test"'), '400, closes'],
  ['a host with bytes above 127', '9112 §3.2', hosts('Host: w\xe4ir.test'), '400, closes'],
  ['a host with a port', '9110 §7.2', hosts('Host: weir.test:8080'), '200, goes on'],
  ['a host that is an IPv6 address', '9110 §7.2', hosts('Host: [::1]:8080'), '200, goes on'],
  ['a host with an underscore', '3986 §3.2.2', hosts('Host: we_ir.test'), '200, goes on'],
  ['a forwarded host from nobody in particular', '7239 §5.3', lines('X-Forwarded-Host: other.test'), '200, goes on'],
  [
    'two hosts in HTTP/1.0',
    '9112 §3.2',
    goodOf('a', `POST ${targetOf('a')} HTTP/1.0`, 'Host: other.test'),
    '400, closes',
  ],
];
