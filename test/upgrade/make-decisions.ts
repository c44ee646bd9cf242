import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { JsonObject } from '../../src/model/json.ts';
import { previewLink } from '../../src/previewing.ts';
import { readLog } from '../../src/server.ts';
import { weir } from '../support/command.ts';
import { writeFile } from '../support/workspace-folder.ts';
import {
  ask,
  buy,
  contentsOf,
  type DecidedBefore,
  REPORTED,
  SHOP,
  STEADY,
  tellDisplayed,
  VISITORS,
} from './decided.ts';
import { startOn } from './visitors.ts';

/**
 * Makes decisions that later versions are to explain and make again. To be run by a version that decides otherwise than those
 * before, or keeps something else of it:
 *
 *     node scripts/typescript.mjs test/upgrade/make-decisions.ts test/upgrade/decisions/<version>
 */
const folder = resolve(process.argv[2]!);
const data = join(folder, 'data');
const workspace = mkdtempSync(join(tmpdir(), 'weir-upgrade-'));
for (const [name, content] of Object.entries(SHOP)) writeFile(workspace, name, content);
const running = await startOn(workspace, data);
const shown: Record<string, JsonObject> = {};
for (const [n, visitor] of VISITORS.entries()) {
  const tier = { __adobe: { target: { 'profile.tier': ['gold', 'none'][n % 2]!, 'profile.name': `Nr ${n}` } } };
  await ask(running, visitor, { data: { ...tier, version: '2.1.0' } });
  const first = await ask(running, visitor);
  await tellDisplayed(running, visitor, first);
  if (n % 3 === 0) await buy(running, visitor);
  await tellDisplayed(running, visitor, await ask(running, visitor, { data: { version: '1.9.9' } }));
  shown[visitor.ecid] = contentsOf(await ask(running, visitor), STEADY);
}
const until = { orgId: null, url: new URL('https://shop.example/cart'), expiresAtSeconds: 4_102_444_800 };
for (const [activityId, experienceId] of [
  ['hero', 'b'],
  ['closing~bar', 'rare,last'],
] as const) {
  const URL = await previewLink({ workspace, data, activityId, experienceId, ...until });
  await ask(running, VISITORS[0]!, { xdm: { web: { webPageDetails: { URL } } } });
}
await running.stop();

let decisions = 0;
for await (const { record } of readLog(data, false, new AbortController().signal, console.error)) {
  decisions += record.decisions?.length ?? 0;
}
const arms: Record<string, unknown> = {};
for (const activity of REPORTED) {
  arms[activity] = JSON.parse((await weir('report', '--activity', activity, '--data', data, '--json')).out).arms;
}
const expected: DecidedBefore = { decisions, shown, arms };
writeFile(folder, 'expected.json', `${JSON.stringify(expected, null, 2)}\n`);
// What a server makes anew.
for (const name of ['state', 'admin', 'snapshots', 'log/reserve', 'log/consumers'])
  rmSync(join(data, name), { recursive: true, force: true });
rmSync(workspace, { recursive: true });
