import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LmdbState } from '../../src/state/lmdb.ts';
import { databaseKey, KEY_BYTES_MAX, STATE_FORMAT } from '../../src/state/lmdb-codec.ts';
import { openDatabase } from '../../src/state/lmdb-database.ts';
import { SET_ASIDE_MAX } from '../../src/state/lmdb-files.ts';
import { change, contentOf, record } from '../conformance/state-store.ts';

let directory: string;
let file: string;
let said: string[];
const open = (): Promise<LmdbState> =>
  LmdbState.open(directory, {
    report: (message) => {
      said.push(message);
    },
  });

/** A database with 400 persons, closed. */
async function write(): Promise<void> {
  const state = await open();
  for (let i = 0; i < 400; i++) {
    await state.apply([record(i, change(`person ${i}`, 1, { value: { text: `text ${i} ${'x'.repeat(300)}` } }))]);
  }
  await state.close();
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-state-'));
  file = join(directory, 'state.mdb');
  said = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('a database that cannot be trusted is set aside, and a new one opened', () => {
  const damages: [string, () => Promise<void>, string][] = [
    ['text', () => writeFile(file, 'no database '.repeat(2000)), 'first pages'],
    ['zeros', () => writeFile(file, Buffer.alloc(20_000)), 'first pages'],
    ['a hundred bytes', () => truncate(file, 100), 'first pages'],
    ['without its last page', async () => truncate(file, (await stat(file)).size - 1), 'its end is missing'],
    ['half of it', async () => truncate(file, (await stat(file)).size / 2), 'its end is missing'],
    ['the second page of another kind', () => poke(4096 + 24, Buffer.from('no')), 'first pages'],
    ['the last opening ended the process', () => writeFile(join(directory, 'suspect'), ''), 'the last process died'],
  ];
  test.each(damages)('%s', async (_name, damage, why) => {
    await write();
    await damage();
    const before = await readFile(file);
    const state = await open();
    expect(state.appliedUpTo(0)).toBe(-1);
    expect(contentOf(state).size).toBe(0);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(why);
    expect(said[0]).toContain('set-aside-1.mdb');
    expect(before.equals(await readFile(join(directory, 'set-aside-1.mdb')))).toBe(true);
    await state.apply([record(0, change('a', 1, { value: 1 }))]);
    await state.close();
    const again = await open();
    expect(again.appliedUpTo(0)).toBe(0);
    expect(said).toHaveLength(1);
    await again.close();
  });

  test('an empty file is a new database', async () => {
    await writeFile(file, '');
    const state = await open();
    expect(state.appliedUpTo(0)).toBe(-1);
    expect(said).toEqual([]);
    await state.close();
  });

  test('a process that was killed before it had made one leaves nothing to set aside', async () => {
    await writeFile(join(directory, 'suspect'), '');
    const state = await open();
    await state.apply([record(0, change('a', 1, { value: 1 }))]);
    await state.close();
    expect(said).toEqual([]);
    expect((await readdir(directory)).sort()).toEqual(['state.mdb', 'state.mdb-lock']);
  });

  test(`the last ${SET_ASIDE_MAX} are kept, and the removal of others is reported`, async () => {
    for (let i = 0; i < SET_ASIDE_MAX + 1; i++) {
      await writeFile(file, `broken ${i}`);
      await (await open()).close();
    }
    const aside = (await readdir(directory)).filter((name) => name.startsWith('set-aside-')).sort();
    expect(aside).toEqual(['set-aside-2.mdb', 'set-aside-3.mdb', 'set-aside-4.mdb']);
    expect(said.filter((message) => message.includes('set-aside-1.mdb was removed'))).toHaveLength(1);
  });

  async function poke(position: number, bytes: Buffer): Promise<void> {
    const content = await readFile(file);
    bytes.copy(content, position);
    await writeFile(file, content);
  }
});

describe('damage that only reading finds', () => {
  /** Flips a bit in the text of one person's value, as a bad disk might. */
  async function flipIn(text: string): Promise<void> {
    const content = await readFile(file);
    let at = content.indexOf(text);
    expect(at).toBeGreaterThan(0);
    for (; at !== -1; at = content.indexOf(text, at + 1)) content[at + text.length - 1]! ^= 1;
    await writeFile(file, content);
  }

  test('is never answered with: the read throws, and the next start rebuilds', async () => {
    await write();
    await flipIn('text 123');
    const state = await open();
    expect(() => state.get('person 123')).toThrow('the checksum of a value does not match');
    expect(() => contentOf(state)).toThrow('damaged');
    expect(state.get('person 124')).not.toBeNull();
    await state.close();
    const again = await open();
    expect(again.appliedUpTo(0)).toBe(-1);
    expect(said.at(-1)).toContain('met damage in it');
    await again.close();
  });

  test('in the checkpoint: the database is set aside at once', async () => {
    await write();
    await flipIn('{"format":4,"checkpoints":[[0,399');
    const state = await open();
    expect(state.appliedUpTo(0)).toBe(-1);
    expect(said).toEqual([expect.stringContaining('checkpoint cannot be read')]);
    await state.close();
  });
});

test('a database of a newer format is refused and left as it is', async () => {
  const db = openDatabase(file);
  const { encodeStanding } = await import('../../src/state/lmdb-codec.ts');
  const { crc32 } = await import('node:zlib');
  const text = encodeStanding({ checkpoints: new Map([[0, 7]]), erased: [] })
    .subarray(4)
    .toString()
    .replace(`"format":${STATE_FORMAT}`, `"format":${STATE_FORMAT + 1}`);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(crc32(text));
  await db.lmdb.put(Buffer.from('c'), Buffer.concat([head, Buffer.from(text)]));
  await db.lmdb.close();
  for (const _twice of [1, 2]) await expect(open()).rejects.toThrow(`has format ${STATE_FORMAT + 1}`);
  expect((await readdir(directory)).filter((name) => name.startsWith('set-aside'))).toEqual([]);
});

test('a restored database replaces the other, which is kept', async () => {
  await write();
  const state = await open();
  await state.restore({ partition: 0, offset: 3 }, (async function* () {})());
  expect(said).toEqual([expect.stringContaining('set-aside-1.mdb')]);
  await state.close();
  expect((await readdir(directory)).sort()).toEqual(['set-aside-1.mdb', 'state.mdb', 'state.mdb-lock']);
});

test('a restore that a crash cut off leaves nothing behind', async () => {
  await write();
  await writeFile(join(directory, 'restoring.mdb'), 'half');
  const state = await open();
  expect(state.appliedUpTo(0)).toBe(399);
  expect(existsSync(join(directory, 'restoring.mdb'))).toBe(false);
  await state.close();
});

describe('keys of the database', () => {
  const bytes = (key: string): number => databaseKey(key).length;
  test('hold the person, up to what LMDB takes', () => {
    expect(databaseKey('k'.repeat(KEY_BYTES_MAX - 1))).toEqual(Buffer.from(`p${'k'.repeat(KEY_BYTES_MAX - 1)}`));
    expect(bytes('k'.repeat(KEY_BYTES_MAX))).toBe(65);
    expect(bytes('ü'.repeat((KEY_BYTES_MAX - 2) / 2))).toBe(KEY_BYTES_MAX - 1);
    expect(bytes('ü'.repeat(KEY_BYTES_MAX / 2))).toBe(65);
    expect(bytes('')).toBe(1);
  });

  test('are taken by LMDB at the limit and not above', async () => {
    const db = openDatabase(file);
    expect(db.lmdb.putSync(Buffer.alloc(KEY_BYTES_MAX, 1), Buffer.from('x'))).toBe(true);
    expect(() => db.lmdb.putSync(Buffer.alloc(KEY_BYTES_MAX + 1, 1), Buffer.from('x'))).toThrow(
      'larger than the maximum',
    );
    await db.lmdb.close();
  });

  test('nobody can name a person by the hash of another', () => {
    const long = 'k'.repeat(KEY_BYTES_MAX);
    expect(databaseKey(databaseKey(long).toString())).not.toEqual(databaseKey(long));
  });
});

test('the folder is made with its parents', async () => {
  const deep = join(directory, 'a', 'b');
  await (await LmdbState.open(deep)).close();
  expect(existsSync(join(deep, 'state.mdb'))).toBe(true);
});
