import { matrix } from '../../src/components.ts';
import { Access, type AccessDeps } from '../../src/gateway/access.ts';
import { Admission } from '../../src/gateway/admission.ts';
import { ConnectionBudget } from '../../src/gateway/connection-budget.ts';
import { Gateway, type GatewayDeps } from '../../src/gateway/gateway.ts';
import { type Listening, listen } from '../../src/gateway/listen.ts';
import { RequestUnits } from '../../src/gateway/request-units.ts';
import type { EventLog, StateStore } from '../../src/model/parts.ts';
import { TrustedProxies } from '../../src/net/proxies.ts';
import { DuplicateWindow } from '../../src/stages/duplicates.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { Counters } from '../../src/telemetry/counters.ts';
import { datastreamOf, decisionTools, identityTools, workspaceOf } from './exchanges.ts';
import { HeldLog } from './held-log.ts';

/** The request path behind real listeners, over parts that a test controls: nothing of the server's own storage. */

export interface GatewayParts extends Partial<GatewayDeps> {
  readonly eventLog?: EventLog;
  readonly state?: StateStore;
}

export interface GatewayServer {
  readonly edge: string;
  readonly server: string;
  readonly gateway: Gateway;
  readonly counters: Counters;
  /** What the operator log was told. */
  readonly told: readonly unknown[][];
  stop(): Promise<void>;
}

export async function startGateway(parts: GatewayParts = {}): Promise<GatewayServer> {
  const { eventLog = automaticLog(), state = new MemoryState(), ...deps } = parts;
  const told: unknown[][] = [];
  const tell = (...args: unknown[]): void => void told.push(args);
  const counters = new Counters(Date.now());
  const workspace = workspaceOf([datastreamOf()]);
  const gateway = new Gateway({
    workspace: () => workspace,
    matrix: matrix({
      log: eventLog,
      state,
      duplicates: new DuplicateWindow(),
      identity: identityTools(),
      decisions: decisionTools(),
      deciding: null,
    }),
    proxies: new TrustedProxies([]),
    access: accessOf(),
    admission: new Admission({ waitMs: 0, queueBytes: 0 }, { deadlineMs: 1, queueAgeMsMax: 1, queueBytesMax: 1 }),
    units: new RequestUnits(() => performance.now()),
    basePath: 'ee',
    tracing: null,
    deadlineMs: 2_000,
    requestBytesMax: 65_536,
    counters,
    log: { info: tell, warn: tell, error: tell },
    ...deps,
  });
  const at = { host: '127.0.0.1', port: 0 };
  const connections = new ConnectionBudget(10_000, () => counters.countShed('connections'));
  const open = (role: 'edge' | 'server'): Promise<Listening> =>
    listen(role, at, {
      onRequest: gateway.handler(role, false),
      onError: throwError,
      onUnreadable: (failure) => counters.countUnreadable(role, failure),
      connections,
    });
  const edge = await open('edge');
  const server = await open('server');
  return {
    edge: edge.url,
    server: server.url,
    gateway,
    counters,
    told,
    async stop() {
      const closed = Promise.all([edge.close(), server.close()]);
      edge.closeNow();
      server.closeNow();
      await closed;
    },
  };
}

/** Keys of local tokens are nowhere; a test that mints some says where. */
export function accessOf(deps: Partial<AccessDeps> = {}): Access {
  return new Access({
    keysFolder: '/nonexistent',
    deadlineMs: 2_000,
    edgeUrl: () => null,
    log: { warn() {} },
    clockMs: () => performance.now(),
    ...deps,
  });
}

function automaticLog(): HeldLog {
  const log = new HeldLog();
  log.automatic = true;
  return log;
}

function throwError(error: Error): never {
  throw error;
}
