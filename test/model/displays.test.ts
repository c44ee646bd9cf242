import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DecisionHistory, StoredNotice } from '../../src/model/decision.ts';
import { DEVICE, withDisplays } from '../../src/model/decision-history.ts';
import { claimsText, type TokenClaims } from '../../src/model/decision-token.ts';
import { Displays, type Named } from '../../src/model/displays.ts';

const EVENTS_MAX = 6;
const CAPACITY = (id: string): number => (id === 'a' ? 2 : id === 'b' ? 100 : 0);
const claims: fc.Arbitrary<TokenClaims> = fc.record({
  ...{ requestId: fc.constant('r'), eventIndex: fc.constant(0), experienceId: fc.constant('e') },
  ...{ activityId: fc.constantFrom('a', 'b', 'c'), scope: fc.constant('s'), atSeconds: fc.nat(9) },
  ...{ isPreview: fc.boolean(), isBot: fc.boolean() },
});
const someNotices = fc.array(
  fc.record({ i: fc.nat(EVENTS_MAX), k: fc.constantFrom('display' as const, 'interact' as const), claims }),
  { maxLength: 12 },
);
const person = fc.constantFrom('p', 'q');
const someEvents = fc.uniqueArray(
  fc.record({ index: fc.nat(EVENTS_MAX - 1), ecid: fc.option(person), crm: fc.option(person) }),
  { selector: ({ index }) => index },
);
const asked = fc.array(fc.record({ namespace: fc.constantFrom(DEVICE, 'CRM'), id: person, index: fc.nat(EVENTS_MAX) }));
const BEFORE: Readonly<Record<string, DecisionHistory | null>> = { p: null, q: { a: { shown: [3] } } };

test('a history has what was displayed to that visitor up to the event, in whatever order it is asked for', () => {
  fc.assert(
    fc.property(someNotices, someEvents, asked, (given, list, questions) => {
      const told = [...given].sort((one, other) => one.i - other.i);
      const events = list.map(({ index, ecid, crm }): Named => {
        const named = { namespace: 'CRM', id: crm!, authenticatedState: 'ambiguous', primary: false } as const;
        return { index, ecid, identities: crm === null ? [] : [named] };
      });
      const notices = told.map(({ i, k, claims: one }): StoredNotice => ({ i, k, t: claimsText(one) }));
      const displays = new Displays(notices, events, CAPACITY);
      for (const { namespace, id, index } of questions) {
        const theirs = told.filter(({ i, k, claims: { isPreview } }) => {
          const event = events.find((one) => one.index === i);
          const whose = namespace === DEVICE ? event?.ecid : event?.identities[0]?.id;
          return i <= index && k === 'display' && !isPreview && whose === id;
        });
        const before = BEFORE[id]!;
        const shown = theirs.map((one) => one.claims);
        const expected = theirs.length === 0 ? before : withDisplays(before ?? {}, shown, CAPACITY);
        expect(displays.historyOf(namespace, id, index, before)).toEqual(expected);
      }
    }),
  );
});

test('a notice that nobody wrote counts for nothing', () => {
  const event: Named = { index: 0, ecid: 'p', identities: [] };
  const displays = new Displays([{ i: 0, k: 'display', t: '{"no":"claims"}' }], [event], CAPACITY);
  expect(displays.historyOf(DEVICE, 'p', 0, null)).toBeNull();
});
