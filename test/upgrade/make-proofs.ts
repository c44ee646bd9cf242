import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { endpointAt } from '../../src/components.ts';
import { FileLog } from '../../src/log/file.ts';
import { nodeFs } from '../../src/log/node-fs.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { Running } from '../../src/server.ts';
import { weir } from '../support/command.ts';
import { post } from '../support/raw-http.ts';
import { tcString } from '../support/tc-strings.ts';
import { writeFile } from '../support/workspace-folder.ts';
import { byEcid, interact, linesOf, OPTED_OUT, SHARING, SHOPPER, snapshot, startOn, WORKSPACE } from './visitors.ts';

/**
 * Makes a data folder whose log has dropped a file, and kept the choices in it, for later versions to read. To be run once by each
 * version that keeps them in another format:
 *
 *     node scripts/typescript.mjs test/upgrade/make-proofs.ts test/upgrade/proofs/<version>
 */
const PERSONS = [OPTED_OUT, SHARING[0]!] as const;

const choose = (running: Running, ecid: string, consent: JsonObject): Promise<unknown> =>
  post(running.urls.edge, '/ee/v1/privacy/set-consent?configId=shop', { ...byEcid(ecid), consent: [consent] });
const adobe = (val: string): JsonObject => ({ standard: 'Adobe', version: '2.0', value: { collect: { val } } });

const folder = resolve(process.argv[2]!);
const data = join(folder, 'data');
const workspace = mkdtempSync(join(tmpdir(), 'weir-upgrade-'));
for (const [name, content] of Object.entries(WORKSPACE)) writeFile(workspace, name, content);

const first = await startOn(workspace, data);
await interact(first, byEcid(SHOPPER));
await choose(first, PERSONS[1], {
  ...{ standard: 'IAB TCF', version: '2.2', gdprApplies: true },
  value: tcString({ purposes: [1, 10], vendors: [565] }),
});
await choose(first, OPTED_OUT, adobe('y'));
await first.stop();
await snapshot(data);
const second = await startOn(workspace, data);
await choose(second, OPTED_OUT, adobe('n'));
await second.stop();
await snapshot(data);

const report = (message: string): never => {
  throw new Error(message);
};
const log = await FileLog.open({
  ...{ fs: nodeFs, directory: join(data, 'log'), partition: 0, segmentBytes: 1024 * 1024, queueBytesMax: 1024 * 1024 },
  ...{ queueAgeMsMax: 1000, lowWaterBytes: 0, retention: { maxAgeMs: null, maxBytes: 1 } },
  parseBody: (path, body) => endpointAt(path).parse(path, body),
  onSynced: () => undefined,
  // Both snapshots have what the first server stored.
  mayDropBefore: () => 3,
  ...{ onFatal: (error: Error) => report(error.message), report },
});
if ((await log.retain()) !== 1) report('Nothing was dropped.');
await log.close();

const choices: Record<string, readonly unknown[]> = {};
for (const ecid of PERSONS)
  choices[ecid] = linesOf((await weir('consent', '--ecid', ecid, '--data', data, '--json')).out);
writeFile(folder, 'expected.json', `${JSON.stringify({ choices }, null, 2)}\n`);
rmSync(workspace, { recursive: true });
// What a server makes anew.
for (const name of ['state', 'admin', 'keys', 'log/reserve', 'log/consumers'])
  rmSync(join(data, name), { recursive: true, force: true });
