import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFs } from '../../src/log/node-fs.ts';
import { writeSnapshotFile } from '../../src/state/snapshot-file.ts';
import { FIRST, Traffic } from '../replays/made-traffic.ts';
import { weir } from '../support/command.ts';
import { keepDefinitions, writeLog } from '../support/data-folder.ts';
import { tempFolder } from '../support/temp-folder.ts';

const REQUESTS = 100_000;
const VISITORS = 10_000;
const SNAPSHOT_AT = 60_000;

test('100,000 recorded decisions come out the same, from the log and from a snapshot', async () => {
  const data = tempFolder();
  const traffic = new Traffic(20_261_128, VISITORS);
  mkdirSync(join(data, 'snapshots'), { recursive: true });
  const records = [];
  for (const { record } of traffic.requests(REQUESTS)) {
    records.push(record);
    if (records.length !== SNAPSHOT_AT) continue;
    const offset = SNAPSHOT_AT - 1;
    const path = join(data, 'snapshots', `0-${String(offset).padStart(16, '0')}.snapshot`);
    await writeSnapshotFile(nodeFs, path, { partition: 0, offset }, traffic.persons.values());
  }
  await writeLog(data, records);
  keepDefinitions(data, FIRST);

  const startMs = performance.now();
  const whole = await weir('replay', '--data', data, '--json');
  const seconds = (performance.now() - startMs) / 1000;
  console.log(`${REQUESTS} decisions replayed in ${seconds.toFixed(1)} s`);
  expect(whole.code).toBe(0);
  expect(JSON.parse(whole.out)).toMatchObject({ decisions: REQUESTS, same: REQUESTS, different: 0 });

  const later = await weir('replay', '--data', data, '--json', '--from', `0:${SNAPSHOT_AT}`);
  expect(later.code).toBe(0);
  const left = REQUESTS - SNAPSHOT_AT;
  expect(JSON.parse(later.out)).toMatchObject({ decisions: left, same: left, different: 0 });
});
