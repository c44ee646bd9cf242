import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeFs } from '../../src/log/node-fs.ts';
import type { PersonState } from '../../src/model/person.ts';
import {
  PIECE_BYTES,
  readSnapshotFile,
  SnapshotDamaged,
  UnknownSnapshotFormat,
  writeSnapshotFile,
} from '../../src/state/snapshot-file.ts';
import { KEPT, Snapshots } from '../../src/state/snapshots.ts';
import { FaultyFs } from './faulty-fs.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-snapshots-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const POSITION = { partition: 0, offset: 41 };
function person(key: string, text = ''): PersonState {
  return { key, version: 2, body: { profile: { value: { text }, time: '000000000001-0000', record: '0:1' } } };
}
async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

describe('a snapshot file', () => {
  const path = (): string => `${directory}/file`;
  const read = (): Promise<PersonState[]> => all(readSnapshotFile(nodeFs, path(), POSITION));

  test('is lines of JSON that any tool reads', async () => {
    await writeSnapshotFile(nodeFs, path(), POSITION, [person('a\nb')]);
    expect((await readFile(path(), 'utf8')).split('\n')).toEqual([
      '{"weir":"snapshot","format":1,"partition":0,"offset":41}',
      '["a\\nb",2,{"profile":{"value":{"text":""},"time":"000000000001-0000","record":"0:1"}}]',
      expect.stringMatching(/^\{"persons":1,"crc32":"[0-9a-f]{8}"\}$/),
      '',
    ]);
  });

  test('gives back what was written: any text, lines of any length, with short writes and reads', async () => {
    const fs = new FaultyFs();
    const texts = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', '\n', '\u2028'));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(texts, texts)), fc.integer({ min: 7, max: 500 }), async (pairs, bytesMax) => {
        fs.bytesMax = bytesMax;
        const persons = pairs.map(([key, text]) => person(key, text));
        await rm(path(), { force: true });
        expect(await writeSnapshotFile(fs, path(), POSITION, persons)).toBe(persons.length);
        expect(await all(readSnapshotFile(fs, path(), POSITION))).toEqual(persons);
      }),
      { numRuns: 50 },
    );
  });

  test.each([PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES])(
    'holds texts of %i bytes',
    async (bytes) => {
      const persons = [person('a', 'x'.repeat(bytes)), person('b', 'ü'.repeat(bytes)), person('c')];
      await writeSnapshotFile(nodeFs, path(), POSITION, persons);
      expect(await read()).toEqual(persons);
    },
  );

  test('of nobody is good', async () => {
    await writeSnapshotFile(nodeFs, path(), POSITION, []);
    expect(await read()).toEqual([]);
  });

  test('with any byte changed, cut off or added is damaged', async () => {
    await writeSnapshotFile(nodeFs, path(), POSITION, [person('a', 'hello'), person('b', 'world')]);
    const good = await readFile(path());
    const isDamaged = async (bytes: Buffer, what: string): Promise<void> => {
      await writeFile(path(), bytes);
      await expect(read(), what).rejects.toThrow(SnapshotDamaged);
    };
    for (let at = 0; at < good.length; at++) {
      const flipped = Buffer.from(good);
      flipped[at]! ^= 1 << (at % 8);
      // A newer format is refused, not called damage; and the digit is one flip away from 1.
      if (!flipped.includes('"format":3,') && !flipped.includes('"format":5,') && !flipped.includes('"format":9,')) {
        await isDamaged(flipped, `bit ${at % 8} of byte ${at}`);
      }
      await isDamaged(good.subarray(0, at), `cut to ${at} bytes`);
      await isDamaged(Buffer.concat([good.subarray(0, at), good.subarray(at + 1)]), `without byte ${at}`);
    }
    await isDamaged(Buffer.concat([good, Buffer.from('\n')]), 'a line end more');
    await isDamaged(Buffer.concat([good, good]), 'twice');
    await isDamaged(Buffer.concat([good, Buffer.from('["c",1,{}]\n')]), 'a person more');
    await isDamaged(Buffer.concat([good, Buffer.from('x')]), 'a byte more');
    await writeFile(path(), good);
    expect(await read()).toHaveLength(2);
  });

  test('of another position is damaged: a file that was renamed is no snapshot of its name', async () => {
    await writeSnapshotFile(nodeFs, path(), { partition: 0, offset: 42 }, []);
    await expect(read()).rejects.toThrow('not the header of a snapshot at 0:41');
  });

  test('of a newer format is refused as such', async () => {
    await writeSnapshotFile(nodeFs, path(), POSITION, []);
    await writeFile(path(), (await readFile(path(), 'utf8')).replace('"format":1', '"format":2'));
    await expect(read()).rejects.toThrow(UnknownSnapshotFormat);
    await expect(read()).rejects.toThrow('has format 2; this version reads format 1');
  });

  test('that the disk does not give back is damaged', async () => {
    await writeSnapshotFile(nodeFs, path(), POSITION, [person('a')]);
    const fs = new FaultyFs();
    fs.failAt = 1;
    fs.forGood = true;
    await expect(all(readSnapshotFile(fs, path(), POSITION))).rejects.toThrow('the disk does not give its bytes');
  });

  test('that the disk gives back at the second try is not: what passes is no damage', async () => {
    await writeSnapshotFile(nodeFs, path(), POSITION, [person('a')]);
    const fs = new FaultyFs();
    fs.failAt = 1;
    expect(await all(readSnapshotFile(fs, path(), POSITION))).toEqual([person('a')]);
  });
});

/** Unlink, open, two writes, datasync, rename, syncDirectory, unlink. */
const CALLS_OF_A_WRITE = 8;

describe('the folder of snapshots', () => {
  const name = (offset: number, suffix = ''): string => `0-${String(offset).padStart(16, '0')}.snapshot${suffix}`;
  const names = async (): Promise<string[]> => (await readdir(directory)).sort();

  test(`keeps the last ${KEPT}`, async () => {
    const snapshots = await Snapshots.open(nodeFs, directory, 0);
    for (const offset of [3, 8, 20]) await snapshots.write(offset, [person(`at ${offset}`)]);
    expect(snapshots.offsets).toEqual([8, 20]);
    expect(await names()).toEqual([name(8), name(20)]);
    expect(await all(snapshots.read(8))).toEqual([person('at 8')]);
  });

  test('finds them again, removes what is half written, and leaves what is not its own', async () => {
    const snapshots = await Snapshots.open(nodeFs, directory, 0);
    for (const offset of [9, 10]) await snapshots.write(offset, []);
    for (const other of [name(11, '.new'), name(12, '.damaged'), '1-0000000000000005.snapshot', 'notes']) {
      await writeFile(join(directory, other), '');
    }
    expect((await Snapshots.open(nodeFs, directory, 0)).offsets).toEqual([9, 10]);
    expect(await names()).toEqual([name(9), name(10), name(12, '.damaged'), '1-0000000000000005.snapshot', 'notes']);
  });

  test('one that is set aside counts no more and keeps its bytes', async () => {
    const snapshots = await Snapshots.open(nodeFs, directory, 0);
    for (const offset of [1, 2]) await snapshots.write(offset, []);
    expect(await snapshots.setAside(2, 'damaged')).toBe(`${directory}/${name(2, '.damaged')}`);
    expect(snapshots.offsets).toEqual([1]);
    expect(await names()).toEqual([name(1), name(2, '.damaged')]);
  });

  test('data is synced before the name is given, the folder before it counts, and only then the oldest goes', async () => {
    const fs = new FaultyFs();
    const snapshots = await Snapshots.open(fs, directory, 0);
    for (const offset of [1, 2]) await snapshots.write(offset, []);
    fs.calls = [];
    await snapshots.write(3, []);
    expect(fs.calls.filter((call) => call !== 'write')).toEqual([
      'unlink',
      'open create',
      'datasync',
      'rename',
      'syncDirectory',
      'unlink',
    ]);
  });

  test.each(['EIO', 'ENOSPC'])(
    'whichever call fails with %s, the snapshots before it are there and good',
    async (code) => {
      for (const forGood of [false, true]) {
        for (let failAt = 0; failAt < CALLS_OF_A_WRITE; failAt++) {
          await rm(directory, { recursive: true, force: true });
          const fs = new FaultyFs();
          const snapshots = await Snapshots.open(fs, directory, 0);
          for (const offset of [1, 2]) await snapshots.write(offset, [person(`at ${offset}`)]);
          Object.assign(fs, { calls: [], failAt, forGood, code });
          await expect(snapshots.write(3, [person('at 3')]), `call ${failAt}`).rejects.toThrow(code);
          Object.assign(fs, { failAt: Number.POSITIVE_INFINITY });
          const counted = [...snapshots.offsets];
          expect(counted, `call ${failAt}: ${fs.calls.at(-1)}`).toEqual(
            fs.calls.includes('syncDirectory') && counted.includes(3) ? [2, 3] : [1, 2],
          );
          for (const offset of counted) expect(await all(snapshots.read(offset))).toEqual([person(`at ${offset}`)]);
          const again = await Snapshots.open(nodeFs, directory, 0);
          for (const offset of counted) expect(again.offsets).toContain(offset);
          for (const offset of again.offsets) expect(await all(again.read(offset))).toEqual([person(`at ${offset}`)]);
          expect((await names()).filter((file) => file.endsWith('.new'))).toEqual([]);
        }
      }
    },
  );
});
