import { beforeEach, describe, expect, test } from 'vitest';
import { DiskSpace } from '../../src/log/disk-space.ts';
import { failure, MemoryFs } from './memory-fs.ts';
import { appendEach, FOLDER, openLog, recordOf } from './open-log.ts';

const RESERVE = `${FOLDER}/reserve`;
const LOW_WATER = 1000;
const RESERVED = 300;

let fs: MemoryFs;
let messages: string[];
let space: DiskSpace;
beforeEach(() => {
  fs = new MemoryFs();
  fs.capacityBytes = LOW_WATER + RESERVED;
  messages = [];
  const report = (message: string): void => void messages.push(message);
  space = new DiskSpace({ fs, directory: FOLDER, lowWaterBytes: LOW_WATER, reservedBytes: RESERVED, report });
});

const hasReserve = (): boolean => fs.contents.some(([path, { length }]) => path === RESERVE && length === RESERVED);

describe('low water', () => {
  test('is space enough to the byte, and one byte less is not', async () => {
    fs.capacityBytes = LOW_WATER;
    expect(await space.look()).toBe(LOW_WATER);
    expect(space.isFull).toBe(false);
    fs.capacityBytes = LOW_WATER - 1;
    await space.look();
    expect(space.isFull).toBe(true);
    expect(messages).toEqual([
      'The disk has 999 bytes left, fewer than log.lowWaterBytes (1000): events are refused until there is space. Free some, or set log.retention.',
    ]);
  });

  test('is told once when it is passed, and once when there is space again', async () => {
    fs.capacityBytes = 10;
    for (let i = 0; i < 3; i++) await space.check();
    fs.capacityBytes = LOW_WATER + RESERVED;
    for (let i = 0; i < 3; i++) await space.check();
    expect(messages.slice(1)).toEqual(['There is space on the disk again: events are taken.']);
    expect(space.isFull).toBe(false);
  });
});

describe('the reserve', () => {
  test('is made where it leaves the low water, and not with a byte less', async () => {
    fs.capacityBytes = LOW_WATER + RESERVED - 1;
    await space.check();
    expect(hasReserve()).toBe(false);
    fs.capacityBytes += 1;
    await space.check();
    expect([hasReserve(), space.isFull]).toEqual([true, false]);
  });

  test('is given up when the disk is full in earnest, for what needs a few bytes', async () => {
    await space.check();
    fs.capacityBytes = RESERVED;
    let tries = 0;
    const written = await space.withReserve(async () => {
      tries += 1;
      const file = await fs.open(`${FOLDER}/commit-${tries}`, 'create');
      return file.write(Buffer.alloc(200), 0, 200, 0);
    });
    expect([written, tries, hasReserve(), space.isFull]).toEqual([200, 2, false, true]);
  });

  test('does nothing for other failures, and for a disk that stays full', async () => {
    await space.check();
    await expect(space.withReserve(() => Promise.reject(failure('EIO', 'x')))).rejects.toThrow('EIO');
    expect([hasReserve(), space.isFull]).toEqual([true, false]);
    await expect(space.withReserve(() => Promise.reject(failure('ENOSPC', 'x')))).rejects.toThrow('ENOSPC');
    expect([hasReserve(), space.isFull]).toEqual([false, true]);
  });

  test('has to be there again before events are taken: that the disk has space does not say that we may use it', async () => {
    await space.exhausted();
    fs.before = ({ what, path }) => {
      if (what === 'write' && path === RESERVE) throw failure('EDQUOT', path);
      return undefined;
    };
    await space.check();
    expect([hasReserve(), space.isFull]).toEqual([false, true]);
    expect(fs.contents).toEqual([]);
    fs.before = null;
    await space.check();
    expect([hasReserve(), space.isFull]).toEqual([true, false]);
  });

  test('of another size, or half written, is made anew', async () => {
    fs.put(RESERVE, Buffer.alloc(RESERVED - 1));
    fs.capacityBytes = 2 * (LOW_WATER + RESERVED);
    await space.check();
    expect(hasReserve()).toBe(true);
  });
});

test('a look that fails is told and changes nothing', async () => {
  fs.freeBytes = () => Promise.reject(failure('EIO', 'statfs'));
  await space.check();
  expect(messages).toEqual(['Free disk space could not be looked at: EIO: statfs']);
  expect(space.isFull).toBe(false);
});

test('a log below low water refuses from its first moment, and takes events within two looks of the space', async () => {
  const { log, fs: disk } = await openLog();
  await appendEach(log, 0, 3);
  await log.close();
  disk.capacityBytes = 2000;
  const { log: next, host } = await openLog(disk, { lowWaterBytes: 50_000 });
  expect(next.refusing).toBe('disk-full');
  await expect(next.append(recordOf(3))).rejects.toMatchObject({ reason: 'disk-full' });
  disk.capacityBytes = 100_000;
  await host.pass(1000);
  await host.pass(1000);
  expect(next.refusing).toBeNull();
  expect(await next.append(recordOf(3))).toEqual({ partition: 0, offset: 3 });
});
