import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fates } from '../../src/telemetry/counters.ts';
import {
  DATASTREAMS_MAX,
  IngressLedger,
  MINUTES_KEPT,
  type Outcomes,
  ROWS_MAX,
  UNKNOWN_DATASTREAM,
} from '../../src/telemetry/ledger.ts';

const MINUTE_MS = 60_000;
const START_MS = 1_795_426_200_000;
const shop = { id: 'shop', orgId: 'A@AdobeOrg' };
const REJECTED = { code: 'EXEG-0103-400', status: 400 };
const REFUSED = { code: 'EXEG-0000-503', status: 503 };
const fates = (some: Partial<Fates>): Fates => ({ store: 0, withheld: 0, rejected: 0, duplicate: 0, ...some });
const counts = ({ received, stored, withheld, duplicate, rejectedTotal, refusedTotal }: Outcomes) => ({
  received,
  stored,
  withheld,
  duplicate,
  rejected: rejectedTotal,
  refused: refusedTotal,
});
const nothing = { received: 0, stored: 0, withheld: 0, duplicate: 0, rejected: 0, refused: 0 };

function ledger(): IngressLedger {
  return new IngressLedger(START_MS);
}

describe('one request', () => {
  test.each([
    ['went well', fates({ store: 3 }), true, null, { received: 3, stored: 3 }],
    [
      'of every fate',
      fates({ store: 1, withheld: 2, duplicate: 3, rejected: 4 }),
      true,
      null,
      { received: 10, stored: 1, withheld: 2, duplicate: 3, rejected: 4 },
    ],
    ['failed by its own fault', fates({ store: 2, duplicate: 1 }), false, REJECTED, { received: 3, rejected: 3 }],
    ['failed by ours', fates({ store: 2, withheld: 1 }), false, REFUSED, { received: 3, refused: 3 }],
    ['429 is ours', fates({ store: 1 }), false, { code: 'http-429', status: 429 }, { received: 1, refused: 1 }],
    ['499 is not', fates({ store: 1 }), false, { code: 'x', status: 499 }, { received: 1, rejected: 1 }],
    [
      'was stored, and failed after that',
      fates({ store: 2, duplicate: 1 }),
      true,
      REFUSED,
      { received: 3, stored: 2, refused: 1 },
    ],
    ['held no events', fates({}), false, null, {}],
  ] as const)('%s', (_, of, isStored, failure, expected) => {
    const one = ledger();
    one.settle(shop, START_MS, of, isStored, failure);
    expect(counts(one.totals.get('shop')!)).toEqual({ ...nothing, ...expected });
    expect([...one.rows()].map(({ outcomes }) => counts(outcomes))).toEqual([{ ...nothing, ...expected }]);
  });

  test('that could not be read counts as one, and without a datastream under a name that none can have', () => {
    const one = ledger();
    one.unread(shop, START_MS, REJECTED);
    one.unread(null, START_MS, REFUSED);
    one.unread(null, START_MS, REFUSED);
    expect(one.totals.get('shop')!.rejected).toEqual(new Map([[REJECTED.code, 1]]));
    expect(one.totals.get(UNKNOWN_DATASTREAM)!.refused).toEqual(new Map([[REFUSED.code, 2]]));
    expect(one.sinceStart()).toEqual({ store: 0, withheld: 0, duplicate: 0, rejected: 1, refused: 2 });
  });
});

describe('minutes', () => {
  test('are those of arrival; a range takes its first and leaves its end', () => {
    const one = ledger();
    for (const minute of [2, 0, 1])
      one.settle(shop, START_MS + minute * MINUTE_MS + 59_999, fates({ store: 1 }), true, null);
    const minutes = (from?: number, to?: number) =>
      [...one.rows(from, to)].map(({ minuteMs }) => (minuteMs - START_MS) / MINUTE_MS);
    expect(minutes()).toEqual([0, 1, 2]);
    expect(minutes(START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS)).toEqual([1]);
  });

  test(`are kept to ${MINUTES_KEPT}, totals for ever; what was dropped does not come back`, () => {
    const one = ledger();
    for (let minute = 0; minute < MINUTES_KEPT; minute++) one.unread(shop, START_MS + minute * MINUTE_MS, REJECTED);
    expect([...one.rows()]).toHaveLength(MINUTES_KEPT);
    expect(one.completeFromMs).toBe(START_MS);
    one.unread(shop, START_MS + MINUTES_KEPT * MINUTE_MS, REJECTED);
    one.unread(shop, START_MS, REJECTED);
    expect([...one.rows()]).toHaveLength(MINUTES_KEPT);
    expect(one.completeFromMs).toBe(START_MS + MINUTE_MS);
    expect(one.totals.get('shop')!.received).toBe(MINUTES_KEPT + 2);
  });

  test(`are fewer where rows are more than ${ROWS_MAX}`, () => {
    const one = ledger();
    const perMinute = ROWS_MAX / 4;
    for (let minute = 0; minute < 5; minute++) {
      for (let i = 0; i < perMinute; i++)
        one.unread({ id: `d${i}`, orgId: '' }, START_MS + minute * MINUTE_MS, REJECTED);
    }
    expect([...one.rows()]).toHaveLength(ROWS_MAX);
    expect(one.completeFromMs).toBe(START_MS + MINUTE_MS);
  });
});

test(`datastreams beyond ${DATASTREAMS_MAX} share a row`, () => {
  const one = ledger();
  for (let i = 0; i < DATASTREAMS_MAX + 2; i++) one.unread({ id: `d${i}`, orgId: '' }, START_MS, REJECTED);
  one.unread({ id: 'd0', orgId: '' }, START_MS, REJECTED);
  expect(one.totals.size).toBe(DATASTREAMS_MAX + 1);
  expect(one.totals.get('(other)')!.received).toBe(2);
  expect(one.totals.get('d0')!.received).toBe(2);
});

test('rows and totals say the same, whatever comes', () => {
  const failure = fc.option(fc.constantFrom(REJECTED, REFUSED, { code: 'http-405', status: 405 }));
  const count = fc.nat(5);
  const request = fc.record({
    id: fc.constantFrom('a', 'b', null),
    minute: fc.nat(3),
    fates: fc.record({ store: count, withheld: count, rejected: count, duplicate: count }),
    isStored: fc.boolean(),
    failure,
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 60 }), (requests) => {
      const one = ledger();
      let received = 0;
      for (const { id, minute, fates, isStored, failure } of requests) {
        const atMs = START_MS + minute * MINUTE_MS;
        if (id === null) one.unread(null, atMs, REFUSED);
        else one.settle({ id, orgId: '' }, atMs, fates, isStored || failure === null, failure);
        received += id === null ? 1 : fates.store + fates.withheld + fates.rejected + fates.duplicate;
      }
      const sums = new Map<string, number>();
      for (const { datastreamId, outcomes } of one.rows()) {
        sums.set(datastreamId, (sums.get(datastreamId) ?? 0) + outcomes.received);
      }
      for (const [id, { received }] of one.totals) expect(sums.get(id)).toBe(received);
      expect(Object.values(one.sinceStart()).reduce((a, b) => a + b, 0)).toBe(received);
    }),
  );
});
