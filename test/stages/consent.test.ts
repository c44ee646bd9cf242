import { describe, expect, test } from 'vitest';
import { PLAIN_CONSENT } from '../../src/model/consent-in-force.ts';
import type { Exchange } from '../../src/model/exchange.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { applyChange, type PersonState, personKey } from '../../src/model/person.ts';
import { Consent } from '../../src/stages/consent.ts';
import { TcStrings } from '../../src/stages/tc-strings.ts';
import {
  CONSENT_RULES,
  clientOf,
  datastreamOf,
  ECID_A,
  ECID_B,
  type ExchangeFields,
  eventOf,
  exchangeOf,
  NOW_MS,
  ORG,
  PREFIX,
} from '../support/exchanges.ts';
import { problemOf } from '../support/problems.ts';

const STRINGS = new TcStrings();
const KEY = personKey(ORG, 'ECID', ECID_A);

function ran(fields: ExchangeFields): Exchange {
  const x = exchangeOf({ ecid: ECID_A, ...fields });
  expect(new Consent(STRINGS).run(x)).toBeUndefined();
  return x;
}

/** What the state holds of a visitor after a choice. */
function person(value: JsonObject, key = KEY): PersonState {
  const change = { kind: 'consent' as const, key, time: '0-0', body: { operation: 'replace', value } };
  return applyChange(null, change, { partition: 0, offset: 3 })!;
}
const collect = (val: string): JsonObject => ({ collect: { val } });
const knowing = (...persons: PersonState[]) => new Map(persons.map((one) => [one.key, one]));

describe('events of a visitor who has chosen', () => {
  test.each([
    ['y', 'store', 'in'],
    ['n', 'withheld', 'out'],
    ['p', 'withheld', 'pending'],
    ['u', 'withheld', 'pending'],
  ])('collect %s: %s', (val, fate, inForce) => {
    const x = ran({ events: [eventOf({}, { ecid: ECID_A })], persons: knowing(person(collect(val))) });
    expect(x.events[0]).toMatchObject({ fate, consent: { collect: inForce, recordId: '0:3' } });
    expect(x.warnings.map((one) => one.spec.code)).toEqual(fate === 'store' ? [] : ['EXEG-0301-200']);
  });

  test('nothing chosen about collection is in: preferences may be about other things', () => {
    const x = ran({ events: [eventOf({}, { ecid: ECID_A })], persons: knowing(person({ share: { val: 'n' } })) });
    expect(x.events[0]).toMatchObject({ fate: 'store', consent: { collect: 'in', recordId: '0:3' } });
  });

  test('a stranger is in, by no record', () => {
    const x = ran({ events: [eventOf({}, { ecid: ECID_A })], persons: new Map([[KEY, null]]) });
    expect(x.events[0]).toMatchObject({ fate: 'store', consent: { collect: 'in', recordId: null } });
  });

  test('an event without an ECID has no choice to keep to', () => {
    const x = ran({ ecid: null, events: [eventOf({})], persons: knowing(person(collect('n'))) });
    expect(x.events[0]!.fate).toBe('store');
  });

  test('the warning says what holds and how to change it; of one event, without its index', () => {
    const x = ran({ events: [eventOf({}, { ecid: ECID_A })], persons: knowing(person(collect('n'))) });
    const warning = x.warnings[0]!;
    expect(warning.detail).toContain("'out'");
    expect(warning.detail).toContain('set-consent');
    expect(warning.report).toEqual({});
  });

  test('in a batch of several visitors each goes by their own; the warning has the index', () => {
    const x = ran({
      ecid: null,
      events: [
        eventOf({}, { ecid: ECID_B }),
        eventOf({}, { ecid: ECID_A, index: 1 }),
        eventOf({}, { index: 2 }),
        eventOf({}, { ecid: ECID_A, index: 3 }),
      ],
      persons: knowing(person(collect('n')), person(collect('y'), personKey(ORG, 'ECID', ECID_B))),
    });
    expect(x.events.map((event) => event.fate)).toEqual(['store', 'withheld', 'store', 'withheld']);
    expect(x.warnings.map((one) => one.report)).toEqual([{ eventIndex: 1 }, { eventIndex: 3 }]);
  });

  test('of many withheld events, twenty are named and the rest counted', () => {
    const events = Array.from({ length: 50 }, (_, index) => eventOf({}, { ecid: ECID_A, index }));
    const x = ran({ events, persons: knowing(person(collect('n'))) });
    expect(x.warnings).toHaveLength(21);
    expect(x.warnings[19]!.report).toEqual({ eventIndex: 19 });
    expect(x.warnings[20]!.spec.code).toBe('EXEG-0301-200');
    expect(x.warnings[20]!.detail).toContain('30 more');
  });

  test('a duplicate of an event that was stored before the choice is answered as it was', () => {
    const x = ran({
      events: [eventOf({}, { ecid: ECID_A, fate: 'duplicate' })],
      persons: knowing(person(collect('n'))),
    });
    expect(x.events[0]!.fate).toBe('duplicate');
    expect(x.warnings).toEqual([]);
  });
});

describe('a visitor who has not chosen', () => {
  test.each([
    ['in', false, 'store'],
    ['in', true, 'store'],
    ['pending', false, 'withheld'],
    ['out', true, 'withheld'],
  ] as const)('default %s, GPC %s: %s, and the event says so', (unset, gpc, fate) => {
    const x = ran({
      datastream: datastreamOf({ consent: { ...CONSENT_RULES, default: unset } }),
      client: clientOf({ gpc }),
      events: [eventOf({}, { ecid: ECID_A }), eventOf({}, { index: 1 })],
    });
    for (const event of x.events) {
      expect(event).toMatchObject({
        fate,
        consent: { recordId: null, collect: unset, gpc, default: unset, value: null },
      });
    }
    expect(x.cookies).toEqual([]);
    for (const warning of x.warnings)
      expect(warning.detail).toContain(`has not chosen, and what holds then on this datastream is '${unset}'`);
    expect(x.warnings).toHaveLength(fate === 'store' ? 0 : 2);
  });

  test('in costs no object: every such event has the same', () => {
    const x = ran({ events: [eventOf({}, { ecid: ECID_A })] });
    expect(x.events[0]!.consent).toBe(PLAIN_CONSENT);
  });
});

describe('cookies beside an event', () => {
  const before = knowing(person(collect('n')));
  const cookiesOf = (cookies: Record<string, string>): string[] => {
    const client = clientOf({
      cookies: new Map(Object.entries(cookies).map(([name, value]) => [PREFIX + name, value])),
    });
    return ran({ client, events: [eventOf({}, { ecid: ECID_A })], persons: before }).cookies.map(
      ({ key, value }) => `${key.slice(PREFIX.length)} ${value}`,
    );
  };
  const both = ['consent general=out', 'consent_check 1'];

  test.each<[string, Record<string, string>, string[]]>([
    ['nothing: both are written', {}, both],
    ['what holds, checked in the last two hours: none', { consent: 'general=out', consent_check: '1' }, []],
    ['what holds, checked before: both, for another two hours', { consent: 'general=out' }, both],
    ['something else: both', { consent: 'general=in', consent_check: '1' }, both],
  ])('the client brings %s', (_what, brought, written) => {
    expect(cookiesOf(brought)).toEqual(written);
  });

  test('of another visitor in a batch none are written', () => {
    const x = ran({ ecid: ECID_B, events: [eventOf({}, { ecid: ECID_A })], persons: before });
    expect(x.cookies).toEqual([]);
  });
});

describe('a choice', () => {
  const choice = (list: Json[], fields: ExchangeFields = {}): Exchange =>
    ran({ received: { consent: list as JsonObject[] }, ...fields });
  const adobe1 = (general: string) => ({ standard: 'Adobe', version: '1.0', value: { general } });
  const adobe2 = (value: JsonObject) => ({ standard: 'Adobe', version: '2.0', value });

  test.each([
    ['in', 'y', 'in'],
    ['out', 'n', 'out'],
    ['pending', 'p', 'pending'],
  ])('Adobe 1.0 %s becomes a change, the preferences, and the cookie', (general, val, cookie) => {
    const x = choice([adobe1(general)]);
    expect(x.changes).toEqual([
      {
        kind: 'consent',
        key: KEY,
        time: expect.any(String),
        body: {
          operation: 'replace',
          value: { ...collect(val), version: '1.0' },
          given: [adobe1(general)],
          previous: null,
          collect: cookie,
        },
      },
    ]);
    expect(x.preferences).toEqual(collect(val));
    expect(x.cookies).toEqual([
      { key: `${PREFIX}consent`, value: `general=${cookie}`, maxAgeSeconds: 15_552_000 },
      { key: `${PREFIX}consent_check`, value: '1', maxAgeSeconds: 7_200 },
    ]);
  });

  test('replace forgets what was chosen before', () => {
    const x = choice([adobe2({ share: { val: 'y' } })], { persons: knowing(person(collect('n'))) });
    expect(x.preferences).toEqual({ share: { val: 'y' } });
    expect(x.cookies[0]!.value).toBe('general=in');
  });

  test('update keeps what it does not name, and the cookie says what holds after it', () => {
    const x = choice([adobe2({ share: { val: 'y' } })], {
      received: { consent: [adobe2({ share: { val: 'y' } })], query: { consent: { operation: 'update' } } },
      persons: knowing(person({ ...collect('n'), adID: { val: 'y' } })),
    });
    expect(x.preferences).toEqual({ collect: { val: 'n' }, adID: { val: 'y' }, share: { val: 'y' } });
    expect(x.cookies[0]!.value).toBe('general=out');
    expect(x.changes[0]!.body).toMatchObject({ operation: 'update', value: { share: { val: 'y' }, version: '2.0' } });
    expect(x.changes[0]!.body['previous']).toBe('0:3');
  });

  test('an update of one channel keeps what was chosen of the others', () => {
    const marketing = { email: { val: 'n' } };
    const x = choice([], {
      received: {
        consent: [adobe2({ marketing: { push: { val: 'y' } } })],
        query: { consent: { operation: 'update' } },
      },
      persons: knowing(person({ ...collect('y'), marketing })),
    });
    expect(x.preferences).toEqual({ ...collect('y'), marketing: { ...marketing, push: { val: 'y' } } });
    expect(x.changes[0]!.body).toMatchObject({ given: [adobe2({ marketing: { push: { val: 'y' } } })] });
  });

  test.each(['replace', 'update'])('what is answered is what the state will hold (%s)', (operation) => {
    const before = person({ ...collect('n'), share: { val: 'y' } });
    const x = ran({
      received: { consent: [adobe2({ ...collect('y'), adID: { val: 'n' } })], query: { consent: { operation } } },
      persons: knowing(before),
    });
    const after = applyChange(before, x.changes[0]!, { partition: 0, offset: 4 })!;
    const held = (after.body['consent'] as JsonObject)['value'] as JsonObject;
    expect(held).toEqual({ ...x.preferences, version: '2.0' });
    expect(Object.keys(after.body['consent'] as JsonObject).sort()).toEqual(['record', 'time', 'value']);
  });

  test('is newer than the one before, even where the clock was set back', () => {
    const future = applyChange(
      null,
      {
        kind: 'consent',
        key: KEY,
        time: `${(NOW_MS + 60_000).toString(16).padStart(12, '0')}-0005`,
        body: { value: {} },
      },
      { partition: 0, offset: 0 },
    )!;
    const x = choice([adobe1('out')], { persons: knowing(future) });
    const after = applyChange(future, x.changes[0]!, { partition: 0, offset: 1 })!;
    expect((after.body['consent'] as JsonObject)['value']).toEqual({ ...collect('n'), version: '1.0' });
  });

  test.each<[string, Json[], JsonObject, string]>([
    ['an unknown standard', [{ standard: 'GPC', version: '1', value: {} }], {}, 'EXEG-0102-400'],
    ['no value', [{ standard: 'Adobe', version: '2.0' }], {}, 'EXEG-0103-400'],
    ['an empty text', [adobe2({ collect: { val: '' } })], {}, 'EXEG-0104-422'],
    ['an unknown operation', [adobe1('in')], { consent: { operation: 'merge' } }, 'EXEG-0102-400'],
  ])('%s is refused, and nothing changes', (_what, consent, query, code) => {
    const x = exchangeOf({ ecid: ECID_A, received: { consent: consent as JsonObject[], query } });
    expect(problemOf(() => new Consent(STRINGS).run(x)).spec.code).toBe(code);
    expect(x.changes).toEqual([]);
    expect(x.cookies).toEqual([]);
  });

  test.each<[string, JsonObject, JsonObject, string | null]>([
    [
      'chosen: after a general out, another preference',
      { version: '1.0', ...collect('n') },
      { share: { val: 'y' } },
      'EXEG-0302-409',
    ],
    ['chosen: after a general out, collect', { version: '1.0', ...collect('n') }, collect('y'), null],
    ['chosen: after collect n of 2.0', { version: '2.0', ...collect('n') }, { share: { val: 'y' } }, null],
    ['chosen: after a general in', { version: '1.0', ...collect('y') }, { share: { val: 'n' } }, null],
    ['chosen: after nothing', {}, { share: { val: 'n' } }, null],
  ])('an update %s', (_what, before, value, code) => {
    const run = () =>
      choice([], {
        received: { consent: [adobe2(value)], query: { consent: { operation: 'update' } } },
        persons: knowing(person(before)),
      });
    if (code !== null) expect(problemOf(run).spec.code).toBe(code);
    else expect(run().preferences).toEqual({ ...before, ...value, version: undefined });
  });

  test('to replace is always allowed: whoever opted out of everything may opt in again, by the same ECID', () => {
    const x = choice([adobe1('in')], { persons: knowing(person({ version: '1.0', ...collect('n') })) });
    expect(x.cookies[0]!.value).toBe('general=in');
  });

  test('the values of many updates together are bounded', () => {
    const long = (name: string): JsonObject => ({ [name]: { note: 'x'.repeat(5_000) } });
    const run = () =>
      choice([], {
        received: { consent: [adobe2(long('marketing'))], query: { consent: { operation: 'update' } } },
        persons: knowing(person(long('idSpecific'))),
      });
    expect(problemOf(run).spec.code).toBe('EXEG-0102-400');
  });
});
