import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { matrix } from './components.ts';
import type { ServerOptions } from './config/options.ts';
import { WorkspaceError } from './config/watch.ts';
import { loadWorkspace } from './config/workspace.ts';
import { decisionTools } from './decision-tools.ts';
import { accept } from './gateway/accept.ts';
import { fieldsOf } from './gateway/fields.ts';
import { requestIds } from './gateway/ids.ts';
import { parseQuery } from './gateway/query.ts';
import { identityTools } from './identity-tools.ts';
import { type Choice, choiceOf } from './import/consent.ts';
import { type Pair, pairOf } from './import/identity.ts';
import { fingerprintOf, NO_PROGRESS, readProgress, writeProgress } from './import/progress.ts';
import { type Row, rowsOf } from './import/rows.ts';
import { answerReserveMs } from './model/answer-reserve.ts';
import { parseConsent } from './model/consent.ts';
import type { Workspace } from './model/datastream.ts';
import { guess } from './model/did-you-mean.ts';
import { HybridClock } from './model/hybrid-time.ts';
import type { JsonObject } from './model/json.ts';
import { type Change, personKey } from './model/person.ts';
import { Problem } from './model/problem.ts';
import { TrustedProxies } from './net/proxies.ts';
import type { DecisionTools } from './stages/deciding.ts';
import type { IdentityTools } from './stages/identify.ts';
import { runStages } from './stages/run.ts';
import { openStorage, type Storage } from './storage.ts';
import { Counters } from './telemetry/counters.ts';
import type { Log } from './telemetry/log.ts';

/** Visitors of another system, brought into the log of a server that does not run. */

export interface ImportRequest {
  readonly workspace: string;
  readonly data: string;
  readonly kind: 'identity' | 'consent';
  readonly file: string;
  /** Of rows that name none. Identity: an org; consent: a datastream. */
  readonly owner: string | null;
  /** Everything is read and judged, and nothing written. */
  readonly dryRun: boolean;
  readonly onProgress: (line: number, lines: number) => void;
  readonly onRefused: (line: number, why: string) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface ImportResult {
  readonly imported: number;
  readonly refused: number;
  /** The line behind which an earlier run had stopped; 0 where there was none. */
  readonly resumedBehind: number;
  /** Rows that earlier runs refused. */
  readonly refusedBefore: number;
  /** Nothing is left of the file; false where the import was interrupted. */
  readonly isDone: boolean;
}

/** Rows that are written before the file's progress is: what a crash makes the next run do again. */
export const BATCH_ROWS = 500;

/** What is made of the rows of one kind. Its refusals say nothing of what a row holds. */
interface Kind<T> {
  /** Or why a row is not taken. */
  read(row: JsonObject): T | string;
  /** Resolves when the rows are durable, with those that were refused after all. */
  store(rows: readonly (readonly [line: number, row: T])[]): Promise<readonly (readonly [line: number, why: string])[]>;
}

/** Throws where the workspace has errors, the data folder is in use, or the file cannot be read. */
export async function importFile(request: ImportRequest): Promise<ImportResult> {
  const loaded = await loadWorkspace(request.workspace);
  if (!loaded.ok) throw new WorkspaceError(request.workspace, loaded.findings);
  const { workspace, options } = loaded;
  checkOwner(request, workspace);
  const { digest, lines } = await fingerprintOf(request.file);
  const goOn = { request, lines, progressFile: join(request.data, 'imports', `${request.kind}-${digest}.json`) };
  if (request.dryRun) {
    if (request.kind === 'identity') return await run({ ...goOn, kind: pairs(request, workspace, null) });
    return await run({ ...goOn, kind: choices(request, workspace, null) });
  }
  if (!existsSync(join(request.data, 'log')))
    request.log.warn({}, `There is no event log in '${request.data}' yet: one is made.`);
  const storage = await openStorage(request.data, options, request.log, () => {});
  try {
    const keysFolder = join(request.data, 'keys');
    const counters = new Counters(Date.now());
    const tools = await identityTools(keysFolder, options, counters, request.log, (message) => {
      // Pairs that are filed under another key would never be found.
      throw new Error(message);
    });
    const decisions = await decisionTools(keysFolder, options.decisions.keysFile, counters);
    const target: Target = { storage, tools, decisions, options, name: `import-${digest}` };
    if (request.kind === 'identity') return await run({ ...goOn, kind: pairs(request, workspace, target) });
    return await run({ ...goOn, kind: choices(request, workspace, target) });
  } finally {
    await storage.close();
  }
}

/** Every row that names none would be refused. */
function checkOwner({ kind, owner, workspace: folder }: ImportRequest, { datastreams }: Workspace): void {
  const known = kind === 'identity' ? [...orgsOf(datastreams)] : [...datastreams.keys()];
  if (owner === null || known.includes(owner)) return;
  const what = kind === 'identity' ? `The org '${owner}' has no datastream` : `There is no datastream '${owner}'`;
  throw new Error(`${what} in ${folder}.${guess(owner, known)}`);
}

function orgsOf(datastreams: Workspace['datastreams']): ReadonlySet<string> {
  return new Set([...datastreams.values()].map(({ orgId }) => orgId));
}

interface Run<T> {
  readonly request: ImportRequest;
  readonly lines: number;
  readonly progressFile: string;
  readonly kind: Kind<T>;
}

async function run<T>({ request, lines, progressFile, kind }: Run<T>): Promise<ImportResult> {
  const { dryRun, onProgress, onRefused, signal } = request;
  const before = dryRun ? NO_PROGRESS : await readProgress(progressFile);
  const counted = { imported: 0, refused: 0, resumedBehind: before.line, refusedBefore: before.refused };
  if (before.isDone) return { ...counted, isDone: true };
  const refuse = (line: number, why: string): void => {
    counted.refused += 1;
    onRefused(line, why);
  };
  let batch: (readonly [number, T])[] = [];
  const write = async (line: number, isDone: boolean): Promise<void> => {
    const refusals = await kind.store(batch);
    for (const [at, why] of refusals) refuse(at, why);
    counted.imported += batch.length - refusals.length;
    batch = [];
    const imported = before.imported + counted.imported;
    const refused = before.refused + counted.refused;
    // Where nothing was imported there is nothing to do twice, and what was refused may be right with other options.
    if (!dryRun && imported > 0) await writeProgress(progressFile, { line, imported, refused, isDone });
    onProgress(line, lines);
  };
  for await (const { line, value, why } of rowsOf(request.file) as AsyncIterable<Row>) {
    if (line <= before.line) continue;
    if (signal.aborted) {
      await write(line - 1, false);
      return { ...counted, isDone: false };
    }
    const read = value === null ? why : kind.read(value);
    if (typeof read === 'string') refuse(line, read);
    else batch.push([line, read]);
    if (batch.length === BATCH_ROWS) await write(line, false);
  }
  await write(lines, true);
  return { ...counted, isDone: true };
}

/** Where imported rows go; null in a dry run. */
interface Target {
  readonly storage: Storage;
  readonly tools: IdentityTools;
  readonly decisions: DecisionTools;
  readonly options: ServerOptions;
  /** Of the import, the same each time that the file is imported. */
  readonly name: string;
}

/** FPIDs are not stored: what is kept is which ECID the one that they derive stands for. */
function pairs({ owner }: ImportRequest, workspace: Workspace, target: Target | null): Kind<Pair> {
  const orgs = orgsOf(workspace.datastreams);
  const clock = new HybridClock();
  return {
    read: (row) => pairOf(row, owner, orgs),
    async store(rows) {
      if (target === null) return [];
      const { storage, tools, name } = target;
      const atMs = Date.now();
      const byOrg = new Map<string, Change[]>();
      for (const [, { orgId, fpid, ecid }] of rows) {
        const key = personKey(orgId, 'FPID', tools.fpids.ecidOf(orgId, fpid));
        const changes = byOrg.get(orgId) ?? [];
        changes.push({ kind: 'identity', key, time: clock.after(atMs, null), body: { ecid } });
        byOrg.set(orgId, changes);
      }
      const appended = [...byOrg].map(([orgId, changes]) => {
        const requestId = `${name}-${rows[0]![0]}`;
        const rest = { datastreamId: '', path: '', ecid: null, meta: {}, events: [], raw: null };
        return storage.log.append({ requestId, atMs, orgId, changes, ...rest });
      });
      await Promise.all(appended);
      return [];
    },
  };
}

const SET_CONSENT = '/v1/privacy/set-consent';
/** An import waits for the disk as long as it takes. */
const DEADLINE_MS = 60_000;

/** Each row goes the way of a set-consent, from the parsing of its body to the log: it means the same, now and later. */
function choices({ owner }: ImportRequest, workspace: Workspace, target: Target | null): Kind<Choice> {
  const take = target === null ? judgeOnly : taker(workspace, target);
  return {
    read: (row) => choiceOf(row, owner, workspace.datastreams),
    async store(rows) {
      const results = await Promise.all(rows.map(async ([line, choice]) => [line, await take(line, choice)] as const));
      return results.filter((one): one is readonly [number, string] => one[1] !== null);
    },
  };
}

type Take = (line: number, choice: Choice) => Promise<string | null>;

const judgeOnly: Take = async (_line, { consent }) => {
  try {
    parseConsent(consent as readonly JsonObject[], 'replace');
    return null;
  } catch (error) {
    if (error instanceof Problem) return error.detail;
    throw error;
  }
};

function taker(workspace: Workspace, { storage, tools, decisions, options, name }: Target): Take {
  const { log, state, duplicates } = storage;
  const stagesOf = matrix({ log, state, duplicates, identity: tools, decisions, deciding: null });
  const [endpoint, stages] = stagesOf.find(([{ paths }]) => paths.includes(SET_CONSENT))!;
  const route = { endpoint, path: SET_CONSENT, stages, region: workspace.ownRegion };
  const proxies = new TrustedProxies(options.proxies);
  const fields = fieldsOf({ rawHeaders: ['content-type', 'application/json'], headers: {} });
  return async (line, { datastream, ecid, consent }) => {
    const body = Buffer.from(JSON.stringify({ identityMap: { ECID: [{ id: ecid }] }, consent }));
    // A run after a crash comes to the same rows under the same ids: they are known for retries.
    const ids = requestIds(`${name}-${line}`);
    const incoming = {
      fields,
      peer: '',
      rawHeaders: [],
      role: 'edge',
      encrypted: false,
      route,
      ids,
      nowMs: Date.now(),
    } as const;
    const deadline = { deadlineMs: performance.now() + DEADLINE_MS, reserveMs: answerReserveMs(DEADLINE_MS) };
    const rest = { query: parseQuery(''), givenRequestId: null, ...deadline };
    try {
      const x = accept({ ...incoming, ...rest }, datastream, body, proxies);
      await runStages(stages, x);
      await x.awaiting;
      return null;
    } catch (error) {
      if (error instanceof Problem && error.spec.status < 500) return error.detail;
      throw error;
    }
  };
}
