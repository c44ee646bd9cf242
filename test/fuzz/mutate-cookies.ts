import { cookiePrefixOf } from '../../src/model/datastream.ts';
import type { Random } from '../sim/random.ts';
import { type Input, ORG, OTHER_ORG } from './input.ts';

const PREFIX = cookiePrefixOf(ORG);
const NAMES = [
  ...['identity', 'identity', 'identity', 'consent', 'cluster', ''].map((name) => PREFIX + name),
  `${cookiePrefixOf(OTHER_ORG)}identity`,
  `AMCV_${ORG.replace('@', '%40')}`,
  'demdex',
  '__proto__',
  'constructor',
];

/** Puts a changed cookie into the Cookie header, or among the entries by which the Web SDK hands cookies on. */
export function mutateCookies(input: Input, random: Random, good: readonly string[]): Input {
  const pairs: [string, string][] = [];
  for (let i = random.pick([1, 1, 1, 2, 30]); i > 0; i--) pairs.push([random.pick(NAMES), changed(random, good)]);
  if (random.oneIn(2)) {
    const cookie = pairs.map(([name, value]) => `${name}=${value}`).join(random.pick(['; ', ';', ';;', '; ; ', ',']));
    return {
      ...input,
      headers: [...input.headers.filter(([name]) => name.toLowerCase() !== 'cookie'), ['Cookie', cookie]],
    };
  }
  const state = {
    domain: random.pick(['shop.test', '', 'test', 'weir.test']),
    cookiesEnabled: random.oneIn(2),
    entries: pairs.map(([key, value]) => ({ key, value })),
  };
  // Written at the end, where it is the last of equal keys: a body that is not an object stays what it is.
  const body = input.body.toString().replace(/\}\s*$/, `,"meta":{"state":${JSON.stringify(state)}}}`);
  return { ...input, body: Buffer.from(body) };
}

function changed(random: Random, good: readonly string[]): string {
  const value = random.pick(good);
  const bytes = Buffer.from(value, 'base64url');
  const at = random.below(bytes.length + 1);
  switch (random.below(8)) {
    case 0:
      return value;
    case 1:
      return bytes.subarray(0, at).toString('base64url');
    case 2:
      return Buffer.concat([bytes, bytes]).toString('base64url');
    case 3:
      return Buffer.from(
        random.pick([[0x0b], [0x08, 0xff], [0x0a, 0xff], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], []]),
      ).toString('base64');
    case 4:
      return random.pick([
        '',
        '"',
        '""',
        '%',
        'general=in',
        'general=out',
        'general=',
        'or2',
        'xx9',
        'MCMID|1',
        'a'.repeat(2_000),
        '\xe9',
        '=',
      ]);
    case 5:
      return `${value.slice(0, at)}${random.pick(['=', '%3D', '.', '+', '/', ' '])}${value.slice(at)}`;
    default: {
      if (at === bytes.length) return value.toUpperCase();
      bytes[at]! ^= 1 << random.below(8);
      return bytes.toString('base64url');
    }
  }
}
