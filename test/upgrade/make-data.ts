import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { JsonObject } from '../../src/model/json.ts';
import { adminTokens, type Running } from '../../src/server.ts';
import { weir } from '../support/command.ts';
import { post, send } from '../support/raw-http.ts';
import { tcString } from '../support/tc-strings.ts';
import { writeFile } from '../support/workspace-folder.ts';
import {
  byCookie,
  byEcid,
  byFpid,
  cookieOf,
  EMAIL,
  ERASED,
  type Expected,
  ecidOf,
  FORMATS,
  interact,
  linesOf,
  OPTED_OUT,
  ORG,
  SHARING,
  SHOPPER,
  snapshot,
  startOn,
  WORKSPACE,
} from './visitors.ts';

/**
 * Makes a data folder that later versions are to read. To be run once by each version that writes a format anew:
 *
 *     node scripts/typescript.mjs test/upgrade/make-data.ts test/upgrade/fixtures/<version>
 */
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

async function visit(running: Running): Promise<Pick<Expected, 'fpidEcid' | 'cookieEcid' | 'cookie'>> {
  await interact(running, { ...byEcid(SHOPPER), _id: 'first', title: 'Über 日本 🙂', price: 1.5e-7 });
  const events = ['second', 'third'].map((_id) => ({
    xdm: { ...byEcid(SHOPPER), _id },
    data: { list: [1, null, {}] },
  }));
  await post(running.urls.edge, '/ee/v2/collect?datastreamId=shop&requestId=batch', { events });
  const consent = [{ standard: 'Adobe', version: '2.0', value: { collect: { val: 'n' } } }];
  await post(running.urls.edge, '/ee/v1/privacy/set-consent?configId=shop', { ...byEcid(OPTED_OUT), consent });
  const vendors = Array.from({ length: 400 }, (_, index) => index + 1);
  const tcf = [{ standard: 'IAB TCF', version: '2.2', value: tcString({ purposes: [1], vendors }), gdprApplies: true }];
  for (const ecid of SHARING) {
    await post(running.urls.edge, '/ee/v1/privacy/set-consent?configId=shop', { ...byEcid(ecid), consent: tcf });
  }
  await interact(running, { identityMap: { ECID: [{ id: SHOPPER }], Email: [{ id: EMAIL }] } });
  const fpidEcid = String(ecidOf(await interact(running, byFpid)));
  const first = await interact(running, { _id: 'by cookie' });
  const cookie = cookieOf(first);
  await interact(running, { _id: 'by cookie again' }, byCookie(cookie));
  return { fpidEcid, cookieEcid: String(ecidOf(first)), cookie };
}

/** Resolves to the erasure's id. */
async function eraseOne(running: Running, data: string): Promise<string> {
  await interact(running, { identityMap: { ECID: [{ id: ERASED.ECID }], Email: [{ id: ERASED.Email }] } });
  const scope = { orgId: ORG, role: 'admin' as const, datastreams: null };
  const { text } = await (await adminTokens(data)).create(scope, YEAR_MS, { kind: 'command' });
  const path = `/api/v1/datastreams/shop/identities/Email/${ERASED.Email}/erasure`;
  const headers: [string, string][] = [['authorization', `Bearer ${text}`]];
  const { json } = await send(running.urls.admin, { method: 'POST', path, headers });
  return String((json as JsonObject)['erasure']);
}

const folder = resolve(process.argv[2]!);
const data = join(folder, 'data');
const workspace = mkdtempSync(join(tmpdir(), 'weir-upgrade-'));
for (const [name, content] of Object.entries(WORKSPACE)) writeFile(workspace, name, content);
const running = await startOn(workspace, data);
const token = { orgId: ORG, role: 'read' as const, datastreams: null };
await (await adminTokens(data)).create(token, YEAR_MS, { kind: 'command' });
const seen = await visit(running);
const pendingErasure = await eraseOne(running, data);
const tokens = (await (await adminTokens(data)).list()).map((one) => one.id);
await running.stop();
const persons = await snapshot(data);
const { out } = await weir('events', '--data', data);
const events = linesOf(out);
const expected: Expected = { formats: FORMATS, ...seen, tokens, persons, pendingErasure, sharing: SHARING, events };
writeFile(folder, 'expected.json', `${JSON.stringify(expected, null, 2)}\n`);
rmSync(workspace, { recursive: true });
// Of processes that have it open.
rmSync(join(data, 'state/state.mdb-lock'));
