import { expect, test } from 'vitest';
import { Erasures } from '../src/erasures.ts';
import { personKey } from '../src/model/person.ts';
import { failure, MemoryFs } from './log/memory-fs.ts';
import { openLog, readAll, recordOf, segmentsOf } from './log/open-log.ts';

const FOLDER = '/erasures';

test('receipts go when the erasure was carried out before, and nothing else in their folder does', async () => {
  const fs = new MemoryFs();
  const times = ['2020-01-01T00:00:00.000Z', '2020-01-01T00:00:00.001Z', '2021-01-01T00:00:00.000Z'];
  const ids = times.map((_, index) => String(index).repeat(16));
  times.forEach((completedAt, index) => {
    fs.put(`${FOLDER}/${ids[index]}.json`, Buffer.from(JSON.stringify({ erasure: ids[index], completedAt })));
  });
  const others = ['notes.json', `${'3'.repeat(16)}.json.new`, `${'4'.repeat(16)}.txt`];
  for (const name of others) fs.put(`${FOLDER}/${name}`, Buffer.from('{"completedAt":"2000-01-01T00:00:00Z"}'));
  const log = { erasures: [] } as never;
  const erasures = new Erasures({ fs, log, keeper: {} as never, key: {} as never, directory: FOLDER, partition: 0 });
  const names = () => fs.contents.map(([path]) => path.slice(FOLDER.length + 1)).sort();
  await erasures.dropReceipts(Date.parse(times[0]!));
  expect(names()).toEqual([...ids.map((id) => `${id}.json`), ...others].sort());
  await erasures.dropReceipts(Date.parse(times[1]!));
  expect(names()).toEqual([...ids.slice(1).map((id) => `${id}.json`), ...others].sort());
  // Durable: a removal that is not synced may come back.
  expect(fs.powerCut().contents.map(([path]) => path)).toEqual(fs.contents.map(([path]) => path));
  expect(await erasures.find(ids[0]!)).toBeNull();
  expect(await erasures.find(ids[1]!)).toMatchObject({ isDone: true });
  // One that is damaged keeps the others from nothing, and is named.
  fs.put(`${FOLDER}/${ids[1]}.json`, Buffer.from('{'));
  await expect(erasures.dropReceipts(Date.parse(times[2]!) + 1)).rejects.toThrow(`${ids[1]}.json is damaged`);
  expect(names()).toEqual([`${ids[1]}.json`, ...others].sort());
  expect(fs.powerCut().contents.map(([path]) => path)).toEqual(fs.contents.map(([path]) => path));
});

test('no receipt is signed while a file that retention could not remove holds the person; they stay hidden', async () => {
  const digest = (text: string): string => Buffer.from(text).toString('hex');
  const key = { keyId: 'key', digest, publicKey: '', sign: () => '' };
  const settings = { segmentBytes: 300, erasureKey: key, retention: { maxAgeMs: null, maxBytes: 1 } };
  const { log, fs } = await openLog(undefined, settings);
  const ann = personKey('org', 'ECID', 'ann');
  const change = { kind: 'consent' as const, key: ann, time: '000000000001-0000', body: {} };
  await log.append({ ...recordOf(0, { changes: [change] }), ecid: 'ann' });
  for (let number = 1; number < 4; number++) await log.append(recordOf(number));
  const [first] = segmentsOf(fs);
  fs.before = ({ what, path }) => {
    if (what === 'unlink' && path === first) throw failure('EIO', path);
  };
  await expect(log.retain()).rejects.toThrow('EIO');
  const keeper = { purge: () => Promise.resolve(0) } as never;
  const erasures = new Erasures({ fs, log, keeper, key, directory: FOLDER, partition: 0 });
  const erasure = erasures.prepare('org', [{ namespace: 'ECID', id: 'ann' }]);
  await erasures.erase(erasure);
  await expect(erasures.carryOut()).rejects.toThrow('EIO');
  expect(await erasures.find(erasure.id)).toMatchObject({ isDone: false });
  expect(fs.contents.filter(([path]) => path.startsWith(FOLDER))).toEqual([]);
  // The next process has the file, and shows nothing of her.
  const next = await openLog(fs.killed(), settings);
  const shown = (await readAll(next.log)).flatMap(({ record }) => record.changes);
  expect(shown.filter((one) => one.key === ann)).toEqual([]);
  fs.before = null;
  expect(await erasures.carryOut()).toHaveLength(1);
  const holds = fs.powerCut().contents.filter(([, bytes]) => bytes.toString('latin1').includes('|ann'));
  expect(holds.map(([path]) => path)).toEqual([]);
});
