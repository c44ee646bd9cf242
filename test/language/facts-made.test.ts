import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeFacts } from '../../src/language/facts.ts';
import { pageFacts, URL_CHARACTERS_MAX } from '../../src/language/page.ts';
import { QUERY_PARAMETERS_MAX, queryOf } from '../../src/language/query.ts';
import { ZoneTime } from '../../src/language/zone-time.ts';
import type { Consent } from '../../src/model/exchange.ts';
import type { JsonObject } from '../../src/model/json.ts';

const CONSENT: Consent = {
  recordId: null,
  collect: 'in',
  gpc: true,
  default: 'in',
  value: { collect: { val: 'y' }, personalize: { content: { val: 'n' } }, version: '2.0' },
};

test('facts are made when they are read, and once', () => {
  let made = 0;
  const xdm = { web: { webPageDetails: { URL: 'https://shop.example/' } } };
  const inputs = {
    xdm,
    data: null,
    profile: { tier: 'gold' },
    consent: CONSENT,
    client: () => ({ isBot: made++ > 0 }),
    nowMs: Date.UTC(2026, 10, 28, 12),
  };
  const facts = makeFacts(inputs, new ZoneTime('Europe/Zurich'));
  expect(made).toBe(0);
  expect([facts.client['isBot'], facts.client['isBot'], made]).toEqual([false, false, 1]);
  expect(facts.page).toBe(facts.page);
  expect(facts.time).toBe(facts.time);
  expect(facts.consent).toBe(facts.consent);
  expect(facts.data).toEqual({});
  expect(facts.xdm).toBe(xdm);
  expect(facts.consent).toEqual({ collect: 'in', gpc: true, personalize: { content: { val: 'n' } }, version: '2.0' });
  expect(facts.time).toEqual({ now: Date.UTC(2026, 10, 28, 12), date: '2026-11-28', hour: 13, minute: 0, weekday: 6 });
});

describe('page', () => {
  const page = (url: unknown, referrer?: unknown): JsonObject =>
    pageFacts({ web: { webPageDetails: { URL: url }, webReferrer: { URL: referrer } } } as unknown as JsonObject);

  test('parts of a URL', () => {
    const url = 'https://Shop.Example:8443/a%20b/c?utm_source=news%20letter&utm_source=other&__proto__=x&e=#top';
    expect(page(url)).toEqual({
      url,
      scheme: 'https',
      host: 'shop.example',
      path: '/a%20b/c',
      query: { utm_source: 'news letter', ['__proto__']: 'x', e: '' },
      fragment: 'top',
    });
  });

  test('the referrer has the same parts', () => {
    expect(page('https://shop.example/', 'https://search.example/?q=boots')).toMatchObject({
      host: 'shop.example',
      referrer: { host: 'search.example', query: { q: 'boots' } },
    });
  });

  test.each([[undefined], [''], ['no url'], ['//shop.example/'], [5], [null]])('%j is no page', (url) => {
    expect(page(url)).toMatchObject({ url: null, host: null, query: {} });
  });

  test('limits, at their edges', () => {
    const long = (length: number): string =>
      `https://shop.example/${'x'.repeat(length - 'https://shop.example/'.length)}`;
    expect(page(long(URL_CHARACTERS_MAX))['host']).toBe('shop.example');
    expect(page(long(URL_CHARACTERS_MAX + 1))['host']).toBeNull();
    const query = Array.from({ length: QUERY_PARAMETERS_MAX + 1 }, (_, i) => `p${i}=${i}`).join('&');
    expect(Object.keys(page(`https://shop.example/?${query}`)['query'] as JsonObject)).toHaveLength(
      QUERY_PARAMETERS_MAX,
    );
  });
});

test('a query is what URLSearchParams says', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '=',
    '&',
    '%20',
    '%',
    '+',
    '%e4',
    '%C3%A4',
    '%zz',
    '%26',
    '__proto__',
    'ü',
    '😀',
    ';',
    '?',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const text = pieces.join('');
      const expected: Record<string, string> = Object.create(null);
      for (const [name, value] of new URLSearchParams(text)) expected[name] ??= value;
      expect({ ...queryOf(text.replace(/^\?/, '')) }).toEqual({ ...expected });
    }),
    { numRuns: 2_000 },
  );
});

describe('time in a zone', () => {
  /** Zone, moment, date, hour, minute, weekday. */
  test.each([
    ['UTC', '2026-11-28T23:59:59.999Z', '2026-11-28', 23, 59, 6],
    ['UTC', '2026-11-29T00:00:00Z', '2026-11-29', 0, 0, 7],
    ['Europe/Zurich', '2026-11-28T23:30:00Z', '2026-11-29', 0, 30, 7],
    ['America/Los_Angeles', '2026-11-28T07:59:00Z', '2026-11-27', 23, 59, 5],
    ['Asia/Kathmandu', '2026-11-30T00:00:00Z', '2026-11-30', 5, 45, 1],
    // Clocks go back at 01:00 UTC, and forward at 01:00 UTC.
    ['Europe/Zurich', '2026-10-25T00:59:59Z', '2026-10-25', 2, 59, 7],
    ['Europe/Zurich', '2026-10-25T01:00:00Z', '2026-10-25', 2, 0, 7],
    ['Europe/Zurich', '2026-03-29T00:59:59Z', '2026-03-29', 1, 59, 7],
    ['Europe/Zurich', '2026-03-29T01:00:00Z', '2026-03-29', 3, 0, 7],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-31', 0, 0, 6],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', '2026-04-05', 1, 30, 7],
  ])('%s %s', (zone, moment, date, hour, minute, weekday) => {
    const now = Date.parse(moment);
    expect(new ZoneTime(zone).at(now)).toEqual({ now, date, hour, minute, weekday });
  });

  test('what is remembered of a quarter of an hour is what a new clock says', () => {
    const zones = ['Europe/Zurich', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Tehran', 'Africa/Casablanca'];
    for (const zone of zones) {
      const clock = new ZoneTime(zone);
      for (let now = Date.UTC(2026, 2, 20); now < Date.UTC(2026, 3, 10); now += 7 * 60_000 + 13_011) {
        const { date, hour, minute } = clock.at(now);
        if (now % 97 !== 0) continue;
        expect(clock.at(now)).toEqual(new ZoneTime(zone).at(now));
        const local = new Intl.DateTimeFormat('sv-SE', {
          timeZone: zone,
          dateStyle: 'short',
          timeStyle: 'short',
        }).format(now);
        expect(`${date} ${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`).toBe(local);
      }
    }
  });

  test('a name that is no zone is refused', () => {
    expect(() => new ZoneTime('Europe/Zuric')).toThrow(RangeError);
  });
});
