import { beforeEach, describe, expect, test } from 'vitest';
import type { TokenClaims } from '../../src/model/decision-token.ts';
import { claimsText } from '../../src/model/decision-token.ts';
import type { EdgeEvent, Exchange } from '../../src/model/exchange.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { personKey } from '../../src/model/person.ts';
import { NOTICES_OF_REQUEST_MAX, Notify } from '../../src/stages/notify.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { activityOf, definitionsOf } from '../support/decisions.ts';
import { tokenOf } from '../support/event-tokens.ts';
import { datastreamOf, decisionTools, ECID_A, ECID_B, eventOf, exchangeOf, ORG, TOKENS } from '../support/exchanges.ts';

const MAX = 3;
const caps = [{ max: MAX, periodMs: null }];
const DEFINITIONS = definitionsOf({
  activities: [activityOf('capped', { caps }), activityOf('free'), activityOf('personal', { caps, bucketBy: 'CRM' })],
  offers: {
    placements: [],
    decisions: [],
    offers: [{ id: 'mug', name: 'Mug', priority: 0, startMs: null, endMs: null, when: null, caps, content: {} }],
  },
});

let state: MemoryState;
let offset: number;
beforeEach(() => {
  state = new MemoryState();
  offset = 0;
});

const claimsOf = (activityId: string, fields: Partial<TokenClaims> = {}): TokenClaims => ({
  ...{ requestId: 'r-0', eventIndex: 0, activityId, experienceId: 'a', scope: 'hero', atSeconds: 1_000 },
  ...{ isPreview: false, isBot: false },
  ...fields,
});
const token = (claims: TokenClaims, ecid: string | null = ECID_A): string => tokenOf(TOKENS, ORG, ecid, claims);

function notification(tokens: readonly (string | null)[], types: JsonObject = { display: 1 }): JsonObject {
  const propositions = tokens.map(
    (eventToken): JsonObject => ({
      ...{ id: 'AT:1', scope: 'hero' },
      scopeDetails: eventToken === null ? {} : { characteristics: { eventToken } },
    }),
  );
  return { _experience: { decisioning: { propositions, propositionEventType: types } } };
}

/** One request, and its changes into the state as the log would bring them. */
function send(xdms: readonly JsonObject[], fields: Partial<EdgeEvent> = {}, tools = decisionTools()): Exchange {
  const events = xdms.map((xdm, index) => eventOf(xdm, { index, ecid: ECID_A, ...fields }));
  const keys = [personKey(ORG, 'ECID', ECID_A), personKey(ORG, 'CRM', 'ada')];
  const persons = new Map(keys.map((key) => [key, state.get(key)]));
  const x = exchangeOf({ events, persons, datastream: datastreamOf({ decisions: DEFINITIONS }) });
  new Notify(tools).run(x);
  state.apply([{ position: { partition: 0, offset: offset++ }, changes: x.changes }]);
  return x;
}
const shown = (id: string, namespace = 'ECID', text = ECID_A): unknown =>
  (state.get(personKey(ORG, namespace, text))?.body['decision'] as { value?: Record<string, { shown?: unknown }> })
    ?.value?.[id]?.shown;

describe('a notification', () => {
  test('with a token of ours is kept for reports, each kind of it once', () => {
    const one = claimsOf('free');
    const x = send([notification([token(one), token(one)], { display: 1, interact: 1 }), notification([token(one)])]);
    expect(x.notices).toEqual([
      { i: 0, k: 'display', t: claimsText(one) },
      { i: 0, k: 'interact', t: claimsText(one) },
    ]);
    expect(x.warnings).toEqual([]);
  });

  const notOurs: readonly (readonly [string, string | null])[] = [
    ['no token', null],
    ['a forged token', 'AbCdEf'],
    ['a token of another visitor', token(claimsOf('free'), ECID_B)],
    ['a token of another org', tokenOf(TOKENS, 'OTHER@AdobeOrg', ECID_A, claimsOf('free'))],
  ];
  test.each(notOurs)('with %s is not counted, and says so', (_, text) => {
    const tools = decisionTools();
    const x = send([notification([text, text])], {}, tools);
    expect(x.notices).toBeNull();
    expect(x.changes).toEqual([]);
    expect(x.warnings.map(({ spec }) => spec.code)).toEqual(['EXEG-0204-200']);
    expect(tools.counts).toMatchObject({ notices: 0, notOurs: 1 });
  });

  test('of an event that is not stored is none', () => {
    for (const fate of ['withheld', 'duplicate', 'rejected'] as const) {
      const x = send([notification([token(claimsOf('capped'))])], { fate });
      expect([x.notices, x.changes, x.warnings]).toEqual([null, [], []]);
    }
  });

  test('counts up to a number in one request', () => {
    const tokens = (count: number): string[] =>
      Array.from({ length: count }, (_, i) => token(claimsOf('free', { eventIndex: i })));
    const most = send([notification(tokens(NOTICES_OF_REQUEST_MAX))]);
    expect([most.notices?.length, most.warnings.length]).toEqual([NOTICES_OF_REQUEST_MAX, 0]);
    const more = send([notification(tokens(NOTICES_OF_REQUEST_MAX + 1))]);
    expect([more.notices?.length, more.warnings.length]).toEqual([NOTICES_OF_REQUEST_MAX, 1]);
  });
});

describe('a display', () => {
  test('is kept on the visitor where the activity has caps: once a decision, as many as the largest cap needs', () => {
    for (const atSeconds of [5, 1, 5, 3, 4]) send([notification([token(claimsOf('capped', { atSeconds }))])]);
    expect(shown('capped')).toEqual([3, 4, 5]);
    send([notification([token(claimsOf('free'))])]);
    expect(shown('free')).toBeUndefined();
  });

  test('several of one request are all kept', () => {
    const at = (atSeconds: number): string => token(claimsOf('capped', { atSeconds }));
    send([notification([at(1), at(2)]), notification([at(3)])]);
    expect(shown('capped')).toEqual([1, 2, 3]);
  });

  test('of an offer counts for the offer', () => {
    send([notification([token(claimsOf('decision~banner', { experienceId: 'bag,mug' }))])]);
    expect([shown('mug'), shown('bag')]).toEqual([[1_000], undefined]);
  });

  test('of an experience counts for nothing that happens to have its id', () => {
    send([notification([token(claimsOf('free', { experienceId: 'capped' }))])]);
    expect(shown('capped')).toBeUndefined();
  });

  test('counts for the device and for the person, where the activity is about persons', () => {
    const identities = [{ namespace: 'CRM', id: 'ada', authenticatedState: 'authenticated', primary: true } as const];
    send([notification([token(claimsOf('personal'))])], { identities });
    expect([shown('personal'), shown('personal', 'CRM', 'ada')]).toEqual([[1_000], [1_000]]);
  });

  test('of a preview, and what is no display, is not kept on the visitor', () => {
    send([notification([token(claimsOf('capped', { isPreview: true }))])]);
    send([notification([token(claimsOf('capped'))], { interact: 1 })]);
    expect(shown('capped')).toBeUndefined();
  });

  test('leaves the experience that is kept', () => {
    const key = personKey(ORG, 'ECID', ECID_A);
    const body = { operation: 'update', value: { capped: { experience: 'b' } } };
    const time = '000000000001-0000';
    state.apply([{ position: { partition: 0, offset: offset++ }, changes: [{ kind: 'decision', key, time, body }] }]);
    send([notification([token(claimsOf('capped'))])]);
    expect(state.get(key)?.body['decision']).toMatchObject({
      value: { capped: { experience: 'b', shown: [1_000] } },
    });
  });
});
