import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { BATCH_RECORDS_MAX } from '../../src/log/consumers.ts';
import type { Batch } from '../../src/model/parts.ts';
import { type FsCall, failure, type MemoryFs } from './memory-fs.ts';
import { appendEach, FOLDER, firstBatch, openLog, recordOf, told, turns } from './open-log.ts';

/** What every engine does of consumers stands in test/conformance/event-log.ts. */

const fileOf = (name: string): string => `${FOLDER}/consumers/${name}.json`;
const NEVER = new AbortController().signal;

test('a consumer’s place is a small file that a person can read, replaced as a whole', async () => {
  const { log, fs } = await openLog();
  await appendEach(log, 0, 3);
  fs.calls.length = 0;
  await (await firstBatch(log, 'sink')).commit();
  expect(fs.content(fileOf('sink')).toString()).toBe(`{"next":3,"crc":${crc32('3')}}`);
  const calls = fs.calls.filter(({ path }) => path.includes('/consumers')).map(({ what, path }) => `${what} ${path}`);
  const temporary = `${fileOf('sink')}.new`;
  expect(calls.slice(-5)).toEqual([
    `create ${temporary}`,
    `write ${temporary}`,
    `datasync ${temporary}`,
    `rename ${fileOf('sink')}`,
    `syncDirectory ${FOLDER}/consumers`,
  ]);
});

test(`a batch holds ${BATCH_RECORDS_MAX} records at most`, async () => {
  const { log } = await openLog();
  await Promise.all(Array.from({ length: BATCH_RECORDS_MAX + 1 }, (_, i) => log.append(recordOf(i))));
  const sizes: number[] = [];
  for await (const { stored } of log.consume('sink', NEVER)) {
    sizes.push(stored.length);
    if (sizes.length === 2) break;
  }
  expect(sizes).toEqual([BATCH_RECORDS_MAX, 1]);
});

describe('a name', () => {
  test.each(['a', 'sink-1', '0_a', 'x'.repeat(64)])('%s is one', async (name) => {
    const { log, fs } = await openLog();
    await log.append(recordOf(0));
    await (await firstBatch(log, name)).commit();
    expect(fs.content(fileOf(name)).length).toBeGreaterThan(0);
  });

  test.each(['', 'A', '-a', '_a', '../end', 'a/b', 'a.b', 'ä', 'a\n', 'x'.repeat(65)])('%j is none', async (name) => {
    const { log } = await openLog();
    const refusal = `'${name}' is no name for a consumer: use up to 64 of a-z 0-9 _ -.`;
    await expect(log.consume(name, NEVER)[Symbol.asyncIterator]().next()).rejects.toThrow(refusal);
    await expect(log.seek(name, { partition: 0, offset: 0 })).rejects.toThrow(refusal);
  });
});

describe('a start', () => {
  const withFile = async (name: string, content: string): Promise<MemoryFs> => {
    const { log, fs } = await openLog();
    await appendEach(log, 0, 3);
    fs.put(`${FOLDER}/consumers/${name}`, Buffer.from(content));
    return fs;
  };

  test('finds where everyone stands', async () => {
    const { log } = await openLog(await withFile('sink.json', `{"next":2,"crc":${crc32('2')}}`));
    expect(told((await firstBatch(log, 'sink')).stored)).toBe('2:r2');
  });

  test.each([
    '',
    '{',
    `{"next":2,"crc":${crc32('1')}}`,
    `{"next":-1,"crc":${crc32('-1')}}`,
    `{"next":2,"crc":${crc32('2')}} `,
  ])('gives a consumer whose place is %j everything again, and says so', async (content) => {
    const { log, messages } = await openLog(await withFile('sink.json', content));
    expect(messages).toEqual([
      `${fileOf('sink')} is damaged: the consumer 'sink' begins at the oldest record and gets some again.`,
    ]);
    expect(told((await firstBatch(log, 'sink')).stored)).toBe('0:r0 1:r1 2:r2');
  });

  test.each(['sink.json.new', 'notes.txt', 'A.json', '.json'])('leaves %s alone', async (name) => {
    const fs = await withFile(name, 'mine');
    const { messages } = await openLog(fs);
    expect([messages, fs.content(`${FOLDER}/consumers/${name}`).toString()]).toEqual([[], 'mine']);
  });
});

describe('a commit that fails', () => {
  const isCommit = ({ what, path }: FsCall): boolean => what === 'rename' && path === fileOf('sink');

  test('is told to who made it, and the next one is tried', async () => {
    const { log, fs } = await openLog();
    await appendEach(log, 0, 2);
    const batch = await firstBatch(log, 'sink');
    fs.before = (call) => {
      if (isCommit(call)) throw failure('EIO', call.path);
      return undefined;
    };
    await expect(batch.commit()).rejects.toThrow('EIO');
    expect(told((await firstBatch(log, 'sink')).stored)).toBe('0:r0 1:r1');
    fs.before = null;
    await batch.commit();
    await log.append(recordOf(2));
    expect(told((await firstBatch(log, 'sink')).stored)).toBe('2:r2');
  });

  test('for lack of space has the reserve', async () => {
    const { log, fs, host } = await openLog(undefined, { reservedBytes: 500 });
    await appendEach(log, 0, 2);
    await host.pass(1000);
    const batch = await firstBatch(log, 'sink');
    fs.capacityBytes = fs.contents.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    await batch.commit();
    expect(fs.content(fileOf('sink')).toString()).toContain('"next":2');
    expect(log.refusing).toBe('disk-full');
  });
});

test('commits are written one after the other, and the later one stands', async () => {
  const { log, fs } = await openLog();
  await appendEach(log, 0, 2);
  const batches: Batch[] = [];
  const first = await firstBatch(log, 'sink');
  await log.append(recordOf(2));
  for await (const batch of log.consume('sink', NEVER)) {
    batches.push(batch);
    break;
  }
  const rename = fs.hold(({ what }) => what === 'rename');
  const commits = [first.commit(), batches[0]!.commit(), first.commit()];
  await rename.reached;
  rename.release();
  await Promise.all(commits);
  expect(fs.content(fileOf('sink')).toString()).toContain('"next":3');
});

test('a reader that waits again and again leaves nothing of it on its signal', async () => {
  const { log } = await openLog();
  const { signal } = new AbortController();
  const batches = log.consume('sink', signal)[Symbol.asyncIterator]();
  for (let i = 0; i < 10; i++) {
    const next = batches.next();
    await turns(20);
    await log.append(recordOf(i));
    expect((await next).value.stored).toHaveLength(1);
  }
  // Node keeps what depends on a signal in a set of its own kind, under a symbol.
  const kept = Object.getOwnPropertySymbols(signal).map((key) => (signal as unknown as Record<symbol, unknown>)[key]);
  const sizes = kept.map((value) => (value as { readonly size?: number } | null | undefined)?.size ?? 0);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1);
});

test('a reader that was told to stop while it waited has another after it', async () => {
  const { log } = await openLog();
  const first = new AbortController();
  const waiting = log.consume('sink', first.signal)[Symbol.asyncIterator]().next();
  await turns(20);
  first.abort();
  expect((await waiting).done).toBe(true);
  const next = log.consume('sink', NEVER)[Symbol.asyncIterator]().next();
  await turns(20);
  await log.append(recordOf(0));
  expect((await next).value.stored).toHaveLength(1);
});
