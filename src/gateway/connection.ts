import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isText } from './fields.ts';
import { KEEP_ALIVE_TIMEOUT_MS } from './one-write.ts';
import { Outlet, type OwnConnection } from './outlet.ts';
import type { WholeRequest } from './whole-request.ts';

/** Old connections go, so that load spreads anew over the servers behind a balancer. Its last answer says `Connection: close`. */
export const REQUESTS_MAX = 1_000;
/**
 * Requests that a connection may send before the one in front of them is answered, in its whole life. Browsers, mobile
 * clients and proxies send none; each one that waits costs 5 KB, and a single read brings thousands.
 */
export const PIPELINED_MAX = 100;
/**
 * After a last answer, what is still on its way is read and thrown away for so long. A connection that is closed on
 * unread bytes is reset, and the client may lose the answer. A few round trips.
 */
export const LINGER_MS = 1_000;
/** Node's own: a client that holds to the advertised time is never cut off. */
const KEEP_ALIVE_SLACK_MS = 1_000;

const STATE = Symbol('connection');

export type OnRequest = (req: WholeRequest, outlet: Outlet) => void;

/** Where node:http's parser hands on what it has read: of no request in the documents, but of every version. */
type OnIncoming = (req: WholeRequest, keepAlive: boolean) => number;
interface Parser {
  onIncoming: OnIncoming | null;
  incoming: WholeRequest | null;
}
type Known = Socket & {
  readonly parser?: Parser | null;
  /** node:http's mark of whose turn it is. */
  readonly _httpMessage?: (ServerResponse & { readonly req: WholeRequest }) | null;
  [STATE]?: Connection;
};

/**
 * What is known of a connection, kept on its socket: no table to look it up in, nothing to clean up. A request that has it
 * to itself is taken from the parser before node:http makes a response for it; when another comes meanwhile, or anything
 * but an answer in one string is asked for, node:http makes it after all, and keeps the order. Without the parser's hook
 * every request goes that way.
 */
class Connection implements OwnConnection {
  readonly #socket: Known;
  readonly #onRequest: OnRequest;
  readonly #silenceMs: number;
  #byNode: OnIncoming | null = null;
  requests = 0;
  pipelined = 0;
  /** Its last request has been taken: nothing that follows is one. */
  isOver = false;
  /** The request that has the connection to itself. */
  #req: WholeRequest | null = null;
  #outlet: Outlet | null = null;
  /** The one that node:http is making a response for. */
  #due: Outlet | null = null;
  /** node:http's responses that are not over. */
  #responses = 0;
  #timeoutMs: number;
  readonly peer: string;

  constructor(socket: Known, onRequest: OnRequest, silenceMs: number) {
    this.peer = socket.remoteAddress ?? '';
    this.#socket = socket;
    this.#onRequest = onRequest;
    this.#silenceMs = silenceMs;
    this.#timeoutMs = silenceMs;
  }

  /** To be called when node:http has got the socket, and before its first byte. */
  takeFromParser(): void {
    const { parser } = this.#socket;
    if (typeof parser?.onIncoming !== 'function') return;
    this.#byNode = parser.onIncoming;
    const take: OnIncoming = (req, keepAlive) => this.#take(req, keepAlive);
    parser.onIncoming = take;
    this.#socket.once('close', () => this.#outlet?.close());
  }

  #take(req: WholeRequest, keepAlive: boolean): number {
    if (this.#outlet !== null) this.makeResponse();
    if (!keepAlive || !this.#isFree() || !isPlain(req)) {
      this.#timeOutAfter(this.#silenceMs);
      return this.#byNode!(req, keepAlive);
    }
    this.requests += 1;
    this.#req = req;
    this.#outlet = new Outlet(this);
    this.#onRequest(req, this.#outlet);
    return 0;
  }

  /** Nobody else's answer is still to leave, and another request may follow. */
  #isFree(): boolean {
    return (
      this.#responses === 0 && this.#socket.writableLength === 0 && !this.isOver && this.requests < REQUESTS_MAX - 1
    );
  }

  get isGone(): boolean {
    return this.#socket.destroyed;
  }

  /** Of the request that has the connection to itself, if there is one. */
  makeResponse(): void {
    const req = this.#req;
    if (req === null) return;
    this.#due = this.#outlet;
    this.#forget();
    this.#timeOutAfter(this.#silenceMs);
    this.#byNode!(req, true);
  }

  write(answer: string): void {
    const socket = this.#socket;
    const req = this.#req!;
    const outlet = this.#outlet!;
    this.#forget();
    // As node:http does: an idle connection holds no request.
    if (socket.parser?.incoming === req) socket.parser.incoming = null;
    socket.write(answer);
    if (socket.writableLength === 0) {
      this.#timeOutAfter(KEEP_ALIVE_TIMEOUT_MS + KEEP_ALIVE_SLACK_MS);
      outlet.close();
      return;
    }
    this.#timeOutAfter(this.#silenceMs);
    socket.write('', () => {
      if (this.#outlet === null && this.#responses === 0) {
        this.#timeOutAfter(KEEP_ALIVE_TIMEOUT_MS + KEEP_ALIVE_SLACK_MS);
      }
      outlet.close();
    });
  }

  #forget(): void {
    this.#req = null;
    this.#outlet = null;
  }

  /** A timer is made only where the time changes: the socket itself begins it anew with whatever moves. */
  #timeOutAfter(ms: number): void {
    if (ms === this.#timeoutMs || this.#socket.destroyed) return;
    this.#timeoutMs = ms;
    this.#socket.setTimeout(ms);
  }

  /** What node:http calls with a response that it has made. */
  responds(req: WholeRequest, res: ServerResponse): void {
    this.#responses += 1;
    res.on('close', () => {
      this.#responses -= 1;
    });
    const due = this.#due;
    if (due !== null) {
      this.#due = null;
      due.attach(res);
      return;
    }
    if (this.isOver) {
      req.resume();
      return;
    }
    this.requests += 1;
    // An answer gets its socket when the one before it has left.
    if (res.socket === null) this.pipelined += 1;
    // Node goes on with the protocol that is there, as it may, but throws away the bytes that it has read behind such a request.
    const asksForAnother = req.headers.upgrade !== undefined;
    if (asksForAnother || this.requests >= REQUESTS_MAX || this.pipelined >= PIPELINED_MAX) {
      this.isOver = true;
      res.setHeader('connection', 'close');
    }
    this.#onRequest(req, Outlet.of(res));
  }
}

/** Of HTTP/1.1 and with a body, and asks for nothing that node:http has to do before it. */
function isPlain({ method, httpVersionMinor, upgrade, rawHeaders }: WholeRequest & { upgrade?: boolean }): boolean {
  if (method !== 'POST' || httpVersionMinor !== 1 || upgrade === true) return false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 6 && isText(name, 'expect')) return false;
    if (name.length === 7 && isText(name, 'upgrade')) return false;
  }
  return true;
}

/**
 * From now on the requests of a connection are counted, and a last answer ends it without a reset. `direct`: whether
 * answers may leave past node:http; not where its responses are what is asked for. `silenceMs`: the server's `timeout`.
 */
export function watchConnection(socket: Socket, onRequest: OnRequest, direct: boolean, silenceMs: number): void {
  const connection = new Connection(socket, onRequest, silenceMs);
  (socket as Known)[STATE] = connection;
  if (direct) connection.takeFromParser();
  // What node:http calls when a last answer has been sent.
  socket.destroySoon = linger;
}

/** node:http's `request` event: its connection has been watched since it was there. */
export function requestByNode(req: WholeRequest, res: ServerResponse): void {
  (req.socket as Known)[STATE]!.responds(req, res);
}

/** node:http's response whose turn it is; null where nothing is under way. */
export function currentResponse(socket: Socket): (ServerResponse & { readonly req: WholeRequest }) | null {
  (socket as Known)[STATE]?.makeResponse();
  return (socket as Known)._httpMessage ?? null;
}

/** The request that is being read was answered before its body was there. */
export function isAnswered(socket: Socket): boolean {
  const { parser } = socket as Known;
  return parser?.incoming?.complete === false && currentResponse(socket)?.headersSent !== false;
}

/** The address of the other end; "" where the connection was gone before it was looked at. */
export function peerOf(socket: Socket): string {
  return (socket as Known)[STATE]?.peer ?? socket.remoteAddress ?? '';
}

/** Nothing that follows on this connection is a request any more, though it may look like one, and be here already. */
export function refuseMore(socket: Socket): void {
  const connection = (socket as Known)[STATE];
  if (connection !== undefined) connection.isOver = true;
}

export function isOver(socket: Socket): boolean {
  return (socket as Known)[STATE]?.isOver === true;
}

/** Sends what there is to send and closes this end; the other end has a moment to do the same. */
function linger(this: Socket): void {
  refuseMore(this);
  this.end();
  const timer = setTimeout(() => this.destroy(), LINGER_MS);
  this.once('close', () => clearTimeout(timer));
}
