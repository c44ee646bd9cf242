import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LmdbState } from '../../src/state/lmdb.ts';
import * as database from '../../src/state/lmdb-database.ts';
import { change, contentOf, record } from '../conformance/state-store.ts';

vi.mock('../../src/state/lmdb-database.ts', { spy: true });

const ENOSPC = 28;
const EIO = 5;
const EACCES = 13;
let directory: string;
let said: string[];
let state: LmdbState;
const open = (): Promise<LmdbState> =>
  LmdbState.open(directory, {
    report: (message) => {
      said.push(message);
    },
    limits: { flushPersons: 1, pendingPersonsMax: 3, retryMs: 0 },
  });

/** The next transaction fails, as it does where the disk refuses it. */
function failNext(code: number, message: string): void {
  vi.mocked(database.committed).mockImplementationOnce(async () => {
    throw Object.assign(new Error(message), { code });
  });
}
/** When every transaction so far has ended, and the store knows. */
async function settled(): Promise<void> {
  await Promise.allSettled(vi.mocked(database.committed).mock.results.map(({ value }) => value));
  await new Promise(setImmediate);
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-state-'));
  said = [];
  state = await open();
});
afterEach(async () => {
  await state.close();
  vi.mocked(database.committed).mockReset();
  vi.restoreAllMocks();
  await rm(directory, { recursive: true, force: true });
});

describe('a transaction that fails', () => {
  test('leaves what it held in memory, newer changes on top, and the next one writes all of it', async () => {
    failNext(EIO, 'the disk is broken');
    state.apply([record(0, change('a', 1, { value: 'older' }), change('b', 1, { value: 'b' }))]);
    state.apply([record(1, change('a', 2, { value: 'newer' }))]);
    await settled();
    const before = contentOf(state);
    expect(before.get('a')?.version).toBe(2);
    expect(before.get('b')?.version).toBe(1);
    state.apply([record(2)]);
    await settled();
    await state.close();
    state = await open();
    expect(contentOf(state)).toEqual(before);
    expect(state.appliedUpTo(0)).toBe(2);
  });

  test('is reported once until one succeeds', async () => {
    const outcomes = ['no space', 'still none', null, 'none again'];
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome !== null) failNext(ENOSPC, outcome);
      state.apply([record(i, change('a', i + 1, { value: i }))]);
      await settled();
    }
    expect(said).toEqual([expect.stringContaining('no space'), expect.stringContaining('none again')]);
    expect(said[0]).toContain('The log has all of it');
  });

  test('is not tried again before its time', async () => {
    await state.close();
    state = await LmdbState.open(directory, { report: () => {}, limits: { flushPersons: 1, retryMs: 3_600_000 } });
    vi.mocked(database.committed).mockClear();
    failNext(EIO, 'the disk is broken');
    for (let i = 0; i < 3; i++) {
      state.apply([record(i, change('a', i + 1, { value: i }))]);
      await settled();
    }
    expect(database.committed).toHaveBeenCalledTimes(1);
  });

  test('with no room in memory is waited for where the disk is full', async () => {
    failNext(ENOSPC, 'no space left');
    const changes = ['a', 'b', 'c'].map((key) => change(key, 1, { value: key }));
    const applied = state.apply([record(0, ...changes)]);
    expect(applied).toBeInstanceOf(Promise);
    expect(state.get('c')?.version).toBe(1);
    await applied;
    await state.close();
    state = await open();
    expect(contentOf(state).size).toBe(3);
  });

  test.each([EIO, EACCES])('with no room in memory rejects where the disk is broken: errno %i', async (code) => {
    failNext(code, 'the disk is broken');
    const changes = ['a', 'b', 'c'].map((key) => change(key, 1, { value: key }));
    await expect(state.apply([record(0, ...changes)])).rejects.toThrow('the disk is broken');
  });
});

test('below the limit nobody waits; at it, apply does', async () => {
  expect(state.apply([record(0, change('a', 1, {}), change('b', 1, {}))])).toBeUndefined();
  await settled();
  expect(state.apply([record(1, ...['c', 'd', 'e'].map((key) => change(key, 1, {})))])).toBeInstanceOf(Promise);
});

test('while the database is opened, the next process is warned of it', async () => {
  const other = join(directory, 'other');
  const suspect = (): boolean => existsSync(join(other, 'suspect'));
  const seen: boolean[] = [];
  vi.mocked(database.openTrusted).mockImplementationOnce((path) => {
    seen.push(suspect());
    const db = database.openDatabase(path);
    return { db, checkpoints: new Map(), erased: [] };
  });
  await (await LmdbState.open(other)).close();
  expect([...seen, suspect()]).toEqual([true, false]);
});

test('what is counted as waiting is the last of each person', async () => {
  await state.close();
  state = await LmdbState.open(directory, { limits: { pendingBytesMax: 1000 } });
  for (let i = 0; i < 50; i++) {
    expect(state.apply([record(i, change('a', i + 1, { value: 'x'.repeat(300) }))])).toBeUndefined();
  }
  expect(state.apply([record(50, change('b', 1, { value: 'x'.repeat(900) }))])).toBeInstanceOf(Promise);
});

test('after a restore to an earlier record, close writes what came behind it', async () => {
  await state.close();
  state = await LmdbState.open(directory, { report: () => {} });
  await state.apply([record(20, change('a', 1, { value: 1 }))]);
  await state.close();
  state = await LmdbState.open(directory, { report: () => {} });
  await state.restore({ partition: 0, offset: 3 }, (async function* () {})());
  await state.apply([record(4, change('b', 1, { value: 2 }))]);
  await state.close();
  state = await open();
  expect([state.appliedUpTo(0), [...contentOf(state).keys()]]).toEqual([4, ['b']]);
});

test('a dump of a state that was closed is refused, and may be ended', async () => {
  await state.apply([record(0, change('a', 1, {}), change('b', 1, {}))]);
  await state.close();
  state = await open();
  const dump = state.dump();
  const persons = dump.persons[Symbol.iterator]();
  expect(persons.next().value.key).toBe('a');
  await state.close();
  expect(() => persons.next()).toThrow('was closed or restored');
  dump.end();
  state = await open();
});

test("the error of a transaction is the database's own, where lmdb-js knows it", async () => {
  const real = Object.assign(new Error('No space left on device'), { code: ENOSPC });
  const failing = (general: Error): database.Database =>
    ({ lmdb: { batch: () => Promise.reject(general) } }) as unknown as database.Database;
  const withReal = Object.assign(new Error('Commit failed'), { commitError: Promise.reject(real) });
  await expect(database.committed(failing(withReal), () => {})).rejects.toBe(real);
  const alone = new Error('Commit failed');
  await expect(database.committed(failing(alone), () => {})).rejects.toBe(alone);
});
