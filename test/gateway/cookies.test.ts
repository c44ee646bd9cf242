import { describe, expect, test } from 'vitest';
import {
  COOKIES_MAX,
  parseCookies,
  STATE_ENTRIES_MAX,
  STATE_ENTRY_CHARACTERS_MAX,
  setCookies,
  withEntries,
} from '../../src/gateway/cookies.ts';
import type { Json } from '../../src/model/json.ts';
import { clientOf, exchangeOf, PREFIX } from '../support/exchanges.ts';
import { problemOf } from '../support/problems.ts';

describe('a Cookie header', () => {
  test.each<[string | undefined, Record<string, string>]>([
    [undefined, {}],
    ['', {}],
    ['a=1', { a: '1' }],
    ['a=1; b=2;c=3', { a: '1', b: '2', c: '3' }],
    ['a=first; a=second', { a: 'first' }],
    ['a="1"; b="', { a: '1', b: '"' }],
    ['a=b=c==', { a: 'b=c==' }],
    ['broken; a=1;; =x', { a: '1', '': 'x' }],
    ['  a  =  1  ', { a: '1' }],
    ['__proto__=x; constructor=y', { ['__proto__']: 'x', constructor: 'y' }],
    ['AMCV_5BFE%40AdobeOrg=MCMID|4186; a=1', { 'AMCV_5BFE%40AdobeOrg': 'MCMID|4186', a: '1' }],
  ])('%j', (header, wanted) => {
    const cookies = parseCookies(header);
    expect([...cookies]).toEqual(Object.entries(wanted));
  });

  test(`holds ${COOKIES_MAX} at most`, () => {
    const header = (count: number) => Array.from({ length: count }, (_, i) => `c${i}=${i}`).join(';');
    expect(parseCookies(header(COOKIES_MAX)).size).toBe(COOKIES_MAX);
    expect(parseCookies(header(COOKIES_MAX + 1)).has(`c${COOKIES_MAX}`)).toBe(false);
  });
});

describe('meta.state.entries', () => {
  const entry = (key: string, value: string) => ({ key, value, maxAge: 1 });

  test('count for names that the header lacks', () => {
    const cookies = withEntries(
      parseCookies(`${PREFIX}cluster=va6`),
      [entry(`${PREFIX}cluster`, 'or2'), entry(`${PREFIX}identity`, 'i')],
      PREFIX,
    );
    expect([...cookies]).toEqual([
      [`${PREFIX}cluster`, 'va6'],
      [`${PREFIX}identity`, 'i'],
    ]);
  });

  test('of another org, or of anything else, are not taken', () => {
    const entries = [entry('kndctr_OTHER_AdobeOrg_identity', 'x'), entry('mbox', 'x'), entry('at_qa_mode', 'x')];
    // That of previews is nobody's own: what it says is signed.
    expect([...withEntries(new Map(), entries, PREFIX).keys()]).toEqual(['at_qa_mode']);
  });

  test.each([undefined, null, []])('%j is none', (entries) => {
    expect(withEntries(new Map(), entries, PREFIX).size).toBe(0);
  });

  test.each<[Json, string]>([
    ['x', "'meta.state.entries'"],
    [{}, "'meta.state.entries'"],
    [['x'], "'meta.state.entries[0]'"],
    [[{ key: 'a', value: '1' }, { key: 'a' }], "'meta.state.entries[1]'"],
    [[{ key: 1, value: '1' }], "'meta.state.entries[0]'"],
    [[{ key: 'a', value: null }], "'meta.state.entries[0]'"],
  ])('%j is 0102', (entries, path) => {
    const { spec, detail } = problemOf(() => withEntries(new Map(), entries, PREFIX));
    expect(spec.code).toBe('EXEG-0102-400');
    expect(detail).toContain(path);
  });

  test('limits, at their edges', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => entry(`${PREFIX}${i}`, 'x'));
    expect(withEntries(new Map(), many(STATE_ENTRIES_MAX), PREFIX).size).toBe(STATE_ENTRIES_MAX);
    expect(problemOf(() => withEntries(new Map(), many(STATE_ENTRIES_MAX + 1), PREFIX)).spec.code).toBe(
      'EXEG-0102-400',
    );
    const long = (characters: number) => [entry(`${PREFIX}a`, 'x'.repeat(characters))];
    expect(withEntries(new Map(), long(STATE_ENTRY_CHARACTERS_MAX), PREFIX).size).toBe(1);
    expect(problemOf(() => withEntries(new Map(), long(STATE_ENTRY_CHARACTERS_MAX + 1), PREFIX)).spec.code).toBe(
      'EXEG-0102-400',
    );
  });
});

describe('Set-Cookie', () => {
  const cookies = [
    { key: 'a', value: '1', maxAgeSeconds: 60 },
    { key: 'b', value: '2', maxAgeSeconds: null },
  ];
  const headersOf = (fields: Parameters<typeof clientOf>[0]) => {
    const headers: string[] = [];
    setCookies(exchangeOf({ cookies: [...cookies], client: clientOf(fields) }), headers);
    return headers;
  };

  test('https: SameSite=None and Secure', () => {
    expect(headersOf({ thirdParty: false, cookieDomain: 'shop.test', https: true })).toEqual([
      'set-cookie',
      'a=1; Max-Age=60; Path=/; Domain=shop.test; SameSite=None; Secure',
      'set-cookie',
      'b=2; Path=/; Domain=shop.test; SameSite=None; Secure',
    ]);
  });

  test('http: SameSite=Lax', () => {
    expect(headersOf({ thirdParty: false, cookieDomain: 'shop.test' })[1]).toBe(
      'a=1; Max-Age=60; Path=/; Domain=shop.test; SameSite=Lax',
    );
  });

  test('third-party: none', () => {
    expect(headersOf({ thirdParty: true })).toEqual([]);
  });
});
