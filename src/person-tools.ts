import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { adminStore } from './admin/store.ts';
import { serverOptions } from './config/options.ts';
import { WorkspaceError } from './config/watch.ts';
import { loadWorkspace } from './config/workspace.ts';
import { receiptFault } from './erasing/receipt.ts';
import { acquireLock, LockHeld } from './log/lock.ts';
import type { Workspace } from './model/datastream.ts';
import { guess } from './model/did-you-mean.ts';
import { type Namespace, STANDARD_NAMESPACES } from './model/identity-rules.ts';
import { isObject, type Json, type JsonObject, parseJson, valueAt } from './model/json.ts';
import { personKey } from './model/person.ts';
import { type AskedPerson, erasePerson, exportPerson, type PersonDeps } from './persons.ts';
import { knownErasureKey, openStorage } from './storage.ts';
import type { Log } from './telemetry/log.ts';

/** Erasing and exporting from the command line: in a data folder that no server uses, or by way of a running server. */

export interface PersonId {
  readonly orgId: string;
  readonly namespace: string;
  readonly id: string;
}

/** A data folder. `workspace`: says which namespaces the org has, and where keys are; null: the standard ones, and the folder's own. */
export interface OfFolder {
  readonly data: string;
  readonly workspace: string | null;
  readonly who: JsonObject;
  readonly log: Log;
}

/** The admin listener of a running server. */
export interface OfServer {
  readonly adminUrl: string;
  readonly token: string;
}

export async function eraseInFolder(place: OfFolder, person: PersonId, carriesOut: boolean): Promise<Json> {
  return await inFolder(place, person, 'erasure', (deps, asked) => erasePerson(deps, asked, carriesOut));
}

export async function exportFromFolder(place: OfFolder, person: PersonId, write: Write): Promise<void> {
  await inFolder(place, person, 'export', async (deps, asked) => {
    for await (const piece of await exportPerson(deps, asked)) await write(piece);
  });
}
export type Write = (piece: string) => Promise<void>;

async function inFolder<T>(
  { data, workspace, who, log }: OfFolder,
  { orgId, namespace, id }: PersonId,
  what: 'erasure' | 'export',
  run: (deps: PersonDeps, asked: AskedPerson) => Promise<T>,
): Promise<T> {
  const loaded = workspace === null ? null : await loadWorkspace(workspace);
  if (loaded?.ok === false) throw new WorkspaceError(workspace!, loaded.findings);
  const options = loaded === null ? serverOptions({}, data) : loaded.options;
  const namespaces = namespacesOf(orgId, loaded?.workspace ?? null);
  const orgs = [...new Set([...(loaded?.workspace.datastreams.values() ?? [])].map((one) => one.orgId))];
  if (loaded !== null && !orgs.includes(orgId))
    throw new Error(`The org '${orgId}' has no datastream in ${workspace}.${guess(orgId, orgs)}`);
  if (!namespaces.has(namespace)) {
    const remedy = workspace === null ? ' Where it is one of the org, give --workspace.' : '';
    throw new Error(`There is no namespace '${namespace}'.${guess(namespace, [...namespaces.keys()])}${remedy}`);
  }
  // Opening would make a folder, in which nobody is found, and everybody is erased.
  if (!existsSync(join(data, 'log')))
    throw new Error(`There is no event log in '${data}'. Is this the data folder of a server that has run?`);
  const storage = await openStorage(data, options, log, () => {}).catch((error: unknown) => {
    if (!(error instanceof LockHeld)) throw error;
    const method = what === 'erasure' ? 'POST' : 'GET';
    throw new Error(
      `${error.message} Or let that server do it: give --admin-url and --token here, or call ${method} <admin listener>/api/v1/datastreams/<a datastream of the org>/identities/<namespace>/<id>/${what}${what === 'erasure' ? '?now=true' : ''}.`,
    );
  });
  try {
    const { audit, exclusively } = adminStore(data, acquireLock);
    return await run({ storage, audit, exclusively }, { orgId, given: { namespace, id }, namespaces, who });
  } finally {
    await storage.close();
  }
}

/** The standard ones, and those that any datastream of the org takes. */
function namespacesOf(orgId: string, workspace: Workspace | null): ReadonlyMap<string, Namespace> {
  const namespaces = new Map<string, Namespace>(Object.entries(STANDARD_NAMESPACES));
  for (const datastream of workspace?.datastreams.values() ?? []) {
    if (datastream.orgId !== orgId) continue;
    for (const [code, known] of datastream.identity.rules.namespaces) namespaces.set(code, known);
  }
  return namespaces;
}

export async function eraseOnServer(server: OfServer, person: PersonId, carriesOut: boolean): Promise<Json> {
  const answer = await call(server, 'POST', `${await pathOf(server, person)}/erasure${carriesOut ? '?now=true' : ''}`);
  let found = parseJson(await answer.text());
  while (carriesOut && valueAt(found, 'status') !== 'done') {
    const erasure = String(valueAt(found, 'erasure'));
    if (valueAt(found, 'isUnderWay') !== true) {
      throw new Error(
        `The person is hidden, and the pass that was to remove them has failed; the server's log says why. It is tried again within two hours: ask ${server.adminUrl}/api/v1/erasures/${erasure}.`,
      );
    }
    await sleep(ASK_AGAIN_MS);
    found = parseJson(await (await call(server, 'GET', `/api/v1/erasures/${erasure}`)).text());
  }
  return found;
}
/** How often it is asked whether a pass is over. */
const ASK_AGAIN_MS = 1_000;

export async function exportFromServer(server: OfServer, person: PersonId, write: Write): Promise<void> {
  const answer = await call(server, 'GET', `${await pathOf(server, person)}/export`);
  const decoder = new TextDecoder();
  for await (const bytes of answer.body!) await write(decoder.decode(bytes, { stream: true }));
}

/** Of a person in the admin API, under any datastream of the org that the token sees. */
async function pathOf(server: OfServer, { orgId, namespace, id }: PersonId): Promise<string> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = parseJson(await (await call(server, 'GET', `/api/v1/datastreams${cursor}`)).text());
    const items = valueAt(page, 'items');
    const own = (Array.isArray(items) ? items : []).find((item) => valueAt(item, 'org') === orgId);
    const parts = [String(valueAt(own, 'id')), 'identities', namespace, id];
    if (own !== undefined) return `/api/v1/datastreams/${parts.map(encodeURIComponent).join('/')}`;
    const next: Json | undefined = valueAt(page, 'next');
    cursor = typeof next === 'string' ? `?cursor=${encodeURIComponent(next)}` : null;
  }
  throw new Error(`This token sees no datastream of the org '${orgId}'.`);
}

async function call({ adminUrl, token }: OfServer, method: string, path: string): Promise<Response> {
  const url = `${adminUrl.replace(/\/+$/, '')}${path}`;
  const answer = await fetch(url, { method, headers: { authorization: `Bearer ${token}` } }).catch((cause: unknown) => {
    throw new Error(`${adminUrl} does not answer. Is it the admin listener of a running server?`, { cause });
  });
  if (answer.ok) return answer;
  const problem = await answer.text();
  throw new Error(`The server answered ${answer.status}: ${detailOf(problem)}`);
}

function detailOf(text: string): string {
  const answer = jsonOrNull(text);
  return answer === null ? text.slice(0, 200) : String(valueAt(answer, 'detail') ?? text);
}

function jsonOrNull(text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * Why a receipt does not hold, or is not of this person; null where it is good. By the key of a data folder, or a public key;
 * only the folder's key tells whom it is about.
 */
export async function receiptProblem(
  file: string,
  by: { readonly data: string } | { readonly publicKey: string },
  person: PersonId | null,
): Promise<string | null> {
  const receipt = jsonOrNull(await readFile(file, 'utf8'));
  if (receipt === null) return 'it is no JSON';
  // As a receipt, or as the server answers it.
  const found = isObject(receipt) && isObject(receipt['receipt']) ? receipt['receipt'] : receipt;
  const key = 'data' in by ? await knownErasureKey(by.data) : null;
  if ('data' in by && key === null)
    throw new Error(`${by.data} has no erasure key. Give --public-key, or WEIR_ERASURE_KEY.`);
  const fault = receiptFault(found, key?.publicKey ?? (by as { publicKey: string }).publicKey);
  if (fault !== null || person === null) return fault;
  const { orgId, namespace, id } = person;
  const digest = key!.digest(personKey(orgId, namespace, id));
  return valueAt(found, 'subject') === digest && valueAt(found, 'org') === orgId ? null : 'it is of another person';
}
