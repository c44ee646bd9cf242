import { expect, test } from 'vitest';
import { CLOCK_STEADY_MS, Expiry, PASS_EVERY_MS, RETRY_AFTER_MS } from '../src/expiry.ts';
import type { ExpiryRule } from '../src/log/hidden.ts';
import { type EventAges, KEPT_FOR_EVER } from '../src/model/expiry.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** A log that only notes what it is told, and clocks that go when they are told to. */
function setUp() {
  const clock = { wallMs: 1_700_000_000_000, monotonicMs: 5 };
  const expired = new Map<string, number>();
  const startMs = clock.wallMs;
  const told = { passes: 0, writes: 0, changes: 0, receiptsBefore: [] as number[] };
  const fails: { rules: Error | null; pass: Error | null } = { rules: null, pass: null };
  const log = {
    rules: [] as readonly ExpiryRule[],
    expired,
    async setRules(rules: readonly ExpiryRule[]) {
      log.rules = rules;
      if (fails.rules !== null) throw fails.rules;
      told.writes += 1;
    },
    async expire(proofsMaxAgeMs?: number) {
      expect(proofsMaxAgeMs).toBe(10 * DAY_MS);
      if (fails.pass !== null) throw fails.pass;
      told.passes += 1;
    },
  };
  const messages: string[] = [];
  const expiry = new Expiry({
    ...{ log, nowMs: () => clock.wallMs, monotonicMs: () => clock.monotonicMs },
    report: (message) => messages.push(message),
    proofsMaxAgeMs: 10 * DAY_MS,
    async dropReceipts(beforeMs) {
      told.receiptsBefore.push(beforeMs - startMs);
    },
  });
  expiry.onChange(() => {
    told.changes += 1;
  });
  const pass = (ms: number): void => {
    clock.wallMs += ms;
    clock.monotonicMs += ms;
  };
  /** Every minute, as the server does. */
  const tend = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += MINUTE_MS) {
      pass(MINUTE_MS);
      await expiry.tend();
    }
  };
  const take = (retentions: Record<string, EventAges>): Promise<void> =>
    expiry.take({ datastreams: new Map(Object.entries(retentions).map(([id, retention]) => [id, { id, retention }])) });
  return { clock, messages, expired, told, fails, log, expiry, pass, tend, take };
}

const days = (maxAge: number | null, types: Record<string, number | null> = {}): EventAges => ({
  maxAgeMs: maxAge === null ? null : maxAge * DAY_MS,
  eventTypes: new Map(Object.entries(types)),
});

test('a rule is as old as it has been the same, in whichever order its types are written', async () => {
  const { log, take, pass, told, clock } = setUp();
  const startMs = clock.wallMs;
  await take({ shop: days(3, { a: 1, b: null }), dev: days(2), other: KEPT_FOR_EVER, ever: days(null, { a: null }) });
  const since = (): unknown => log.rules.map(({ datastreamId, sinceMs }) => [datastreamId, sinceMs - startMs]).sort();
  expect(since()).toEqual([
    ['dev', 0],
    ['shop', 0],
  ]);
  pass(1000);
  await take({ shop: days(3, { b: null, a: 1 }), dev: days(2) });
  expect(told).toMatchObject({ writes: 1, changes: 1 });
  await take({ shop: days(3, { b: null, a: 2 }), dev: days(2) });
  expect(since()).toEqual([
    ['dev', 0],
    ['shop', 1000],
  ]);
  expect(told).toMatchObject({ writes: 2, changes: 2 });
});

test('a datastream that keeps everything has no rule; one that has left the workspace keeps the one it had', async () => {
  const { log, take } = setUp();
  await take({ shop: days(3), dev: days(2) });
  const [, dev] = log.rules;
  await take({ shop: KEPT_FOR_EVER });
  expect(log.rules).toEqual([dev]);
});

test('rules that the disk does not take are in force, and written when it does', async () => {
  const { log, take, fails, told, tend, messages } = setUp();
  fails.rules = new Error('full');
  await take({ shop: days(3) });
  expect([log.rules.length, told.changes]).toEqual([1, 1]);
  expect(messages).toEqual([expect.stringContaining('it is tried again: full')]);
  await expect(tend(MINUTE_MS)).rejects.toThrow('full');
  fails.rules = null;
  await tend(2 * MINUTE_MS);
  expect(told.writes).toBe(1);
});

test('passes are made twice a day, the first when the clock has been steady for an hour', async () => {
  const { told, tend, expiry, clock } = setUp();
  await tend(CLOCK_STEADY_MS - MINUTE_MS);
  expect([told.passes, told.receiptsBefore, expiry.status.lastPassMs]).toEqual([0, [], null]);
  await tend(MINUTE_MS);
  expect([told.passes, expiry.status.lastPassMs]).toEqual([1, clock.wallMs]);
  expect(told.receiptsBefore).toEqual([CLOCK_STEADY_MS - 10 * DAY_MS]);
  await tend(PASS_EVERY_MS - MINUTE_MS);
  expect(told.passes).toBe(1);
  await tend(MINUTE_MS);
  expect(told.passes).toBe(2);
});

test.each([
  ['ahead', 400 * DAY_MS],
  ['back', -400 * DAY_MS],
  ['by a minute', MINUTE_MS],
])('a clock that jumps %s is given an hour to be put right', async (_how, jumpMs) => {
  const { told, tend, clock } = setUp();
  await tend(CLOCK_STEADY_MS - MINUTE_MS);
  clock.wallMs += jumpMs;
  await tend(CLOCK_STEADY_MS);
  expect(told.passes).toBe(0);
  await tend(MINUTE_MS);
  expect(told.passes).toBe(1);
});

test('a clock that is slewed is steady', async () => {
  const { told, tend, clock } = setUp();
  for (let minute = 0; minute < 60; minute++) {
    clock.wallMs += 30;
    await tend(MINUTE_MS);
  }
  expect(told.passes).toBe(1);
});

test('a pass that fails is seen, and made again in an hour', async () => {
  const { told, tend, fails, expiry } = setUp();
  fails.pass = new Error('EIO: a segment');
  await expect(tend(CLOCK_STEADY_MS)).rejects.toThrow('EIO');
  expect(expiry.status).toMatchObject({ failure: 'EIO: a segment', lastPassMs: null });
  fails.pass = null;
  await tend(RETRY_AFTER_MS - MINUTE_MS);
  expect(told.passes).toBe(0);
  await tend(MINUTE_MS);
  expect([told.passes, expiry.status.failure]).toEqual([1, null]);
});

test('one pass at a time; who counts what is shown is told of one that removed something', async () => {
  const { told, tend, expired, log, expiry, pass } = setUp();
  let end = (): void => {};
  let passes = 0;
  log.expire = async () => {
    passes += 1;
    await new Promise<void>((resolve) => {
      end = resolve;
    });
  };
  pass(CLOCK_STEADY_MS);
  const first = expiry.tend();
  await tend(PASS_EVERY_MS + MINUTE_MS);
  expect([passes, told.changes]).toEqual([1, 0]);
  expired.set('shop', 2);
  end();
  await first;
  expect([told.changes, [...expiry.status.removed]]).toEqual([1, [['shop', 2]]]);
  const second = expiry.tend();
  await expect.poll(() => passes).toBe(2);
  end();
  await second;
  expect([passes, told.changes]).toEqual([2, 1]);
});
