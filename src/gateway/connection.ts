import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
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

const STATE = Symbol('connection');

/** What is known of a connection, kept on its socket: no table to look it up in, nothing to clean up. */
interface Connection {
  requests: number;
  pipelined: number;
  /** Its last request has been taken: nothing that follows is one. */
  isOver: boolean;
}
export type OnRequest = (req: WholeRequest, res: ServerResponse) => void;

type Known = Socket & { [STATE]?: Connection };

/** From now on `guarded` counts its requests, and a last answer ends it without a reset. */
export function watchConnection(socket: Socket): void {
  (socket as Known)[STATE] = { requests: 0, pipelined: 0, isOver: false };
  // What node:http calls when a last answer has been sent.
  socket.destroySoon = linger;
}

/** Nothing that follows on this connection is a request any more, though it may look like one, and be here already. */
export function refuseMore(socket: Socket): void {
  const connection = (socket as Known)[STATE];
  if (connection !== undefined) connection.isOver = true;
}

export function isOver(socket: Socket): boolean {
  return (socket as Known)[STATE]?.isOver === true;
}

/** `onRequest`, but for what comes behind a connection's last request; that one's answer says that it is the last. */
export function guarded(onRequest: OnRequest): OnRequest {
  return (req, res): void => {
    const connection = (req.socket as Known)[STATE];
    if (connection !== undefined) {
      if (connection.isOver) {
        req.resume();
        return;
      }
      connection.requests += 1;
      // An answer gets its socket when the one before it has left.
      if (res.socket === null) connection.pipelined += 1;
      // Node goes on with the protocol that is there, as it may, but throws away the bytes that it has read behind such a request.
      const asksForAnother = req.headers.upgrade !== undefined;
      if (asksForAnother || connection.requests >= REQUESTS_MAX || connection.pipelined >= PIPELINED_MAX) {
        connection.isOver = true;
        res.setHeader('connection', 'close');
      }
    }
    onRequest(req, res);
  };
}

/** Sends what there is to send and closes this end; the other end has a moment to do the same. */
function linger(this: Socket): void {
  refuseMore(this);
  this.end();
  const timer = setTimeout(() => this.destroy(), LINGER_MS);
  this.once('close', () => clearTimeout(timer));
}
