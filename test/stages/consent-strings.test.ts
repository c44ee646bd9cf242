import { describe, expect, test } from 'vitest';
import type { EdgeEvent, Exchange } from '../../src/model/exchange.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { applyChange, type PersonState, personKey } from '../../src/model/person.ts';
import type { Tcf } from '../../src/model/tcf.ts';
import { Consent } from '../../src/stages/consent.ts';
import { TcStrings } from '../../src/stages/tc-strings.ts';
import {
  CONSENT_RULES,
  datastreamOf,
  ECID_A,
  ECID_B,
  type ExchangeFields,
  eventOf,
  exchangeOf,
  NOW_MS,
  ORG,
} from '../support/exchanges.ts';
import { TC_IN, TC_OUT, tcString, UPDATED_MS } from '../support/tc-strings.ts';

/** TCF through the consent stage: by set-consent, and by `xdm.consentStrings` of events. */

const KEY = personKey(ORG, 'ECID', ECID_A);
const DAY_MS = 24 * 60 * 60 * 1000;
const tcStrings = new TcStrings();
await tcStrings.load();
const stage = new Consent(tcStrings);

async function ran(fields: ExchangeFields): Promise<Exchange> {
  const x = exchangeOf({ ecid: ECID_A, ...fields });
  stage.run(x);
  return x;
}
const tcf = (value: string, more: JsonObject = {}): JsonObject => ({
  standard: 'IAB TCF',
  version: '2.0',
  value,
  ...more,
});
const choose = (...consent: JsonObject[]) => ran({ received: { consent } });

/** What state holds after these exchanges. */
function heldAfter(...exchanges: Exchange[]): PersonState {
  let person: PersonState | null = null;
  let offset = 0;
  for (const x of exchanges)
    for (const change of x.changes) person = applyChange(person, change, { partition: 0, offset: offset++ });
  return person!;
}
const knowing = (person: PersonState) => new Map([[person.key, person]]);
const codes = (x: Exchange) => x.warnings.map((one) => one.spec.code);

describe('by set-consent', () => {
  test.each<[string, JsonObject[], string, string]>([
    ['documented: purposes 1 and 10 and vendor 565', [tcf(TC_IN)], 'in', 'y'],
    ['documented: without them', [tcf(TC_OUT)], 'out', 'n'],
    ['documented: the GDPR does not apply', [tcf(TC_OUT, { gdprApplies: false })], 'in', 'y'],
    [
      'documented: a consent tool that is not registered',
      [tcf(tcString({ purposes: [1, 10], vendors: [565], cmpId: 0 }))],
      'in',
      'y',
    ],
    [
      'documented: with Adobe in one call',
      [{ standard: 'Adobe', version: '1.0', value: { general: 'in' } }, tcf(TC_IN)],
      'in',
      'y',
    ],
    [
      'chosen: the stricter of both',
      [{ standard: 'Adobe', version: '1.0', value: { general: 'in' } }, tcf(TC_OUT)],
      'out',
      'n',
    ],
  ])('%s', async (_rule, consent, cookie, val) => {
    const x = await choose(...consent);
    expect(x.cookies[0]!.value).toBe(`general=${cookie}`);
    expect(x.preferences).toEqual({ collect: { val } });
    expect(x.changes[0]!.body['given']).toEqual(consent);
  });

  test('a datastream may name another vendor', async () => {
    const own = datastreamOf({ consent: { ...CONSENT_RULES, tcfVendor: 755 } });
    const consent = [tcf(tcString({ purposes: [1, 10], vendors: [755] }))];
    expect((await ran({ received: { consent }, datastream: own })).cookies[0]!.value).toBe('general=in');
    expect((await choose(...consent)).cookies[0]!.value).toBe('general=out');
  });

  test('a string that cannot be read is refused, with its field', async () => {
    const refused = choose({ standard: 'Adobe', version: '1.0', value: { general: 'in' } }, tcf('CO-no-string'));
    await expect(refused).rejects.toMatchObject({
      spec: { code: 'EXEG-0102-400' },
      detail: expect.stringContaining("'consent[1].value'"),
    });
  });

  test('an update of Adobe keeps TCF, one of TCF keeps Adobe, and replacing forgets both', async () => {
    const first = await choose(tcf(TC_IN));
    const update = (entry: JsonObject, person: PersonState) =>
      ran({ received: { consent: [entry], query: { consent: { operation: 'update' } } }, persons: knowing(person) });
    const second = await update(
      { standard: 'Adobe', version: '2.0', value: { share: { val: 'n' } } },
      heldAfter(first),
    );
    expect(second.preferences).toEqual({ collect: { val: 'y' }, share: { val: 'n' } });
    const third = await update(tcf(TC_OUT), heldAfter(first, second));
    expect(third.preferences).toEqual({ collect: { val: 'n' }, share: { val: 'n' } });
    const replaced = await choose({ standard: 'Adobe', version: '1.0', value: { general: 'in' } });
    const value = (heldAfter(first, second, third, replaced).body['consent'] as JsonObject)['value'];
    expect(value).toEqual({ collect: { val: 'y' }, version: '1.0' });
  });
});

const strings = (value: Json, more: JsonObject = {}): JsonObject => ({
  consentStandard: 'IAB TCF',
  consentStandardVersion: '2.0',
  consentStringValue: value,
  ...more,
});
const withStrings = (list: Json, fields: Partial<EdgeEvent> = {}): EdgeEvent =>
  eventOf({ consentStrings: list }, { ecid: ECID_A, ...fields });

describe('by an event', () => {
  test('a string is taken with its event, as a record of its own', async () => {
    const x = await ran({ events: [withStrings([strings(TC_IN, { gdprApplies: true, containsPersonalData: true })])] });
    expect(x.events[0]).toMatchObject({ fate: 'store', consent: { recordId: 'this', collect: 'in' } });
    expect((x.events[0]!.consent.value!['tcf'] as Tcf).purposes).toEqual([1, 10]);
    expect(x.changes).toMatchObject([
      {
        kind: 'consent',
        key: KEY,
        body: {
          operation: 'update',
          previous: null,
          given: [tcf(TC_IN, { gdprApplies: true, gdprContainsPersonalData: true })],
        },
      },
    ]);
    expect(x.cookies[0]!.value).toBe('general=in');
  });

  test('out: the event is withheld, and the choice kept', async () => {
    const x = await ran({ events: [withStrings([strings(TC_OUT)])] });
    expect(x.events[0]).toMatchObject({ fate: 'withheld', consent: { collect: 'out' } });
    expect(codes(x)).toEqual(['EXEG-0301-200']);
    expect(x.changes).toHaveLength(1);
    expect(x.cookies[0]!.value).toBe('general=out');
  });

  test('the string that already holds is no new choice', async () => {
    const person = heldAfter(await ran({ events: [withStrings([strings(TC_IN)])] }));
    const x = await ran({ events: [withStrings([strings(TC_IN)])], persons: knowing(person) });
    expect(x.changes).toEqual([]);
    expect(x.events[0]!.consent.recordId).toBe('0:0');
  });

  test('in a batch each event goes by what was chosen up to it, and each visitor by their own', async () => {
    const later = tcString({ purposes: [], lastUpdatedMs: UPDATED_MS + DAY_MS });
    const x = await ran({
      events: [
        withStrings([strings(TC_IN)]),
        withStrings([strings(later)], { index: 1 }),
        eventOf({}, { index: 2, ecid: ECID_A }),
        withStrings([strings(TC_IN)], { index: 3, ecid: ECID_B }),
      ],
    });
    expect(x.events.map(({ fate }) => fate)).toEqual(['store', 'withheld', 'withheld', 'store']);
    expect(x.changes).toHaveLength(3);
    expect(heldAfter(x).version).toBe(3);
  });

  test.each<[string, number, number, boolean]>([
    ['a later choice of the visitor', 1, -DAY_MS, true],
    ['an earlier choice of the visitor', -1, 0, false],
    ['a choice of the same day, by an event that happened since', 0, 60_000, true],
    ['a choice of the same day, by an event from before', 0, -60_000, false],
  ])('chosen: %s', async (_what, days, occurredMs, isTaken) => {
    const person = heldAfter(await choose(tcf(TC_OUT)));
    const text = tcString({ purposes: [1, 10], vendors: [565], lastUpdatedMs: UPDATED_MS + days * DAY_MS });
    const event = withStrings([strings(text)], { occurredAtMs: NOW_MS + occurredMs });
    const x = await ran({ events: [event], persons: knowing(person) });
    expect([x.changes.length, x.events[0]!.fate]).toEqual(isTaken ? [1, 'store'] : [0, 'withheld']);
  });

  test('chosen: one of the same day that allows less is taken whenever its event happened', async () => {
    const person = heldAfter(await choose(tcf(TC_IN)));
    const text = tcString({ purposes: [1], vendors: [565] });
    const x = await ran({ events: [withStrings([strings(text)], { occurredAtMs: 0 })], persons: knowing(person) });
    expect(x.events[0]!.fate).toBe('withheld');
  });

  test('an Adobe opt-out is not undone by it', async () => {
    const person = heldAfter(await choose({ standard: 'Adobe', version: '1.0', value: { general: 'out' } }));
    const x = await ran({ events: [withStrings([strings(TC_IN)])], persons: knowing(person) });
    expect(x.events[0]).toMatchObject({ fate: 'withheld', consent: { collect: 'out' } });
  });

  test('the string of a copy was taken with the first one', async () => {
    const x = await ran({ events: [withStrings([strings(TC_OUT)], { fate: 'duplicate' })] });
    expect([x.changes, x.warnings]).toEqual([[], []]);
  });

  test.each<[string, Json, string]>([
    ['no array', { a: 1 }, "'events[0].xdm.consentStrings' is no array"],
    ['an entry that is no object', ['C'], "'events[0].xdm.consentStrings[0]' is no object"],
    ['no string', [strings(null)], "consentStrings[0].consentStringValue' is no text"],
    ['an empty string', [strings('')], 'is no text'],
    ['a broken string', [strings(TC_IN.slice(0, 30))], 'is no TC string of TCF 2.x: it is cut off'],
    ['gdprApplies as a text', [strings(TC_IN, { gdprApplies: 'no' })], "gdprApplies' is neither"],
    [
      'containsPersonalData as a number',
      [strings(TC_IN, { containsPersonalData: 0 })],
      "containsPersonalData' is neither",
    ],
    ['too many', new Array(11).fill(strings(TC_IN)), '11 entries'],
  ])('chosen: %s cannot be read, so its event is withheld, and no other', async (_what, list, why) => {
    const x = await ran({ events: [withStrings(list), eventOf({}, { index: 1, ecid: ECID_A })] });
    expect(x.events.map(({ fate }) => fate)).toEqual(['withheld', 'store']);
    expect(x.warnings).toMatchObject([
      { spec: { code: 'EXEG-0301-200' }, report: { eventIndex: 0 }, detail: expect.stringContaining(why) },
    ]);
    expect(x.changes).toEqual([]);
  });

  test('chosen: other standards are passed over, with a warning', async () => {
    const gpp = { consentStandard: 'IAB GPP', consentStandardVersion: '1', consentStringValue: 'DB' };
    const old = strings('BO', { consentStandardVersion: '1.1' });
    const x = await ran({ events: [withStrings([gpp, old, strings(TC_IN)])] });
    expect(x.events[0]!.fate).toBe('store');
    expect(x.warnings).toMatchObject([
      { spec: { code: 'EXEG-0204-200' }, detail: expect.stringMatching(/"IAB GPP" "1".*"IAB TCF" "1.1"/) },
    ]);
  });

  test('chosen: without an ECID there is nobody whose choice it is', async () => {
    const x = await ran({ ecid: null, events: [withStrings([strings(TC_IN)], { ecid: null })] });
    expect(x.events[0]!.fate).toBe('withheld');
    expect(x.warnings[0]!.detail).toContain('no ECID');
  });
});
