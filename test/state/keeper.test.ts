import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeFs } from '../../src/log/node-fs.ts';
import type { StateStore } from '../../src/model/parts.ts';
import type { Position } from '../../src/model/record.ts';
import { REPLAY_RECORDS, StateKeeper } from '../../src/state/keeper.ts';
import { LmdbState } from '../../src/state/lmdb.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { change, contentOf } from '../conformance/state-store.ts';
import { RecordLog } from './record-log.ts';

let directory: string;
let log: RecordLog;
let said: string[];
let nowMs: number;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-keeper-'));
  log = new RecordLog();
  said = [];
  nowMs = 1000;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function keeperOf(store: StateStore): Promise<StateKeeper> {
  return StateKeeper.open({
    fs: nodeFs,
    directory: join(directory, 'snapshots'),
    store,
    partition: 0,
    report: (message) => {
      said.push(message);
    },
    now: () => nowMs,
  });
}

/** As a process does that starts. */
async function start(store: StateStore): Promise<StateKeeper> {
  const keeper = await keeperOf(store);
  await keeper.recover(log);
  return keeper;
}

let clock = 0;
/** As a request does: logged, then applied. */
async function append(keeper: StateKeeper, ...keys: readonly string[]): Promise<void> {
  clock += 1;
  const { position, record } = log.add(...keys.map((key) => change(key, clock, { value: clock })));
  await keeper.apply([{ position, changes: record.changes }]);
}

/** What the whole log makes of nobody, whatever was dropped of it since. */
function truth(all: RecordLog): MemoryState {
  const store = new MemoryState();
  for (const { position, changes } of all.all()) store.apply([{ position, changes }]);
  return store;
}

const snapshotFiles = async (): Promise<string[]> => (await readdir(join(directory, 'snapshots'))).sort();
const fileOf = (offset: number): string =>
  join(directory, 'snapshots', `0-${String(offset).padStart(16, '0')}.snapshot`);

async function damage(offset: number): Promise<void> {
  const bytes = await readFile(fileOf(offset));
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(fileOf(offset), bytes);
}

describe('recovery', () => {
  test('of a new server does nothing', async () => {
    await start(new MemoryState());
    expect(said).toEqual([]);
  });

  test('trusts a store that is not ahead of the log, and replays only what it has not applied', async () => {
    const store = new MemoryState();
    const keeper = await start(store);
    for (let i = 0; i < 5; i++) await append(keeper, 'a');
    log.add(change('a', 99, { value: 'logged, and then the process died' }));
    log.reads.length = 0;
    await start(store);
    expect(log.reads).toEqual([0, 5]);
    expect(contentOf(store)).toEqual(contentOf(truth(log)));
    expect(said).toEqual([]);
  });

  test('of a store that lost everything starts from the newest snapshot', async () => {
    const keeper = await start(new MemoryState());
    for (let i = 0; i < 12; i++) {
      await append(keeper, `person ${i % 4}`);
      if (i % 3 === 0) await keeper.snapshot();
    }
    log.dropBefore(keeper.mayDropBefore());
    log.reads.length = 0;
    const store = new MemoryState();
    await start(store);
    expect(contentOf(store)).toEqual(contentOf(truth(log)));
    expect(log.reads).toEqual([7, 10, 11]);
    expect(said).toEqual(['State was restored from the snapshot at record 9.']);
  });

  test('falls back on the snapshot before a damaged one, which is kept and counts no more', async () => {
    const keeper = await start(new MemoryState());
    for (let i = 0; i < 9; i++) {
      await append(keeper, `person ${i}`);
      if (i === 3 || i === 6) await keeper.snapshot();
    }
    log.dropBefore(keeper.mayDropBefore());
    await damage(6);
    const store = new MemoryState();
    const again = await start(store);
    expect(contentOf(store)).toEqual(contentOf(truth(log)));
    expect(said).toEqual([
      expect.stringContaining('0-0000000000000006.snapshot.damaged'),
      'State was restored from the snapshot at record 3.',
    ]);
    expect(await snapshotFiles()).toEqual(['0-0000000000000003.snapshot', '0-0000000000000006.snapshot.damaged']);
    expect(again.mayDropBefore()).toBe(0);
  });

  test('with every snapshot damaged and the start of the log gone says what is missing', async () => {
    const keeper = await start(new MemoryState());
    for (let i = 0; i < 6; i++) {
      await append(keeper, `person ${i}`);
      if (i === 2 || i === 4) await keeper.snapshot();
    }
    log.dropBefore(keeper.mayDropBefore());
    await damage(2);
    await damage(4);
    const store = new MemoryState();
    await start(store);
    expect([...contentOf(store).keys()]).toEqual(['person 3', 'person 4', 'person 5']);
    expect(said.at(-1)).toContain('Records 0 to 2 are neither in the log nor in state');
  });

  test('says which records the log has lost', async () => {
    const keeper = await start(new MemoryState());
    for (let i = 0; i < 6; i++) await append(keeper, `person ${i}`);
    for (const offset of [2, 3, 5]) log.lose(offset);
    const store = new MemoryState();
    await start(store);
    expect([...contentOf(store).keys()]).toEqual(['person 0', 'person 1', 'person 4']);
    expect(said.map((message) => message.slice(0, 16))).toEqual(['Records 2 to 3 a', 'Records 5 to 5 a']);
  });

  test('never leaves state ahead of the log: what is ahead is set aside', async () => {
    const before = new MemoryState();
    const keeper = await start(before);
    for (let i = 0; i < 9; i++) {
      await append(keeper, `person ${i}`);
      if (i === 3 || i === 6) await keeper.snapshot();
    }
    log.endAt(5);
    const again = await start(before);
    expect(contentOf(before)).toEqual(contentOf(truth(log)));
    expect(before.appliedUpTo(0)).toBe(4);
    expect(await snapshotFiles()).toEqual(['0-0000000000000003.snapshot', '0-0000000000000006.snapshot.ahead']);
    expect(said[0]).toContain('holds record 6, but the log ends at 4');
    for (let i = 0; i < 5; i++) await append(again, 'another');
    const store = new MemoryState();
    await start(store);
    expect(contentOf(store)).toEqual(contentOf(truth(log)));
  });

  test('with a log that is gone starts from nothing', async () => {
    const store = new MemoryState();
    const keeper = await start(store);
    await append(keeper, 'a');
    await keeper.snapshot();
    log.endAt(0);
    await start(store);
    expect(contentOf(store).size).toBe(0);
    expect(store.appliedUpTo(0)).toBe(-1);
    expect(said.at(-1)).toContain('State held record 0, but the log ends at -1');
  });

  test('of a store too old for what is left of the log takes a snapshot', async () => {
    const old = new MemoryState();
    await append(await start(old), 'a');
    const store = new MemoryState();
    const keeper = await start(store);
    for (let i = 0; i < 6; i++) {
      await append(keeper, `person ${i}`);
      if (i === 2 || i === 4) await keeper.snapshot();
    }
    log.dropBefore(keeper.mayDropBefore());
    await start(old);
    expect(contentOf(old)).toEqual(contentOf(truth(log)));
  });

  test('of a store that is behind both snapshots takes the newest, though the log has its start: what they hold may have gone from records', async () => {
    const keeper = await start(new MemoryState());
    const behind = new MemoryState();
    let oldest: Buffer;
    for (let i = 0; i < 6; i++) {
      await append(keeper, `person ${i}`);
      if (i === 1) behind.apply(log.all());
      if (i % 2 === 0) await keeper.snapshot();
      if (i === 0) oldest = await readFile(fileOf(0));
    }
    for (let offset = 0; offset < keeper.mayDropBefore(); offset++) log.forgetChanges(offset);
    // The power was cut before it was gone for good.
    await writeFile(fileOf(0), oldest!);
    for (const store of [behind, new MemoryState()]) {
      await start(store);
      expect(contentOf(store)).toEqual(contentOf(truth(log)));
    }
    expect(said).toEqual([]);
  });

  test('of a store that knows more than any snapshot keeps it, and says what is missing', async () => {
    const store = new MemoryState();
    const keeper = await start(store);
    for (let i = 0; i < 4; i++) {
      await append(keeper, `person ${i}`);
      if (i === 1) await keeper.snapshot();
    }
    for (let i = 4; i < 7; i++) log.add(change(`person ${i}`, 99, { value: i }));
    log.dropBefore(6);
    await start(store);
    expect([...contentOf(store).keys()]).toEqual(['person 0', 'person 1', 'person 2', 'person 3', 'person 6']);
    expect(said).toEqual([expect.stringContaining('Records 4 to 5 are neither')]);
  });

  test('applies in batches, of which the last may be short', async () => {
    for (let i = 0; i < REPLAY_RECORDS + 1; i++) log.add(change('a', i + 1, { value: i }));
    const sizes: number[] = [];
    const store = new MemoryState();
    const apply = store.apply.bind(store);
    store.apply = (records) => {
      sizes.push(records.length);
      return apply(records);
    };
    await start(store);
    expect(sizes).toEqual([REPLAY_RECORDS, 1]);
    expect(store.get('a')?.version).toBe(REPLAY_RECORDS + 1);
  });

  test('comes before everything else', async () => {
    const keeper = await keeperOf(new MemoryState());
    expect(() => keeper.apply([])).toThrow('before it was recovered');
  });

  test('that is cut off midway starts again and ends the same', async () => {
    const first = await start(new MemoryState());
    for (let i = 0; i < REPLAY_RECORDS * 3; i++) {
      await append(first, `person ${i % 7}`);
      if (i === 100 || i === 200) await first.snapshot();
    }
    const store = new MemoryState();
    for (let applies = 0; applies < 4; applies++) {
      const apply = store.apply.bind(store);
      let left = applies;
      store.apply = (records) => {
        if (left-- === 0) throw new Error('killed');
        return apply(records);
      };
      await start(store).catch((error: Error) => expect(error.message).toBe('killed'));
      store.apply = apply;
    }
    await start(store);
    expect(contentOf(store)).toEqual(contentOf(truth(log)));
  });
});

describe('snapshots', () => {
  test('of nothing are none', async () => {
    const keeper = await start(new MemoryState());
    expect(await keeper.snapshot()).toBeNull();
    expect(await snapshotFiles()).toEqual([]);
  });

  test('are not written twice for the same record, and asked for twice at once they are one', async () => {
    const keeper = await start(new MemoryState());
    await append(keeper, 'a');
    const both = [keeper.snapshot(), keeper.snapshot()];
    expect(await Promise.all(both)).toEqual([position(0), position(0)]);
    const written = await readFile(fileOf(0));
    await writeFile(fileOf(0), 'as it was');
    expect(await keeper.snapshot()).toEqual(position(0));
    expect(await readFile(fileOf(0), 'utf8')).toBe('as it was');
    expect(written.toString()).toContain('"a"');
  });

  test('hold the state at their record although changes go on', async () => {
    const store = new MemoryState();
    const keeper = await start(store);
    for (let i = 0; i < 3000; i++) await append(keeper, `person ${i}`);
    const then = contentOf(store);
    const written = keeper.snapshot();
    for (let i = 0; i < 500; i++) await append(keeper, `person ${i}`);
    expect(await written).toEqual(position(2999));
    log.endAt(3000);
    const restored = new MemoryState();
    await start(restored);
    expect(contentOf(restored)).toEqual(then);
  });

  test('that fail leave the others, and the next one works', async () => {
    const store = new MemoryState();
    const keeper = await start(store);
    await append(keeper, 'a');
    await keeper.snapshot();
    await append(keeper, 'b');
    const dump = store.dump.bind(store);
    let ended = 0;
    store.dump = () => ({
      ...dump(),
      // biome-ignore lint/correctness/useYield: it fails before it has anything.
      persons: (function* () {
        throw new Error('the engine is broken');
      })(),
      end: () => {
        ended += 1;
      },
    });
    await expect(keeper.snapshot()).rejects.toThrow('the engine is broken');
    expect(ended).toBe(1);
    expect(await snapshotFiles()).toEqual(['0-0000000000000000.snapshot']);
    store.dump = dump;
    expect(await keeper.snapshot()).toEqual(position(1));
  });

  test('let the log drop what both of the last two hold, and nothing before there are two', async () => {
    const keeper = await start(new MemoryState());
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      await append(keeper, 'a');
      await append(keeper, 'a');
      seen.push(keeper.mayDropBefore());
      await keeper.snapshot();
      seen.push(keeper.mayDropBefore());
    }
    expect(seen).toEqual([0, 0, 0, 2, 2, 4, 4, 6]);
    expect((await start(new MemoryState())).mayDropBefore()).toBe(6);
  });

  test('say what has come since', async () => {
    const keeper = await start(new MemoryState());
    expect(await keeper.sinceSnapshot()).toEqual({ records: 0, ageMs: 0 });
    for (let i = 0; i < 3; i++) await append(keeper, 'a');
    nowMs += 70;
    expect(await keeper.sinceSnapshot()).toEqual({ records: 3, ageMs: 70 });
    await keeper.snapshot();
    await append(keeper, 'a');
    nowMs += 5;
    expect(await keeper.sinceSnapshot()).toEqual({ records: 1, ageMs: 5 });
  });
});

/** Anything may happen between two requests, but for the loss of both snapshots: the state is what the log says. */
test.each(['memory', 'lmdb'] as const)(
  'whatever is lost, state is the log: %s',
  { timeout: 60_000 },
  async (engine) => {
    const steps = fc.array(
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({
            do: fc.constant('append' as const),
            keys: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }),
          }),
        },
        { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('snapshot' as const, 'drop' as const) }) },
        {
          weight: 2,
          arbitrary: fc.record({
            do: fc.constantFrom('restart' as const, 'lose state' as const, 'damage newest' as const),
          }),
        },
      ),
      { maxLength: 30 },
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (planned) => {
        run += 1;
        log = new RecordLog();
        const folder = (): string => join(directory, engine, String(run));
        const open = async (): Promise<StateStore> =>
          engine === 'memory'
            ? new MemoryState()
            : LmdbState.open(folder(), { report: () => {}, limits: { flushPersons: 2 } });
        await rm(join(directory, 'snapshots'), { recursive: true, force: true });
        let store = await open();
        let keeper = await start(store);
        let damaged = '';
        for (const step of planned) {
          if (step.do === 'append') await append(keeper, ...step.keys);
          else if (step.do === 'snapshot') await keeper.snapshot();
          else if (step.do === 'drop') log.dropBefore(keeper.mayDropBefore());
          else {
            await store.close();
            if (step.do === 'lose state') await rm(folder(), { recursive: true, force: true });
            const kept = (await snapshotFiles()).filter((name) => name.endsWith('.snapshot'));
            if (step.do === 'damage newest' && kept.length > 0 && !kept.includes(damaged)) {
              damaged = kept.at(-1)!;
              await damage(Number(damaged.slice(2, 18)));
            }
            store = await open();
            keeper = await start(store);
          }
          expect(contentOf(store)).toEqual(contentOf(truth(log)));
          expect(await store.appliedUpTo(0)).toBe(log.nextOffset - 1);
        }
        await store.close();
      }),
      { numRuns: engine === 'memory' ? 150 : 40 },
    );
  },
);

function position(offset: number): Position {
  return { partition: 0, offset };
}
