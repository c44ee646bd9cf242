import { describe, expect, test } from 'vitest';
import { CLOCK_STEADY_MS, Expiry, PASS_EVERY_MS, RETRY_AFTER_MS } from '../src/expiry.ts';
import type { ExpiryRule } from '../src/log/hidden.ts';
import { type EventAges, KEPT_FOR_EVER } from '../src/model/expiry.ts';
import { failure, MemoryFs } from './log/memory-fs.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const FOLDER = '/data';
const FILE = `${FOLDER}/expiry.json`;

/** A machine that goes on when its server is started again. */
function machine() {
  return { clock: { wallMs: 1_700_000_000_000, monotonicMs: 5 }, bootId: 'boot 1', fs: new MemoryFs() };
}

/** A log that only notes what it is told, and clocks that go when they are told to. */
function setUp(on = machine()) {
  const { clock } = on;
  const expired = new Map<string, number>();
  const startMs = clock.wallMs;
  const told = { passes: 0, writes: 0, changes: 0, receiptsBefore: [] as number[] };
  const fails: Record<'rules' | 'pass' | 'receipts', Error | null> = { rules: null, pass: null, receipts: null };
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
    ...{ log, nowMs: () => clock.wallMs, monotonicMs: () => clock.monotonicMs, bootId: on.bootId },
    ...{ fs: on.fs, directory: FOLDER },
    report: (message) => messages.push(message),
    proofsMaxAgeMs: 10 * DAY_MS,
    async dropReceipts(beforeMs) {
      if (fails.receipts !== null) throw fails.receipts;
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
  /** The server's next process, which has tended for so long. */
  const restart = async (ms = MINUTE_MS) => {
    const next = setUp(on);
    await next.tend(ms);
    return next;
  };
  return { ...{ on, clock, messages, expired, told, fails, log, expiry, pass, tend, take, restart } };
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

test('while the clock is not relied on it waits for it, and says so', async () => {
  const { tend, expiry, clock, restart, on } = setUp();
  expect(expiry.status.waitsForClock).toBe(true);
  await tend(CLOCK_STEADY_MS - MINUTE_MS);
  expect(expiry.status.waitsForClock).toBe(true);
  await tend(MINUTE_MS);
  expect(expiry.status.waitsForClock).toBe(false);
  clock.wallMs += DAY_MS;
  await tend(MINUTE_MS);
  expect(expiry.status.waitsForClock).toBe(true);
  await tend(CLOCK_STEADY_MS);
  expect((await restart()).expiry.status.waitsForClock).toBe(false);
  // A machine that is started again and again before the hour is over never removes anything.
  for (let start = 2; start < 30; start++) {
    Object.assign(on, { bootId: `boot ${start}` });
    clock.monotonicMs = 5;
    const next = await restart(CLOCK_STEADY_MS - MINUTE_MS);
    expect([next.told.passes, next.expiry.status.waitsForClock]).toEqual([0, true]);
  }
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

test('a receipt that cannot be removed keeps no event from being', async () => {
  const { told, tend, fails, expiry } = setUp();
  fails.receipts = new Error('a receipt is damaged');
  await expect(tend(CLOCK_STEADY_MS)).rejects.toThrow('a receipt is damaged');
  expect([told.passes, expiry.status]).toMatchObject([1, { failure: 'a receipt is damaged', lastPassMs: null }]);
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
  await expect.poll(() => passes).toBe(1);
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

describe('a server that is started again', () => {
  const HALF_HOUR_MS = 30 * MINUTE_MS;

  test('every half hour removes what has expired all the same, twice a day', async () => {
    const { on } = setUp();
    const passes: number[] = [];
    for (let start = 0; start < 48; start++) {
      const { tend, told } = setUp(on);
      await tend(HALF_HOUR_MS);
      if (told.passes > 0) passes.push(start);
    }
    // Within the second half hour, and half a day later: two times, each of a pass of its own.
    expect(passes).toEqual([1, 25]);
  });

  test('knows when the last pass was, and makes no more than were due', async () => {
    const { tend, restart, pass, clock } = setUp();
    await tend(CLOCK_STEADY_MS);
    pass(3 * DAY_MS);
    const { told, expiry } = await restart();
    const { lastPassMs } = expiry.status;
    expect([told.passes, lastPassMs]).toEqual([1, clock.wallMs]);
    const next = await restart();
    expect([next.told.passes, next.expiry.status.lastPassMs]).toEqual([0, lastPassMs]);
  });

  test.each([
    ['the machine was started too', (on: ReturnType<typeof machine>) => Object.assign(on, { bootId: 'boot 2' })],
    ['the machine does not say when it was started', (on) => Object.assign(on, { bootId: '' })],
    ['the clock jumped', ({ clock }) => Object.assign(clock, { wallMs: clock.wallMs + MINUTE_MS })],
    ['the clock jumped back', ({ clock }) => Object.assign(clock, { wallMs: clock.wallMs - 400 * DAY_MS })],
    ['what is known is damaged', ({ fs }) => fs.put(FILE, Buffer.from('{"bootId":'))],
    ['what is known is something else', ({ fs }) => fs.put(FILE, Buffer.from('{"bootId":"boot 1","offsetMs":"x"}'))],
    ['what is known is gone', ({ fs }) => fs.unlink(FILE)],
  ])('gives the clock its hour where %s', async (_, change: (on: ReturnType<typeof machine>) => unknown) => {
    const { on, tend, told, pass } = setUp();
    await tend(CLOCK_STEADY_MS);
    expect(told.passes).toBe(1);
    pass(PASS_EVERY_MS);
    await change(on);
    const next = setUp(on);
    await next.tend(CLOCK_STEADY_MS - MINUTE_MS);
    expect(next.told.passes).toBe(0);
    await next.tend(MINUTE_MS);
    expect(next.told.passes).toBe(1);
    expect(next.messages).toEqual([]);
  });

  test('gives the clock its hour where it jumped before the process before ended', async () => {
    const { clock, tend, restart } = setUp();
    await tend(CLOCK_STEADY_MS);
    clock.wallMs += 400 * DAY_MS;
    await tend(MINUTE_MS);
    expect((await restart(CLOCK_STEADY_MS - MINUTE_MS)).told.passes).toBe(0);
  });

  test('does not wait longer for a pass than it would have, where the last one was at a time that is still to come', async () => {
    const { on, tend, restart } = setUp();
    on.clock.wallMs += 400 * DAY_MS;
    await tend(CLOCK_STEADY_MS);
    on.clock.wallMs -= 400 * DAY_MS;
    expect((await restart(CLOCK_STEADY_MS + MINUTE_MS)).told.passes).toBe(1);
  });

  test('makes a pass that failed again, without what the one before knew of it', async () => {
    const { tend, fails, restart } = setUp();
    fails.pass = new Error('EIO: a segment');
    await expect(tend(CLOCK_STEADY_MS)).rejects.toThrow('EIO');
    expect((await restart()).told.passes).toBe(1);
  });

  test('reads nothing before it is first told to tend, and writes when there is something to say only', async () => {
    const { on, tend } = setUp();
    expect(on.fs.calls).toEqual([]);
    await tend(CLOCK_STEADY_MS + HALF_HOUR_MS);
    expect(on.fs.calls.filter(({ what }) => what === 'rename')).toHaveLength(2);
  });

  test('is none the worse where a disk neither reads nor takes it, but for the hour', async () => {
    const { on } = setUp();
    on.fs.before = ({ path }) => {
      throw failure('EIO', path);
    };
    const { tend, told, messages } = setUp(on);
    for (let minute = 0; minute < 60; minute++) await expect(tend(MINUTE_MS)).rejects.toThrow('EIO');
    expect([told.passes, messages.length]).toEqual([1, 1]);
  });
});
