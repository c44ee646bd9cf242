import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { identityRules, orgIdentities } from '../../src/config/identity-rules.ts';
import {
  DEVICES_A_DAY_MAX,
  LINK_REFRESH_MS,
  LINKED_ID_CHARACTERS_MAX,
  LINKED_IDS_MAX,
  LINKED_IDS_OF_REQUEST_MAX,
  LINKS_MAX,
  linksOf,
  QUARANTINE_MS,
  quarantinedMsOf,
} from '../../src/model/identity-graph.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { personKey } from '../../src/model/person.ts';
import { DuplicateWindow } from '../../src/stages/duplicates.ts';
import { Identify } from '../../src/stages/identify.ts';
import { Link } from '../../src/stages/link.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { IdentityCounts } from '../../src/telemetry/identity-counts.ts';
import {
  datastreamOf,
  type ExchangeFields,
  eventOf,
  exchangeOf,
  identityOf,
  identityTools,
  NOW_MS,
  ORG,
} from '../support/exchanges.ts';

let state: MemoryState;
let offset: number;
let counts: IdentityCounts;
let reports: JsonObject[];
beforeEach(() => {
  state = new MemoryState();
  offset = 0;
  counts = new IdentityCounts();
  reports = [];
});

const RULES = identityRules(
  orgIdentities(
    { namespaces: { [ORG]: { CRM: {}, A: {}, B: {}, C: {}, D: {}, E: {}, F: {}, G: {}, H: {} } } },
    null,
    [],
  ),
  ORG,
  undefined,
  false,
);

/** One request through both stages, and its changes into the state as the log would bring them. Returns how many it made. */
function send(maps: readonly JsonObject[], nowMs = NOW_MS, fields: ExchangeFields = {}): number {
  const events = maps.map((identityMap, index) => eventOf({ identityMap }, { index, payloadHash: '' }));
  const datastream = datastreamOf({ identity: identityOf({ rules: RULES }) });
  const x = exchangeOf({ path: '/v2/collect', mintsEcid: false, events, nowMs, datastream, ...fields });
  new Identify(state, new DuplicateWindow(), identityTools()).run(x);
  new Link(counts, (what) => reports.push({ ...what })).run(x);
  state.apply([{ position: { partition: 0, offset: offset++ }, changes: x.changes }]);
  return x.changes.length;
}

const ecidOf = (number: number): string => String(number).padStart(38, '7');
const id = (text: string, authenticatedState?: string): JsonObject[] => [
  authenticatedState === undefined ? { id: text } : { id: text, authenticatedState },
];
const linked = (namespace: string, text: string, org = ORG): string[] =>
  linksOf(state.get(personKey(org, namespace, text))).map(([other, otherId]) => `${other}|${otherId}`);
const device = ecidOf(1);

describe('two ids in one event', () => {
  test('are linked, each with the other', () => {
    send([{ ECID: id(device), CRM: id('ada'), Email: id('ada@example.com') }]);
    expect(linked('ECID', device).sort()).toEqual(['CRM|ada', 'Email|ada@example.com']);
    expect(linked('CRM', 'ada').sort()).toEqual([`ECID|${device}`, 'Email|ada@example.com']);
  });

  test('that are known to belong together write nothing more, for a day', () => {
    const map = { ECID: id(device), CRM: id('ada') };
    expect(send([map])).toBe(2);
    expect(send([map], NOW_MS + LINK_REFRESH_MS - 1)).toBe(0);
    expect(send([map], NOW_MS + LINK_REFRESH_MS)).toBe(2);
    const [link] = linksOf(state.get(personKey(ORG, 'CRM', 'ada')));
    expect(link).toEqual(['ECID', device, 'ambiguous', NOW_MS, NOW_MS + LINK_REFRESH_MS]);
  });

  test('a login is news once, and is not forgotten when the next event says less', () => {
    send([{ ECID: id(device), CRM: id('ada') }]);
    expect(send([{ ECID: id(device), CRM: id('ada', 'authenticated') }])).toBe(1);
    expect(send([{ ECID: id(device), CRM: id('ada', 'authenticated') }])).toBe(0);
    send([{ ECID: id(device), CRM: id('ada') }], NOW_MS + LINK_REFRESH_MS);
    expect(linksOf(state.get(personKey(ORG, 'ECID', device)))[0]![2]).toBe('authenticated');
  });

  test('in several events of a request are linked once', () => {
    const map = { ECID: id(device), CRM: id('ada') };
    expect(send([map, map, map])).toBe(2);
  });

  test.each<[string, JsonObject]>([
    ['one id', { ECID: id(device) }],
    ['junk', { ECID: id(device), CRM: id('null') }],
    ['an unknown namespace', { ECID: id(device), Foo: id('ada') }],
    ['a hash that is none', { ECID: id(device), Email_LC_SHA256: id('ada@example.com') }],
    ['logged out', { ECID: id(device), CRM: id('ada', 'loggedOut') }],
    ['two of one namespace: two persons', { CRM: [{ id: 'ada' }, { id: 'bob' }] }],
    ['a text', { ECID: id(device), CRM: id('x'.repeat(LINKED_ID_CHARACTERS_MAX + 1)) }],
  ])('links nothing: %s', (_what, map) => {
    expect(send([map])).toBe(0);
  });

  test('the longest id is linked', () => {
    expect(send([{ ECID: id(device), CRM: id('x'.repeat(LINKED_ID_CHARACTERS_MAX)) }])).toBe(2);
  });

  test('of two ids of one namespace the first is linked with the others', () => {
    send([{ ECID: id(device), CRM: [{ id: 'ada' }, { id: 'bob' }] }]);
    expect(linked('ECID', device)).toEqual(['CRM|ada']);
  });

  test('of two ids of one namespace the one who has not logged out', () => {
    const ada = { id: 'ada', authenticatedState: 'loggedOut' };
    send([{ ECID: id(device), CRM: [ada, { id: 'bob' }, { id: 'cy' }] }]);
    expect(linked('ECID', device)).toEqual(['CRM|bob']);
  });

  test('that are more than a person has: the first ones', () => {
    const map = Object.fromEntries(['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'].map((name) => [name, id('x')]));
    expect(send([{ ECID: id(device), ...map }])).toBe(LINKED_IDS_MAX);
    expect(linked('ECID', device)).toHaveLength(LINKED_IDS_MAX - 1);
    expect(linked('H', 'x')).toEqual([]);
  });

  test('of events that are not stored are not linked', () => {
    const events = (['withheld', 'duplicate', 'rejected'] as const).map((fate, index) =>
      eventOf({ identityMap: { ECID: id(device), CRM: id('ada') } }, { index, payloadHash: '', fate }),
    );
    expect(send([], NOW_MS, { events })).toBe(0);
  });
});

test('of a request, so many ids are linked; the events behind are stored without', () => {
  const count = LINKED_IDS_OF_REQUEST_MAX / 2 + 10;
  send(Array.from({ length: count }, (_, i) => ({ CRM: id(`c${i}`), Email: id(`${i}@example.com`) })));
  const known = Array.from({ length: count }, (_, i) => linked('CRM', `c${i}`).length);
  expect(known).toEqual([...Array(LINKED_IDS_OF_REQUEST_MAX / 2).fill(1), ...Array(10).fill(0)]);
});

test('an id keeps its newest links, and only so many', () => {
  const days = Array.from({ length: LINKS_MAX + 3 }, (_, day) => day);
  for (const day of days) send([{ ECID: id(ecidOf(day)), CRM: id('ada') }], NOW_MS + day * LINK_REFRESH_MS);
  expect(linked('CRM', 'ada')).toEqual(days.slice(3).map((day) => `ECID|${ecidOf(day)}`));
});

describe('a shared device', () => {
  test('links nobody on it with each other, and the last login is what comes last', () => {
    const on = (person: string, minute: number, as = 'authenticated') =>
      send([{ ECID: id(device), CRM: id(person, as) }], NOW_MS + minute * 60_000);
    on('ada', 0);
    on('ada', 1, 'loggedOut');
    on('bob', 2);
    on('bob', 3, 'loggedOut');
    expect([linked('CRM', 'ada'), linked('CRM', 'bob')]).toEqual([[`ECID|${device}`], [`ECID|${device}`]]);
    expect(linked('ECID', device)).toEqual(['CRM|ada', 'CRM|bob']);
    // Within the day, but somebody else was there meanwhile.
    expect(on('ada', 4)).toBeGreaterThan(0);
    expect(linked('ECID', device)).toEqual(['CRM|bob', 'CRM|ada']);
  });

  test('a logged-out customer beside a logged-in one is linked with nothing', () => {
    send([{ ECID: id(device), CRM: id('bob', 'authenticated'), Email: id('ada@example.com', 'loggedOut') }]);
    expect(linked('Email', 'ada@example.com')).toEqual([]);
    expect(linked('CRM', 'bob')).toEqual([`ECID|${device}`]);
  });
});

describe('an id that meets too many devices in a day', () => {
  const meet = (count: number, from = 0, nowMs = NOW_MS) => {
    for (let i = from; i < from + count; i++) send([{ ECID: id(ecidOf(i)), CRM: id('kiosk') }], nowMs);
  };
  const quarantined = (nowMs = NOW_MS) => quarantinedMsOf(state.get(personKey(ORG, 'CRM', 'kiosk')), nowMs);

  test('is quarantined with the 51st, counted, reported without the id, and forgets its links', () => {
    meet(DEVICES_A_DAY_MAX);
    expect([linked('CRM', 'kiosk').length, quarantined(), counts.quarantined]).toEqual([50, null, 0]);
    meet(1, DEVICES_A_DAY_MAX);
    expect([linked('CRM', 'kiosk'), quarantined(), counts.quarantined]).toEqual([[], NOW_MS, 1]);
    expect(reports).toEqual([{ orgId: ORG, namespace: 'CRM', requestId: 'request-0123456789abcdef' }]);
    expect(linked('ECID', ecidOf(DEVICES_A_DAY_MAX))).toEqual([]);
  });

  test('links nothing from then on, also for those beside it, until it has been long enough', () => {
    meet(DEVICES_A_DAY_MAX + 1);
    send([{ ECID: id(ecidOf(99)), CRM: id('kiosk'), Email: id('ada@example.com') }]);
    expect(linked('ECID', ecidOf(99))).toEqual(['Email|ada@example.com']);
    expect(counts.quarantined).toBe(1);
    expect([quarantined(NOW_MS + QUARANTINE_MS - 1), quarantined(NOW_MS + QUARANTINE_MS)]).toEqual([NOW_MS, null]);
    meet(1, 7, NOW_MS + QUARANTINE_MS);
    expect([linked('CRM', 'kiosk'), quarantined(NOW_MS + QUARANTINE_MS)]).toEqual([[`ECID|${ecidOf(7)}`], null]);
  });

  test('in one batch too', () => {
    send(Array.from({ length: DEVICES_A_DAY_MAX + 1 }, (_, i) => ({ ECID: id(ecidOf(i)), CRM: id('kiosk') })));
    expect([quarantined(), counts.quarantined]).toEqual([NOW_MS, 1]);
  });

  test('spread over days it is not', () => {
    for (let day = 0; day < 3; day++) meet(DEVICES_A_DAY_MAX - 1, day * 100, NOW_MS + day * LINK_REFRESH_MS);
    expect([quarantined(), counts.quarantined]).toEqual([null, 0]);
  });

  test('and none but devices count', () => {
    for (let i = 0; i < 60; i++) send([{ Email: id(`${i}@example.com`), CRM: id('kiosk') }]);
    expect(counts.quarantined).toBe(0);
  });
});

test('links are mutual, within one org, never of one namespace, for random requests', () => {
  const one = fc.record({
    org: fc.constantFrom(ORG, 'OTHER@AdobeOrg'),
    map: fc.dictionary(
      fc.constantFrom('CRMID', 'Email', 'Phone', 'TNTID'),
      fc.constantFrom('a', 'b', 'null').map((text) => id(text)),
      { noNullPrototype: true },
    ),
    days: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 30 }), (requests) => {
      state = new MemoryState();
      offset = 0;
      let nowMs = NOW_MS;
      const together = new Map<string, Set<string>>();
      for (const { org, map, days } of requests) {
        nowMs += days * LINK_REFRESH_MS;
        send([map], nowMs, { datastream: datastreamOf({ orgId: org }) });
        const ids = Object.entries(map)
          .filter(([, [entry]]) => entry!['id'] !== 'null')
          .map(([name, [entry]]) => `${name}|${entry!['id']}`);
        for (const mine of ids) {
          const known = together.get(`${org} ${mine}`) ?? new Set();
          for (const other of ids) if (other !== mine) known.add(other);
          together.set(`${org} ${mine}`, known);
        }
      }
      for (const [name, known] of together) {
        const [org, namespace, text] = [name.split(' ')[0]!, ...name.split(' ')[1]!.split('|')] as [
          string,
          string,
          string,
        ];
        expect(new Set(linked(namespace, text, org))).toEqual(known);
      }
    }),
    { numRuns: 100 },
  );
});
