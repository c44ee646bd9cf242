import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { ErasureKey } from '../src/erasing/key.ts';
import { startFold } from '../src/folding.ts';
import { nodeFs } from '../src/log/node-fs.ts';
import { erasureChange } from '../src/model/erasure.ts';
import type { JsonObject } from '../src/model/json.ts';
import { type Change, personKey } from '../src/model/person.ts';
import type { LogRecord } from '../src/model/record.ts';
import { LOST } from '../src/replays/sections.ts';
import { writeSnapshotFile } from '../src/state/snapshot-file.ts';
import { writeLog } from './support/data-folder.ts';
import { tempFolder } from './support/temp-folder.ts';

const ORG = 'A@AdobeOrg';
const [ann, bob] = ['1', '2'].map((digit) => personKey(ORG, 'ECID', digit.repeat(38))) as [string, string];
const SECRET = Buffer.alloc(32, 7);

function recordOf(number: number, ...changes: readonly Change[]): LogRecord {
  return {
    ...{ requestId: `r${number}`, atMs: 1_000 + number, orgId: ORG, datastreamId: 'shop', path: '', ecid: null },
    ...{ meta: {}, events: [], raw: null, changes },
  };
}
function updateOf(key: string, number: number): Change {
  const value: JsonObject = { [`at${number}`]: true };
  return { kind: 'profile', key, time: String(100 + number), body: { operation: 'update', value } };
}

/** A snapshot behind the first of four records; Ann is erased by the third, and not removed from it yet. */
async function dataOf(hasKey: boolean): Promise<string> {
  const data = tempFolder();
  mkdirSync(join(data, 'snapshots'));
  const persons = [ann, bob].map((key) => {
    const profile = { value: { at0: true }, time: '100', record: '0:0' };
    return { key, version: 1, body: { profile } };
  });
  const path = join(data, 'snapshots', `0-${'0'.repeat(16)}.snapshot`);
  await writeSnapshotFile(nodeFs, path, { partition: 0, offset: 0 }, persons);
  const digests = [new ErasureKey(SECRET).digest(ann)];
  const erasure = erasureChange({ id: '0123456789abcdef', orgId: ORG, atMs: 1_002, digests }, '');
  await writeLog(data, [
    recordOf(0, updateOf(ann, 0), updateOf(bob, 0)),
    recordOf(1),
    recordOf(2, erasure),
    recordOf(3, updateOf(ann, 3), updateOf(bob, 3)),
  ]);
  if (hasKey) {
    mkdirSync(join(data, 'keys'));
    writeFileSync(join(data, 'keys', 'erasure.key'), `${SECRET.toString('hex')}\n`, { mode: 0o600 });
  }
  return data;
}

async function folded(data: string, from: { readonly offset: number } | null) {
  const reports: string[] = [];
  const { sections, records, reached } = await startFold(data, from, (message) => reports.push(message));
  const offsets: number[] = [];
  for await (const { position, record } of records) {
    reached(position.offset);
    sections.take(position, record.changes, record.atMs);
    offsets.push(position.offset);
  }
  expect(reports).toEqual([]);
  return { sections, offsets };
}

describe('who is erased is a stranger from there on', () => {
  test.each([
    ['a snapshot that holds them still', { offset: 1 }, [1, 2, 3]],
    ["the log's start", null, [0, 1, 2, 3]],
  ])('in a fold from %s', async (_, from, expected) => {
    const { sections, offsets } = await folded(await dataOf(true), from);
    expect(offsets).toEqual(expected);
    expect(sections.valueAt(ann, 'profile', '0:0')).toBe(LOST);
    expect(sections.valueAt(ann, 'profile', '0:3')).toEqual({ at3: true });
    expect(sections.valueAt(bob, 'profile', '0:3')).toEqual({ at0: true, at3: true });
  });
});

test('without the key the log is folded as it is: nobody is being erased, or its reader had refused', async () => {
  const { sections } = await folded(await dataOf(false), { offset: 1 });
  expect(sections.valueAt(bob, 'profile', '0:3')).toEqual({ at0: true, at3: true });
});

test.each([0, 299])('damage to record %i is told once, wherever the fold starts', async (damaged) => {
  const data = await dataOf(false);
  rmSync(join(data, 'log'), { recursive: true });
  await writeLog(
    data,
    Array.from({ length: 301 }, (_, number) => recordOf(number, updateOf(ann, number))),
  );
  const segment = join(data, 'log', readdirSync(join(data, 'log')).find((name) => name.endsWith('.segment'))!);
  const bytes = readFileSync(segment);
  bytes[bytes.indexOf(`"r${damaged}"`)]! ^= 1;
  writeFileSync(segment, bytes);
  const reports: string[] = [];
  const { records } = await startFold(data, null, (message) => reports.push(message));
  let read = 0;
  for await (const _ of records) read += 1;
  expect([read, reports]).toEqual([300, [expect.stringContaining(`offsets ${damaged} to ${damaged}`)]]);
});

test('a snapshot that a server takes away meanwhile is not read', async () => {
  const data = await dataOf(false);
  const readdir = nodeFs.readdir;
  vi.spyOn(nodeFs, 'readdir').mockImplementation(async (path) => {
    const names = await readdir(path);
    return path.endsWith('snapshots') ? [...names, `0-${'2'.padStart(16, '0')}.snapshot`] : names;
  });
  const { offsets } = await folded(data, { offset: 3 });
  expect(offsets).toEqual([1, 2, 3]);
  vi.restoreAllMocks();
});
