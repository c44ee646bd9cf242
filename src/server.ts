import { readFile } from 'node:fs/promises';
import type { Health } from './admin/api.ts';
import { matrix } from './components.ts';
import type { ServerOptions } from './config/options.ts';
import { WorkspaceSource } from './config/watch.ts';
import { Gateway } from './gateway/gateway.ts';
import { type Address, type Listening, listen } from './gateway/listen.ts';
import { TrustedProxies } from './net/proxies.ts';
import { openStorage, type Storage } from './storage.ts';
import { Counters } from './telemetry/counters.ts';
import { createLog, type Log } from './telemetry/log.ts';

export { readLog } from './storage.ts';

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
  const listeners = await openListeners(
    { ...options.listeners, ...given(start.listeners) },
    gateway,
    health,
    log,
  ).catch(async (error) => {
    await storage.close();
    source.close();
    throw error;
  });
  for (const warning of source.current.warnings) log.warn({ what: 'workspace' }, warning);
  source.onChange(({ hash }) => log.info({ what: 'workspace', hash }, 'the workspace was read again and is in force'));
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

interface Listeners {
  readonly urls: Running['urls'];
  readonly all: readonly Listening[];
}

async function openListeners(
  at: ServerOptions['listeners'],
  gateway: Gateway,
  health: () => Health,
  log: Log,
): Promise<Listeners> {
  const all: Listening[] = [];
  const open = async (name: string, address: Address, onRequest: Parameters<typeof listen>[2]): Promise<string> => {
    const one = await listen(name, address, onRequest, (error) =>
      log.error({ what: 'listener', name, error: error.message }, 'a connection could not be accepted'),
    );
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
