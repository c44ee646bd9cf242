import type { Random } from '../sim/random.ts';
import type { Input } from './input.ts';
import { mutateCookies } from './mutate-cookies.ts';
import { mutateJson } from './mutate-json.ts';

/** One to three changes to a request: mostly its body as JSON, then its bytes, target, headers and cookies. */
export function mutate(sample: Input, random: Random, cookies: readonly string[]): Input {
  let input = sample;
  for (let i = random.pick([1, 1, 2, 3]); i > 0; i--) {
    const kind = random.below(12);
    if (kind < 6) input = { ...input, body: jsonBody(input.body, random) };
    else if (kind === 6) input = { ...input, body: bytes(input.body, random) };
    else if (kind < 9) input = { ...input, target: target(input.target, random) };
    else if (kind === 9) input = { ...input, headers: headers(input.headers, random) };
    else input = mutateCookies(input, random, cookies);
  }
  return random.oneIn(60) ? { ...input, method: random.pick(['OPTIONS', 'PUT', 'GET', 'DELETE', 'PATCH']) } : input;
}

/** A body that an earlier change broke is changed as bytes. */
function jsonBody(body: Buffer, random: Random): Buffer {
  const text = body.toString();
  try {
    return Buffer.from(mutateJson(text, random));
  } catch (error) {
    if (error instanceof SyntaxError) return bytes(body, random);
    throw error;
  }
}

function bytes(body: Buffer, random: Random): Buffer {
  const at = random.below(body.length + 1);
  const [before, after] = [body.subarray(0, at), body.subarray(at)];
  switch (random.below(8)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([before, Buffer.from(random.pick(JUNK)), after]);
    case 2:
      return Buffer.concat([random.pick(MARKS), body]);
    case 3:
      return Buffer.concat([body, body]);
    case 4:
      return Buffer.concat([before, after.subarray(1)]);
    case 5:
      return random.oneIn(20) ? Buffer.alloc(70_000, ' ') : Buffer.from(body.toString(), 'utf16le');
    default: {
      if (at === body.length) return Buffer.alloc(0);
      const changed = Buffer.from(body);
      changed[at]! ^= 1 << random.below(8);
      return changed;
    }
  }
}
const MARKS = [
  Buffer.from([0xef, 0xbb, 0xbf]),
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0x1f, 0x8b, 0x08]),
  Buffer.of(0),
];
const JUNK: readonly (readonly number[])[] = [
  [0],
  [0xff],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf5, 0x80],
  [0x22],
  [0x5c],
  [0x0a],
];

function target(text: string, random: Random): string {
  const [path = '', search = ''] = text.split('?', 2);
  if (random.oneIn(3)) {
    const segments = path.split('/');
    segments[random.below(segments.length)] = random.pick(SEGMENTS);
    return `${segments.join('/') || '/'}${random.oneIn(4) ? '' : `?${search}`}`.replace(/^(?!\/)/, '/');
  }
  const pairs = search.split('&');
  const at = random.below(pairs.length);
  const name = random.pick(PARAMETERS);
  const kind = random.below(6);
  if (kind < 2) pairs.push(`${name}=${random.pick(VALUES)}`);
  else if (kind < 4) pairs[at] = `${(pairs[at] ?? '').split('=')[0]}=${random.pick(VALUES)}`;
  else if (kind === 4) pairs.unshift(pairs[at] ?? '');
  else pairs.splice(at, 1);
  return `${path}?${pairs.join('&')}`;
}
const SEGMENTS = [
  ...['', 'ee', 'ee-pre-prd', 'v1', 'v2', 'v9', 'va', 'or2', 'va6', 't35', 't999', 't99999999999', 'xx9', '__proto__'],
  ...[
    'constructor',
    '..',
    '.',
    '%2e%2e',
    '%2f',
    '%00',
    '%0a',
    '%',
    '%zz',
    'interact',
    'collect',
    'acquire',
    'INTERACT',
  ],
  ...['identity', 'privacy', 'set-consent', ';x', '%f0%9f%98%80', 'a'.repeat(3_000)],
];
const PARAMETERS = [
  'configId',
  'datastreamId',
  'dataStreamId',
  'requestId',
  'silent',
  '__proto__',
  'constructor',
  '',
  'a',
];
const VALUES = [
  ...['', 'shop', 'foreign', 'off', 'nobody', '__proto__', 'constructor', 'toString', '%', '%zz', '%00', '%0d%0aa:b'],
  ...[
    '%ED%A0%80',
    '%f0%9f%98%80',
    '%F0%9F%98%80'.repeat(100),

    '+',
    'a%20b',
    '<DATASTREAM_ID>',
    '$',
    '{a}',
    'true',
  ],
  ...['false', 'TRUE', '%c2%85%e2%80%a8', 'a'.repeat(128), 'a'.repeat(129), 'a'.repeat(5_000), '=', '%26', '\'"><'],
];

function headers(all: Input['headers'], random: Random): Input['headers'] {
  const at = random.below(all.length);
  if (random.oneIn(4)) return all.filter((_, i) => i !== at);
  const name = random.pick(HEADER_NAMES);
  const value = random.pick(HEADER_VALUES);
  if (random.oneIn(3)) return all.map((one, i) => (i === at ? [one[0], value] : one));
  return [...all.filter(([other]) => random.oneIn(10) || other.toLowerCase() !== name), [name, value]];
}
const HEADER_NAMES = [
  ...['content-type', 'origin', 'referer', 'user-agent', 'x-request-id', 'x-forwarded-for', 'x-forwarded-host'],
  ...['x-forwarded-proto', 'authorization', 'x-api-key', 'x-gw-ims-org-id', 'host', 'sec-ch-ua', '__proto__', 'expect'],
  ...['content-encoding', 'traceparent', 'forwarded', 'accept', 'constructor', 'toString'],
];
const HEADER_VALUES = [
  ...[
    '',
    'text/plain',
    'application/json;charset=x',
    'text/html',
    'a/b/c',
    'APPLICATION/JSON',
    'null',
    'https://x.test',
  ],
  ...['https://\xe9.test', '\x80\xff\x85', 'a\tb', 'Bearer a.b.c', '192.0.2.7, 10.0.0.1', '::1', '[::ffff:1.2.3.4]:99'],
  ...[
    '999.1.1.1',
    '"',
    '\\',
    'gzip',
    '100-continue',
    'edge.weir.test',
    'shop.test',
    'a, b',
    '%0d%0a',
    'x'.repeat(4_000),
  ],
];
