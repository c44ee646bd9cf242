import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Health } from './admin/api.ts';
import { endpointAt, matrix } from './components.ts';
import type { ServerOptions } from './config/options.ts';
import { WorkspaceSource } from './config/watch.ts';
import { Gateway } from './gateway/gateway.ts';
import { type Listening, listen } from './gateway/listen.ts';
import { FileLog } from './log/file.ts';
import { acquireLock } from './log/lock.ts';
import { nodeFs } from './log/node-fs.ts';
import { openLogReader } from './log/reader.ts';
import { duplicateKeysOf, type ParseBody, type Stored } from './model/record.ts';
import { TrustedProxies } from './net/proxies.ts';
import { DuplicateWindow } from './stages/duplicates.ts';
import { StateKeeper } from './state/keeper.ts';
import { LmdbState } from './state/lmdb.ts';
import { snapshotDue } from './state/snapshot-policy.ts';
import { Counters } from './telemetry/counters.ts';
import { createLog, type Log } from './telemetry/log.ts';

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
  /** Reads the workspace again, now. */
  reload(): Promise<void>;
  /** Takes no more requests, finishes those under way (10 s at most), makes everything durable. */
  stop(): Promise<void>;
  health(): Health;
}

/** A partition is one writer process; a server without a cluster has one. */
const PARTITION = 0;
const parseBody: ParseBody = (path, body) => endpointAt(path).parse(path, body);

export async function startServer(start: StartOptions): Promise<Running> {
  const log = start.log ?? createLog();
  const source = await WorkspaceSource.open(start.workspace, {
    report: (message) => log.warn({ what: 'workspace' }, message),
  });
  const { options } = source;
  let fail: (why: 'failed') => void = () => {};
  const failed = new Promise<'failed'>((resolve) => {
    fail = resolve;
  });
  const storage = await openStorage(start.data, options, log, fail);
  const counters = new Counters();
  const gateway = new Gateway({
    workspace: () => source.current,
    matrix: matrix({ log: storage.log, state: storage.state, duplicates: storage.duplicates }),
    proxies: new TrustedProxies(options.proxies),
    basePath: options.basePath,
    deadlineMs: options.deadlineMs,
    requestBytesMax: options.requestBytesMax,
    counters,
    log,
  });
  const startedAt = new Date().toISOString();
  const health = (): Health => healthOf(startedAt, source, storage, counters);
  const listeners = await openListeners({ ...options.listeners, ...given(start.listeners) }, gateway, health).catch(
    async (error) => {
      await storage.close();
      source.close();
      throw error;
    },
  );
  for (const warning of source.current.warnings) log.warn({ what: 'workspace' }, warning);
  return {
    urls: listeners.urls,
    failed,
    reload: () => source.reload(),
    health,
    async stop() {
      source.close();
      gateway.startClosing();
      await drain(listeners.all, gateway);
      await storage.close();
    },
  };
}

/** Undefined is "not said" on the command line. */
function given(listeners: StartOptions['listeners']): Partial<ServerOptions['listeners']> {
  return Object.fromEntries(Object.entries(listeners ?? {}).filter(([, value]) => value !== undefined));
}

interface Storage {
  readonly log: FileLog;
  readonly state: LmdbState;
  readonly duplicates: DuplicateWindow;
  readonly damage: readonly string[];
  close(): Promise<void>;
}

/** How often snapshots and retention are looked after. */
const UPKEEP_MS = 60_000;

/** A snapshot when one is due, then whatever the log may drop. A failure is reported, and tried again next time. Returns how to stop. */
function startUpkeep(keeper: StateKeeper, log: FileLog, report: (message: string) => void): () => void {
  let bytesAtSnapshot = 0;
  const upkeep = async (): Promise<void> => {
    const bytes = log.writtenBytes - bytesAtSnapshot;
    if (snapshotDue({ ...(await keeper.sinceSnapshot()), bytes })) {
      await keeper.snapshot();
      bytesAtSnapshot += bytes;
    }
    await log.retain();
  };
  const timer = setInterval(() => {
    upkeep().catch((error: Error) => report(`A snapshot or retention failed: ${error.message}`));
  }, UPKEEP_MS);
  return () => clearInterval(timer);
}

/** Log first, then state from it, then the duplicates of the last minutes: the order that recovery needs. */
async function openStorage(
  data: string,
  options: ServerOptions,
  log: Log,
  fail: (why: 'failed') => void,
): Promise<Storage> {
  await mkdir(data, { recursive: true });
  const unlock = await acquireLock(join(data, 'LOCK'));
  try {
    return await openLocked(data, options, log, fail, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function openLocked(
  data: string,
  options: ServerOptions,
  log: Log,
  fail: (why: 'failed') => void,
  unlock: () => void,
): Promise<Storage> {
  const damage: string[] = [];
  const report = (message: string): void => {
    damage.push(message);
    log.warn({ what: 'storage' }, message);
  };
  const state = await LmdbState.open(join(data, 'state'), { report });
  const keeper = await StateKeeper.open({
    fs: nodeFs,
    directory: join(data, 'snapshots'),
    store: state,
    partition: PARTITION,
    report,
  });
  const eventLog = await FileLog.open({
    fs: nodeFs,
    directory: join(data, 'log'),
    partition: PARTITION,
    ...options.log,
    parseBody,
    onSynced: (applied) => keeper.apply(applied),
    mayDropBefore: () => keeper.mayDropBefore(),
    onFatal(error) {
      log.error(
        { what: 'log', error: error.message },
        'the event log failed: nothing more is acknowledged, and the process stops',
      );
      fail('failed');
    },
    report,
  });
  await keeper.recover(eventLog);
  const duplicates = await rebuildDuplicates(eventLog, options);
  const stopUpkeep = startUpkeep(keeper, eventLog, report);
  return {
    log: eventLog,
    state,
    duplicates,
    damage,
    async close() {
      stopUpkeep();
      await eventLog.close();
      await keeper.snapshot();
      await state.close();
      unlock();
    },
  };
}

/** Reads the tail of the log that the window covers, at most as many records as the window holds entries. */
async function rebuildDuplicates(log: FileLog, options: ServerOptions): Promise<DuplicateWindow> {
  const { windowMs, entriesMax } = options.duplicates;
  const window = new DuplicateWindow(windowMs, entriesMax);
  const never = new AbortController().signal;
  const oldest = log.nextOffset - entriesMax;
  let from: { timeMs: number } | { partition: number; offset: number } = { timeMs: Date.now() - windowMs };
  for await (const { position } of log.read(from, false, never)) {
    if (position.offset < oldest) from = { partition: PARTITION, offset: oldest };
    break;
  }
  for await (const { position, record } of log.read(from, false, never)) {
    const durable = Promise.resolve(position);
    for (const { dedupKey, payloadHash } of duplicateKeysOf(record)) {
      if (payloadHash === '') continue;
      const entry = window.add(record.datastreamId, dedupKey, payloadHash, record.ecid, record.atMs, durable);
      window.stored(entry, durable, position);
    }
  }
  return window;
}

interface Listeners {
  readonly urls: Running['urls'];
  readonly all: readonly Listening[];
}

async function openListeners(
  at: ServerOptions['listeners'],
  gateway: Gateway,
  health: () => Health,
): Promise<Listeners> {
  const all: Listening[] = [];
  const open = async (...args: Parameters<typeof listen>): Promise<string> => {
    const one = await listen(...args);
    all.push(one);
    return one.url;
  };
  try {
    const edge = await open('edge', { host: at.host, port: at.edgePort }, gateway.handler('edge', false));
    const server = await open('server', { host: at.host, port: at.serverPort }, gateway.handler('server', false));
    const tls = await tlsFiles(at);
    const edgeTls =
      tls === null
        ? undefined
        : await open('tls', { host: at.host, port: at.tlsPort!, tls }, gateway.handler('edge', true));
    const { createAdmin } = await import('./admin/api.ts');
    const app = createAdmin(health);
    await app.ready();
    const admin = await open('admin', { host: at.adminHost, port: at.adminPort }, (req, res) => app.routing(req, res));
    return { all, urls: { edge, server, admin, ...(edgeTls === undefined ? {} : { edgeTls }) } };
  } catch (error) {
    await Promise.all(all.map((one) => one.close()));
    throw error;
  }
}

async function tlsFiles(at: ServerOptions['listeners']): Promise<{ cert: Buffer; key: Buffer } | null> {
  const { tlsPort, tlsCert, tlsKey } = at;
  if (tlsPort === null && tlsCert === null && tlsKey === null) return null;
  if (tlsPort === null || tlsCert === null || tlsKey === null) {
    throw new Error(
      'TLS needs all three of --tls-port, --tls-cert and --tls-key (or listeners.tlsPort, tlsCert and tlsKey in weir.yaml).',
    );
  }
  return { cert: await readFile(tlsCert), key: await readFile(tlsKey) };
}

/** Connections that are still busy after this are cut: an orchestrator's patience is 10 s. */
const DRAIN_MS = 9_000;

async function drain(listeners: readonly Listening[], gateway: Gateway): Promise<void> {
  const closed = Promise.all(listeners.map((one) => one.close()));
  const until = Date.now() + DRAIN_MS;
  while (gateway.inFlight > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const one of listeners) one.closeNow();
  await closed;
}

function healthOf(startedAt: string, source: WorkspaceSource, storage: Storage, counters: Counters): Health {
  const { status } = source;
  const refusing = storage.log.refusing;
  const rejected = status.lastError ?? [];
  return {
    status: refusing === null && rejected.length === 0 && storage.damage.length === 0 ? 'ok' : 'degraded',
    durability: 'local-fsync',
    startedAt,
    workspace: {
      hash: status.hash,
      loadedAt: new Date(status.loadedAtMs).toISOString(),
      rejected: rejected.map(String),
      warnings: status.warnings,
    },
    log: { nextOffset: storage.log.nextOffset, refusing, damage: storage.damage },
    eventsSinceStart: counters.events,
    problemsSinceStart: counters.problems,
  };
}

/** The log of a data folder for reading only, whether a server writes it or not. `report` is told of damage that was skipped. */
export async function* readLog(
  data: string,
  follow: boolean,
  signal: AbortSignal,
  report: (message: string) => void,
): AsyncIterable<Stored> {
  const reader = await openLogReader({
    fs: nodeFs,
    directory: join(data, 'log'),
    partition: PARTITION,
    parseBody,
    report,
  });
  yield* reader.read('start', follow, signal);
}
