import { describe, expect, test } from 'vitest';
import { erasureChange } from '../../src/model/erasure.ts';
import { personKey } from '../../src/model/person.ts';
import { failure, type MemoryFs } from './memory-fs.ts';
import { appendEach, FOLDER, type OpenedLog, openLog, recordOf, segmentsOf } from './open-log.ts';

const KEY = { keyId: 'key', digest: (text: string) => Buffer.from(text).toString('hex') };
const ANN = personKey('org', 'ECID', 'ann');
const ERASURE = { id: 'e', orgId: 'org', atMs: 1, digests: [KEY.digest(ANN)] };

/** A segment for each record, the first of which is a choice. All but the newest go when retention is asked. */
async function filled(): Promise<OpenedLog> {
  const settings = { segmentBytes: 300, retention: { maxAgeMs: null, maxBytes: 1 }, erasureKey: KEY };
  const opened = await openLog(undefined, settings);
  const choice = { kind: 'consent' as const, key: ANN, time: '000000000001-0000', body: {} };
  await opened.log.append(recordOf(0, { changes: [choice] }));
  await appendEach(opened.log, 1, 4);
  return opened;
}

function pathsIn(fs: MemoryFs, folder: string): string[] {
  return fs.contents.map(([path]) => path).filter((path) => path.startsWith(folder));
}

const PASSES: readonly (readonly [string, (opened: OpenedLog) => Promise<unknown>])[] = [
  ['the dropping of files', ({ log }) => log.retain()],
  ['an erasure', ({ log }) => log.rewrite()],
  ['a pass of expiry', ({ log }) => log.expire()],
];

describe.each(PASSES)('%s', (_, pass) => {
  test('removes files that are not finished, whether anything else is to be done or not', async () => {
    const opened = await filled();
    const { log, fs } = opened;
    await log.retain();
    for (const unfinished of [`${segmentsOf(fs)[0]}.new`, `${FOLDER}/proofs/0-0-0.proofs.new`]) {
      fs.put(unfinished, Buffer.from(ANN));
      fs.before = ({ what, path }) => {
        if (what === 'unlink' && path === unfinished) throw failure('EIO', path);
      };
      await expect(pass(opened)).rejects.toThrow('EIO');
      fs.before = null;
      const others = pathsIn(fs, FOLDER).filter((path) => path !== unfinished);
      await pass(opened);
      expect(pathsIn(fs.powerCut(), FOLDER)).toEqual(others);
    }
  });

  test('does nothing when the log is closed: its folder may be another process’s', async () => {
    const opened = await filled();
    const { log, fs } = opened;
    fs.put(`${segmentsOf(fs)[0]}.new`, Buffer.from('of another process'));
    await log.close();
    const before = pathsIn(fs, FOLDER);
    fs.calls.length = 0;
    await expect(pass(opened)).rejects.toMatchObject({ reason: 'closed' });
    expect([pathsIn(fs, FOLDER), fs.calls]).toEqual([before, []]);
  });
});

test.each(PASSES.slice(1))('%s makes durable what the disk could not sync before', async (_, pass) => {
  const opened = await filled();
  const { log, fs } = opened;
  const proofs = `${FOLDER}/proofs`;
  await log.retain();
  const kept = pathsIn(fs, proofs);
  expect(kept).toHaveLength(1);
  await log.erase(ERASURE, { ...recordOf(4), changes: [erasureChange(ERASURE, '000000000001-0000')] });
  let isRemoved = false;
  fs.before = ({ what, path }) => {
    if (what === 'unlink' && path === kept[0]) isRemoved = true;
    if (isRemoved && what === 'syncDirectory' && path === proofs) throw failure('EIO', path);
  };
  await expect(log.rewrite()).rejects.toThrow('EIO');
  expect([pathsIn(fs, proofs), pathsIn(fs.powerCut(), proofs)]).toEqual([[], kept]);
  await expect(pass(opened)).rejects.toThrow('EIO');
  fs.before = null;
  await pass(opened);
  expect(pathsIn(fs.powerCut(), proofs)).toEqual([]);
});
