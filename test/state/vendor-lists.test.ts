import { hash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ABORT } from 'lmdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Json, valueAt } from '../../src/model/json.ts';
import type { Change, PersonState } from '../../src/model/person.ts';
import { LmdbState } from '../../src/state/lmdb.ts';
import { databaseKey, StateDamaged } from '../../src/state/lmdb-codec.ts';
import { committed, type Database, openDatabase, putPerson, readPerson } from '../../src/state/lmdb-database.ts';
import type { LmdbStateLimits } from '../../src/state/lmdb-limits.ts';
import { REFERENCE_BYTES } from '../../src/state/packed-tcf.ts';
import { isListKey, SHARED_DIGITS_MIN, SHARED_LISTS_MAX, SINGLE_LISTS_MAX } from '../../src/state/vendor-lists.ts';
import { change, contentOf, DIGEST, erasing, record } from '../conformance/state-store.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ALL = 'f7'.repeat(150);
let directory: string;
let file: string;
beforeEach(() => {
  directory = tempFolder();
  file = join(directory, 'state.mdb');
});

function personOf(key: string, vendors: Json): PersonState {
  const tcf = { version: '2.2', hash: hash('sha256', key, 'base64url'), purposes: [1], vendors, lastUpdatedMs: 1 };
  return { key, version: 1, body: { consent: { value: { tcf }, time: '1-0', record: '0:1' }, profile: { value: 1 } } };
}

describe('in a database', () => {
  let db: Database;
  beforeEach(() => {
    db = openDatabase(file);
  });
  afterEach(() => db.lmdb.close());
  const reopen = async (): Promise<void> => {
    await db.lmdb.close();
    db = openDatabase(file);
  };
  const put = (...persons: PersonState[]): Promise<void> =>
    committed(db, () => {
      for (const person of persons) putPerson(db, person, databaseKey(person.key));
    });
  const listsStored = (): number => [...db.lmdb.getKeys()].filter(isListKey).length;
  /** Whether a person's list stands in their own value. */
  const hasOwn = (key: string): boolean => db.lmdb.get(databaseKey(key))!.includes(Buffer.from('f7f7f7', 'hex'));

  test('a list stands in the first person who has it, once for all behind them, and is read as it was', async () => {
    const persons = ['a', 'b', 'c'].map((key) => personOf(key, ALL));
    await put(...persons);
    expect(persons.map(({ key }) => hasOwn(key))).toEqual([true, false, false]);
    expect(listsStored()).toBe(1);
    expect(persons.map(({ key }) => readPerson(db, key).person)).toEqual(persons);
    await reopen();
    // Nobody needs to be the second once more.
    await put(personOf('d', ALL));
    expect([hasOwn('d'), listsStored()]).toEqual([false, 1]);
    await reopen();
    expect(readPerson(db, 'b').bytes, 'of the person, not of the list').toBe(db.lmdb.get(databaseKey('b'))!.length);
    expect(persons.map(({ key }) => readPerson(db, key).person)).toEqual(persons);
  });

  test('a person who is written again and again shares with nobody', async () => {
    for (let i = 0; i < 3; i++) await put({ ...personOf('a', ALL), version: i });
    expect([hasOwn('a'), listsStored()]).toEqual([true, 0]);
  });

  test('the order of what a person holds stays, and so does what is no list', async () => {
    const odd = ['b', 'c', 'd'].map((key, index) => personOf(key, [null, 7, [ALL]][index]!));
    await put(personOf('a', ALL), personOf('e', ALL), ...odd);
    expect(JSON.stringify(readPerson(db, 'e').person)).toBe(JSON.stringify(personOf('e', ALL)));
    expect(odd.map(({ key }) => readPerson(db, key).person)).toEqual(odd);
  });

  test.each([
    [SHARED_DIGITS_MIN - 1, 0],
    [SHARED_DIGITS_MIN, 1],
  ])('a list of %i characters: %i are shared', async (characters, count) => {
    await put(...['a', 'b', 'c'].map((key) => personOf(key, 'f'.repeat(characters))));
    expect(listsStored()).toBe(count);
  });

  /** Two persons for each of so many lists. */
  async function putPairs(lists: number): Promise<void> {
    const digits = (n: number): string => n.toString(16).padStart(SHARED_DIGITS_MIN, '0');
    for (let first = 0; first < lists; first += 512) {
      const pairs = Array.from({ length: Math.min(512, lists - first) }, (_, i) =>
        ['x', 'y'].map((side) => personOf(`${side}${first + i}`, digits(first + i))),
      );
      await put(...pairs.flat());
    }
  }

  test(`at most ${SHARED_LISTS_MAX} are in the table, whatever was there before; one more stays in its persons`, async () => {
    await putPairs(SHARED_LISTS_MAX - 1);
    await reopen();
    await put(...['a', 'b', 'c', 'd'].map((key) => personOf(key, ALL)));
    expect([listsStored(), hasOwn('b')]).toEqual([SHARED_LISTS_MAX, false]);
    const more = ['e', 'f', 'g'].map((key) => personOf(key, `${ALL}e`));
    await put(...more);
    expect(listsStored()).toBe(SHARED_LISTS_MAX);
    expect(more.map(({ key }) => [hasOwn(key), readPerson(db, key).person])).toEqual(
      more.map((person) => [true, person]),
    );
  });

  test.each([
    [SINGLE_LISTS_MAX - 1, 1],
    [SINGLE_LISTS_MAX, 0],
  ])('a list comes again behind %i others of which each has one person: %i are shared', async (others, count) => {
    const digits = (n: number): string => n.toString(16).padStart(SHARED_DIGITS_MIN, '0');
    await put(personOf('a', ALL));
    await put(...Array.from({ length: others }, (_, i) => personOf(`other ${i}`, digits(i))));
    await put(personOf('b', ALL));
    expect(listsStored()).toBe(count);
  });

  test('a list that a failed transaction was to bring comes with the next one', async () => {
    await put(personOf('a', ALL));
    db.lmdb.transactionSync(() => {
      putPerson(db, personOf('b', ALL), databaseKey('b'));
      db.lists.putNew();
      return ABORT;
    });
    expect(listsStored()).toBe(0);
    await put(personOf('c', ALL));
    expect(readPerson(db, 'c').person).toEqual(personOf('c', ALL));
    await reopen();
    expect(readPerson(db, 'c').person).toEqual(personOf('c', ALL));
  });

  test('a list that is missing or damaged is never answered with', async () => {
    const persons = ['a', 'b'].map((key) => personOf(key, ALL));
    await put(...persons);
    const at = [...db.lmdb.getKeys()].find(isListKey)!;
    expect(at).toHaveLength(1 + REFERENCE_BYTES);
    const list = db.lmdb.get(at)!;
    for (let bit = 0; bit < list.length * 8; bit += 5) {
      const flipped = Buffer.from(list);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await db.lmdb.put(at, flipped);
      await reopen();
      expect(() => readPerson(db, 'b'), `bit ${bit}`).toThrow(StateDamaged);
      expect(readPerson(db, 'a').person).toEqual(persons[0]);
    }
    await db.lmdb.remove(at);
    await reopen();
    expect(() => readPerson(db, 'b')).toThrow('a list of vendors that a person refers to is missing');
  });
});

describe('in a state', () => {
  const open = (limits: Partial<LmdbStateLimits> = { flushPersons: 1, flushRecords: 1 }): Promise<LmdbState> =>
    LmdbState.open(directory, {
      report: (message) => {
        throw new Error(message);
      },
      digest: DIGEST,
      limits: { ...limits, cacheBytesMax: 1 },
    });
  const choice = (key: string, vendors: string): Change =>
    change(key, 1, { value: valueAt(personOf(key, vendors).body, 'consent', 'value')! }, 'consent');
  const vendorsOf = (state: LmdbState): Record<string, unknown> =>
    Object.fromEntries(
      [...contentOf(state)].map(([key, { body }]) => [key, JSON.stringify(body).match(/[0-9a-f]{64,}/)?.[0]]),
    );
  /** Those that stand in the file, as text or as bytes. */
  const held = async (lists: readonly string[]): Promise<readonly string[]> => {
    const bytes = await readFile(file);
    return lists.filter((list) => bytes.includes(list) || bytes.includes(Buffer.from(list, 'hex')));
  };
  const OWN = 'c31'.repeat(100);
  const PAIR = '5b2'.repeat(100);

  test('an erasure leaves no list that nobody has any more, and those of others as they were', async () => {
    let state = await open();
    await state.apply([record(0, ...['a', 'b', 'c'].map((key) => choice(key, ALL)))]);
    await state.apply([record(1, choice('own', OWN), choice('one', PAIR), choice('two', PAIR))]);
    await state.close();
    expect(await held([OWN, PAIR])).toEqual([OWN, PAIR]);
    state = await open();
    await state.apply([record(2, erasing('own', 'one', 'two', 'a'))]);
    await state.purge();
    // Encoded for the database before, or meanwhile: it reads no list that only that one has.
    await state.apply([record(3, choice('d', ALL), choice('e', ALL))]);
    const expected = { b: ALL, c: ALL, d: ALL, e: ALL };
    expect(vendorsOf(state)).toEqual(expected);
    await state.close();
    expect(await held([OWN, PAIR])).toEqual([]);
    state = await open();
    expect(vendorsOf(state)).toEqual(expected);
    await state.close();
  });

  test('what comes while a database is written anew has its lists there', async () => {
    const state = await open({});
    const keys = Array.from({ length: 600 }, (_, i) => `person ${i}`);
    await state.apply([record(0, ...keys.map((key) => choice(key, ALL)))]);
    await state.apply([record(1, erasing('person 0'))]);
    const purging = state.purge();
    for (let offset = 2; offset < 42; offset++) {
      const own = `${PAIR}${offset}`;
      await state.apply([record(offset, choice(`new ${offset}`, own), choice(`also ${offset}`, own))]);
      if (offset % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await purging;
    await state.close();
    const again = await open();
    const found = vendorsOf(again);
    expect(Object.keys(found)).toHaveLength(599 + 80);
    for (let offset = 2; offset < 42; offset++) expect(found[`also ${offset}`]).toBe(`${PAIR}${offset}`);
    await again.close();
  });

  test('a list that is lost with a part of the file is met once: the next start makes state anew', async () => {
    let state = await open();
    await state.apply([record(0, ...['a', 'b', 'c'].map((key) => choice(key, ALL)))]);
    await state.close();
    const bytes = await readFile(file);
    for (let at = bytes.indexOf(ALL); at !== -1; at = bytes.indexOf(ALL, at + 1)) bytes[at] = 0x30;
    await writeFile(file, bytes);
    const said: string[] = [];
    const openTold = (): Promise<LmdbState> => LmdbState.open(directory, { report: (message) => said.push(message) });
    state = await openTold();
    expect(() => state.get('c')).toThrow('checksum');
    await state.close();
    state = await openTold();
    expect([state.appliedUpTo(0), said.length]).toEqual([-1, 2]);
    await state.close();
  });
});
