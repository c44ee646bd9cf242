import { beforeEach, describe, expect, test } from 'vitest';
import { cookiePrefixOf } from '../../src/model/datastream.ts';
import type { Exchange } from '../../src/model/exchange.ts';
import { isEcid, mintEcid } from '../../src/model/identity.ts';
import { encodeIdentityCookie } from '../../src/model/identity-cookie.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { StateStore } from '../../src/model/parts.ts';
import { type PersonState, personKey } from '../../src/model/person.ts';
import { DuplicateWindow } from '../../src/stages/duplicates.ts';
import { Identify } from '../../src/stages/identify.ts';
import { MemoryState } from '../../src/state/memory.ts';
import {
  clientOf,
  datastreamOf,
  ECID_A,
  ECID_B,
  type ExchangeFields,
  eventOf,
  exchangeOf,
  identityTools,
  NOW_MS,
  ORG,
  PREFIX,
} from '../support/exchanges.ts';
import { problemIn, problemOf } from '../support/problems.ts';

let state: MemoryState;
let duplicates: DuplicateWindow;
beforeEach(() => {
  state = new MemoryState();
  duplicates = new DuplicateWindow();
});

function identified(fields: ExchangeFields): Exchange {
  const x = exchangeOf(fields);
  expect(new Identify(state, duplicates, identityTools()).run(x)).toBeUndefined();
  return x;
}

const ecid = (id: string, rest: JsonObject = {}): JsonObject => ({ ECID: [{ id, ...rest }] });
const cookieOf = (id: string) =>
  encodeIdentityCookie(
    { ecid: id, createdAtMs: NOW_MS - 5_000, isNew: true, source: 'random', writtenAtMs: NOW_MS - 5_000 },
    'or2',
    null,
  );
const withCookie = (id: string, prefix = PREFIX) =>
  clientOf({ cookies: new Map([[`${prefix}identity`, cookieOf(id)]]) });
const ECID_C = '00000000000000000050000000000000000006';

describe('which ECID the request has', () => {
  test.each<[string, ExchangeFields, string]>([
    ['the request’s identity map', { received: { identityMap: ecid(ECID_A) }, events: [eventOf({})] }, ECID_A],
    ['an event’s identity map', { events: [eventOf({ identityMap: ecid(ECID_A) })] }, ECID_A],
    ['the cookie', { client: withCookie(ECID_A), events: [eventOf({})] }, ECID_A],
    [
      'the request’s map before the event’s',
      { received: { identityMap: ecid(ECID_A) }, events: [eventOf({ identityMap: ecid(ECID_B) })] },
      ECID_A,
    ],
    [
      'the event’s before the cookie',
      { client: withCookie(ECID_B), events: [eventOf({ identityMap: ecid(ECID_A) })] },
      ECID_A,
    ],
    [
      'the first event’s where there are several',
      { events: [eventOf({ identityMap: ecid(ECID_A) }), eventOf({ identityMap: ecid(ECID_B) }, { index: 1 })] },
      ECID_A,
    ],
    [
      'the first of several in a map',
      { events: [eventOf({ identityMap: { ECID: [{ id: ECID_A }, { id: ECID_B }] } })] },
      ECID_A,
    ],
    ['a map without an ECID: the cookie', { client: withCookie(ECID_A), received: { identityMap: {} } }, ECID_A],
    [
      'an empty list of ECIDs: the cookie',
      { client: withCookie(ECID_A), received: { identityMap: { ECID: [] } } },
      ECID_A,
    ],
  ])('%s', (_what, fields, wanted) => {
    expect(identified(fields).ecid).toBe(wanted);
  });

  test.each([
    ['the request’s map', { received: { identityMap: ecid(ECID_A) } }, 'received'],
    ['an event’s map', { events: [eventOf({ identityMap: ecid(ECID_A) })] }, 'received'],
    ['the cookie', { client: withCookie(ECID_A) }, 'random'],
    ['nothing', {}, 'random'],
  ])('named by %s, it is %s', (_what, fields, source) => {
    expect(identified(fields).ecidSource).toBe(source);
  });

  test('a new one where none is named, made of the seed', () => {
    const x = identified({ events: [eventOf({})] });
    expect(isEcid(x.ecid)).toBe(true);
    expect(x.ecid).toBe(mintEcid(x.seed));
  });

  test.each(['', 'garbage', 'CiY0', cookieOf(ECID_A).slice(0, 20)])('a cookie %j names nobody', (value) => {
    const x = identified({ client: clientOf({ cookies: new Map([[`${PREFIX}identity`, value]]) }) });
    expect(x.ecid).toBe(mintEcid(x.seed));
    expect(x.identityCookie).toBeNull();
  });

  test('the datastream’s org names the cookie: another org’s is not looked at', () => {
    const x = identified({ client: withCookie(ECID_A, cookiePrefixOf('OTHER@AdobeOrg')) });
    expect(x.ecid).toBe(mintEcid(x.seed));
  });

  test.each([
    ['request', { received: { identityMap: ecid('123') } }, "'xdm.identityMap'"],
    [
      'request of set-consent',
      { path: '/v1/privacy/set-consent', received: { identityMap: ecid('123') } },
      "'identityMap'",
    ],
    [
      'second event',
      { events: [eventOf({}), eventOf({ identityMap: ecid('123') }, { index: 1 })] },
      "'events[1].xdm.identityMap'",
    ],
    [
      'event of v2/interact',
      { path: '/v2/interact', events: [eventOf({ identityMap: ecid('123') })] },
      "'event.xdm.identityMap'",
    ],
    ['empty', { events: [eventOf({ identityMap: ecid('') })] }, "'events[0].xdm.identityMap'"],
  ] satisfies [string, ExchangeFields, string][])(
    'an ECID that is none is 0305, with its value and place: %s',
    (_what, fields, path) => {
      const { spec, detail } = problemOf(() =>
        new Identify(state, duplicates, identityTools()).run(exchangeOf(fields)),
      );
      expect(spec.code).toBe('EXEG-0305-400');
      expect(detail).toContain(path);
      expect(detail).toContain('38 digits');
    },
  );
});

describe('who gets a new one', () => {
  const primary = (): JsonObject => ({ identityMap: { CRM: [{ id: 'u1', primary: true }] } });

  test.each<[string, ExchangeFields, boolean]>([
    ['edge', {}, true],
    ['edge, another primary identity named', { events: [eventOf(primary())] }, true],
    ['collect', { mintsEcid: false, path: '/v1/collect', events: [eventOf({})] }, false],
    ['server, another primary identity named', { role: 'server', events: [eventOf(primary())] }, false],
    [
      'server, set-consent (no events)',
      { role: 'server', received: { identityMap: { CRM: [{ id: 'u1', primary: true }] } } },
      true,
    ],
  ])('%s', (_what, fields, isMinted) => {
    expect(identified(fields).ecid !== null).toBe(isMinted);
  });
});

describe('on the server role every event says itself whom it is about', () => {
  const primary = { identityMap: { CRM: [{ id: 'u1', primary: true }] } };
  const refusal = (xdms: readonly JsonObject[], path: string) => {
    const events = xdms.map((xdm, index) => eventOf(xdm, { index }));
    return problemOf(() => identified({ role: 'server', path, events }));
  };

  test.each<[string, readonly JsonObject[], string, string, JsonObject]>([
    ['no identity', [{}], '/v2/interact', "'event.xdm.identityMap'", {}],
    ['none that is primary', [{ identityMap: { CRM: [{ id: 'u1' }] } }], '/v1/interact', "'events[0].xdm.", {}],
    ['an ECID alone', [{ identityMap: ecid(ECID_A) }], '/v1/interact', "'events[0].xdm.", {}],
    ['one of two events', [primary, {}], '/v2/collect', "'events[1].xdm.identityMap'", { eventIndex: 1 }],
  ])('0306 for %s', (_what, xdms, path, field, report) => {
    const { spec, detail, report: said } = refusal(xdms, path);
    expect(spec.code).toBe('EXEG-0306-400');
    expect(detail).toContain(field);
    expect(said).toEqual(report);
  });

  test.each<[string, JsonObject]>([
    ['another', primary],
    ['the ECID', { identityMap: ecid(ECID_A, { primary: true }) }],
    ['as text', { identityMap: { CRM: [{ id: 'u1', primary: 'true' }] } }],
    ['beside others', { identityMap: { ...ecid(ECID_A), CRM: [{ id: 'u1' }, { id: 'u2', primary: true }] } }],
  ])('one primary identity is enough: %s', (_what, xdm) => {
    expect(identified({ role: 'server', events: [eventOf(xdm)] }).events[0]!.fate).toBe('store');
  });

  test('requests without events are about nobody', () => {
    expect(identified({ role: 'server', events: [] }).ecid).not.toBeNull();
  });
});

describe('the identity cookie that the request brought', () => {
  test('counts where it is of the request’s ECID', () => {
    expect(identified({ client: withCookie(ECID_A) }).identityCookie).toMatchObject({
      ecid: ECID_A,
      createdAtMs: NOW_MS - 5_000,
    });
  });

  test('does not count where the request names another ECID', () => {
    const x = identified({ client: withCookie(ECID_B), received: { identityMap: ecid(ECID_A) } });
    expect(x.identityCookie).toBeNull();
  });
});

describe('every event carries its ECID', () => {
  test('attached and primary on the edge, and said to be added', () => {
    const x = identified({ client: withCookie(ECID_A), events: [eventOf({ eventType: 'a' })] });
    const added = { identityMap: { ECID: [{ id: ECID_A, authenticatedState: 'ambiguous', primary: true }] } };
    expect(x.events[0]).toMatchObject({ ecid: ECID_A, xdm: { eventType: 'a', ...added }, added });
    expect(x.events[0]!.identities).toEqual([
      { namespace: 'ECID', id: ECID_A, authenticatedState: 'ambiguous', primary: true },
    ]);
  });

  test('not primary where the event names another', () => {
    const map = { CRM: [{ id: 'u1', primary: true }] };
    const x = identified({ client: withCookie(ECID_A), events: [eventOf({ identityMap: map })] });
    expect(x.events[0]!.xdm['identityMap']).toEqual({
      ...map,
      ECID: [{ id: ECID_A, authenticatedState: 'ambiguous', primary: false }],
    });
  });

  test('its own, where the request names another', () => {
    const sent = { ECID: [{ id: ECID_B, primary: true, x: 1 }] };
    const x = identified({ received: { identityMap: ecid(ECID_A) }, events: [eventOf({ identityMap: sent })] });
    expect(x).toMatchObject({ ecid: ECID_A });
    expect(x.events[0]).toMatchObject({ ecid: ECID_B, added: null, xdm: { identityMap: sent } });
  });

  test('an ECID that was sent becomes primary where nothing is, and keeps what it says', () => {
    const first = { id: ECID_A, authenticatedState: 'ambiguous', primary: false, x: 1 };
    const sent: JsonObject = { ECID: [first, { id: ECID_B }] };
    const x = identified({ events: [eventOf({ identityMap: sent })] });
    expect(x.events[0]!.xdm['identityMap']).toEqual({ ECID: [{ ...first, primary: true }, { id: ECID_B }] });
  });

  test.each<[string, JsonObject]>([
    ['ECID', ecid(ECID_A, { primary: true })],
    ['ECID as text', ecid(ECID_A, { primary: 'true' })],
    ['another', { ...ecid(ECID_A), CRM: [{ id: 'u1', primary: true }] }],
  ])('nothing is added where a primary was sent: %s', (_what, identityMap) => {
    const x = identified({ events: [eventOf({ identityMap })] });
    expect(x.events[0]!.added).toBeNull();
    expect(x.events[0]!.xdm['identityMap']).toEqual(identityMap);
  });

  test('on the server role a cookie’s ECID is added beside the primary identity', () => {
    const identityMap = { CRM: [{ id: 'u1', primary: true }] };
    const x = identified({ role: 'server', client: withCookie(ECID_A), events: [eventOf({ identityMap })] });
    expect(x.events[0]!.added).toEqual({
      identityMap: { ECID: [{ id: ECID_A, authenticatedState: 'ambiguous', primary: false }] },
    });
  });

  test('maps that two events share are not mixed up', () => {
    const shared = { CRM: [{ id: 'u1' }] };
    const x = identified({
      events: [
        eventOf({ identityMap: shared }, { payloadHash: '' }),
        eventOf({ identityMap: shared }, { index: 1, payloadHash: '' }),
      ],
      client: withCookie(ECID_A),
    });
    expect(shared).toEqual({ CRM: [{ id: 'u1' }] });
    for (const event of x.events) expect(event.ecid).toBe(ECID_A);
  });
});

describe('collect may mix visitors', () => {
  const fields: ExchangeFields = { path: '/v2/collect', mintsEcid: false };
  const events = () => [
    eventOf({ identityMap: ecid(ECID_A) }),
    eventOf({ identityMap: ecid(ECID_B) }, { index: 1 }),
    eventOf({ n: 1 }, { index: 2 }),
  ];

  test('each event keeps its own, and none is the request’s', () => {
    const x = identified({ ...fields, events: events() });
    expect(x.events.map((event) => event.ecid)).toEqual([ECID_A, ECID_B, null]);
    expect(x.ecid).toBeNull();
    expect(x.events[2]!.added).toBeNull();
  });

  test('the cookie’s goes to the events that have none', () => {
    const x = identified({ ...fields, events: events(), client: withCookie(ECID_C) });
    expect(x.events.map((event) => event.ecid)).toEqual([ECID_A, ECID_B, ECID_C]);
    expect(x.ecid).toBe(ECID_C);
  });
});

describe('what is known of the persons named', () => {
  const key = (id: string) => personKey(ORG, 'ECID', id);
  const consent = (offset: number, id: string) => ({
    position: { partition: 0, offset },
    changes: [{ kind: 'consent' as const, key: key(id), time: '0-0', body: { value: { collect: { val: 'n' } } } }],
  });

  test('each is read once, and a stranger is known to be one', () => {
    state.apply([consent(0, ECID_A)]);
    const x = identified({
      path: '/v2/collect',
      mintsEcid: false,
      events: [
        eventOf({ identityMap: ecid(ECID_A) }),
        eventOf({ identityMap: ecid(ECID_B) }, { index: 1 }),
        eventOf({ identityMap: ecid(ECID_A), n: 1 }, { index: 2 }),
      ],
    });
    expect([...x.persons.keys()].sort()).toEqual([key(ECID_A), key(ECID_B)]);
    expect(x.persons.get(key(ECID_A))?.version).toBe(1);
    expect(x.persons.get(key(ECID_B))).toBeNull();
  });

  test('the same id in another org is somebody else', () => {
    state.apply([consent(0, ECID_A)]);
    const x = identified({
      datastream: datastreamOf({ orgId: 'OTHER@AdobeOrg', cookiePrefix: cookiePrefixOf('OTHER@AdobeOrg') }),
      events: [eventOf({ identityMap: ecid(ECID_A) })],
    });
    expect([...x.persons.values()]).toEqual([null]);
  });

  test('an event’s own ECID is looked up beside the request’s', () => {
    const x = identified({ received: { identityMap: ecid(ECID_A) }, events: [eventOf({ identityMap: ecid(ECID_B) })] });
    expect([...x.persons.keys()].sort()).toEqual([key(ECID_A), key(ECID_B)]);
  });

  const slow = (answer: Promise<PersonState | null>): StateStore =>
    Object.assign(new MemoryState(), { get: () => answer, getMany: () => answer.then((one) => [one, one]) });

  test('a state store that answers later is waited for', async () => {
    const person: PersonState = { key: key(ECID_A), version: 7, body: {} };
    const x = exchangeOf({ received: { identityMap: ecid(ECID_A) } });
    await new Identify(slow(Promise.resolve(person)), duplicates, identityTools()).run(x);
    expect(x.persons.get(key(ECID_A))).toBe(person);
  });

  test('one that fails fails the request: without consent neither storing nor dropping is right', async () => {
    const x = exchangeOf({ received: { identityMap: ecid(ECID_A) } });
    const broken = slow(Promise.reject(new Error('down at 10.0.0.1')));
    const { spec, detail } = await problemIn(new Identify(broken, duplicates, identityTools()).run(x));
    expect(spec.code).toBe('EXEG-0203-502');
    expect(detail).toContain("'state'");
    expect(detail).not.toContain('10.0.0.1');
  });

  test('one that does not answer in time too', async () => {
    const x = exchangeOf({ received: { identityMap: ecid(ECID_A) }, deadlineMs: performance.now() });
    const { spec } = await problemIn(new Identify(slow(new Promise(() => {})), duplicates, identityTools()).run(x));
    expect(spec.code).toBe('EXEG-0200-504');
  });
});

describe('duplicates', () => {
  const at = { partition: 0, offset: 7 };
  const durable = Promise.resolve(at);
  const remember = (event: { dedupKey: string; payloadHash: string }, id: string | null) =>
    duplicates.stored(duplicates.add('shop', event.dedupKey, event.payloadHash, id, NOW_MS, durable), durable, at);

  test('a retry is answered with the ECID of its first copy', () => {
    remember(eventOf({}), ECID_A);
    const x = identified({ events: [eventOf({})] });
    expect(x).toMatchObject({ ecid: ECID_A, position: at, awaiting: null });
    expect(x.events[0]!.fate).toBe('duplicate');
  });

  test('one whose first copy is on its way to disk waits for it', () => {
    const pending = new Promise<typeof at>(() => {});
    const event = eventOf({});
    duplicates.add('shop', event.dedupKey, event.payloadHash, ECID_A, NOW_MS, pending);
    const x = identified({ events: [eventOf({})] });
    expect(x).toMatchObject({ ecid: ECID_A, position: null });
    expect(x.awaiting).not.toBeNull();
  });

  test('of several first copies that are on their way, all are waited for', async () => {
    const settle: ((position: typeof at) => void)[] = [];
    const events = () => [eventOf({ n: 0 }), eventOf({ n: 1 }, { index: 1 })];
    for (const { dedupKey, payloadHash } of events()) {
      const pending = new Promise<typeof at>((resolve) => settle.push(resolve));
      duplicates.add('shop', dedupKey, payloadHash, ECID_A, NOW_MS, pending);
    }
    const x = identified({ events: events() });
    let isDone = false;
    const done = x.awaiting!.then(() => {
      isDone = true;
    });
    settle[1]!(at);
    await new Promise(setImmediate);
    expect(isDone).toBe(false);
    settle[0]!(at);
    await done;
  });

  test.each<[string, ExchangeFields]>([
    ['another key', { events: [eventOf({}, { dedupKey: 'other' })] }],
    ['another payload: the key alone never suppresses', { events: [eventOf({}, { payloadHash: 'other' })] }],
    ['another datastream', { datastream: datastreamOf({ id: 'blog' }), events: [eventOf({})] }],
    ['nothing to know it by', { events: [eventOf({}, { payloadHash: '' })] }],
    ['another visitor by the cookie', { client: withCookie(ECID_B), events: [eventOf({})] }],
  ])('no copy: %s', (_what, fields) => {
    remember(eventOf({}), ECID_A);
    remember(eventOf({}, { payloadHash: '' }), ECID_A);
    expect(identified(fields).events[0]!.fate).toBe('store');
  });

  test('collect does not take one event’s ECID for the whole request', () => {
    remember(eventOf({}), ECID_A);
    const x = identified({
      path: '/v2/collect',
      mintsEcid: false,
      events: [eventOf({}), eventOf({ n: 1 }, { index: 1 })],
    });
    expect(x.ecid).toBeNull();
    expect(x.events.map((event) => event.fate)).toEqual(['duplicate', 'store']);
  });

  test('the same event twice in one request is stored once', () => {
    const twice = { dedupKey: 'same-id', payloadHash: 'same-hash' };
    const x = identified({
      events: [eventOf({}, twice), eventOf({}, { ...twice, index: 1 }), eventOf({}, { dedupKey: 'same-id', index: 2 })],
    });
    expect(x.events.map((event) => event.fate)).toEqual(['store', 'duplicate', 'store']);
  });

  test('the same event of two visitors in one batch is two', () => {
    const twice = { dedupKey: 'same-id', payloadHash: 'same-hash' };
    const x = identified({
      path: '/v2/collect',
      mintsEcid: false,
      events: [
        eventOf({ identityMap: ecid(ECID_A) }, twice),
        eventOf({ identityMap: ecid(ECID_B) }, { ...twice, index: 1 }),
      ],
    });
    expect(x.events.map((event) => event.fate)).toEqual(['store', 'store']);
  });
});
