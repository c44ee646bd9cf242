import { bodyOf, CASE_ID, END, good, HIDDEN, type HostileCase, head, headOf, LENGTH, targetOf } from './case.ts';

/** A good request but for its Content-Length, which is these lines. */
const length = (...lines: readonly string[]): string => head('a', ...lines) + bodyOf('a');
const value = (text: string): string => length(`Content-Length: ${text}`);
const padded = (bytes: number): string => `{"x":"${'x'.repeat(bytes - 8)}"}`;
const A = targetOf('a');
const nowhere = `/nowhere?requestId=${CASE_ID}a`;

/** RFC 9112 §6, RFC 9110 §8.6. A body that Node would take in another way than a proxy is the beginning of smuggling. */
export const LENGTHS: readonly HostileCase[] = [
  ['no space in front of the length', '9110 §8.6', length(`Content-Length:${LENGTH}`), '200, goes on'],
  ['spaces around the length', '9112 §5.1', value(`  ${LENGTH}  `), '200, goes on'],
  ['a tab in front of the length', '9112 §5.1', value(`\t${LENGTH}`), '200, goes on'],
  ['zeros in front', '9110 §8.6', value(`00${LENGTH}`), '200, goes on'],
  ['a plus', '9110 §8.6', value(`+${LENGTH}`), '400, closes'],
  ['a minus', '9110 §8.6', value(`-${LENGTH}`), '400, closes'],
  ['minus one', '9110 §8.6', value('-1'), '400, closes'],
  ['hexadecimal', '9110 §8.6', value(`0x${LENGTH.toString(16)}`), '400, closes'],
  ['a fraction', '9110 §8.6', value(`${LENGTH}.0`), '400, closes'],
  ['an exponent', '9110 §8.6', value(`${LENGTH}e0`), '400, closes'],
  ['an underscore', '9110 §8.6', value(`${String(LENGTH)[0]}_${String(LENGTH)[1]}`), '400, closes'],
  ['quotes', '9110 §8.6', value(`"${LENGTH}"`), '400, closes'],
  ['a list of one value twice', '9112 §6.3', value(`${LENGTH},${LENGTH}`), '400, closes'],
  ['a list of one value twice, with a space', '9112 §6.3', value(`${LENGTH}, ${LENGTH}`), '400, closes'],
  ['a list of two values', '9112 §6.3', value(`0, ${LENGTH}`), '400, closes'],
  ['a comma behind', '9110 §5.6.1', value(`${LENGTH},`), '400, closes'],
  ['a space inside', '9110 §8.6', value(`${String(LENGTH)[0]} ${String(LENGTH)[1]}`), '400, closes'],
  ['letters behind', '9110 §8.6', value(`${LENGTH}a`), '400, closes'],
  ['a semicolon behind', '9110 §8.6', value(`${LENGTH};x=y`), '400, closes'],
  ['a vertical tab behind', '9110 §5.5', value(`${LENGTH}\x0b`), '400, closes'],
  ['a NUL behind', '9110 §5.5', value(`${LENGTH}\0`), '400, closes'],
  ['a byte above 127 behind', '9110 §8.6', value(`${LENGTH}\xa0`), '400, closes'],
  ['digits of another script', '9110 §8.6', value('\xef\xbc\x95'), '400, closes'],
  ['an empty value', '9110 §8.6', value(''), '400, closes'],
  ['Infinity', '9110 §8.6', value('Infinity'), '400, closes'],
  ['2^64', '9110 §8.6', value('18446744073709551616'), '400, closes'],
  ['2^64 and the true length', '9110 §8.6', value(String(2n ** 64n + BigInt(LENGTH))), '400, closes'],
  ['a length of 40 digits', '9110 §8.6', value('9'.repeat(40)), '400, closes'],
  ['twice the same', '9112 §6.3', length(`Content-Length: ${LENGTH}`, `Content-Length: ${LENGTH}`), '400, closes'],
  ['twice another', '9112 §6.3', length('Content-Length: 0', `Content-Length: ${LENGTH}`), '400, closes'],
  ['twice, in other letters', '9112 §6.3', length(`content-length: ${LENGTH}`, 'CONTENT-LENGTH: 1'), '400, closes'],
  ['over two lines', '9112 §5.2', value(`${LENGTH}\r\n 0`), '400, closes'],
  ['on the next line', '9112 §5.2', value(`\r\n ${LENGTH}`), '400, closes'],
  ['a space in front of the colon', '9112 §5.1', length(`Content-Length : ${LENGTH}`), '400, closes'],
  ['a NUL in the name', '9110 §5.1', length(`Content-Length\0: ${LENGTH}`), '400, closes'],
  ['behind a bare LF', '9112 §2.2', length(`X: x\nContent-Length: ${LENGTH}`), '400, closes'],
  ['behind a bare CR', '9112 §2.2', length(`X: x\rContent-Length: ${LENGTH}`), '400, closes'],
  ['with an underscore in its name', '9110 §5.1', good('a', 'Content_Length: 0'), '200, goes on'],
  ['named as belonging to the connection', '9110 §7.6.1', good('a', 'Connection: Content-Length'), '200, goes on'],
  ['more than is taken', '9110 §15.5.14', head('a', 'Content-Length: 65537') + padded(65_537), '413, goes on'],
  ['as much as is taken', '9110 §8.6', head('a', 'Content-Length: 65536') + padded(65_536), '400, goes on'],
  ['a GET with an empty body', '9110 §9.3.1', headOf(`GET ${A} HTTP/1.1`, 'Content-Length: 0'), '405, goes on'],
  ['a GET with a body', '9110 §9.3.1', `${headOf(`GET ${A} HTTP/1.1`, 'Content-Length: 5')}xxxxx`, '400, closes'],
  ['a HEAD with a body', '9110 §9.3.2', `${headOf(`HEAD ${A} HTTP/1.1`, 'Content-Length: 5')}xxxxx`, '400, closes'],
  ['a length that is too short', '9112 §6.3', length(`Content-Length: ${LENGTH - 3}`), '400 400, closes'],
  ['no length, and a body', '9112 §6.3', length(), '408 400, closes'],
];

/** A request inside of another's body: those that read the length otherwise take it for one of its own. */
export const HIDDEN_BODIES: readonly HostileCase[] = [
  ['a body that is a request', '9112 §6.3', head('a', `Content-Length: ${HIDDEN.length}`) + HIDDEN, '400, goes on'],
  [
    'a body that is a request, to a path where nothing is',
    '9112 §6.3',
    headOf(`POST ${nowhere} HTTP/1.1`, `Content-Length: ${HIDDEN.length}`) + HIDDEN,
    '404, goes on',
  ],
  [
    'a body that is a request, to a page',
    '9112 §6.3',
    headOf(`POST /?requestId=${CASE_ID}a HTTP/1.1`, `Content-Length: ${HIDDEN.length}`) + HIDDEN,
    '404, goes on',
  ],
  [
    'a body that is a request, behind a method that is not taken',
    '9112 §6.3',
    headOf(`PUT ${A} HTTP/1.1`, `Content-Length: ${HIDDEN.length}`) + HIDDEN,
    '405, goes on',
  ],
  [
    'a body that is a request, behind OPTIONS',
    '9112 §6.3',
    headOf(`OPTIONS ${A} HTTP/1.1`, `Content-Length: ${HIDDEN.length}`) + HIDDEN,
    '204, goes on',
  ],
  [
    'a body that is a request, of another datastream',
    '9112 §6.3',
    headOf(`POST ${A.replace('=shop', '=none')} HTTP/1.1`, `Content-Length: ${HIDDEN.length}`) + HIDDEN,
    '400, goes on',
  ],
  [
    'a body that is a request, of a GET',
    '9110 §9.3.1',
    headOf(`GET ${A} HTTP/1.1`, `Content-Length: ${HIDDEN.length}`) + HIDDEN,
    '400, closes',
  ],
  [
    'a body that is a request, of a GET of a page',
    '9110 §9.3.1',
    headOf('GET / HTTP/1.1', `Content-Length: ${HIDDEN.length}`) + HIDDEN,
    '400, closes',
  ],
  [
    'a request behind a body of no length',
    '9112 §6.3',
    headOf(`POST ${nowhere} HTTP/1.1`, 'Content-Length: 0') + good('b'),
    '404 200, goes on',
  ],
  [
    'the beginning of a request, which takes the next for its header',
    '9112 §6.3',
    `${headOf(`POST ${nowhere} HTTP/1.1`, `Content-Length: ${prefix().length}`)}${prefix()}`,
    '404, goes on',
  ],
  ['a body of empty lines', '9112 §2.2', `${headOf(`POST ${nowhere} HTTP/1.1`)}${END}${END}`, '404, goes on'],
];

function prefix(): string {
  return `GET /x?requestId=${CASE_ID}x HTTP/1.1\r\nX: `;
}
