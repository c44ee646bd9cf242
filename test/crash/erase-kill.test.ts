import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { readHidden } from '../../src/log/hidden.ts';
import { nodeFs } from '../../src/log/node-fs.ts';
import { StateKeeper } from '../../src/state/keeper.ts';
import { LmdbState } from '../../src/state/lmdb.ts';
import { post } from '../support/raw-http.ts';
import { filesWith } from '../support/scan.ts';
import { ROOT } from '../support/sources.ts';
import { startWeir, type Weir } from '../support/weir.ts';

const ORG = 'TEST@AdobeOrg';
const ANN = { ecid: '1'.repeat(37).padEnd(38, '7'), email: 'ann@example.com', crm: 'crm-ann-4711' };
const BOB = { ecid: '2'.repeat(37).padEnd(38, '9'), email: 'bob@example.com' };
const ANNS = [ANN.ecid, ANN.email, ANN.crm];
/** Eight segments, so that a pass can be met between any two. */
const SEGMENT_BYTES = 1024 * 1024;
const REQUESTS = 160;
const PADDING = 'x'.repeat(48 * 1024);
const idsOf = (map: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(map).map(([namespace, id]) => [namespace, [{ id }]]));

/** Each request has an event of both: every segment has to be written anew. */
async function visits(weir: Weir): Promise<void> {
  for (let number = 0; number < REQUESTS; number++) {
    const { ecid, email, crm } = ANN;
    const anns = idsOf(number % 2 === 0 ? { ECID: ecid, Email: email } : { ECID: ecid, Email: email, CRMID: crm });
    const events = [
      { xdm: { identityMap: anns, mark: `ann ${number}`, PADDING } },
      { xdm: { identityMap: idsOf({ ECID: BOB.ecid, Email: BOB.email }), mark: `bob ${number}` } },
    ];
    expect((await post(weir.edge, '/ee/v2/collect?configId=shop', { events })).status).toBe(202);
  }
}

async function snapshot(data: string): Promise<void> {
  const report = (message: string): never => {
    throw new Error(message);
  };
  const store = await LmdbState.open(join(data, 'state'));
  const keeper = await StateKeeper.open({
    ...{ fs: nodeFs, directory: join(data, 'snapshots'), store, partition: 0, report },
  });
  await keeper.snapshot();
  await store.close();
}

/** Ids of the erasures that are under way. */
async function hiddenIn(data: string): Promise<readonly string[]> {
  const list = await readHidden(nodeFs, join(data, 'log'));
  return list?.erasures.map(({ id }) => id) ?? [];
}

/** Segments that have shrunk: her events are by far the longest. */
function rewrittenIn(data: string): number {
  const log = join(data, 'log');
  const sizes = readdirSync(log).flatMap((name) => (name.endsWith('.segment') ? [sizeOf(join(log, name))] : []));
  return sizes.filter((size) => size > 0 && size < SEGMENT_BYTES / 4).length;
}
/** 0 for one that is just being replaced. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Whether a folder has nothing of her. A file that goes while it is looked at says nothing yet. */
function isFree(folder: string): boolean {
  try {
    return filesWith(folder, ANNS).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
}

/** Places of a pass, in its order, each known by what is on the disk. */
const PLACES: readonly (readonly [name: string, isThere: (data: string) => boolean])[] = [
  ['the erasure was written down', () => true],
  ...[1, 3, 6].map(
    (count) => [`segments were rewritten, ${count} at least`, (data: string) => rewrittenIn(data) >= count] as const,
  ),
  ['the state database was rewritten', (data) => isFree(join(data, 'state'))],
  ['snapshots were rewritten', (data) => isFree(join(data, 'snapshots'))],
];

/** Runs `weir erase --now`, and kills it where `isThere`, with its own erasure written down; null lets it end. */
async function erase(data: string, isThere: ((data: string) => boolean) | null) {
  const person = ['--org', ORG, '--namespace', 'Email', '--id', ANN.email];
  const args = [join(ROOT, 'dist/main.js'), 'erase', ...person, '--data', data, '--now'];
  const before = await hiddenIn(data);
  const isWrittenDown = async () => (await hiddenIn(data)).some((id) => !before.includes(id));
  const child = spawn(process.execPath, args, { stdio: 'pipe' });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const closed = once(child, 'close');
  if (isThere !== null) {
    while (child.exitCode === null && !((await isWrittenDown()) && isThere(data))) await sleep(1);
    child.kill('SIGKILL');
  }
  const [code, signal] = await closed;
  return { out, err, code, signal };
}

const marks = async (weir: Weir) => (await weir.events()).map(({ xdm }) => xdm['mark']);
const shownOf = async (weir: Weir) =>
  (await weir.events())
    .filter(({ xdm }) => String(xdm['mark']).startsWith('bob'))
    .map(({ id, xdm, index, dedupKey, payloadHash, consent }) => ({ id, xdm, index, dedupKey, payloadHash, consent }));

test('an erasure that is killed again and again ends with nothing of the person in any file, and all of the others', async () => {
  const weir = await startWeir({ 'weir.yaml': `log:\n  segmentBytes: ${SEGMENT_BYTES}\n` });
  onTestFinished(() => weir.stop());
  await visits(weir);
  const bobs = await shownOf(weir);
  expect(bobs).toHaveLength(REQUESTS);
  await weir.halt();
  await snapshot(weir.data);
  expect(filesWith(join(weir.data, 'snapshots'), ANNS)).toHaveLength(ANNS.length);
  const killed: string[] = [];
  for (const [place, isThere] of PLACES) {
    const { err, signal } = await erase(weir.data, isThere);
    expect(err, place).toBe('');
    if (signal === 'SIGKILL' && (await hiddenIn(weir.data)).length > 0) killed.push(place);
    // However far it is, she is shown to nobody, and nobody else is missing.
    expect(await marks(weir), place).toEqual(bobs.map(({ xdm }) => xdm['mark']));
  }
  // A pass may be over before the disk is looked at again, at its end; the kills before came in the midst of it.
  expect(killed.length).toBeGreaterThanOrEqual(PLACES.length / 2);
  const { err, code, out } = await erase(weir.data, null);
  expect({ err, code }).toEqual({ err: '', code: 0 });
  expect(JSON.parse(out)).toMatchObject({ status: 'done', receipt: { org: ORG } });
  expect(filesWith(weir.data, ANNS)).toEqual([]);
  expect(await shownOf(weir)).toEqual(bobs);
  await weir.restart();
  expect((await post(weir.edge, '/ee/v2/collect?configId=shop', { events: [{ xdm: { mark: 'later' } }] })).status).toBe(
    202,
  );
  expect(await weir.events()).toHaveLength(REQUESTS + 1);
});
