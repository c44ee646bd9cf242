import { createServer, IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { Problem } from '../model/problem.ts';
import { type OnRequest, requestByNode, watchConnection } from './connection.ts';
import type { ConnectionBudget } from './connection-budget.ts';
import { Deadlines } from './deadlines.ts';
import { framingFault, HEADERS_MAX } from './framing.ts';
import { KEEP_ALIVE_TIMEOUT_MS } from './one-write.ts';
import { REQUEST_TIMEOUT, refuseTunnel, refuseUnreadable } from './unreadable.ts';
import { WholeRequest } from './whole-request.ts';

/** Slow or silent clients are cut off after these; the request's own deadline is shorter. Node's defaults are 60 s and 300 s. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** How often Node looks for them: with its default (30 s) the limits above would be late by that much. */
const CHECK_INTERVAL_MS = 1_000;
/**
 * Of those that one look finds, so many are refused a millisecond, at 0.1 ms each. Sixteen held up whoever came meanwhile for
 * longer than most requests take. No answer is due by then: 5,000 that are late together may take 6 s.
 */
export const REFUSED_AT_ONCE = 1;
const HEADER_BYTES_MAX = 16 * 1024;
/**
 * A connection on which nothing moves for so long, in the middle of a request or its answer, belongs to a client that
 * does not read: the server's own work is over by the deadline (4.5 s at most), the client's sending by the limits above.
 * Node looks whether bytes have left since the answer was written, so it may take twice as long until it is cut off.
 */
const SILENCE_MS = 15_000;

export interface Address {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly tls?: TlsKeys;
}

/** PEM. */
export interface TlsKeys {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface Listening {
  /** "http://127.0.0.1:8080" */
  readonly url: string;
  /** Takes no more connections, and serves those that there are; resolves when the last one is gone. */
  close(): Promise<void>;
  /** Cuts every connection, also the idle ones. */
  closeNow(): void;
  /** New connections get this certificate; those that are there keep theirs. Only of a listener with TLS. */
  renewTls(tls: TlsKeys): void;
}

export interface ListenerDeps {
  readonly onRequest: OnRequest;
  /** Its requests are read as streams, by code that is not ours: `onRequest` gets them, and the response, as node:http makes them. */
  readonly readsStreams?: true;
  /** A connection could not be accepted. */
  readonly onError: (error: Error) => void;
  /** Bytes that were no request were answered with this. */
  readonly onUnreadable: (failure: Problem) => void;
  readonly connections: ConnectionBudget;
  /** Default `SILENCE_MS`. */
  readonly silenceMs?: number;
}

const OPTIONS: ServerOptions<typeof WholeRequest, typeof ServerResponse> = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: CHECK_INTERVAL_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  maxHeaderSize: HEADER_BYTES_MAX,
  noDelay: true,
  // Never, also where the environment's NODE_OPTIONS asks for it.
  insecureHTTPParser: false,
  // Node's own answer has no body; ours is framing.ts's.
  requireHostHeader: false,
};

/** Opens one listener. A port that is taken is an error that names it and the way out. */
export async function listen(name: string, address: Address, deps: ListenerDeps): Promise<Listening> {
  const { host, port, tls } = address;
  // What reads streams takes any request, so the type of the other may stand for both.
  const Request = (deps.readsStreams === true ? IncomingMessage : WholeRequest) as typeof WholeRequest;
  const options = { ...OPTIONS, IncomingMessage: Request };
  const server: Server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({ ...options, handshakeTimeout: HEADERS_TIMEOUT_MS, ...tls });
  const connections = defend(server, deps);
  await new Promise<void>((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void => reject(explain(error, name, address));
    server.once('error', refused);
    server.listen(port, host, () => {
      server.removeListener('error', refused);
      // Later ones are of connections that could not be accepted (too many open files): the listener goes on.
      server.on('error', deps.onError);
      resolve();
    });
  });
  const bound = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${shown(host)}:${bound.port}`,
    close: () =>
      new Promise((resolve) => {
        // Not that of `server`: it cuts connections that look idle although a request is on its way to them.
        NetServer.prototype.close.call(server, () => resolve());
      }),
    closeNow() {
      server.close(); // Ends its look at slow clients too.
      // Not `closeAllConnections`: it knows none whose TLS handshake is not over.
      for (const socket of connections) socket.destroy();
    },
    renewTls({ cert, key }) {
      if (server instanceof TlsServer) server.setSecureContext({ cert, key });
    },
  };
}

/** Limits, and answers to what is no request. Returns the open connections, kept up to date. */
function defend(server: Server, deps: ListenerDeps): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  const { onRequest, silenceMs = SILENCE_MS } = deps;
  server.timeout = silenceMs;
  server.maxHeadersCount = HEADERS_MAX + 1;
  server.on('connection', (socket: Socket) => {
    if (!deps.connections.take()) {
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      deps.connections.giveBack();
    });
  });
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) =>
    watchConnection(socket, onRequest, deps.readsStreams !== true, silenceMs),
  );
  server.on('request', requestByNode);
  server.on('checkContinue', (req: WholeRequest, res: ServerResponse) => {
    if (framingFault(req) === null) res.writeContinue();
    requestByNode(req, res);
  });
  // Any other expectation is a fault of framing.
  server.on('checkExpectation', requestByNode);
  const late = new Deadlines(() => performance.now(), REFUSED_AT_ONCE);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const refuse = (): void => refuseUnreadable(error, socket, deps.onUnreadable);
    // One look finds all that are late.
    if (error.code === REQUEST_TIMEOUT) late.begin({ expire: refuse }, performance.now());
    else refuse();
  });
  server.on('connect', (_req: WholeRequest, socket: Socket) => refuseTunnel(socket, deps.onUnreadable));
  return open;
}

function explain(error: NodeJS.ErrnoException, name: string, { host, port }: Address): Error {
  const option = `--${name}-port`;
  if (error.code === 'EADDRINUSE')
    return new Error(
      `Port ${port} on ${host} is in use. Stop what listens there, or choose another with ${option} (0 picks a free one).`,
      { cause: error },
    );
  if (error.code === 'EACCES')
    return new Error(`Port ${port} needs more rights than this process has. Choose one above 1023 with ${option}.`, {
      cause: error,
    });
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new Error(`This machine has no address '${host}'. Choose another with --host.`, { cause: error });
  return error;
}

/** An address that means every one is shown as the one to open. */
function shown(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
