import { describe, expect, test } from 'vitest';
import {
  isOutOfSpace,
  readFully,
  SyncFailed,
  syncDirectoryFinally,
  syncFinally,
  writeFully,
} from '../../src/log/io.ts';
import type { FileHandle } from '../../src/model/fs.ts';
import { failure, MemoryFs } from './memory-fs.ts';

/** A file that takes and gives a few bytes at a time. */
async function slowFile(bytesAtOnce: number): Promise<{ file: FileHandle; fs: MemoryFs }> {
  const fs = new MemoryFs();
  const whole = await fs.open('/log/file', 'create');
  const clip = (length: number): number => Math.min(length, bytesAtOnce);
  const file: FileHandle = {
    ...whole,
    read: (buffer, offset, length, position) => whole.read(buffer, offset, clip(length), position),
    write: (buffer, offset, length, position) => whole.write(buffer, offset, clip(length), position),
  };
  return { file, fs };
}

const TEXT = Buffer.from('a text of more than a few bytes');

test.each([1, 2, 7, 1000])('what is read and written %i bytes at a time is whole', async (bytesAtOnce) => {
  const { file, fs } = await slowFile(bytesAtOnce);
  await writeFully(file, TEXT, 2, TEXT.length, 5);
  expect(fs.content('/log/file').subarray(5)).toEqual(TEXT.subarray(2));
  expect(await readFully(file, 5, 10)).toEqual(TEXT.subarray(2, 12));
  expect(await readFully(file, 5, 1000)).toEqual(TEXT.subarray(2));
  expect(await readFully(file, 1000, 10)).toHaveLength(0);
});

test('a disk that takes nothing and says nothing is no endless loop', async () => {
  const { file } = await slowFile(0);
  await expect(writeFully(file, TEXT, 0, 3, 0)).rejects.toMatchObject({ code: 'EIO' });
});

describe('a sync that fails', () => {
  test.each(['EIO', 'ENOSPC', 'EDQUOT'])('with %s never looks like a failure that passes', async (code) => {
    const fs = new MemoryFs([['/log/file', TEXT]]);
    const file = await fs.open('/log/file', 'write');
    fs.before = ({ path }) => {
      throw failure(code, path);
    };
    for (const sync of [syncFinally(file), syncDirectoryFinally(fs, '/log')]) {
      const error: unknown = await sync.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SyncFailed);
      expect(isOutOfSpace(error)).toBe(false);
      expect((error as Error).cause).toMatchObject({ code });
    }
  });
});

test('lack of space is that of the disk or of a quota', () => {
  expect(['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG'].map((code) => isOutOfSpace(failure(code, 'x')))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
