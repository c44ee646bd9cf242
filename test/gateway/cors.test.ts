import { describe, expect, test } from 'vitest';
import { addCors, isAllowed, preflightHeaders } from '../../src/gateway/cors.ts';
import { datastreamOf } from '../support/exchanges.ts';

const any = datastreamOf();
const listed = datastreamOf({ origins: new Set(['https://www.shop.test', 'http://localhost:3000']) });

function corsOf(origin: string | null, datastream: typeof any | null): Record<string, string> {
  const headers: string[] = [];
  addCors(headers, origin, datastream);
  return Object.fromEntries(headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]!]] : [])));
}
const granted = (origin: string) => ({
  vary: 'Origin',
  'access-control-allow-origin': origin,
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': 'Retry-After, X-Adobe-Edge, X-Request-Id',
});

describe('an origin that may read', () => {
  test.each([
    'https://www.shop.test',
    'http://localhost:3000',
    'https://a.b:8443',
    'capacitor://localhost',
    'https://[::1]:8080',
  ])('%s is echoed exactly', (origin) => {
    expect(corsOf(origin, any)).toEqual(granted(origin));
    expect(corsOf(origin, null)).toEqual(granted(origin));
  });

  test.each([
    null,
    'null',
    '*',
    '',
    'https://',
    'https://a b',
    'https://a,https://b',
    'https://a/path',
    'https://a\r\nx: y',
    'https://u@h',
    `https://${'x'.repeat(256)}`,
  ])('%j is never echoed', (origin) => {
    expect(corsOf(origin, any)).toEqual({ vary: 'Origin' });
  });
});

describe('a list of origins', () => {
  test.each(['https://www.shop.test', 'http://localhost:3000'])('has %s', (origin) => {
    expect(isAllowed(origin, listed)).toBe(true);
    expect(corsOf(origin, listed)).toEqual(granted(origin));
  });

  test.each([
    'https://shop.test',
    'http://www.shop.test',
    'https://www.shop.test:8443',
    'https://www.shop.test.evil.test',
    'https://evilwww.shop.test',
    'https://www.shop.test.',
    'https://WWW.shop.test',
    'http://localhost',
    'null',
  ])('has not %s: no part of a name counts', (origin) => {
    expect(isAllowed(origin, listed)).toBe(false);
    expect(corsOf(origin, listed)).toEqual({ vary: 'Origin' });
  });

  test('says nothing of requests without an origin: they come from no page', () => {
    expect(isAllowed(null, listed)).toBe(true);
  });
});

describe('a preflight', () => {
  test('is granted for an allowed origin', () => {
    const headers = preflightHeaders('https://www.shop.test', listed);
    expect(headers).toContain('access-control-allow-methods');
    expect(headers[headers.indexOf('access-control-allow-headers') + 1]).toMatch(
      /Content-Type.*Authorization.*X-Request-Id/,
    );
    expect(headers[headers.indexOf('access-control-max-age') + 1]).toBe('600');
  });

  test.each([
    ['that Weir reads', ['X-User-Token', 'Traceparent', 'X-Request-Id']],
    ['that documented calls carry', ['X-Sandbox-Name', 'X-Adobe-AEP-Validation-Token']],
  ])('names headers %s', (_which, names) => {
    const headers = preflightHeaders('https://www.shop.test', listed);
    const allowed = headers[headers.indexOf('access-control-allow-headers') + 1]!.split(', ');
    expect(allowed).toEqual(expect.arrayContaining(names));
  });

  test.each([null, 'null', 'https://evil.test'])('is not for %j', (origin) => {
    const headers = preflightHeaders(origin, listed);
    expect(headers.filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(headers).toContain('vary');
  });
});
