import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EventAges,
  keepsAll,
  keptUntilMs,
  proofsOf,
  proofsUntilMs,
  shortestAgeMs,
  withoutExpired,
  withoutOldProofs,
} from '../../src/model/expiry.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { LogRecord } from '../../src/model/record.ts';
import { markOf, type Request, requestRecord, type Sent, shownText, storedRecord } from '../support/expiring.ts';

const AT_MS = 1_700_000_000_000;
const ages = (maxAgeMs: number | null, types: Record<string, number | null> = {}): EventAges => ({
  maxAgeMs,
  eventTypes: new Map(Object.entries(types)),
});
const request = (sent: readonly Sent[], fields: Partial<Request> = {}): Request => ({
  ...{ number: 1, atMs: AT_MS, datastreamId: 'shop', sent, isWhole: true },
  ...fields,
});
const stored = (sent: readonly Sent[], fields: Partial<Request> = {}): LogRecord =>
  storedRecord(requestRecord(request(sent, fields)));
const typesLeft = (record: LogRecord): unknown[] => record.events.map(({ xdm }) => xdm['eventType'] ?? null);

describe('an event is shown for as long as its datastream keeps it, by when it was received', () => {
  const rules = ages(100, { short: 10, long: 1000, ever: null });
  test.each<[type: string | null, ageMs: number, isShown: boolean]>([
    [null, 0, true],
    [null, 100, true],
    [null, 101, false],
    ['other', 101, false],
    ['short', 10, true],
    ['short', 11, false],
    ['long', 1000, true],
    ['long', 1001, false],
    ['ever', 1e15, true],
    // No type of the rule's, but of every object's.
    ['constructor', 100, true],
    ['constructor', 101, false],
  ])('%s at %i ms: %s', (type, ageMs, isShown) => {
    for (const isWhole of [true, false]) {
      const record = stored([{ type }], { isWhole });
      const left = withoutExpired(record, rules, AT_MS + ageMs);
      expect(left === record).toBe(isShown);
      expect(left.events).toHaveLength(isShown ? 1 : 0);
    }
  });

  test('without an age of its own a datastream keeps what has none, and the types with one for that long', () => {
    const record = stored([{ type: 'short' }, { type: null }]);
    expect(typesLeft(withoutExpired(record, ages(null, { short: 10 }), AT_MS + 11))).toEqual([null]);
  });

  test('a type that is no text has no age of its own', () => {
    const record = requestRecord(request([{ type: null }], { isWhole: false }));
    const odd = { ...record, events: [{ ...record.events[0]!, xdm: { eventType: 7 } }] };
    expect(withoutExpired(odd, ages(null, { 7: 10 }), AT_MS + 11)).toBe(odd);
  });
});

describe('of a request whose events have all expired', () => {
  const expired = (fields: Partial<Request> = {}, sent: readonly Sent[] = [{ type: 'a' }]): LogRecord =>
    withoutExpired(stored(sent, fields), ages(10), AT_MS + 11);

  test('time, org, datastream and path stay', () => {
    expect(expired()).toEqual({
      ...{ requestId: '', atMs: AT_MS, orgId: 'org', datastreamId: 'shop', path: '/v1/interact', ecid: null },
      ...{ meta: {}, events: [], raw: null, changes: [], retryKey: null },
    });
  });

  test('all changes stay: they are no events', () => {
    const changes = ['identity', 'profile', 'decision', 'erasure', 'media', 'consent'] as const;
    expect(expired({ changes }).changes.map(({ kind }) => kind)).toEqual(changes);
  });

  test('the id of the request stays with a choice, which it proves', () => {
    expect(expired({ changes: ['identity', 'consent'] })).toMatchObject({ requestId: 'r1', ecid: null, raw: null });
    expect(expired({ changes: ['identity'] }).requestId).toBe('');
  });

  test('what a request without events sent goes as events of no type do', () => {
    const record = stored([{ type: 'a', isDuplicate: true }], { changes: ['identity'] });
    expect(withoutExpired(record, ages(10, { a: 1000 }), AT_MS + 10)).toBe(record);
    expect(withoutExpired(record, ages(10, { a: 1000 }), AT_MS + 11)).toMatchObject({ raw: null, ecid: null });
    expect(withoutExpired(record, ages(null, { a: 10 }), AT_MS + 11)).toBe(record);
  });
});

describe('choices and erasures', () => {
  const kinds = ['identity', 'consent', 'profile', 'erasure'] as const;
  const kindsOf = (record: LogRecord | null): unknown => record?.changes.map(({ kind }) => kind);

  test('go when they are older than they are kept; an event that brought one stays', () => {
    const record = stored([{ type: 'a' }], { changes: kinds });
    expect(withoutOldProofs(record, 10, AT_MS + 10)).toBe(record);
    expect(withoutOldProofs(record, Number.POSITIVE_INFINITY, AT_MS + 1e15)).toBe(record);
    expect(proofsUntilMs(record, 10)).toBe(AT_MS + 10);
    const left = storedRecord(withoutOldProofs(record, 10, AT_MS + 11));
    expect([kindsOf(left), left.ecid, left.requestId]).toEqual([['identity', 'profile'], 'ecid-1', 'r1']);
    expect(shownText(left)).toContain(markOf(1, 0));
    expect(withoutOldProofs(left, 10, AT_MS + 11)).toBe(left);
    expect(proofsUntilMs(left, 10)).toBe(Number.POSITIVE_INFINITY);
  });

  test('go with the call that made them', () => {
    const left = withoutOldProofs(stored([{ type: 'a', isDuplicate: true }], { changes: kinds }), 10, AT_MS + 11);
    expect([kindsOf(left), left.ecid, left.requestId, left.raw]).toEqual([['identity', 'profile'], null, '', null]);
  });

  test('are all that is kept of a dropped record', () => {
    const kept = proofsOf(stored([{ type: 'a' }], { changes: kinds }));
    expect(kindsOf(kept)).toEqual(['consent', 'erasure']);
    expect(kept).toMatchObject({ requestId: 'r1', atMs: AT_MS, ecid: null, raw: null, events: [] });
    expect(proofsOf(stored([{ type: 'a' }], { changes: ['identity', 'media'] }))).toBeNull();
  });
});

test('a duplicate that only the body holds goes by its own type, and the events beside it stay', () => {
  const record = stored([{ type: 'long' }, { type: 'short', isDuplicate: true }]);
  const rules = ages(null, { short: 10, long: 1000 });
  expect(withoutExpired(record, rules, AT_MS + 10)).toBe(record);
  const left = withoutExpired(record, rules, AT_MS + 11);
  expect(typesLeft(left)).toEqual(['long']);
  expect(shownText(left)).toContain(markOf(1, 0));
  expect(shownText(left)).not.toContain(markOf(1, 1));
});

test.each([
  [ages(null), Number.POSITIVE_INFINITY, true],
  [ages(null, { a: null }), Number.POSITIVE_INFINITY, true],
  [ages(7), 7, false],
  [ages(null, { a: 5, b: null }), 5, false],
  [ages(7, { a: 9 }), 7, false],
])('the shortest age of %o is %d', (rules, shortestMs, isEverything) => {
  expect([shortestAgeMs(rules), keepsAll(rules)]).toEqual([shortestMs, isEverything]);
});

const AGES_MAX = 40;
const age = fc.option(fc.integer({ min: 1, max: AGES_MAX }));
const type = fc.constantFrom('a', 'b', 'c', 'constructor', null);
const rules = fc.record({
  maxAgeMs: age,
  eventTypes: fc
    .dictionary(fc.constantFrom('a', 'b', 'constructor'), age)
    .map((types) => new Map(Object.entries(types))),
});
const requests = fc.record({
  ...{ number: fc.constant(1), atMs: fc.constant(AT_MS), datastreamId: fc.constant('shop'), isWhole: fc.boolean() },
  sent: fc.array(fc.record({ type, isDuplicate: fc.boolean() }), { minLength: 1, maxLength: 5 }),
  changes: fc.subarray(['identity', 'consent', 'profile', 'erasure'] as const),
  shared: fc.constantFrom<JsonObject>({}, { eventType: 'b' }, { web: {} }),
});

test('like a naive oracle, at every moment, however often it is taken away and written', () => {
  fc.assert(
    fc.property(requests, rules, fc.array(fc.integer({ min: 0, max: AGES_MAX + 2 })), (sent, ages, moments) => {
      const original = requestRecord(sent);
      let record = storedRecord(original);
      for (const ageMs of moments.sort((a, b) => a - b)) {
        const before = record;
        const left = withoutExpired(before, ages, AT_MS + ageMs);
        // Once more changes nothing, and until it says so nothing will.
        expect(withoutExpired(left, ages, AT_MS + ageMs)).toBe(left);
        record = storedRecord(left);
        expect(withoutExpired(record, ages, AT_MS + ageMs)).toBe(record);
        const untilMs = keptUntilMs(record, ages, AT_MS + ageMs);
        const lastMs = Math.min(untilMs, AT_MS + AGES_MAX + 1);
        expect(withoutExpired(record, ages, lastMs)).toBe(record);
        // Exactly, where nothing empty stands in a body, whose age is the one of no type.
        const isWhole = left.events.length === sent.sent.length || !sent.isWhole;
        if (isWhole && untilMs < Number.POSITIVE_INFINITY)
          expect(withoutExpired(record, ages, untilMs + 1)).not.toBe(record);
        // A body that is not kept has only what was stored.
        const isKept = ({ xdm }: LogRecord['events'][number]): boolean => isNaivelyKept(xdm['eventType'], ages, ageMs);
        const kept = original.events.filter(isKept);
        expect(left.events.map(({ index, xdm }) => [index, xdm])).toEqual(kept.map(({ index, xdm }) => [index, xdm]));
        expect(left.changes).toEqual(original.changes);
        const text = shownText(left);
        sent.sent.forEach((one, index) => {
          const own = one.type ?? sent.shared['eventType'];
          const isInBody = sent.isWhole && one.isDuplicate;
          if (!isInBody && one.isDuplicate) return;
          const mayStand =
            original.events.length === 0 ? isNaivelyKept(undefined, ages, ageMs) : isNaivelyKept(own, ages, ageMs);
          if (!mayStand) expect(text).not.toContain(markOf(1, index));
          else if (!one.isDuplicate) expect(text).toContain(markOf(1, index));
        });
      }
    }),
    { numRuns: 2000 },
  );
});

function isNaivelyKept(type: unknown, { maxAgeMs, eventTypes }: EventAges, ageMs: number): boolean {
  for (const [named, age] of eventTypes) if (named === type) return age === null || ageMs <= age;
  return maxAgeMs === null || ageMs <= maxAgeMs;
}
