import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../src/model/exchange.ts';
import { mintEcid } from '../../src/model/identity.ts';
import { encodeIdentityCookie } from '../../src/model/identity-cookie.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { DuplicateWindow } from '../../src/stages/duplicates.ts';
import { Identify } from '../../src/stages/identify.ts';
import { MemoryState } from '../../src/state/memory.ts';
import {
  clientOf,
  datastreamOf,
  type ExchangeFields,
  eventOf,
  exchangeOf,
  FPIDS,
  identityOf,
  identityTools,
  NOW_MS,
  ORG,
  PREFIX,
} from '../support/exchanges.ts';
import { problemOf } from '../support/problems.ts';

const identified = (fields: ExchangeFields): Exchange => {
  const x = exchangeOf({ datastream: datastreamOf({ identity: identityOf({ fpidCookie: 'FPID' }) }), ...fields });
  new Identify(new MemoryState(), new DuplicateWindow(), identityTools()).run(x);
  return x;
};

const numbered = (digit: number): string => String(digit).padStart(38, '1');
const fpid = (digit: number): string => `0f1d0000-0000-4000-8000-00000000000${digit}`;
const derived = (digit: number): string => FPIDS.ecidOf(ORG, fpid(digit));
const cookieOf = (ecid: string): string =>
  encodeIdentityCookie({ ecid, createdAtMs: NOW_MS, isNew: true, source: 'random', writtenAtMs: NOW_MS }, 'or2', null);

/** What a request may say of its visitor, in the order in which it counts. Documented. */
interface Said {
  requestMap?: JsonObject;
  eventMap?: JsonObject;
  cookies?: Record<string, string>;
}
const SOURCES: readonly (readonly [string, Said, string, Exchange['ecidSource']])[] = [
  ['the request’s map', { requestMap: { ECID: [{ id: numbered(1) }] } }, numbered(1), 'received'],
  ['an event’s map', { eventMap: { ECID: [{ id: numbered(2) }] } }, numbered(2), 'received'],
  ['the identity cookie', { cookies: { [`${PREFIX}identity`]: cookieOf(numbered(3)) } }, numbered(3), 'random'],
  ['AMCV', { cookies: { [`AMCV_${encodeURIComponent(ORG)}`]: `MCMID%7C${numbered(4)}` } }, numbered(4), 'received'],
  ['s_ecid', { cookies: { s_ecid: `MCMID%7C${numbered(5)}` } }, numbered(5), 'received'],
  ['the request’s FPID', { requestMap: { FPID: [{ id: fpid(6) }] } }, derived(6), 'fpid'],
  ['an event’s FPID', { eventMap: { FPID: [{ id: fpid(7) }] } }, derived(7), 'fpid'],
  ['the FPID cookie', { cookies: { FPID: fpid(8) } }, derived(8), 'fpid'],
];

function fieldsOf(chosen: readonly (readonly [string, Said, string, string])[]): ExchangeFields {
  const requestMap = Object.assign({}, ...chosen.map(([, { requestMap: map }]) => map));
  const eventMap = Object.assign({}, ...chosen.map(([, { eventMap: map }]) => map));
  const cookies = new Map(chosen.flatMap(([, said]) => Object.entries(said.cookies ?? {})));
  return {
    received: { identityMap: requestMap },
    events: [eventOf({ identityMap: eventMap })],
    client: clientOf({ cookies }),
  };
}

describe('of everything that a request says, the first counts', () => {
  const subsets = Array.from({ length: 2 ** SOURCES.length - 1 }, (_, index) => index + 1);

  test('in each of the 255 combinations', () => {
    for (const bits of subsets) {
      const chosen = SOURCES.filter((_, index) => (bits & (1 << index)) !== 0);
      const x = identified(fieldsOf(chosen));
      const [name, , ecid, source] = chosen[0]!;
      expect({ name, ecid: x.ecid, source: x.ecidSource }).toEqual({ name, ecid, source });
      expect(x.events[0]!.xdm['identityMap']).not.toHaveProperty('FPID');
      expect(x.events[0]!.identities.map(({ namespace }) => namespace)).not.toContain('FPID');
    }
  });

  test('nothing: a new one', () => {
    const x = identified({ events: [eventOf({})] });
    expect(x).toMatchObject({ ecid: mintEcid(x.seed), ecidSource: 'random' });
  });
});

describe('cookies of the older Visitor API', () => {
  const of = (cookies: Record<string, string>): string | null =>
    identified({ mintsEcid: false, client: clientOf({ cookies: new Map(Object.entries(cookies)) }) }).ecid;
  const name = `AMCV_${encodeURIComponent(ORG)}`;

  test.each<[string, Record<string, string>, string | null]>([
    ['the Web SDK’s form', { [name]: `MCMID|${numbered(1)}` }, numbered(1)],
    [
      'the Visitor API’s form',
      { [name]: `1176715910%7CMCIDTS%7C19000%7CMCMID%7C${numbered(1)}%7CMCAID%7CNONE` },
      numbered(1),
    ],
    ['small letters in the escape', { [name]: `MCMID%7c${numbered(1)}` }, numbered(1)],
    ['the org as it is', { [`AMCV_${ORG}`]: `MCMID|${numbered(1)}` }, numbered(1)],
    ['another org’s', { 'AMCV_OTHER%40AdobeOrg': `MCMID|${numbered(1)}` }, null],
    ['no ECID in it', { [name]: 'MCMID|123' }, null],
    ['nothing behind the name', { [name]: 'MCIDTS|19000|MCMID' }, null],
    ['empty', { [name]: '', s_ecid: '' }, null],
    ['a broken escape', { [name]: '%E0%A4%A' }, null],
  ])('%s', (_what, cookies, ecid) => {
    expect(of(cookies)).toBe(ecid);
  });
});

describe('an FPID', () => {
  test('of the cookie counts only under the name that the datastream gives', () => {
    const client = clientOf({ cookies: new Map([['FPID', fpid(1)]]) });
    const named = (fpidCookie: string | null) => datastreamOf({ identity: identityOf({ fpidCookie }) });
    expect(identified({ client, datastream: named('FPID') }).ecid).toBe(derived(1));
    for (const other of [null, 'device']) {
      expect(identified({ client, datastream: named(other) }).ecidSource).toBe('random');
    }
  });

  test('that is none: the cookie is passed over with a warning that names it', () => {
    const x = identified({ client: clientOf({ cookies: new Map([['FPID', 'abc']]) }) });
    expect(x).toMatchObject({ ecidSource: 'random', warnings: [{ spec: { code: 'EXEG-0204-200' } }] });
    expect(x.warnings[0]!.detail).toContain("'FPID'");
  });

  test('makes no new ECID where one is known, and is dropped all the same', () => {
    const x = identified(fieldsOf([SOURCES[0]!, SOURCES[6]!, SOURCES[7]!]));
    expect(x).toMatchObject({ ecid: numbered(1), warnings: [] });
  });

  test.each<[string, ExchangeFields, string, JsonObject]>([
    ['request', { received: { identityMap: { FPID: [{ id: 'x' }] } } }, "'xdm.identityMap.FPID[0].id'", {}],
    [
      'set-consent',
      { path: '/v1/privacy/set-consent', received: { identityMap: { FPID: [{ id: '' }] } } },
      "'identityMap.FPID[0].id'",
      {},
    ],
    [
      'event',
      { events: [eventOf({}), eventOf({ identityMap: { FPID: [{ id: fpid(1) }, { id: 'x' }] } }, { index: 1 })] },
      "'events[1].xdm.identityMap.FPID[1].id' (event #1)",
      { eventIndex: 1 },
    ],
  ])('that is none is 0308, with its place: %s', (_what, fields, place, report) => {
    const { spec, detail, report: said } = problemOf(() => identified(fields));
    expect(spec.code).toBe('EXEG-0308-400');
    expect(detail).toContain(place);
    expect(said).toEqual(report);
  });

  test('of each event of a batch is its own; a shared map is not changed under the others', () => {
    const shared: JsonObject = { FPID: [{ id: fpid(3) }], CRM: [{ id: 'u' }] };
    const maps: JsonObject[] = [{ FPID: [{ id: fpid(1) }] }, { ECID: [{ id: numbered(2) }] }, shared, shared];
    const events = maps.map((identityMap, index) => eventOf({ identityMap, index }, { index }));
    const x = identified({ path: '/v2/collect', mintsEcid: false, events });
    expect(x.ecid).toBeNull();
    expect(x.events.map(({ ecid }) => ecid)).toEqual([derived(1), numbered(2), derived(3), derived(3)]);
    expect(x.events[0]!.xdm['identityMap']).toEqual({
      ECID: [{ id: derived(1), authenticatedState: 'ambiguous', primary: true }],
    });
    expect(Object.keys(shared)).toEqual(['FPID', 'CRM']);
  });

  test('may be the primary identity on the server listener: its ECID is, then', () => {
    const x = identified({
      role: 'server',
      events: [eventOf({ identityMap: { FPID: [{ id: fpid(1), primary: true }] } })],
    });
    expect(x.events[0]!.identities).toEqual([
      { namespace: 'ECID', id: derived(1), authenticatedState: 'ambiguous', primary: true },
    ]);
  });

  test('an empty list of them says nothing', () => {
    expect(identified({ received: { identityMap: { FPID: [] } } }).ecidSource).toBe('random');
  });
});
