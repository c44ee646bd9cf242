import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileLog } from '../../src/log/file.ts';
import { PLAIN_CONSENT } from '../../src/model/consent-in-force.ts';
import { type Erasure, erasureChange, erasureOf, isErasure } from '../../src/model/erasure.ts';
import type { Applied, Batch, EventLog } from '../../src/model/parts.ts';
import { personKey } from '../../src/model/person.ts';
import type { LogRecord, StoredEvent } from '../../src/model/record.ts';
import { at, type LogDeps, NOON_MS, parseBody, Reading, readAll, recordOf } from './log-engine.ts';

/** A log that erases: what a pass does to it, beside what every log does. */
export type ErasingLog = EventLog & Pick<FileLog, 'erase' | 'erasures' | 'rewrite' | 'forgetErasures'>;

/** As `LogEngine`; it is given the key by which persons are told. */
export interface ErasingEngine {
  open(deps: LogDeps): Promise<ErasingLog>;
  reopen(log: EventLog, deps: LogDeps): Promise<ErasingLog>;
  dispose(): Promise<void>;
}

const ORG = 'TEST@AdobeOrg';
const KEY = { keyId: 'key', digest: (key: string) => `digest of ${key}` };

function eventOf(ecid: string, index: number, mark: string): StoredEvent {
  return {
    ...{
      id: `${mark}/${index}`,
      dedupKey: mark,
      payloadHash: 'hash',
      index,
      xdm: { mark, identityMap: { ECID: [{ id: ecid }] } },
      data: null,
      query: null,
    },
    ...{ meta: null, identities: [{ namespace: 'ECID', id: ecid, primary: true, authenticatedState: null }] },
    ...{ consent: PLAIN_CONSENT, added: null, occurredAtMs: NOON_MS, occurredAtFrom: 'timestamp' },
  } as unknown as StoredEvent;
}

/** A request with an event of each of these. */
function visit(number: number, ecids: readonly string[], orgId = ORG): LogRecord {
  const events = ecids.map((ecid, index) => eventOf(ecid, index, `${ecid} ${number}`));
  const changes = ecids.map((ecid) => ({
    ...{ kind: 'profile' as const, key: personKey(orgId, 'ECID', ecid) },
    ...{ time: '000000000001-0000', body: { value: number } },
  }));
  return recordOf(number, { orgId, ecid: ecids.length === 1 ? ecids[0]! : null, events, changes });
}

function erasureOfAll(id: string, ecids: readonly string[]): Erasure {
  return { id, orgId: ORG, atMs: NOON_MS, digests: ecids.map((ecid) => KEY.digest(personKey(ORG, 'ECID', ecid))) };
}

function marksOf(records: readonly LogRecord[]): unknown[] {
  return records.flatMap(({ events }) => events.map(({ xdm }) => xdm['mark']));
}

function keysOf(records: readonly LogRecord[]): string[] {
  return records.flatMap(({ changes }) => changes.filter((one) => !isErasure(one)).map(({ key }) => key));
}

/** What every log that erases must do. */
export function describeErasingLog(name: string, makeEngine: () => ErasingEngine): void {
  describe(`A log that erases: ${name}`, () => {
    let engine: ErasingEngine;
    let log: ErasingLog;
    let applied: Applied[];
    const deps: LogDeps = { onSynced: (some) => void applied.push(...some), parseBody, erasureKey: KEY };

    beforeEach(async () => {
      engine = makeEngine();
      applied = [];
      log = await engine.open(deps);
    });
    afterEach(async () => {
      await log.close();
      await engine.dispose();
    });

    const reopen = async (): Promise<void> => {
      log = await engine.reopen(log, deps);
    };
    const erase = (id: string, ...ecids: string[]) => {
      const erasure = erasureOfAll(id, ecids);
      const changes = [erasureChange(erasure, '000000000002-0000')];
      return log.erase(erasure, recordOf(0, { requestId: `erasure-${id}`, changes }));
    };
    const pass = async (): Promise<void> => {
      const ids = log.erasures.map(({ id }) => id);
      await log.rewrite();
      await log.forgetErasures(ids);
    };
    const shown = async (): Promise<readonly LogRecord[]> => (await readAll(log)).map(({ record }) => record);

    test.each<[string, () => Promise<void>]>([
      ['at once', async () => {}],
      ['after a restart', reopen],
      ['after a pass', pass],
      [
        'after a pass that was not ended, and a restart',
        async () => {
          await log.rewrite();
          await reopen();
        },
      ],
      [
        'after a pass and a restart',
        async () => {
          await pass();
          await reopen();
        },
      ],
    ])('%s: what stands before is shown to nobody, what is behind and of others to everybody', async (_when, then) => {
      await log.append(visit(0, ['ann']));
      await log.append(visit(1, ['bob']));
      await log.append(visit(2, ['ann', 'bob', 'cem']));
      await log.append(visit(3, ['ann'], 'OTHER@AdobeOrg'));
      const before = await readAll(log);
      expect(await erase('one', 'ann')).toEqual(at(4));
      expect(await log.append(visit(5, ['ann']))).toEqual(at(5));
      await then();
      const after = await readAll(log);
      expect(after.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4, 5].map(at));
      const records = after.map(({ record }) => record);
      expect(marksOf(records)).toEqual(['bob 1', 'bob 2', 'cem 2', 'ann 3', 'ann 5']);
      const [bob, cem, ann] = ['bob', 'cem', 'ann'].map((ecid) => personKey(ORG, 'ECID', ecid));
      expect(keysOf(records)).toEqual([bob, bob, cem, personKey('OTHER@AdobeOrg', 'ECID', 'ann'), ann]);
      const fields = ({ requestId, atMs, orgId, datastreamId, path, ecid, events }: LogRecord) => {
        return { requestId, atMs, orgId, datastreamId, path, ecid, events };
      };
      for (const offset of [1, 3]) expect(fields(records[offset]!)).toEqual(fields(before[offset]!.record));
      expect(JSON.stringify(fields(records[0]!))).not.toContain('ann');
      expect(records[0]!.atMs).toBe(before[0]!.record.atMs);
    });

    test('state is told of it in log order, before it resolves', async () => {
      await log.append(visit(0, ['ann']));
      const { offset } = await erase('one', 'ann');
      const [last] = applied.slice(-1);
      expect(last!.position).toEqual(at(offset));
      expect(last!.changes.map(erasureOf)).toEqual([erasureOfAll('one', ['ann'])]);
      await reopen();
      const told = (await shown()).flatMap(({ changes }) => changes.filter(isErasure));
      expect(told.map(erasureOf)).toEqual([erasureOfAll('one', ['ann'])]);
    });

    test('is pending until it is said to be carried out, whatever is restarted, and several are', async () => {
      await log.append(visit(0, ['ann', 'bob']));
      await erase('one', 'ann');
      await erase('two', 'bob');
      const pending = (): unknown => log.erasures.map(({ id, offset }) => [id, offset]);
      const both = [
        ['one', 1],
        ['two', 2],
      ];
      expect(pending()).toEqual(both);
      await reopen();
      await log.rewrite();
      expect(pending()).toEqual(both);
      await log.forgetErasures(['one']);
      await reopen();
      expect(pending()).toEqual([['two', 2]]);
      expect(marksOf(await shown())).toEqual([]);
    });

    test('those who read and wait are not shown the person either, nor is a consumer', async () => {
      await log.append(visit(0, ['ann', 'bob']));
      const reading = new Reading((signal) => log.read('start', true, signal));
      expect(marksOf([(await reading.next())!.record])).toEqual(['ann 0', 'bob 0']);
      await log.append(visit(1, ['ann', 'bob']));
      await erase('one', 'ann');
      await log.append(visit(3, ['ann']));
      const consumer = new Reading<Batch>((signal) => log.consume('sink', signal));
      const consumed: LogRecord[] = [];
      while (consumed.length < 4) consumed.push(...(await consumer.next())!.stored.map(({ record }) => record));
      expect(marksOf(consumed)).toEqual(['bob 0', 'bob 1', 'ann 3']);
      const followed = [await reading.next(), await reading.next(), await reading.next()];
      expect(marksOf(followed.map((stored) => stored!.record))).toEqual(['bob 1', 'ann 3']);
      await Promise.all([reading.end(), consumer.end()]);
    });

    test('a reader that is under way during a pass misses nothing that stays, nor do appends', async () => {
      for (let number = 0; number < 60; number++) await log.append(visit(number, [number % 2 === 0 ? 'ann' : 'bob']));
      await erase('one', 'ann');
      const reading = new Reading((signal) => log.read('start', true, signal));
      const seen: (LogRecord | null)[] = [];
      for (let i = 0; i < 10; i++) seen.push((await reading.next())!.record);
      const passing = pass();
      for (let number = 61; number < 80; number++) {
        expect(await log.append(visit(number, ['bob']))).toEqual(at(number));
        seen.push((await reading.next())!.record);
      }
      await passing;
      while (seen.length < 80) seen.push((await reading.next())!.record);
      await reading.end();
      const bobs = Array.from({ length: 80 }, (_, i) => i).filter((i) => i % 2 === 1 || i > 60);
      expect(marksOf(seen as LogRecord[])).toEqual(bobs.map((number) => `bob ${number}`));
      expect(marksOf(await shown())).toEqual(bobs.map((number) => `bob ${number}`));
    });
  });
}
