import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ExpiryRule, RULE_SETTLES_MS } from '../../src/log/hidden.ts';
import { openLogReader } from '../../src/log/reader.ts';
import { decodeSegmentHeader } from '../../src/log/segment.ts';
import { erasureChange } from '../../src/model/erasure.ts';
import { personKey } from '../../src/model/person.ts';
import type { LogRecord } from '../../src/model/record.ts';
import { markOf, parseBody, type Request, requestRecord, shownText } from '../support/expiring.ts';
import { failure, type MemoryFs } from './memory-fs.ts';
import { FOLDER, type OpenedLog, openLog, readAll, recordOf, segmentsOf, type TestHost } from './open-log.ts';

const DAY_MS = RULE_SETTLES_MS;
const HOUR_MS = DAY_MS / 24;
/** Two or three requests of these tests. */
const SEGMENT_BYTES = 2048;
const open = (fs?: MemoryFs, host?: TestHost, more = {}): Promise<OpenedLog> =>
  openLog(fs, { segmentBytes: SEGMENT_BYTES, parseBody, ...(host === undefined ? {} : { host }), ...more });

const rule = (host: TestHost, maxAgeMs: number | null, types: Record<string, number | null> = {}): ExpiryRule => ({
  ...{ datastreamId: 'shop', sinceMs: host.ms, maxAgeMs, eventTypes: new Map(Object.entries(types)) },
});
const visit = (number: number, host: TestHost, fields: Partial<Request> = {}): LogRecord =>
  requestRecord({
    ...{ number, atMs: host.ms, datastreamId: 'shop', sent: [{ type: 'a' }, { type: 'b' }], isWhole: true },
    ...fields,
  });

/** Marks of events, oldest first, as this process and another one are shown them. */
async function marks({ log, fs, host }: OpenedLog): Promise<string> {
  const inside = (await readAll(log)).map(({ record }) => record);
  const reader = await openLogReader({ fs, directory: FOLDER, partition: 0, parseBody, host, report: fail });
  const outside = (await readAll(reader)).map(({ record }) => record);
  expect(outside.map(shownText)).toEqual(inside.map(shownText));
  return inside.flatMap(({ events }) => events.map(({ xdm }) => String(xdm['mark']).slice(5, -1))).join(' ');
}

const isSegment = (path: string): boolean => path.endsWith('.segment');

function fail(message: string): never {
  throw new Error(message);
}

/** Of these marks, those that stand in any file. */
function onDisk(fs: MemoryFs, wanted: readonly string[]): string[] {
  const texts = fs.contents.map(([, bytes]) => bytes.toString('latin1'));
  return wanted.filter((mark) => texts.some((text) => text.includes(mark)));
}

describe('a rule', () => {
  test('hides at once, for this process and others, and from the disk removes after a day', async () => {
    const opened = await open();
    const { log, fs, host } = opened;
    await log.append(visit(0, host));
    await host.pass(2 * HOUR_MS);
    await log.append(visit(1, host));
    await log.setRules([rule(host, null, { a: HOUR_MS })]);
    expect(await marks(opened)).toBe('0-1 1-0 1-1');
    host.ms += DAY_MS - 1;
    await log.expire();
    expect(onDisk(fs, [markOf(0, 0), markOf(1, 0)])).toEqual([markOf(0, 0), markOf(1, 0)]);
    host.ms += 1;
    await log.expire();
    expect(onDisk(fs, [markOf(0, 0), markOf(1, 0), markOf(0, 1), markOf(1, 1)])).toEqual([markOf(0, 1), markOf(1, 1)]);
    expect([await marks(opened), [...log.expired]]).toEqual(['0-1 1-1', [['shop', 2]]]);
    await log.close();
  });

  test('is for its datastream alone, and holds after a restart', async () => {
    const { log, fs, host } = await open();
    await log.append(visit(0, host));
    await log.append(visit(1, host, { datastreamId: 'shop:dev' }));
    await log.setRules([rule(host, HOUR_MS)]);
    host.ms += DAY_MS;
    await log.close();
    const next = await open(fs, host);
    expect(await marks(next)).toBe('1-0 1-1');
    await next.log.expire();
    expect([await marks(next), onDisk(fs, [markOf(0, 0), markOf(1, 0)])]).toEqual(['1-0 1-1', [markOf(1, 0)]]);
    await next.log.close();
  });

  test('that is taken back shows again what was only hidden', async () => {
    const opened = await open();
    const { log, host } = opened;
    await log.append(visit(0, host));
    host.ms += 2 * HOUR_MS;
    await log.setRules([rule(host, HOUR_MS)]);
    await log.expire();
    expect(await marks(opened)).toBe('');
    await log.setRules([]);
    expect(await marks(opened)).toBe('0-0 0-1');
    await log.close();
  });

  test('holds where the disk does not take it', async () => {
    const { log, fs, host } = await open();
    await log.append(visit(0, host));
    host.ms += 2 * HOUR_MS;
    fs.before = ({ what, path }) => {
      if (what === 'create' && path.includes('/hidden')) throw failure('ENOSPC', path);
    };
    await expect(log.setRules([rule(host, HOUR_MS)])).rejects.toThrow('ENOSPC');
    expect((await readAll(log)).flatMap(({ record }) => record.events)).toEqual([]);
    await log.close();
  });
});

/** A log of so many visits whose events have all expired, by a rule that has settled. */
async function expiredLog(visits: number): Promise<OpenedLog> {
  const opened = await open();
  const { log, host } = opened;
  for (let number = 0; number < visits; number++) await log.append(visit(number, host));
  await log.setRules([rule(host, HOUR_MS)]);
  host.ms += DAY_MS;
  return opened;
}

describe('a pass', () => {
  test('leaves positions and changes, and those who are being erased hidden', async () => {
    const key = { keyId: 'key', digest: (text: string) => `digest of ${text}` };
    const opened = await open(undefined, undefined, { erasureKey: key });
    const { log, host } = opened;
    for (let number = 0; number < 10; number++)
      await log.append(visit(number, host, { changes: ['identity', 'consent'] }));
    const digests = [key.digest(personKey('org', 'ECID', '3')), key.digest(personKey('org', 'ECID', 'ecid-4'))];
    const erasure = { id: '1'.repeat(16), orgId: 'org', atMs: host.ms, digests };
    const changes = [erasureChange(erasure, '000000000002-0000')];
    await log.erase(erasure, { ...recordOf(10, { changes }), datastreamId: '' });
    await log.setRules([rule(host, HOUR_MS, { b: 30 * DAY_MS })]);
    host.ms += DAY_MS;
    await log.expire();
    const all = await readAll(log);
    expect(all.map(({ position }) => position.offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(all.map(({ record }) => record.changes.length)).toEqual([2, 2, 2, 0, 2, 2, 2, 2, 2, 2, 1]);
    expect(all.map(({ record }) => record.events.length)).toEqual([1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0]);
    expect(log.erasures).toHaveLength(1);
    await log.rewrite();
    await log.forgetErasures([erasure.id]);
    expect((await readAll(log)).map(({ record }) => record.events.length)).toEqual([1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0]);
    await log.close();
  });

  test('reads a segment only when something in it has expired, and what is left of it when that does', async () => {
    const { log, fs, host } = await open();
    for (let number = 0; number < 12; number++) await log.append(visit(number, host));
    await log.setRules([rule(host, 2 * DAY_MS, { b: 4 * DAY_MS })]);
    const read = async (): Promise<number> => {
      fs.calls.length = 0;
      await log.expire();
      // A header is read where it is not known what a segment holds.
      return new Set(fs.calls.flatMap(({ what, path, position }) => (what === 'read' && position > 0 ? [path] : [])))
        .size;
    };
    host.ms += DAY_MS;
    expect(await read()).toBe(0);
    host.ms += DAY_MS + 1;
    const sealed = segmentsOf(fs).length;
    expect(sealed).toBeGreaterThan(2);
    expect(await read()).toBe(sealed);
    expect([...log.expired]).toEqual([['shop', 12]]);
    expect(await read()).toBe(0);
    host.ms += 2 * DAY_MS;
    expect(await read()).toBe(sealed);
    expect([...log.expired]).toEqual([['shop', 24]]);
    host.ms += 100 * DAY_MS;
    expect(await read()).toBe(0);
    // Another rule: nothing is known of any segment.
    await log.setRules([rule(host, 3 * DAY_MS, { b: DAY_MS })]);
    host.ms += DAY_MS;
    expect(await read()).toBe(sealed);
    await log.close();
  });

  test('seals the newest segment only when something in it may have expired', async () => {
    const { log, fs, host } = await open();
    await log.setRules([rule(host, 2 * DAY_MS)]);
    host.ms += DAY_MS;
    await log.append(visit(0, host));
    host.ms += 2 * DAY_MS - HOUR_MS;
    await log.expire();
    expect(segmentsOf(fs)).toHaveLength(1);
    host.ms += 2 * HOUR_MS;
    await log.expire();
    expect([segmentsOf(fs).length, onDisk(fs, [markOf(0, 0)])]).toEqual([2, []]);
    await log.expire();
    expect(segmentsOf(fs)).toHaveLength(2);
    await log.close();
  });

  test.each([
    { where: 'in the newest segment', afterDays: 0, ageMs: HOUR_MS },
    { where: 'in a sealed one, when that time has come', afterDays: 101, ageMs: 50 * DAY_MS },
  ])('goes by no segment that was begun while the clock was ahead: $where', async ({ afterDays, ageMs }) => {
    const { log, fs, host } = await open();
    host.ms += 100 * DAY_MS;
    await log.append(visit(0, host));
    host.ms -= 100 * DAY_MS;
    for (let number = 1; number < (afterDays === 0 ? 2 : 8); number++) await log.append(visit(number, host));
    host.ms += afterDays * DAY_MS;
    await log.setRules([rule(host, ageMs)]);
    host.ms += DAY_MS;
    await log.expire();
    expect(onDisk(fs, [markOf(1, 0), markOf(1, 1)])).toEqual([]);
    await log.close();
  });

  test('tells readers that have a file open, when it is over', async () => {
    const { log, host } = await open(undefined, undefined, { segmentBytes: 1024 * 1024 });
    // More than a reader takes at once.
    const records = Array.from({ length: 300 }, (_, number) => visit(number, host));
    await Promise.all(records.map((record) => log.append(record)));
    await log.setRules([rule(host, HOUR_MS)]);
    host.ms += DAY_MS;
    const reading = log.read('start', true, new AbortController().signal)[Symbol.asyncIterator]();
    expect((await reading.next()).value.record.events).toEqual([]);
    await log.expire();
    // What it has open is not read any further: it would show what nobody else can see, now that the rule is taken back.
    await log.setRules([]);
    await log.append(visit(300, host));
    const seen: number[] = [];
    for (let i = 0; i < 300; i++) seen.push((await reading.next()).value.record.events.length);
    expect(seen).toEqual([...Array.from({ length: 299 }, () => 0), 2]);
    await reading.return?.();
    await log.close();
  });

  test('removes what a pass that was killed left of a segment which is there no more', async () => {
    const { log, fs } = await expiredLog(1);
    const [segment] = segmentsOf(fs);
    const leftover = `${segment!.replace('00000001', '00000009')}.new`;
    fs.put(leftover, Buffer.from(markOf(7, 7)));
    await log.expire();
    expect(onDisk(fs, [markOf(0, 0), markOf(7, 7)])).toEqual([]);
    await log.close();
  });

  test('removes what has expired where old choices cannot be', async () => {
    const { log, fs } = await expiredLog(1);
    fs.put(`${FOLDER}/proofs/0000000000000000-0000000000000000-5.proofs`, Buffer.alloc(0));
    fs.before = ({ what, path }) => {
      if (what === 'unlink' && path.endsWith('.proofs')) throw failure('EIO', path);
    };
    await expect(log.expire(DAY_MS)).rejects.toThrow('EIO');
    expect(onDisk(fs, [markOf(0, 0)])).toEqual([]);
    await log.close();
  });

  test('of a segment that has no header any more makes one that tells its age', async () => {
    const { log, fs, host } = await expiredLog(1);
    const bornMs = host.ms - DAY_MS;
    await log.close();
    const [segment] = segmentsOf(fs);
    fs.content(segment!)[20]! ^= 1;
    const { log: next } = await open(fs, host);
    await next.expire();
    expect(onDisk(fs, [markOf(0, 0)])).toEqual([]);
    expect(decodeSegmentHeader(fs.content(segment!), segment!)?.createdAtMs).toBe(bornMs);
    await next.close();
  });

  test('passes over a segment that the disk refuses, says so, and leaves it for the next', async () => {
    const { log, fs } = await expiredLog(8);
    const [first] = segmentsOf(fs);
    fs.before = ({ what, path }) => {
      if (what === 'read' && path === first) throw failure('EIO', path);
    };
    await expect(log.expire()).rejects.toThrow('EIO');
    const all = Array.from({ length: 8 }, (_, number) => markOf(number, 0));
    const left = onDisk(fs, all);
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(8);
    fs.before = null;
    await log.expire();
    expect(onDisk(fs, all)).toEqual([]);
    await log.close();
  });

  test('is broken off when the log is closed, and writes nothing after that', async () => {
    const { log, fs } = await expiredLog(8);
    const held = fs.hold(({ what, path }) => what === 'rename' && path.endsWith('.segment'));
    const pass = log.expire().catch((error: unknown) => error);
    await held.reached;
    const closed = log.close();
    held.release();
    await closed;
    fs.calls.length = 0;
    expect(await pass).toMatchObject({ reason: 'closed' });
    expect(fs.calls.filter(({ what }) => what !== 'read')).toEqual([]);
  });

  test('begins no segment any more where the log is closed at any of its calls', async () => {
    for (let call = 0, isOver = false; !isOver; call++) {
      const { log, fs, host, fatal } = await open();
      await log.append(visit(0, host));
      await log.setRules([rule(host, HOUR_MS)]);
      host.ms += DAY_MS;
      let calls = 0;
      const held = fs.hold(() => calls++ === call);
      const pass = log.expire().catch((error: unknown) => error);
      isOver = (await Promise.race([held.reached, pass.then(() => true)])) === true;
      const begun = (): number => fs.calls.filter(({ what, path }) => what === 'create' && isSegment(path)).length;
      const before = begun();
      const closed = log.close();
      held.release();
      await Promise.all([pass, closed]);
      expect([begun(), fatal], `closed at call ${call}`).toEqual([before, []]);
    }
  });

  test('that is killed at any of its calls loses nothing, shows nothing anew, and is made again', async () => {
    const { log, fs, host } = await open();
    const kept: string[] = [];
    const gone: string[] = [];
    for (let number = 0; number < 6; number++) {
      await log.append(visit(number, host, { changes: ['profile'] }));
      gone.push(markOf(number, 0));
      kept.push(markOf(number, 1));
    }
    await log.setRules([rule(host, HOUR_MS, { b: null })]);
    host.ms += DAY_MS;
    const disks: MemoryFs[] = [];
    fs.before = () => void disks.push(fs.killed(), fs.powerCut());
    await log.expire();
    await log.close();
    expect(disks.length).toBeGreaterThan(60);
    for (const disk of disks) {
      const next = await open(disk, host);
      expect((await marks(next)).split(' ').map((mark) => `mark-${mark}.`)).toEqual(kept);
      expect((await readAll(next.log)).every(({ record }) => record.changes.length === 1)).toBe(true);
      await next.log.expire();
      expect(onDisk(disk, [...kept, ...gone])).toEqual(kept);
      expect(next.missing).toEqual([]);
      await next.log.close();
    }
  });
});

type Step =
  | {
      readonly do: 'send';
      readonly datastream: number;
      readonly request: Pick<Request, 'sent' | 'isWhole' | 'changes'>;
    }
  | {
      readonly do: 'rule';
      readonly datastream: number;
      readonly days: number | null;
      readonly types: readonly (readonly [string, number | null])[];
    }
  | { readonly do: 'wait'; readonly hours: number }
  | { readonly do: 'pass' | 'restart' };

const days = fc.option(fc.integer({ min: 1, max: 5 }));
const datastream = fc.nat(1);
const type = fc.constantFrom('a', 'b', null);
const STEPS: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      ...{ do: fc.constant('send' as const), datastream },
      request: fc.record({
        sent: fc.array(fc.record({ type, isDuplicate: fc.boolean() }), { minLength: 1, maxLength: 4 }),
        isWhole: fc.boolean(),
        changes: fc.subarray(['identity', 'consent'] as const),
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ do: fc.constant('rule' as const), datastream, days },
      types: fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b'), days), { selector: ([name]) => name }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);

test('requests, rules, passes and restarts in any order, like a plain model', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEPS, { minLength: 5, maxLength: 40 }), async (steps) => {
      let opened = await open();
      const { host } = opened;
      const sent: Request[] = [];
      let rules: ExpiryRule[] = [];
      const removed = new Set<string>();
      const isKept = (type: string | null, { atMs, datastreamId }: Request, by: readonly ExpiryRule[]): boolean => {
        const own = by.find((one) => one.datastreamId === datastreamId);
        const age = [...(own?.eventTypes ?? [])].find(([name]) => name === type)?.[1];
        const maxAgeMs = age === undefined ? own?.maxAgeMs : age;
        return maxAgeMs == null || host.ms - atMs <= maxAgeMs;
      };
      const marksBy = (by: readonly ExpiryRule[], isGone: boolean): string[] =>
        sent.flatMap((one) =>
          one.sent.flatMap(({ type, isDuplicate }, index) => {
            if (isDuplicate === true && (isGone ? !one.isWhole : true)) return [];
            const isAlone = one.sent.every(({ isDuplicate }) => isDuplicate);
            return isKept(isAlone ? null : type, one, by) === isGone ? [] : [markOf(one.number, index)];
          }),
        );
      for (const step of steps) {
        if (step.do === 'send') {
          const datastreamId = `site ${step.datastream}`;
          const request = { number: sent.length, atMs: host.ms, datastreamId, ...step.request };
          await opened.log.append(requestRecord(request));
          sent.push(request);
        } else if (step.do === 'rule') {
          const datastreamId = `site ${step.datastream}`;
          const eventTypes = new Map(step.types.map(([name, age]) => [name, age === null ? null : age * DAY_MS]));
          const maxAgeMs = step.days === null ? null : step.days * DAY_MS;
          rules = rules.filter((one) => one.datastreamId !== datastreamId);
          rules.push({ datastreamId, sinceMs: host.ms, maxAgeMs, eventTypes });
          await opened.log.setRules(rules);
        } else if (step.do === 'wait') host.ms += step.hours * HOUR_MS + 1;
        else if (step.do === 'restart') {
          await opened.log.close();
          opened = await open(opened.fs, host);
        } else {
          const settled = rules.filter(({ sinceMs }) => host.ms - sinceMs >= DAY_MS);
          await opened.log.expire();
          for (const mark of marksBy(settled, true)) removed.add(mark);
        }
        const expected = marksBy(rules, false).filter((mark) => !removed.has(mark));
        const shown = await marks(opened);
        expect(shown === '' ? [] : shown.split(' ').map((mark) => `mark-${mark}.`)).toEqual(expected);
        expect(onDisk(opened.fs, [...removed])).toEqual([]);
        const changes = (await readAll(opened.log)).map(({ record }) => record.changes.map(({ kind }) => kind));
        expect(changes).toEqual(sent.map((one) => one.changes));
      }
      await opened.log.close();
    }),
    { numRuns: 60 },
  );
});
