import { describe, expect, test } from 'vitest';
import type { EdgeEvent, Exchange } from '../../src/model/exchange.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { personKey } from '../../src/model/person.ts';
import { ATTRIBUTES_MAX } from '../../src/model/profile-attributes.ts';
import type { DecidingTools } from '../../src/stages/deciding.ts';
import { Profile } from '../../src/stages/profile.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { decidingTools } from '../support/deciding.ts';
import { definitionsOf } from '../support/decisions.ts';
import { datastreamOf, ECID_A, ECID_B, eventOf, exchangeOf, ORG } from '../support/exchanges.ts';

const DEFINITIONS = definitionsOf({ orgId: ORG });
const keyOf = (ecid: string): string => personKey(ORG, 'ECID', ecid);

/** A visitor's requests, and their changes into the state as the log would bring them. */
class Visits {
  readonly #state = new MemoryState();
  #offset = 0;

  send(attributes: readonly JsonObject[], fields: Partial<EdgeEvent> = {}, tools: DecidingTools | null = TOOLS) {
    return this.run(
      attributes.map((profile, index) =>
        eventOf({}, { index, ecid: ECID_A, data: { __adobe: { target: { profile } } }, ...fields }),
      ),
      tools,
    );
  }

  run(events: readonly EdgeEvent[], tools: DecidingTools | null = TOOLS, decides = true): Exchange {
    const persons = new Map([ECID_A, ECID_B].map((ecid) => [keyOf(ecid), this.#state.get(keyOf(ecid))]));
    const x = exchangeOf({ events, persons, datastream: datastreamOf({ decisions: decides ? DEFINITIONS : null }) });
    new Profile(tools).run(x);
    this.#state.apply([{ position: { partition: 0, offset: this.#offset++ }, changes: x.changes }]);
    return x;
  }

  kept(ecid = ECID_A): JsonObject | undefined {
    return (this.#state.get(keyOf(ecid))?.body['profile'] as { value?: JsonObject } | undefined)?.value;
  }
}
const TOOLS = decidingTools();
const many = (count: number, prefix = 'a'): JsonObject =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, i]));

describe('attributes', () => {
  test('are kept, changed and taken away; what is kept already costs no change', () => {
    const visits = new Visits();
    visits.send([{ tier: 'gold', age: 3 }]);
    expect(visits.kept()).toEqual({ tier: 'gold', age: 3 });
    expect(visits.send([{ tier: 'gold' }]).changes).toEqual([]);
    visits.send([{ tier: 'silver' }]);
    expect(visits.kept()).toEqual({ tier: 'silver', age: 3 });
    visits.send([{ tier: '' }]);
    expect(visits.kept()).toEqual({ age: 3 });
    expect(visits.send([{ tier: null }]).changes).toEqual([]);
  });

  test('of several events of a request are one change for each visitor, the last word of each', () => {
    const visits = new Visits();
    const x = visits.run([
      eventOf({}, { index: 0, ecid: ECID_A, data: { '__adobe.target': { 'profile.a': 1, 'profile.b': 1 } } }),
      eventOf({}, { index: 1, ecid: ECID_B, data: { '__adobe.target': { 'profile.a': 2 } } }),
      eventOf({}, { index: 2, ecid: ECID_A, data: { '__adobe.target': { 'profile.a': 3, 'profile.b': '' } } }),
    ]);
    expect(x.changes.map(({ key }) => key)).toEqual([keyOf(ECID_A), keyOf(ECID_B)]);
    expect([visits.kept(ECID_A), visits.kept(ECID_B)]).toEqual([{ a: 3 }, { a: 2 }]);
  });

  test('are so many, of one request or several; what was taken away makes room, again and again', () => {
    const visits = new Visits();
    const x = visits.send([many(ATTRIBUTES_MAX), { more: 1 }]);
    expect(Object.keys(visits.kept()!)).toHaveLength(ATTRIBUTES_MAX);
    expect(x.warnings).toHaveLength(1);
    expect(x.warnings[0]!.message).toContain('not kept: more.');
    expect(x.warnings[0]!.report).toMatchObject({ eventIndex: 1 });
    expect(visits.send([{ a0: null }, { other: 1 }]).warnings).toEqual([]);
    expect(visits.send([{ a1: null, third: 1 }]).warnings).toEqual([]);
    expect(visits.send([{ a0: 1 }]).warnings).toHaveLength(1);
    expect(Object.keys(visits.kept()!)).toHaveLength(ATTRIBUTES_MAX);
    expect(visits.kept()).toMatchObject({ other: 1, third: 1, a2: 2 });
  });

  test('that cannot be kept are warned of, the others kept', () => {
    const visits = new Visits();
    const x = visits.send([{ list: [1], name: 'x' }]);
    expect(x.warnings.map(({ spec, message }) => [spec.code, message.includes('not kept: list.')])).toEqual([
      ['EXEG-0204-200', true],
    ]);
    expect(visits.kept()).toEqual({ name: 'x' });
  });
});

test('of an event without a device are warned of: they are kept nowhere', () => {
  const visits = new Visits();
  const x = visits.send([{ tier: 'gold' }, { list: [1] }], { ecid: null });
  expect(x.changes).toEqual([]);
  expect(x.warnings.map(({ spec, message }) => [spec.code, message])).toEqual([
    ['EXEG-0204-200', expect.stringContaining('not kept: tier. ')],
    ['EXEG-0204-200', expect.stringContaining('not kept: list. ')],
  ]);
  expect(x.warnings[0]!.message).toContain('ECID');
  expect(visits.send([{ tier: '' }], { ecid: null }).warnings).toEqual([]);
});

describe('nothing is kept', () => {
  const consent = { recordId: null, collect: 'in', gpc: false, default: 'in', value: null } as const;
  test.each<[string, Partial<EdgeEvent>]>([
    ['a withheld event', { fate: 'withheld' }],
    ['a duplicate', { fate: 'duplicate' }],
    ['a rejected event', { fate: 'rejected' }],
    ['one whose state was not read', { ecid: '9'.repeat(38) }],
    ['one who wants nothing personal', { consent: { ...consent, value: { personalize: { content: { val: 'n' } } } } }],
    ['one who did not choose where that is no', { consent: { ...consent, default: 'pending' } }],
  ])('of %s', (_, fields) => {
    const x = new Visits().send([{ a: 1 }], fields);
    expect([x.changes, x.warnings]).toEqual([[], []]);
  });

  test('where nothing is decided', () => {
    expect(new Visits().send([{ a: 1 }], {}, null).changes).toEqual([]);
    const event = eventOf({}, { ecid: ECID_A, data: { '__adobe.target': { 'profile.a': 1 } } });
    expect(new Visits().run([event], TOOLS, false).changes).toEqual([]);
  });
});
