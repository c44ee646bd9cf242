import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/log/cursor.ts';
import { type LogReader, openLogReader } from '../../src/log/reader.ts';
import { UnknownFormat } from '../../src/log/segment.ts';
import { erasureChange } from '../../src/model/erasure.ts';
import { type Change, personKey } from '../../src/model/person.ts';
import type { LogRecord, Stored } from '../../src/model/record.ts';
import { failure, type MemoryFs } from './memory-fs.ts';
import {
  FOLDER,
  type LogSettings,
  type OpenedLog,
  openLog,
  parseBody,
  recordOf,
  segmentsOf,
  TestHost,
} from './open-log.ts';

const NEVER = new AbortController().signal;
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
const KEY = { keyId: 'key', digest: (text: string) => Buffer.from(text).toString('hex') };

/** Some three records a segment; all but the newest segment go when retention is asked. */
function open(fs?: MemoryFs, more: LogSettings = {}): Promise<OpenedLog> {
  const retention = { maxAgeMs: null, maxBytes: 1 };
  return openLog(fs, { segmentBytes: 1024, retention, erasureKey: KEY, ...more });
}

function changeOf(kind: Change['kind'], visitor: string, body: Change['body'] = {}): Change {
  return { kind, key: personKey('org', 'ECID', visitor), time: '000000000001-0000', body };
}

/** A request of a visitor that made these changes. */
function requestOf(number: number, visitor: string, kinds: readonly Change['kind'][], body = {}): LogRecord {
  const record = recordOf(number, { changes: kinds.map((kind) => changeOf(kind, visitor, body)) });
  return { ...record, ecid: visitor, raw: Buffer.from(JSON.stringify({ sent: '.'.repeat(200) })) };
}

/** Every third chooses, of these three in turn. */
const VISITORS = ['ann', 'bob', 'cem'];
async function fill(log: OpenedLog['log'], count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    const visitor = VISITORS[Math.floor(number / 3) % 3]!;
    await log.append(requestOf(number, visitor, number % 3 === 0 ? ['identity', 'consent'] : ['profile']));
  }
}

const reader = ({ fs, host }: OpenedLog, report: Report = unexpected): Promise<LogReader> =>
  openLogReader({
    ...{ fs, directory: FOLDER, partition: 0, parseBody, host, report },
    erasureKey: async () => KEY,
  });
const unexpected = (message: string): never => {
  throw new Error(message);
};

async function all(records: AsyncIterable<Stored>): Promise<Stored[]> {
  const found: Stored[] = [];
  for await (const stored of records) found.push(stored);
  return found;
}

/** "0:r0 ann": offsets and requests of choices, and whose they are, as this process and another one are shown them. */
async function choices(opened: OpenedLog): Promise<string[]> {
  const inside = (await all(opened.log.readWithProofs(NEVER))).flatMap(choicesIn);
  const outside = (await all((await reader(opened)).readWithProofs(NEVER))).flatMap(choicesIn);
  expect(outside).toEqual(inside);
  return inside;
}

function choicesIn({ position, record }: Stored): string[] {
  return record.changes
    .filter(({ kind }) => kind === 'consent')
    .map(({ key }) => `${position.offset}:${record.requestId} ${key.split('|')[2]}`);
}

const expected = (count: number): string[] =>
  Array.from({ length: Math.ceil(count / 3) }, (_, i) => `${i * 3}:r${i * 3} ${VISITORS[i % 3]}`);

function proofsIn(fs: MemoryFs): string[] {
  return fs.contents.map(([path]) => path).filter((path) => path.includes('/proofs/'));
}

describe('what retention drops', () => {
  test('leaves choices and erasures, where they stood, under the id of their request, and nothing else', async () => {
    const opened = await open();
    const { log, fs } = opened;
    await fill(log, 10);
    const erasure = { id: 'e', orgId: 'org', atMs: 1, digests: ['other'] };
    await log.append({ ...recordOf(10), changes: [erasureChange(erasure, '000000000001-0000')] });
    await fill(log, 9);
    expect(await log.retain()).toBeGreaterThan(3);
    expect(segmentsOf(fs)).toHaveLength(1);
    const [first] = await all(log.read('start', false, NEVER));
    const before = (await all(log.readWithProofs(NEVER))).filter(
      ({ position }) => position.offset < first!.position.offset,
    );
    expect(before.map(({ position, record }) => [position.offset, record.requestId])).toEqual([
      ...[0, 3, 6, 9].map((number) => [number, `r${number}`]),
      [10, 'r10'],
      ...[0, 3, 6]
        .map((number) => [number + 11, `r${number}`])
        .filter(([offset]) => Number(offset) < first!.position.offset),
    ]);
    expect(before.map(({ record }) => record.changes.map(({ kind }) => kind).join())).toEqual(
      before.map(({ position }) => (position.offset === 10 ? 'erasure' : 'consent')),
    );
    const { atMs, orgId, datastreamId, path } = recordOf(3);
    expect(before[1]!.record).toMatchObject({ atMs, orgId, datastreamId, path, raw: null, ecid: null, events: [] });
    const once = await choices(opened);
    // A crash, and an erasure before retention came to the segment again, may leave two files that have some in common.
    const [shared] = proofsIn(fs);
    fs.put(
      shared!.replace(/-(\d{16})-/, (_, last) => `-${String(Number(last) + 1).padStart(16, '0')}-`),
      fs.content(shared!),
    );
    expect(await choices(opened)).toEqual(once);
    const next = await open(fs);
    expect(await choices(next)).toEqual(await choices(opened));
  });

  test('without a choice leaves no file', async () => {
    const { log, fs } = await open();
    for (let number = 0; number < 10; number++) await log.append(requestOf(number, 'ann', ['profile']));
    expect(await log.retain()).toBeGreaterThan(1);
    expect(proofsIn(fs)).toEqual([]);
  });

  test('leaves files that are written and read at once: of a segment with many choices several', async () => {
    const opened = await open(undefined, { segmentBytes: 4 * 1024 * 1024 });
    const { log, fs } = opened;
    const big = { given: 'x'.repeat(300_000) };
    for (let number = 0; number < 14; number++) await log.append(requestOf(number, 'ann', ['consent'], big));
    await log.retain();
    const sizes = proofsIn(fs).map((path) => fs.content(path).length);
    expect(sizes.length).toBeGreaterThan(2);
    expect(Math.max(...sizes)).toBeLessThan(1.4 * 1024 * 1024);
    expect(await choices(opened)).toEqual(Array.from({ length: 14 }, (_, number) => `${number}:r${number} ann`));
  });

  test('cannot all be read: that is said, and the rest is kept', async () => {
    const { log, fs, messages, missing } = await open();
    await fill(log, 12);
    fs.content(segmentsOf(fs)[0]!)[300]! ^= 1;
    await log.retain();
    expect(messages).toEqual([
      'Records 0 to 0 could not be read when retention dropped them: choices and erasures in them are lost.',
    ]);
    expect(missing).toEqual([{ why: 'damaged', fromOffset: 0, toOffset: 1 }]);
    const left = (await all(log.readWithProofs(NEVER))).map(({ position }) => position.offset);
    expect(left.slice(0, 2)).toEqual([3, 6]);
  });

  test('stays while what is kept of it cannot be written', async () => {
    const opened = await open();
    const { log, fs } = opened;
    await fill(log, 12);
    const before = segmentsOf(fs);
    fs.before = ({ what, path }) => {
      if (what === 'create' && path.includes('/proofs/')) throw failure('EIO', path);
    };
    await expect(log.retain()).rejects.toThrow('EIO');
    expect(segmentsOf(fs)).toEqual(before);
    fs.before = null;
    await log.retain();
    expect([segmentsOf(fs).length, await choices(opened)]).toEqual([1, expected(12)]);
  });

  test('is there once, whichever call the process is killed at', async () => {
    const host = new TestHost();
    const { log, fs } = await open(undefined, { host });
    await fill(log, 12);
    const disks: MemoryFs[] = [];
    fs.before = () => void disks.push(fs.killed(), fs.powerCut());
    await log.retain();
    await log.close();
    expect(disks.length).toBeGreaterThan(40);
    for (const disk of disks) {
      const next = await open(disk, { host });
      expect(await choices(next)).toEqual(expected(12));
      await next.log.retain();
      expect([segmentsOf(disk).length, await choices(next)]).toEqual([1, expected(12)]);
      await next.log.close();
    }
  });

  /** Killed when it had kept the choices of its first segment, records 0 and 1, the first of which is a year older; and before it dropped that. */
  async function keptAndKilled(host: TestHost): Promise<MemoryFs> {
    const { log, fs } = await open(undefined, { host });
    for (let number = 0; number < 5; number++) {
      await log.append({ ...requestOf(number, 'ann', ['consent'], { given: `given-${number}` }), atMs: host.ms });
      if (number === 0) host.ms += YEAR_MS;
    }
    const { reached } = fs.hold(({ what, path }) => what === 'unlink' && path.endsWith('.segment'));
    void log.retain();
    await reached;
    const left = fs.killed();
    expect(proofsIn(left)).toEqual([expect.stringContaining('/0000000000000000-0000000000000001-')]);
    return left;
  }

  test('was kept by a process that was killed then: what has been removed since is nowhere', async () => {
    const host = new TestHost();
    const fs = await keptAndKilled(host);
    const next = await open(fs, { host });
    host.ms += 60_000;
    await next.log.expire(YEAR_MS);
    const shown = ['1:r1 ann', '2:r2 ann', '3:r3 ann', '4:r4 ann'];
    expect(await choices(next)).toEqual(shown);
    expect(fs.contents.filter(([, bytes]) => bytes.includes('given-0')).map(([path]) => path)).toEqual([]);
    await next.log.retain();
    expect(await choices(next)).toEqual(shown);
    const ranges = proofsIn(fs).map((path) => /(\d+)-0*(\d+)-\d+\.proofs$/.exec(path)!.slice(1).map(Number).join('-'));
    expect(ranges).toEqual(['1-1', '2-3']);
  });

  test('was kept by a process that was killed then, and less of it can be read by now: what was kept stays', async () => {
    const host = new TestHost();
    const fs = await keptAndKilled(host);
    const next = await open(fs, { host });
    fs.content(segmentsOf(fs)[0]!)[300]! ^= 1;
    await next.log.retain();
    expect(next.missing).toEqual([{ why: 'damaged', fromOffset: 0, toOffset: 1 }]);
    expect(await choices(next)).toEqual(['0:r0 ann', '1:r1 ann', '2:r2 ann', '3:r3 ann', '4:r4 ann']);
  });

  test('in a format of a later version is refused to whoever reads it, and stays', async () => {
    const opened = await open();
    const { log, fs } = opened;
    await fill(log, 12);
    await log.retain();
    const later = proofsIn(fs)[0]!.replace('.proofs', '-v2.proofs');
    fs.put(later, Buffer.from('later'));
    await expect(choices(opened)).rejects.toThrow(`${later.slice(FOLDER.length + 1)}, which this version`);
    await expect(log.expire(0)).rejects.toThrow(UnknownFormat);
    expect(proofsIn(fs)).toContain(later);
    fs.put(`${FOLDER}/proofs/notes.txt`, Buffer.from('mine'));
    await fs.unlink(later);
    expect(await choices(opened)).toEqual(expected(12));
  });

  test.each(['in this process', 'in another one'])(
    'while somebody reads %s: no choice is missing, and none comes twice',
    async (where) => {
      // After so many choices that were read.
      for (let after = 0; after < 4; after++) {
        const opened = await open();
        const { log } = opened;
        await fill(log, 12);
        const { readWithProofs } = where === 'in this process' ? log : await reader(opened);
        const read: string[] = [];
        for await (const stored of readWithProofs.call(log, NEVER)) {
          if (read.length === after) await log.retain();
          read.push(...choicesIn(stored));
        }
        expect([read, opened.messages]).toEqual([expected(12), []]);
      }
    },
  );

  test('is not waited for when the log is closed', async () => {
    const { log, fs } = await open();
    await fill(log, 12);
    const held = fs.hold(({ what, path }) => what === 'rename' && path.includes('/proofs/'));
    const retained = log.retain().catch((error: unknown) => error);
    await held.reached;
    const closed = log.close();
    held.release();
    await closed;
    expect(await retained).toMatchObject({ reason: 'closed' });
    expect(await choices(await open(fs))).toEqual(expected(12));
  });
});

describe('of somebody who is erased', () => {
  test('choices of dropped segments are shown no more, and then nowhere', async () => {
    const opened = await open();
    const { log, fs } = opened;
    await fill(log, 21);
    await log.retain();
    const erasure = { id: 'e', orgId: 'org', atMs: 1, digests: [KEY.digest(personKey('org', 'ECID', 'ann'))] };
    await log.erase(erasure, { ...recordOf(21), changes: [erasureChange(erasure, '000000000001-0000')] });
    const others = expected(21).filter((choice) => !choice.endsWith('ann'));
    expect(await choices(opened)).toEqual(others);
    const unfinished = `${proofsIn(fs)[0]!}.new`;
    fs.put(unfinished, Buffer.from('|ann"'));
    const { records } = await log.rewrite();
    await log.forgetErasures(['e']);
    expect(records).toBeGreaterThan(2);
    expect(await choices(opened)).toEqual(others);
    const holds = (text: string): string[] =>
      fs.contents.filter(([, bytes]) => bytes.toString('latin1').includes(text)).map(([path]) => path);
    expect(holds('|ann')).toEqual([]);
    expect(holds('|bob').length).toBeGreaterThan(0);
    await log.close();
    expect(await choices(await open(fs))).toEqual(others);
  });

  test('choices stay hidden when it is not known any more who is being erased, and the record of it was dropped', async () => {
    const { log, fs } = await open();
    await fill(log, 12);
    const erasure = { id: 'e', orgId: 'org', atMs: 1, digests: [KEY.digest(personKey('org', 'ECID', 'ann'))] };
    await log.erase(erasure, { ...recordOf(12), changes: [erasureChange(erasure, '000000000001-0000')] });
    for (let number = 13; number < 20; number++) await log.append(requestOf(number, 'bob', []));
    await log.retain();
    await log.close();
    fs.content(`${FOLDER}/hidden`)[20]! ^= 1;
    const next = await open(fs);
    expect(next.messages).toEqual([expect.stringContaining('hidden is damaged')]);
    const shown = (await all(next.log.readWithProofs(NEVER))).flatMap(({ record }) => record.changes);
    expect(shown.filter(({ key }) => key.endsWith('ann'))).toEqual([]);
    expect(shown.filter(({ key }) => key.endsWith('bob')).length).toBeGreaterThan(0);
  });

  test('what is damaged is not kept: nobody knows what it held', async () => {
    const { log, fs, messages, missing } = await open();
    await fill(log, 21);
    await log.retain();
    const [first, ...rest] = proofsIn(fs);
    fs.content(first!)[40]! ^= 1;
    const read = await all(log.readWithProofs(NEVER));
    expect(read[0]!.position.offset).toBeGreaterThan(0);
    expect(messages).toEqual([
      expect.stringMatching(/proofs is damaged: choices and erasures up to record \d+ are missing/),
    ]);
    expect(missing).toEqual([{ why: 'damaged', fromOffset: 0, toOffset: expect.any(Number) }]);
    const erasure = { id: 'e', orgId: 'org', atMs: 1, digests: ['nobody'] };
    await log.erase(erasure, { ...recordOf(21), changes: [erasureChange(erasure, '000000000001-0000')] });
    await log.rewrite();
    expect(proofsIn(fs)).toEqual(rest);
  });
});

test('of dropped segments go when all in their file are older than they are kept', async () => {
  const { log, fs, host } = await open();
  await fill(log, 12);
  await log.retain();
  const files = proofsIn(fs);
  const newest = Number(/-(\d+)\.proofs$/.exec(files[0]!)![1]);
  // A record's time is 1000 and its number; the first file is of record 0 alone, or of 0 and 3.
  expect([1000, 1003]).toContain(newest);
  await log.expire();
  await log.expire(host.ms - newest);
  expect(proofsIn(fs)).toEqual(files);
  await log.expire(host.ms - newest - 1);
  expect(proofsIn(fs)).toEqual(files.slice(1));
  await log.expire(0);
  expect(proofsIn(fs)).toEqual([]);
});

describe('that still stand in segments', () => {
  const openKeeping = (covered: () => number): Promise<OpenedLog> =>
    open(undefined, { retention: { maxAgeMs: null, maxBytes: null }, mayDropBefore: covered });

  test('go when they are older than they are kept, with the call that made them; all else stays', async () => {
    const opened = await openKeeping(() => Number.POSITIVE_INFINITY);
    const { log, fs, host } = opened;
    const send = (number: number, kinds: readonly Change['kind'][]): Promise<unknown> =>
      log.append({ ...requestOf(number, 'ann', kinds), atMs: host.ms });
    await send(0, ['identity', 'consent']);
    await send(1, ['profile']);
    host.ms += YEAR_MS;
    await send(2, ['consent']);
    const raws = async (): Promise<boolean[]> =>
      (await all(log.read('start', false, NEVER))).map(({ record }) => record.raw !== null);
    await log.expire(YEAR_MS);
    expect([await choices(opened), await raws()]).toEqual([
      ['0:r0 ann', '2:r2 ann'],
      [true, true, true],
    ]);
    host.ms += 60_000;
    await log.expire(YEAR_MS);
    expect([await choices(opened), await raws()]).toEqual([['2:r2 ann'], [false, true, true]]);
    const [first] = await all(log.read('start', false, NEVER));
    expect(first!.record).toMatchObject({ requestId: '', ecid: null, raw: null });
    expect(first!.record.changes.map(({ kind }) => kind)).toEqual(['identity']);
    fs.calls.length = 0;
    await log.expire(YEAR_MS);
    expect(fs.calls.filter(({ what, position }) => what === 'read' && position > 0)).toEqual([]);
    host.ms += YEAR_MS;
    await log.expire(YEAR_MS);
    expect(await choices(opened)).toEqual([]);
  });

  test('stay while state needs them, and go after that', async () => {
    let covered = 0;
    const opened = await openKeeping(() => covered);
    const { log, host } = opened;
    await fill(log, 6);
    host.ms += YEAR_MS;
    await log.expire(YEAR_MS);
    expect(await choices(opened)).toEqual(expected(6));
    covered = log.nextOffset;
    host.ms += 1;
    await log.expire(YEAR_MS);
    expect(await choices(opened)).toEqual([]);
  });
});
