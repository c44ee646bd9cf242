import { mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readFully, replaceFile, writeFully } from '../../src/log/io.ts';
import { nodeFs } from '../../src/log/node-fs.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** The interface's own words (src/model/fs.ts), on the real file system. */

describe('open', () => {
  test('to read or to write takes a file that is there, to create one that is not', async () => {
    const path = join(tempFolder(), 'file');
    for (const mode of ['read', 'write'] as const) {
      await expect(nodeFs.open(path, mode)).rejects.toMatchObject({ code: 'ENOENT' });
    }
    const made = await nodeFs.open(path, 'create');
    expect(await made.write(Buffer.from('abc'), 0, 3, 0)).toBe(3);
    expect(await made.read(Buffer.alloc(3), 0, 3, 0)).toBe(3);
    await made.close();
    await expect(nodeFs.open(path, 'create')).rejects.toMatchObject({ code: 'EEXIST' });
    const written = await nodeFs.open(path, 'write');
    expect(await written.size()).toBe(3);
    await written.close();
    const read = await nodeFs.open(path, 'read');
    await expect(read.write(Buffer.from('x'), 0, 1, 0)).rejects.toMatchObject({ code: 'EBADF' });
    await read.close();
    expect(readFileSync(path, 'utf8')).toBe('abc');
  });
});

describe('a file', () => {
  test('is read and written at places, in parts of buffers', async () => {
    const path = join(tempFolder(), 'file');
    const file = await nodeFs.open(path, 'create');
    await writeFully(file, Buffer.from('..hello..'), 2, 7, 10);
    expect(await file.size()).toBe(15);
    expect(await readFully(file, 10, 100)).toEqual(Buffer.from('hello'));
    const into = Buffer.alloc(6, '-');
    expect(await file.read(into, 2, 3, 11)).toBe(3);
    expect(into.toString()).toBe('--ell-');
    expect(await file.read(into, 0, 6, 15)).toBe(0);
    await file.truncate(12);
    expect(await file.size()).toBe(12);
    await file.truncate(20);
    expect(await readFully(file, 10, 10)).toEqual(Buffer.from('he\0\0\0\0\0\0\0\0'));
    await file.datasync();
    await file.close();
    expect(readFileSync(path)).toHaveLength(20);
  });
});

describe('a folder', () => {
  test('is made with those above it, and again without an error', async () => {
    const folder = join(tempFolder(), 'a', 'b', 'c');
    await nodeFs.mkdir(folder);
    await nodeFs.mkdir(folder);
    expect(await nodeFs.readdir(folder)).toEqual([]);
    writeFileSync(join(folder, 'file'), '');
    await expect(nodeFs.mkdir(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  });

  test('shows what is in it, and syncs', async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'inner'));
    writeFileSync(join(folder, 'one'), '1');
    await nodeFs.rename(join(folder, 'one'), join(folder, 'other'));
    await nodeFs.syncDirectory(folder);
    expect((await nodeFs.readdir(folder)).sort()).toEqual(['inner', 'other']);
    await nodeFs.unlink(join(folder, 'other'));
    await expect(nodeFs.unlink(join(folder, 'other'))).rejects.toMatchObject({ code: 'ENOENT' });
    for (const missing of [nodeFs.readdir(join(folder, 'no')), nodeFs.syncDirectory(join(folder, 'no'))]) {
      await expect(missing).rejects.toMatchObject({ code: 'ENOENT' });
    }
  });

  test('says how much a user may still write', async () => {
    const folder = tempFolder();
    const { bavail, bsize } = statfsSync(folder);
    const free = await nodeFs.freeBytes(folder);
    // Others write to the same disk.
    expect(Math.abs(free - bavail * bsize)).toBeLessThan(2 ** 30);
  });
});

test('a file is replaced as a whole, and nothing stays beside it', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'place.json.new'), 'left by a crash');
  await replaceFile(nodeFs, folder, 'place.json', Buffer.from('one'));
  await replaceFile(nodeFs, folder, 'place.json', Buffer.from('two'));
  expect(readdirSync(folder)).toEqual(['place.json']);
  expect(readFileSync(join(folder, 'place.json'), 'utf8')).toBe('two');
});
