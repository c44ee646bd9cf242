import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PLAIN_CONSENT } from '../../src/model/consent-in-force.ts';
import { type Applied, type Batch, type EventLog, LogUnavailable } from '../../src/model/parts.ts';
import type { Change } from '../../src/model/person.ts';
import type { Stored, StoredEvent } from '../../src/model/record.ts';
import { describeLogModel } from './event-log-model.ts';
import {
  appendAll,
  at,
  ids,
  idsOf,
  type LogDeps,
  type LogEngine,
  NOON_MS,
  parseBody,
  Reading,
  readAll,
  recordOf,
} from './log-engine.ts';

function changeOf(key: string): Change {
  return { kind: 'profile', key, time: '000000000001-0000', body: { value: key } };
}

/** Batches until so many records have come. */
async function take(reading: Reading<Batch>, count: number): Promise<{ ids: string[]; last: Batch }> {
  const got: string[] = [];
  for (;;) {
    const batch = await reading.next();
    if (batch === null) throw new Error(`The consumer ended after ${got.join(' ')}.`);
    got.push(...idsOf(batch.stored));
    if (got.length >= count) return { ids: got, last: batch };
  }
}

/** Long enough for a reader to find that there is nothing, and to wait. Where it is not, a test finds less. */
function comeToRest(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 20));
}

/** What every engine of `EventLog` must do. */
export function describeEventLog(name: string, makeEngine: () => LogEngine): void {
  describe(`EventLog: ${name}`, () => {
    let engine: LogEngine;
    let log: EventLog;
    let readings: Reading<unknown>[];
    let applied: Applied[];
    let onSynced: LogDeps['onSynced'];
    const deps: LogDeps = { onSynced: (some) => onSynced(some), parseBody };

    beforeEach(async () => {
      engine = makeEngine();
      readings = [];
      applied = [];
      onSynced = (some) => void applied.push(...some);
      log = await engine.open(deps);
    });
    afterEach(async () => {
      for (const reading of readings) reading.abort();
      await log.close();
      await engine.dispose();
    });

    const reopen = async (): Promise<void> => {
      log = await engine.reopen(log, deps);
    };
    const follow = (from: Parameters<EventLog['read']>[0]): Reading<Stored> => {
      const reading = new Reading((signal) => log.read(from, true, signal));
      readings.push(reading);
      return reading;
    };
    const consume = (consumer = 'sink'): Reading<Batch> => {
      const reading = new Reading((signal) => log.consume(consumer, signal));
      readings.push(reading);
      return reading;
    };
    const follows = async (reading: Reading<Stored>, count: number): Promise<string[]> => {
      const got: string[] = [];
      while (got.length < count) got.push((await reading.next())?.record.requestId ?? 'end');
      return got;
    };

    describe('append', () => {
      test('gives consecutive offsets from 0, in the order of the calls, and resolves in it', async () => {
        const resolved: number[] = [];
        const positions = await Promise.all(
          ids(0, 40).map(async (_, i) => {
            const position = await log.append(recordOf(i));
            resolved.push(i);
            return position;
          }),
        );
        expect(positions).toEqual(ids(0, 40).map((_, i) => at(i)));
        expect(resolved).toEqual(ids(0, 40).map((_, i) => i));
        expect(await log.append(recordOf(40))).toEqual(at(40));
      });

      test('keeps every field, and the body to the byte', async () => {
        const body = '{ "meta":{"é":"💧"},"events":[{"xdm":{"eventType":"a"},"data":null,"query":null,"meta":null}]}';
        const event: StoredEvent = {
          id: 'r0/0',
          dedupKey: 'key',
          payloadHash: 'hash',
          index: 0,
          xdm: { eventType: 'a' },
          data: { deep: [1, null, { x: 'ü' }] },
          query: null,
          meta: null,
          identities: [],
          consent: PLAIN_CONSENT,
          added: null,
          occurredAtMs: NOON_MS,
          occurredAtFrom: 'timestamp',
        };
        const withBody = recordOf(0, {
          raw: Buffer.from(body),
          ecid: '1'.repeat(38),
          events: [{ ...event, data: null }],
        });
        const without = recordOf(1, { meta: { a: 1 }, events: [{ ...event, id: 'r1/0' }], changes: [changeOf('ann')] });
        await log.append(withBody);
        await log.append(without);
        const [first, second] = (await readAll(log)).map(({ record }) => record);
        expect(Buffer.from(first!.raw!).toString()).toBe(body);
        expect([first!.ecid, first!.meta, first!.events]).toEqual([withBody.ecid, { é: '💧' }, withBody.events]);
        const { requestId, atMs, orgId, datastreamId, path, ecid, meta, events, raw, changes } = second!;
        expect({ requestId, atMs, orgId, datastreamId, path, ecid, meta, events, raw, changes }).toEqual(without);
      });

      test('hands changes to state in log order, before it resolves', async () => {
        await Promise.all(
          ids(0, 30).map(async (_, i) => {
            const changes = i % 3 === 0 ? [] : [changeOf(`person ${i}`)];
            const { offset } = await log.append(recordOf(i, { changes }));
            const given = applied.find(({ position }) => position.offset === offset);
            if (changes.length > 0) expect(given).toEqual({ position: at(offset), changes });
            else expect(given?.changes ?? []).toEqual([]);
          }),
        );
        const offsets = applied.map(({ position }) => position.offset);
        expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
        expect(new Set(offsets).size).toBe(offsets.length);
      });

      test('does not resolve before state has the changes', async () => {
        let isApplied = false;
        onSynced = async () => {
          await comeToRest();
          isApplied = true;
        };
        await log.append(recordOf(0, { changes: [changeOf('ann')] }));
        expect(isApplied).toBe(true);
      });
    });

    describe('read', () => {
      test('of an empty log ends at once', async () => {
        expect(await readAll(log)).toEqual([]);
        expect(await readAll(log, at(0))).toEqual([]);
        expect(await readAll(log, { timeMs: 0 })).toEqual([]);
      });

      test('begins at the start, at an offset, or at a time', async () => {
        await appendAll(log, 0, 20);
        expect((await readAll(log)).map(({ position }) => position)).toEqual(ids(0, 20).map((_, i) => at(i)));
        expect(idsOf(await readAll(log))).toEqual(ids(0, 20));
        for (const offset of [0, 1, 7, 19, 20, 25])
          expect(idsOf(await readAll(log, at(offset)))).toEqual(ids(offset, 20));
        const since = async (ms: number): Promise<string[]> => idsOf(await readAll(log, { timeMs: NOON_MS + ms }));
        expect(await since(-1)).toEqual(ids(0, 20));
        expect(await since(7000)).toEqual(ids(7, 20));
        expect(await since(7001)).toEqual(ids(8, 20));
        expect(await since(19_001)).toEqual([]);
      });

      test('with follow gives what is there and what is to come, until it is aborted', async () => {
        await appendAll(log, 0, 3);
        const reading = follow(at(1));
        expect(await follows(reading, 2)).toEqual(['r1', 'r2']);
        const later = follows(reading, 2);
        await comeToRest();
        await appendAll(log, 3, 5);
        expect(await later).toEqual(['r3', 'r4']);
        const end = reading.next();
        await comeToRest();
        reading.abort();
        expect(await end).toBeNull();
      });

      test('with follow waits for a place that is still to come', async () => {
        await appendAll(log, 0, 2);
        const waiting = follows(follow(at(4)), 1);
        await appendAll(log, 2, 6);
        expect(await waiting).toEqual(['r4']);
      });

      test('gives nothing to one that was aborted before, and nothing more after', async () => {
        await appendAll(log, 0, 10);
        expect(await new Reading((_signal) => log.read('start', true, AbortSignal.abort())).next()).toBeNull();
        const reading = follow('start');
        await reading.next();
        reading.abort();
        expect(await reading.next()).toBeNull();
      });

      test('is of everyone by himself', async () => {
        await appendAll(log, 0, 6);
        const [one, other] = [follow('start'), follow(at(3))];
        expect(await follows(one, 2)).toEqual(['r0', 'r1']);
        expect(await follows(other, 3)).toEqual(['r3', 'r4', 'r5']);
        await one.end();
        await appendAll(log, 6, 7);
        expect(await follows(other, 1)).toEqual(['r6']);
      });
    });

    describe('consume', () => {
      test('begins at the oldest record, and gives all in order', async () => {
        await appendAll(log, 0, 30);
        const reading = consume();
        const { ids: got } = await take(reading, 30);
        expect(got).toEqual(ids(0, 30));
        const more = take(reading, 1);
        await appendAll(log, 30, 31);
        expect((await more).ids).toEqual(['r30']);
      });

      test('begins behind the last commit; what was not committed comes again', async () => {
        await appendAll(log, 0, 4);
        const first = consume();
        await (await take(first, 4)).last.commit();
        await appendAll(log, 4, 8);
        expect((await take(first, 4)).ids).toEqual(ids(4, 8));
        await first.end();
        expect((await take(consume(), 4)).ids).toEqual(ids(4, 8));
      });

      test('a commit survives the process, and is of one consumer', async () => {
        await appendAll(log, 0, 4);
        await (await take(consume(), 4)).last.commit();
        await reopen();
        await appendAll(log, 4, 6);
        expect((await take(consume(), 2)).ids).toEqual(['r4', 'r5']);
        expect((await take(consume('another'), 6)).ids).toEqual(ids(0, 6));
      });

      test('a commit that comes late moves nobody back', async () => {
        await appendAll(log, 0, 2);
        const reading = consume();
        const { last: older } = await take(reading, 2);
        await appendAll(log, 2, 4);
        const { last: newer } = await take(reading, 2);
        await newer.commit();
        await older.commit();
        await reading.end();
        await appendAll(log, 4, 5);
        expect((await take(consume(), 1)).ids).toEqual(['r4']);
      });

      test('has one reader at a time', async () => {
        await appendAll(log, 0, 2);
        const reading = consume();
        await take(reading, 2);
        await expect(consume().next()).rejects.toThrow(/'sink'.*one reader/);
        await take(consume('another'), 2);
        await reading.end();
        expect((await take(consume(), 2)).ids).toEqual(['r0', 'r1']);
      });

      test('an abort ends the wait for more, and the consumer is free', async () => {
        const reading = consume();
        const waiting = reading.next();
        await comeToRest();
        reading.abort();
        expect(await waiting).toBeNull();
        await appendAll(log, 0, 1);
        expect((await take(consume(), 1)).ids).toEqual(['r0']);
      });
    });

    describe('seek', () => {
      test('moves a consumer back, forth, and before its first read, and survives the process', async () => {
        await appendAll(log, 0, 10);
        await log.seek('sink', at(7));
        const reading = consume();
        expect((await take(reading, 3)).ids).toEqual(ids(7, 10));
        await reading.end();
        await log.seek('sink', at(2));
        await reopen();
        const again = consume();
        const { ids: got, last } = await take(again, 8);
        expect(got).toEqual(ids(2, 10));
        await last.commit();
        await again.end();
        await log.seek('sink', at(9));
        expect((await take(consume(), 1)).ids).toEqual(['r9']);
      });

      test('to a time goes to the first record received then or later; beyond the last, to what is to come', async () => {
        await appendAll(log, 0, 10);
        const sought = async (ms: number): Promise<string[]> => {
          await log.seek('sink', { timeMs: NOON_MS + ms });
          const reading = consume();
          const { ids: got } = await take(reading, 1);
          await reading.end();
          return got;
        };
        expect(await sought(4000)).toEqual(ids(4, 10));
        expect(await sought(4001)).toEqual(ids(5, 10));
        expect(await sought(-5)).toEqual(ids(0, 10));
        await log.seek('sink', { timeMs: NOON_MS + 1_000_000 });
        const reading = consume();
        const next = take(reading, 1);
        await appendAll(log, 10, 11);
        expect((await next).ids).toEqual(['r10']);
      });

      test('moves a reader under way with its next batch, and one that waits at the end at once', async () => {
        await appendAll(log, 0, 6);
        const reading = consume();
        await take(reading, 6);
        await log.seek('sink', at(4));
        expect((await take(reading, 2)).ids).toEqual(['r4', 'r5']);
        const waiting = take(reading, 5);
        await comeToRest();
        await log.seek('sink', at(1));
        expect((await waiting).ids).toEqual(ids(1, 6));
      });

      test('is not undone by the commit of a batch from before', async () => {
        await appendAll(log, 0, 6);
        const reading = consume();
        const { last } = await take(reading, 6);
        await log.seek('sink', at(3));
        await last.commit();
        await reading.end();
        await reopen();
        expect((await take(consume(), 3)).ids).toEqual(ids(3, 6));
      });
    });

    describe('the end', () => {
      test('close finishes what is under way, refuses what comes then, and keeps everything', async () => {
        const underWay = Promise.all(ids(0, 20).map((_, i) => log.append(recordOf(i))));
        const closing = log.close();
        const refused = log.append(recordOf(99)).catch((error: unknown) => error);
        expect((await underWay).map(({ offset }) => offset)).toEqual(ids(0, 20).map((_, i) => i));
        expect(await refused).toMatchObject({ name: 'LogUnavailable', reason: 'closed' });
        await closing;
        await log.close();
        await reopen();
        expect(idsOf(await readAll(log))).toEqual(ids(0, 20));
        expect(await log.append(recordOf(20))).toEqual(at(20));
      });

      test('close ends those who wait', async () => {
        await appendAll(log, 0, 1);
        const [reading, consumer] = [follow('start'), consume()];
        await reading.next();
        await take(consumer, 1);
        const ends = Promise.all([reading.next(), consumer.next()]);
        await comeToRest();
        await reopen();
        expect(await ends).toEqual([null, null]);
      });

      test('a log that has failed refuses everything, and shows nothing that it refused', async () => {
        await appendAll(log, 0, 3);
        engine.breakDown();
        // One that is under way, one that waits for it, one that comes when it is over.
        const appends = [log.append(recordOf(3))];
        await new Promise((resolve) => void setImmediate(resolve));
        appends.push(log.append(recordOf(4)));
        const refused = await Promise.allSettled(appends);
        refused.push(...(await Promise.allSettled([log.append(recordOf(5))])));
        for (const outcome of refused) {
          expect(outcome).toMatchObject({ status: 'rejected', reason: { reason: 'failed' } });
          expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(LogUnavailable);
        }
        expect(idsOf(await readAll(log))).toEqual(['r0', 'r1', 'r2']);
        expect(applied.every(({ position }) => position.offset < 3)).toBe(true);
      });
    });
  });
  describeLogModel(name, makeEngine);
}
