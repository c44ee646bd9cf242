import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../src/model/exchange.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { personKey } from '../../src/model/person.ts';
import { ChoicesUnderWay } from '../../src/stages/choices-under-way.ts';
import { TcStrings } from '../../src/stages/tc-strings.ts';
import { Wait } from '../../src/stages/wait.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { ECID_A, ECID_B, type ExchangeFields, eventOf, exchangeOf, ORG } from '../support/exchanges.ts';
import { problemIn } from '../support/problems.ts';
import { TC_IN } from '../support/tc-strings.ts';

const KEY = personKey(ORG, 'ECID', ECID_A);
const OUT = { kind: 'consent' as const, key: KEY, time: '1-0', body: { value: { collect: { val: 'n' } } } };

describe('a choice that is on its way to disk', () => {
  const state = new MemoryState();
  const choices = new ChoicesUnderWay();
  const stage = new Wait(state, choices, new TcStrings());
  const held = (): { readonly settle: () => void; readonly fail: () => void } => {
    let settle = (): void => {};
    let fail = (): void => {};
    choices.add(
      [OUT],
      new Promise<void>((resolve, reject) => {
        settle = resolve;
        fail = () => reject(new Error('the disk is full'));
      }),
    );
    return { settle, fail };
  };
  const ofA = (fields: ExchangeFields = {}): Exchange => exchangeOf({ ecid: ECID_A, ...fields });

  test.each<[string, ExchangeFields]>([
    ['the request', { ecid: ECID_A }],
    ['an event of several', { events: [eventOf({}, { ecid: ECID_B }), eventOf({}, { ecid: ECID_A, index: 1 })] }],
  ])('is waited for by who is about its visitor: %s; and known then', async (_what, fields) => {
    const { settle } = held();
    const x = exchangeOf({ ...fields, persons: new Map([[KEY, null]]) });
    const waiting = stage.run(x);
    state.apply([{ position: { partition: 0, offset: 0 }, changes: [OUT] }]);
    settle();
    expect(await waiting).toBe('again');
    expect(x.persons.get(KEY)?.body['consent']).toMatchObject(OUT.body);
    expect(stage.run(x)).toBeUndefined();
  });

  test('is nothing to other visitors, to other orgs, or where nobody is named', async () => {
    const { settle } = held();
    const events = [eventOf({}, { ecid: ECID_B }), eventOf({})];
    expect(stage.run(exchangeOf({ events }))).toBeUndefined();
    expect(stage.run(exchangeOf({ ecid: ECID_B }))).toBeUndefined();
    const elsewhere = ofA();
    expect(
      stage.run(exchangeOf({ ecid: ECID_A, datastream: { ...elsewhere.datastream, orgId: 'OTHER@AdobeOrg' } })),
    ).toBeUndefined();
    settle();
    await stage.run(ofA());
  });

  test('that fails leaves what was known', async () => {
    const { fail } = held();
    const waiting = stage.run(ofA());
    fail();
    expect(await waiting).toBe('again');
    expect(stage.run(ofA())).toBeUndefined();
  });

  test('that is followed by another is not the last one to wait for', async () => {
    const first = held();
    const waiting = stage.run(ofA());
    first.settle();
    const second = held();
    await waiting;
    const more = stage.run(ofA());
    expect(more).toBeInstanceOf(Promise);
    second.settle();
    await more;
    expect(stage.run(ofA())).toBeUndefined();
  });

  test('is waited for until the deadline', async () => {
    const { settle } = held();
    const { spec } = await problemIn(stage.run(ofA({ deadlineMs: performance.now() + 260 })) as Promise<unknown>);
    expect(spec.code).toBe('EXEG-0200-504');
    settle();
    await stage.run(ofA());
  });

  test('other changes are not waited for', () => {
    choices.add([{ ...OUT, kind: 'identity' }], new Promise(() => {}));
    expect(stage.run(ofA())).toBeUndefined();
  });
});

describe('the decoder of TC strings', () => {
  const strings = { consentStrings: [{ consentStandard: 'IAB TCF', consentStringValue: TC_IN }] } as JsonObject;
  const withStrings = eventOf(strings, { ecid: ECID_A });
  const choiceBy = (standard: string): ExchangeFields => ({
    received: { consent: [{ standard } as { [key: string]: Json }] },
  });
  const waitFor = (load: () => Promise<typeof import('@iabtcf/core')>): Wait =>
    new Wait(new MemoryState(), new ChoicesUnderWay(), new TcStrings(load));

  test('is loaded with the first TC string, and never before', async () => {
    let loads = 0;
    const stage = waitFor(() => {
      loads += 1;
      return import('@iabtcf/core');
    });
    expect(stage.run(exchangeOf({ ecid: ECID_A, events: [eventOf({}, { ecid: ECID_A })] }))).toBeUndefined();
    expect(stage.run(exchangeOf({ ecid: ECID_A, ...choiceBy('Adobe') }))).toBeUndefined();
    expect(loads).toBe(0);
    expect(await stage.run(exchangeOf({ ecid: ECID_A, events: [withStrings] }))).toBe('again');
    expect(stage.run(exchangeOf({ ecid: ECID_A, events: [withStrings] }))).toBeUndefined();
    expect(stage.run(exchangeOf({ ecid: ECID_A, ...choiceBy('IAB TCF') }))).toBeUndefined();
    expect(loads).toBe(1);
  });

  test('takes a while, in which somebody may choose: that is known then', async () => {
    const state = new MemoryState();
    const stage = new Wait(state, new ChoicesUnderWay(), new TcStrings());
    const x = exchangeOf({ ecid: ECID_A, events: [withStrings], persons: new Map([[KEY, null]]) });
    const waiting = stage.run(x);
    state.apply([{ position: { partition: 0, offset: 0 }, changes: [OUT] }]);
    await waiting;
    expect(x.persons.get(KEY)?.body['consent']).toMatchObject(OUT.body);
  });

  test.each<[string, ExchangeFields, string]>([
    ['0307: a choice', choiceBy('IAB TCF'), 'EXEG-0307-502'],
    ['0300: an event', { events: [withStrings] }, 'EXEG-0300-502'],
  ])('that cannot be loaded refuses with %s', async (_what, fields, code) => {
    const stage = waitFor(() => Promise.reject(new Error('EMFILE')));
    const x = exchangeOf({ ecid: ECID_A, ...fields });
    await expect(stage.run(x)).rejects.toMatchObject({ spec: { code } });
  });
});
