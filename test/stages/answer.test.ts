import { describe, expect, test } from 'vitest';
import { HANDLES } from '../../src/components.ts';
import type { Exchange } from '../../src/model/exchange.ts';
import { decodeIdentityCookie, encodeIdentityCookie } from '../../src/model/identity-cookie.ts';
import type { HandleSource } from '../../src/model/parts.ts';
import {
  Answer,
  CLOCK_SLACK_MS,
  IDENTITY_COOKIE_REWRITE_MS,
  IDENTITY_COOKIE_SECONDS,
} from '../../src/stages/answer.ts';
import { IdentityCounts } from '../../src/telemetry/identity-counts.ts';
import {
  clientOf,
  datastreamOf,
  ECID_A,
  type ExchangeFields,
  exchangeOf,
  NOW_MS,
  ORG,
  PREFIX,
  SEAL,
} from '../support/exchanges.ts';

function answered(fields: ExchangeFields, sources: readonly HandleSource[] = HANDLES): Exchange {
  const x = exchangeOf(fields);
  expect(new Answer(sources, SEAL, new IdentityCounts()).run(x)).toBeUndefined();
  return x;
}
const keys = (x: Exchange) => x.cookies.map((cookie) => cookie.key.slice(PREFIX.length));
const brought = (writtenAtMs: number) =>
  ({ ecid: ECID_A, createdAtMs: 1_000, isNew: true, source: 'random', writtenAtMs }) as const;

describe('the one rule of cookies', () => {
  test('no ECID: the cluster alone', () => {
    const x = answered({ ecid: null });
    expect(x.cookies).toEqual([{ key: `${PREFIX}cluster`, value: 'or2', maxAgeSeconds: 1800 }]);
  });

  test('an ECID without its cookie: cluster, then a new identity', () => {
    const x = answered({ ecid: ECID_A });
    expect(keys(x)).toEqual(['cluster', 'identity']);
    const identity = x.cookies[1]!;
    expect(identity.maxAgeSeconds).toBe(34_128_000);
    expect(IDENTITY_COOKIE_SECONDS).toBe(34_128_000);
    expect(decodeIdentityCookie(identity.value)).toEqual({
      ecid: ECID_A,
      createdAtMs: NOW_MS,
      isNew: true,
      source: 'random',
      writtenAtMs: NOW_MS,
    });
  });

  test.each([
    ['just now', 0, false],
    ['a millisecond short of a day ago', IDENTITY_COOKIE_REWRITE_MS - 1, false],
    ['a day ago', IDENTITY_COOKIE_REWRITE_MS, true],
    ['long ago', 400 * IDENTITY_COOKIE_REWRITE_MS, true],
    ['in five minutes, by a clock that is ahead', -CLOCK_SLACK_MS, false],
    ['a millisecond later', -CLOCK_SLACK_MS - 1, true],
    ['in a thousand years', -1_000 * 365 * IDENTITY_COOKIE_REWRITE_MS, true],
  ])('a cookie written %s', (_what, ageMs, isWritten) => {
    const identityCookie = brought(NOW_MS - ageMs);
    const signed = encodeIdentityCookie(identityCookie, 'or2', (message) => SEAL.sign(ORG, message));
    const client = clientOf({ cookies: new Map([[`${PREFIX}identity`, signed]]) });
    const x = answered({ ecid: ECID_A, identityCookie, client });
    expect(keys(x)).toEqual(isWritten ? ['cluster', 'identity'] : ['cluster']);
    if (!isWritten) return;
    expect(decodeIdentityCookie(x.cookies[1]!.value)).toEqual({
      ecid: ECID_A,
      createdAtMs: 1_000,
      isNew: true,
      source: 'random',
      writtenAtMs: NOW_MS,
    });
  });

  test('an ECID that the request names was not made here: the cookie says so', () => {
    const [, identity] = answered({ ecid: ECID_A, ecidSource: 'received' }).cookies;
    expect(decodeIdentityCookie(identity!.value)).toMatchObject({ isNew: false, source: 'received' });
  });

  test('a cookie that claims to be made in the future is made now', () => {
    const identityCookie = { ...brought(0), createdAtMs: NOW_MS + 1 };
    const [, identity] = answered({ ecid: ECID_A, identityCookie }).cookies;
    expect(decodeIdentityCookie(identity!.value)).toMatchObject({ createdAtMs: NOW_MS });
  });

  test('the edges are a day and five minutes', () => {
    expect([IDENTITY_COOKIE_REWRITE_MS, CLOCK_SLACK_MS]).toEqual([86_400_000, 300_000]);
  });

  test('what stages set comes after: cluster, identity, consent', () => {
    const consent = { key: `${PREFIX}consent`, value: 'general=in', maxAgeSeconds: 15_552_000 };
    expect(keys(answered({ ecid: ECID_A, cookies: [consent] }))).toEqual(['cluster', 'identity', 'consent']);
  });

  test('a cookie that the store could never hold apart: state:store and cookies are the same list', () => {
    const x = answered({ ecid: ECID_A });
    const store = x.handles.find((handle) => handle.type === 'state:store')!;
    expect(store.payload).toEqual(
      x.cookies.map(({ key, value, maxAgeSeconds }) => ({ key, value, maxAge: maxAgeSeconds })),
    );
  });
});

describe('handles', () => {
  test('a first visit: identity, hint, store, in this order', () => {
    const x = answered({ ecid: ECID_A, received: { query: { identity: { fetch: ['ECID'] } } } });
    expect(x.handles.map((handle) => handle.type)).toEqual(['identity:result', 'locationHint:result', 'state:store']);
  });

  test('first-party: no store', () => {
    const x = answered({ ecid: ECID_A, client: clientOf({ thirdParty: false, cookieDomain: 'weir.test' }) });
    expect(x.handles.map((handle) => handle.type)).toEqual(['locationHint:result']);
  });

  test('a source that is not wanted, or whose service is off, makes nothing', () => {
    const source = (type: string, fields: Partial<HandleSource>): HandleSource => ({
      type,
      service: null,
      wanted: () => true,
      produce: () => [{ type, payload: [] }],
      ...fields,
    });
    const sources = [
      source('a', {}),
      source('unwanted', { wanted: () => false }),
      source('off', { service: 'decisions' }),
      source('on', { service: 'profiles' }),
    ];
    const x = answered({ datastream: datastreamOf({ services: new Set(['profiles']) }) }, sources);
    expect(x.handles.map((handle) => handle.type)).toEqual(['a', 'on']);
  });

  test('a service that is enabled but not in this version is warned of, by name', () => {
    const x = answered({ datastream: datastreamOf({ missingServices: ['decisions', 'media'] }) });
    expect(x.warnings.map((one) => one.spec.code)).toEqual(['EXEG-0204-200', 'EXEG-0204-200']);
    expect(x.warnings[0]!.detail).toContain("'decisions'");
    expect(x.warnings[1]!.detail).toContain("'media'");
  });
});
