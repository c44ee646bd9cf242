import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { acquireLock } from '../../src/log/lock.ts';
import { tempFolder } from '../support/temp-folder.ts';

const lockIn = (folder: string): string => join(folder, 'LOCK');

/** The lock as a process that is dead left it behind. */
async function leftBehind(folder: string): Promise<string> {
  const release = await acquireLock(lockIn(folder));
  const mine = JSON.parse(readFileSync(lockIn(folder), 'utf8'));
  release();
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  return JSON.stringify({ ...mine, pid, startTime: '1', token: 'dead' });
}

test('is held by one, who is named, until it is released', async () => {
  const folder = tempFolder();
  const release = await acquireLock(lockIn(folder));
  await expect(acquireLock(lockIn(folder))).rejects.toThrow(`in use by process ${process.pid} (${lockIn(folder)})`);
  release();
  (await acquireLock(lockIn(folder)))();
  expect(readdirSync(folder)).toEqual([]);
});

test('released twice, it is not taken from the next one', async () => {
  const folder = tempFolder();
  const release = await acquireLock(lockIn(folder));
  release();
  await acquireLock(lockIn(folder));
  release();
  expect(existsSync(lockIn(folder))).toBe(true);
});

describe('what nobody holds any more is taken over by exactly one of many', () => {
  test.each([
    ['a dead process’s', leftBehind],
    [
      'another boot’s',
      async (folder: string) => (await leftBehind(folder)).replace(/"bootId":"[^"]*"/, '"bootId":"before"'),
    ],
    [
      'one of a process whose id another has got since',
      async (folder: string) => (await leftBehind(folder)).replace(/"pid":\d+/, `"pid":${process.pid}`),
    ],
    ['an empty one', async () => ''],
    ['one that is no lock of ours', async () => '{"pid":'],
  ])('%s', async (_, contentOf) => {
    const folder = tempFolder();
    writeFileSync(lockIn(folder), await contentOf(folder));
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => acquireLock(lockIn(folder))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['LOCK']);
  });

  test('also where the one that was taking it away died meanwhile', async () => {
    const folder = tempFolder();
    const left = await leftBehind(folder);
    writeFileSync(lockIn(folder), left);
    // What stands beside a lock while it is being removed.
    const removing = `${lockIn(folder)}.remove-${createHash('sha256').update(left).digest('hex').slice(0, 16)}`;
    writeFileSync(removing, left.replace('dead', 'dead too'));
    (await acquireLock(lockIn(folder)))();
    expect(readdirSync(folder)).toEqual([]);
  });
});
