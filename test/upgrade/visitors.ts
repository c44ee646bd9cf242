import { join } from 'node:path';
import { nodeFs } from '../../src/log/node-fs.ts';
import { FORMAT_VERSION } from '../../src/log/segment.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { PersonState } from '../../src/model/person.ts';
import { RECORD_VERSION } from '../../src/model/record.ts';
import { type Running, startServer } from '../../src/server.ts';
import { StateKeeper } from '../../src/state/keeper.ts';
import { LmdbState } from '../../src/state/lmdb.ts';
import { STATE_FORMAT } from '../../src/state/lmdb-codec.ts';
import { SNAPSHOT_FORMAT } from '../../src/state/snapshot-file.ts';
import { Snapshots } from '../../src/state/snapshots.ts';
import { knownErasureKey } from '../../src/storage.ts';
import { post, type RawAnswer } from '../support/raw-http.ts';

/** Who has been to the server whose data is kept in fixtures, and what they did there. */

export const ORG = 'UPGRADE@AdobeOrg';
export const WORKSPACE: Readonly<Record<string, string>> = {
  'weir.yaml': 'identity: {requireSigned: true}\n',
  'datastreams/shop.yaml': `id: shop\norg: ${ORG}\nname: Shop\n`,
};
export const SHOPPER = '1'.repeat(38);
export const OPTED_OUT = '2'.repeat(38);
export const FPID = '8f1c0b6e-3d52-4c7a-9e41-5a7b90c3d21f';
export const EMAIL = 'ada@example.com';
/** Who was erased, and is still in the segments: newer fixtures have them. */
export const ERASED = { ECID: '3'.repeat(38), Email: 'eve@example.com' } as const;
/** Whose TC strings name the same vendors, which state has once for both: newer fixtures have them. */
export const SHARING: readonly string[] = ['4'.repeat(38), '5'.repeat(38)];
const IDENTITY_COOKIE = 'kndctr_UPGRADE_AdobeOrg_identity';

/** The formats that this version writes. */
export const FORMATS = { log: FORMAT_VERSION, record: RECORD_VERSION, snapshot: SNAPSHOT_FORMAT, state: STATE_FORMAT };

/** Beside a fixture's data: what a server says of it. */
export interface Expected {
  /** That it is written in. */
  readonly formats: Readonly<Record<string, number>>;
  /** Of the FPID, by the installation's key. */
  readonly fpidEcid: string;
  /** Of a visitor who is known by a signed cookie only. */
  readonly cookieEcid: string;
  readonly cookie: string;
  /** Lines of `weir events`. */
  readonly events: readonly unknown[];
  /** Everything in the snapshot, by key. */
  readonly persons: readonly PersonState[];
  /** Ids of admin tokens. */
  readonly tokens: readonly string[];
  /** Of the erasure that was not carried out when the server stopped; null where there was none. */
  readonly pendingErasure?: string | null;
  /** ECIDs of those who have a list of vendors together, and agreed to no collection. */
  readonly sharing?: readonly string[];
}

const silent = { info() {}, warn() {}, error() {} };

export function startOn(workspace: string, data: string): Promise<Running> {
  const listeners = { edgePort: 0, serverPort: 0, adminPort: 0 };
  return startServer({ workspace, data, listeners, log: silent });
}

export function interact(
  { urls }: Running,
  xdm: JsonObject,
  headers: readonly (readonly [string, string])[] = [],
): Promise<RawAnswer> {
  const body = { event: { xdm }, query: { identity: { fetch: ['ECID'] } } };
  return post(urls.edge, '/ee/v2/interact?datastreamId=shop', body, headers);
}

export const byEcid = (id: string): JsonObject => ({ identityMap: { ECID: [{ id }] } });
export const byFpid: JsonObject = { identityMap: { FPID: [{ id: FPID, primary: true }] } };
export const byCookie = (cookie: string) => [['cookie', `${IDENTITY_COOKIE}=${cookie}`]] as const;

/** What an answer says in a handle of this type. */
export function handleOf(answer: RawAnswer, type: string): readonly JsonObject[] {
  const { handle } = answer.json as unknown as { handle: { type: string; payload: JsonObject[] }[] };
  return handle.find((one) => one.type === type)?.payload ?? [];
}

export const ecidOf = (answer: RawAnswer): unknown => handleOf(answer, 'identity:result')[0]?.['id'];

export function cookieOf(answer: RawAnswer): string {
  return String(handleOf(answer, 'state:store').find(({ key }) => key === IDENTITY_COOKIE)?.['value']);
}

/** Of what `weir events` printed. */
export function linesOf(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** What the newest snapshot in a folder holds, by key. */
export async function personsIn(directory: string): Promise<readonly PersonState[]> {
  const snapshots = await Snapshots.open(nodeFs, directory, 0);
  const persons: PersonState[] = [];
  for await (const person of snapshots.read(snapshots.offsets.at(-1)!)) persons.push(person);
  return persons.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Writes a snapshot of a data folder that no server has open. Resolves to what it holds, by key. */
export async function snapshot(data: string): Promise<readonly PersonState[]> {
  const report = (message: string): never => {
    throw new Error(message);
  };
  const digest = (await knownErasureKey(data))!.digest;
  const store = await LmdbState.open(join(data, 'state'), { report, warn: report, digest });
  const directory = join(data, 'snapshots');
  await (await StateKeeper.open({ fs: nodeFs, directory, store, partition: 0, report })).snapshot();
  await store.close();
  return await personsIn(directory);
}
