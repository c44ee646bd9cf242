import { beforeEach, describe, expect, test } from 'vitest';
import { PLAIN_CONSENT } from '../../src/model/consent-in-force.ts';
import type { Exchange } from '../../src/model/exchange.ts';
import { LogUnavailable } from '../../src/model/parts.ts';
import type { Position } from '../../src/model/record.ts';
import { Append } from '../../src/stages/append.ts';
import { ChoicesUnderWay } from '../../src/stages/choices-under-way.ts';
import { DuplicateWindow } from '../../src/stages/duplicates.ts';
import { ECID_A, type ExchangeFields, eventOf, exchangeOf, NOW_MS, ORG } from '../support/exchanges.ts';
import { HeldLog } from '../support/held-log.ts';
import { problemIn } from '../support/problems.ts';

let log: HeldLog;
let duplicates: DuplicateWindow;
let choices: ChoicesUnderWay;
let append: Append;
beforeEach(() => {
  log = new HeldLog();
  duplicates = new DuplicateWindow();
  choices = new ChoicesUnderWay();
  append = new Append(log, duplicates, choices);
});

/** Lets everything run that waits for nothing but promises. */
const settled = () => new Promise(setImmediate);
const find = (event: { dedupKey: string; payloadHash: string }) =>
  duplicates.find('shop', event.dedupKey, event.payloadHash, NOW_MS);
const full = () => new LogUnavailable('disk-full', 'no space left at /var/lib/weir');
const change = { kind: 'consent' as const, key: 'k', time: '0-0', body: {} };

/** Runs the stage; what it left to wait for. */
function run(x: Exchange): Promise<Position> {
  append.run(x);
  return x.awaiting!;
}

function isPending(work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => false), settled().then(() => true)]);
}

describe('one record per request', () => {
  test('it holds the request, its events, its changes and the body as sent', async () => {
    const events = [eventOf({ n: 0 }), eventOf({ n: 1 }, { index: 1 })];
    const x = exchangeOf({
      events,
      ecid: ECID_A,
      changes: [change],
      received: { meta: { m: 1 } },
      path: '/v1/collect',
    });
    const work = run(x);
    log.sync();
    expect(await work).toEqual({ partition: 0, offset: 0 });
    expect(log.stored).toEqual([
      {
        requestId: x.requestId,
        atMs: NOW_MS,
        orgId: ORG,
        datastreamId: 'shop',
        path: '/v1/collect',
        ecid: ECID_A,
        meta: { m: 1 },
        events,
        raw: x.raw,
        changes: [change],
        retryKey: null,
        decisions: null,
        notices: null,
      },
    ]);
  });

  test('what the answer waits for is pending until it is durable', async () => {
    const work = run(exchangeOf({ events: [eventOf({})] }));
    expect(await isPending(work)).toBe(true);
    log.sync();
    expect(await isPending(work)).toBe(false);
  });

  test('a change alone is a record too', async () => {
    const work = run(exchangeOf({ changes: [change] }));
    log.sync();
    await work;
    expect(log.stored[0]).toMatchObject({ events: [], changes: [change] });
  });

  test.each<[string, ExchangeFields]>([
    ['no events', {}],
    ['all withheld', { events: [eventOf({}, { fate: 'withheld' })] }],
    ['all rejected', { events: [eventOf({}, { fate: 'rejected' })] }],
  ])('nothing to store is nothing logged: %s', (_what, fields) => {
    const x = exchangeOf(fields);
    append.run(x);
    expect(x.awaiting).toBeNull();
    expect(log.held).toEqual([]);
  });

  test.each<[string, Partial<ReturnType<typeof eventOf>>]>([
    ['withheld', { fate: 'withheld' }],
    ['rejected', { fate: 'rejected' }],
    [
      'a duplicate of somebody who is out by now',
      { fate: 'duplicate', consent: { ...PLAIN_CONSENT, recordId: '0:1', collect: 'out' } },
    ],
  ])('the body is not kept where an event was %s, and only the others are', async (_what, fields) => {
    const kept = eventOf({ n: 1 }, { index: 1 });
    const work = run(exchangeOf({ events: [eventOf({}, fields), kept] }));
    log.sync();
    await work;
    expect(log.stored[0]).toMatchObject({ raw: null, events: [kept] });
  });

  test('the body is kept where an event is a duplicate: written out, what the others share would be stored with each', async () => {
    const kept = eventOf({ n: 1 }, { index: 1 });
    const x = exchangeOf({ events: [eventOf({}, { fate: 'duplicate' }), kept] });
    const work = run(x);
    log.sync();
    await work;
    expect(log.stored[0]).toMatchObject({ raw: x.raw, events: [kept] });
  });
});

describe('duplicates', () => {
  test('an event is known while it is on its way, and after', async () => {
    const event = eventOf({}, { ecid: ECID_A });
    const work = run(exchangeOf({ events: [event] }));
    expect(find(event)).toMatchObject({ ecid: ECID_A, position: null });
    log.sync();
    await work;
    expect(find(event)).toEqual({ ecid: ECID_A, position: { partition: 0, offset: 0 }, pending: null });
  });

  test('what was not stored is not known, so that a retry is a first copy', async () => {
    const withheld = eventOf({}, { fate: 'withheld' });
    append.run(exchangeOf({ events: [withheld] }));
    expect(find(withheld)).toBeNull();
    const refused = eventOf({ n: 1 });
    const work = run(exchangeOf({ events: [refused] }));
    log.refuse(full());
    await problemIn(work);
    expect(find(refused)).toBeNull();
  });

  test('an event without a payload hash is never remembered', async () => {
    const event = eventOf({}, { payloadHash: '' });
    const work = run(exchangeOf({ events: [event] }));
    log.sync();
    await work;
    expect(duplicates.size).toBe(0);
  });

  test('a duplicate is answered when its first copy is durable, and stores nothing', async () => {
    const event = eventOf({});
    const first = run(exchangeOf({ events: [event] }));
    const x = exchangeOf({ events: [eventOf({}, { fate: 'duplicate' })], awaiting: find(event)!.pending });
    const second = run(x);
    expect(log.held).toHaveLength(1);
    expect(await isPending(second)).toBe(true);
    log.sync();
    expect(await Promise.all([first, second])).toEqual([
      { partition: 0, offset: 0 },
      { partition: 0, offset: 0 },
    ]);
    expect(log.stored).toHaveLength(1);
  });

  test('one whose first copy is durable already has nothing to wait for', () => {
    const x = exchangeOf({ events: [eventOf({}, { fate: 'duplicate' })], position: { partition: 0, offset: 5 } });
    append.run(x);
    expect(x).toMatchObject({ awaiting: null, position: { partition: 0, offset: 5 } });
  });

  test('a first copy that fails fails its duplicate too, and the next try stores', async () => {
    const event = eventOf({});
    const first = run(exchangeOf({ events: [event] }));
    const second = run(exchangeOf({ events: [eventOf({}, { fate: 'duplicate' })], awaiting: find(event)!.pending }));
    log.refuse(full());
    expect((await problemIn(first)).spec.status).toBe(503);
    expect((await problemIn(second)).spec.status).toBe(503);
    expect(find(event)).toBeNull();
    const third = run(exchangeOf({ events: [event] }));
    log.sync();
    await third;
    expect(log.stored).toHaveLength(1);
  });

  test('a batch of one duplicate on its way and one new event waits for both', async () => {
    const old = eventOf({});
    const first = run(exchangeOf({ events: [old] }));
    const fresh = eventOf({ n: 1 }, { index: 1 });
    const x = exchangeOf({ events: [eventOf({}, { fate: 'duplicate' }), fresh], awaiting: find(old)!.pending });
    const second = run(x);
    log.sync();
    await first;
    expect(await isPending(second)).toBe(true);
    log.sync();
    expect(await second).toEqual({ partition: 0, offset: 1 });
    expect(log.stored.map((record) => record.events.length)).toEqual([1, 1]);
  });

  test('where both fail, neither failure is left to nobody (that would end the process)', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listener);
    const old = eventOf({});
    const first = run(exchangeOf({ events: [old] }));
    const second = run(
      exchangeOf({
        events: [eventOf({}, { fate: 'duplicate' }), eventOf({ n: 1 }, { index: 1 })],
        awaiting: find(old)!.pending,
      }),
    );
    log.refuse(full());
    log.refuse(full());
    await Promise.all([problemIn(first), problemIn(second)]);
    await settled();
    process.removeListener('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
    expect(duplicates.size).toBe(0);
  });
});

describe('a log that cannot store now', () => {
  test.each([
    ['disk-full', 'the disk is full'],
    ['queue-full', 'too many requests'],
    ['too-slow', 'too slow'],
    ['failed', 'failed'],
    ['closed', 'stopping'],
  ] as const)('%s is a 503 that says so, and nothing of the machine', async (reason, words) => {
    const x = exchangeOf({ events: [eventOf({})] });
    const work = run(x);
    const cause = new LogUnavailable(reason, 'at /var/lib/weir');
    log.refuse(cause);
    const failure = await problemIn(work);
    expect(failure.spec.code).toBe('EXEG-0000-503');
    expect(failure.detail).toContain(words);
    expect(failure.detail).not.toContain('/var');
    expect(failure.cause).toBe(cause);
  });

  test('any other failure is our own mistake and stays one', async () => {
    const work = run(exchangeOf({ events: [eventOf({})] }));
    log.refuse(new TypeError('x is not a function'));
    await expect(work).rejects.toThrow(TypeError);
  });
});
