import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { TokenStore } from './admin/token-store.ts';
import type { Administration } from './administration.ts';
import { matrix } from './components.ts';
import type { ServerOptions } from './config/options.ts';
import { TlsFiles } from './config/tls-files.ts';
import { WorkspaceSource } from './config/watch.ts';
import { Decisions, decidingTools, decisionTools } from './decision-tools.ts';
import { Access } from './gateway/access.ts';
import { Admission } from './gateway/admission.ts';
import { ADMIN_CONNECTIONS_MAX, ConnectionBudget, connectionsMax } from './gateway/connection-budget.ts';
import { Gateway } from './gateway/gateway.ts';
import { type Address, type ListenerDeps, type Listening, listen } from './gateway/listen.ts';
import { localKey, mintToken } from './gateway/local-issuer.ts';
import { RequestUnits } from './gateway/request-units.ts';
import { identityTools } from './identity-tools.ts';
import { acquireLock } from './log/lock.ts';
import type { JsonObject } from './model/json.ts';
import type { Matrix } from './model/parts.ts';
import { isLoopback } from './net/loopback.ts';
import { TrustedProxies } from './net/proxies.ts';
import { openStorage, type Storage } from './storage.ts';
import { Counters } from './telemetry/counters.ts';
import { createLog, type Log } from './telemetry/log.ts';
import { openTracing } from './telemetry/open-tracing.ts';
import type { Tracing } from './telemetry/tracing.ts';

export { readLog, readLogWithProofs } from './storage.ts';

/** The composition root: options → engines → stages → listeners, and the order in which they stop. */

export interface StartOptions {
  readonly workspace: string;
  readonly data: string;
  /** What the command line says; it wins over weir.yaml. */
  readonly listeners?: { readonly [K in keyof ServerOptions['listeners']]?: ServerOptions['listeners'][K] | undefined };
  readonly log?: Log;
}

export interface Running {
  readonly urls: { readonly edge: string; readonly server: string; readonly admin: string; readonly edgeTls?: string };
  /** Resolves when the event log has failed: the process is to end within a second. */
  readonly failed: Promise<'failed'>;
  /** Reads the workspace again, now. `by`: who asked for it, for the audit log. */
  reload(by: JsonObject): Promise<void>;
  /** Takes no more requests, finishes those under way (10 s at most), makes everything durable. */
  stop(): Promise<void>;
}

export async function startServer(start: StartOptions): Promise<Running> {
  const log = start.log ?? createLog();
  const admin = deferred<Administration>();
  const definitions = new Decisions(start.data);
  const source = await WorkspaceSource.open(start.workspace, {
    report: (message) => log.warn({ what: 'workspace' }, message),
    beforeChange: async (change) => {
      await definitions.prepare(change.to.workspace);
      await (await admin.promise).record(change);
    },
  });
  const { options } = source;
  const tracing = await tracingOf(source, log);
  const failed = deferred<'failed'>();
  const storage = await openStorage(start.data, options, log, failed.resolve);
  const counters = new Counters(Date.now());
  const undo = async (error: unknown): Promise<never> => {
    await storage.close();
    source.close();
    throw error;
  };
  const admission = new Admission(storage.log, { ...options.log, deadlineMs: options.deadlineMs });
  const all = await stagesOf({ start, source, storage, definitions, counters, admission, log }).catch(undo);
  const at = { ...options.listeners, ...given(start.listeners) };
  let edgeUrl: string | null = null;
  const access = new Access({
    keysFolder: keysFolder(start.data),
    deadlineMs: options.deadlineMs,
    edgeUrl: () => (isLoopback(at.host) ? edgeUrl : null),
    log,
    clockMs: () => performance.now(),
  });
  const gateway = new Gateway({
    workspace: () => source.current,
    matrix: all,
    proxies: new TrustedProxies(options.proxies),
    access,
    admission,
    units: new RequestUnits(() => performance.now()),
    basePath: options.basePath,
    deadlineMs: options.deadlineMs,
    requestBytesMax: options.requestBytesMax,
    counters,
    log,
    tracing,
  });
  const listeners = await openListeners(at, gateway, counters, admin.promise, log).catch(undo);
  edgeUrl = listeners.urls.edge;
  for (const warning of source.current.warnings) log.warn({ what: 'workspace' }, warning);
  source.onChange(({ hash }) => log.info({ what: 'workspace', hash }, 'the workspace was read again and is in force'));
  source.onChange((workspace) => definitions.takeOver(workspace));
  let isDraining = false;
  // Behind the ready line: a start does not wait for the admin plane, and whoever calls it does.
  setImmediate(async () => {
    definitions.takeOver(source.current);
    const { Administration } = await import('./administration.ts');
    const parts = { data: start.data, source, storage, counters, tls: listeners.tls, log };
    admin.resolve(
      Administration.open({
        ...parts,
        requestsInFlight: () => gateway.inFlight,
        isDraining: () => isDraining,
        isOpen: options.admin.openStatus || isLoopback(at.adminHost),
      }),
    );
  });
  return {
    urls: listeners.urls,
    failed: failed.promise,
    reload: (by) => source.reload(by),
    async stop() {
      isDraining = true;
      source.close();
      listeners.tls?.close();
      gateway.startClosing();
      await drain(listeners.data, gateway);
      // Last, so that /ready says that the server is stopping for as long as it does.
      await Promise.all([listeners.admin.close(), listeners.admin.closeNow()]);
      await (await admin.promise).close();
      await Promise.all([storage.close(), tracing?.close()]);
    },
  };
}

interface Parts {
  readonly start: StartOptions;
  readonly source: WorkspaceSource;
  readonly storage: Storage;
  readonly definitions: Decisions;
  readonly counters: Counters;
  readonly admission: Admission;
  readonly log: Log;
}

/** The matrix of endpoints and stages, with this installation's keys; the definitions in force are ready, and events kept as the workspace says. */
async function stagesOf({ start, source, storage, definitions, counters, admission, log }: Parts): Promise<Matrix> {
  const { options } = source;
  const keys = keysFolder(start.data);
  const [identity, decisions] = await Promise.all([
    identityTools(keys, options, counters, log, (message) => log.warn({ what: 'identity' }, message)),
    decisionTools(keys, options.decisions.keysFile, counters),
    definitions.prepare(source.current),
    storage.expiry.follow(source),
  ]);
  const isStrained = (): boolean => !admission.hasTimeToDecide;
  return matrix({
    ...{ log: storage.log, state: storage.state, duplicates: storage.duplicates, identity, decisions },
    deciding: decidingTools(decisions, definitions, options.decisions.budgetMs, isStrained, log),
  });
}

async function tracingOf(source: WorkspaceSource, log: Log): Promise<Tracing | null> {
  try {
    return await openTracing({ ...source.options.tracing, env: process.env, log });
  } catch (error) {
    source.close();
    throw error;
  }
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T | Promise<T>) => void } {
  let resolve: (value: T | Promise<T>) => void = () => {};
  const promise = new Promise<T>((resolvePromise) => {
    resolve = resolvePromise;
  });
  return { promise, resolve };
}

/** The admin tokens of a data folder, whether a server uses it or not. */
export async function adminTokens(data: string): Promise<TokenStore> {
  const { adminStore } = await import('./admin/store.ts');
  return adminStore(data, acquireLock).tokens;
}

/** An access token for one org, signed with the key pair in a data folder, which is made where there is none. */
export async function localToken(data: string, orgId: string, lifetimeSeconds: number): Promise<string> {
  return mintToken(await localKey(keysFolder(data)), orgId, lifetimeSeconds, Date.now());
}

function keysFolder(data: string): string {
  return join(data, 'keys');
}

/** Undefined is "not said" on the command line. */
function given(listeners: StartOptions['listeners']): Partial<ServerOptions['listeners']> {
  return Object.fromEntries(Object.entries(listeners ?? {}).filter(([, value]) => value !== undefined));
}

interface Listeners {
  readonly urls: Running['urls'];
  readonly data: readonly Listening[];
  readonly admin: Listening;
  /** Null without a TLS listener. */
  readonly tls: TlsFiles | null;
}

async function openListeners(
  at: ServerOptions['listeners'],
  gateway: Gateway,
  counters: Counters,
  administration: Promise<Administration>,
  log: Log,
): Promise<Listeners> {
  const all: Listening[] = [];
  const open = async (name: string, address: Address, deps: Omit<ListenerDeps, 'onError'>): Promise<Listening> => {
    const onError = (error: Error): void =>
      log.error({ what: 'listener', name, error: error.message }, 'a connection could not be accepted');
    const one = await listen(name, address, { ...deps, onError });
    all.push(one);
    return one;
  };
  const connections = new ConnectionBudget(connectionsMax(), () => counters.countShed('connections'));
  const depsOf = (role: 'edge' | 'server', encrypted: boolean): Omit<ListenerDeps, 'onError'> => ({
    onRequest: gateway.handler(role, encrypted),
    onUnreadable: (failure) => counters.countUnreadable(role, failure),
    connections,
  });
  let tls: TlsFiles | null = null;
  try {
    const edge = await open('edge', { host: at.host, port: at.edgePort }, depsOf('edge', false));
    const server = await open('server', { host: at.host, port: at.serverPort }, depsOf('server', false));
    tls = await tlsFiles(at, log);
    const data = [edge, server];
    if (tls !== null) {
      const address = { host: at.host, port: at.tlsPort!, tls: tls.current };
      const edgeTls = await open('tls', address, depsOf('edge', true));
      tls.onChange((pair) => edgeTls.renewTls(pair));
      data.push(edgeTls);
    }
    const admin = await open('admin', { host: at.adminHost, port: at.adminPort }, adminDeps(administration, log));
    const [, , edgeTls] = data;
    const urls = { edge: edge.url, server: server.url, admin: admin.url };
    return { data, admin, tls, urls: edgeTls === undefined ? urls : { ...urls, edgeTls: edgeTls.url } };
  } catch (error) {
    tls?.close();
    await Promise.all(all.flatMap((one) => [one.close(), one.closeNow()]));
    throw error;
  }
}

/** Its refusals are not counted: they are nobody's events. */
function adminDeps(administration: Promise<Administration>, log: Log): Omit<ListenerDeps, 'onError'> {
  return {
    readsStreams: true,
    onRequest: (req, { res }) => {
      administration
        .then(({ handle }) => handle(req, res))
        .catch((error: Error) => {
          log.error({ what: 'admin', error: error.stack }, 'the admin plane could not be loaded');
          res.destroy();
        });
    },
    onUnreadable() {},
    connections: new ConnectionBudget(ADMIN_CONNECTIONS_MAX, () => {}),
  };
}

async function tlsFiles(at: ServerOptions['listeners'], log: Log): Promise<TlsFiles | null> {
  const { tlsPort, tlsCert, tlsKey } = at;
  if (tlsPort === null && tlsCert === null && tlsKey === null) return null;
  if (tlsPort === null || tlsCert === null || tlsKey === null) {
    throw new Error(
      'TLS needs all three of --tls-port, --tls-cert and --tls-key (or listeners.tlsPort, tlsCert and tlsKey in weir.yaml).',
    );
  }
  const report = (message: string): void => log.warn({ what: 'tls' }, message);
  return await TlsFiles.open({ certPath: tlsCert, keyPath: tlsKey, report });
}

/** Connections that are still busy after this are cut: an orchestrator's patience is 10 s. */
const DRAIN_MS = 9_000;
/**
 * So long an open connection is served once more, even if it looks idle: a request may be on its way, and its answer then
 * tells the client to close. Several round trips.
 */
const LINGER_MS = 250;

async function drain(listeners: readonly Listening[], gateway: Gateway): Promise<void> {
  const closed = Promise.all(listeners.map((one) => one.close()));
  const until = Date.now() + DRAIN_MS;
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, LINGER_MS))]);
  while (gateway.inFlight > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const one of listeners) one.closeNow();
  await closed;
}
