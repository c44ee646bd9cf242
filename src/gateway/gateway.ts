import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Workspace } from '../model/datastream.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Endpoint, Matrix } from '../model/parts.ts';
import { Problem } from '../model/problem.ts';
import type { TrustedProxies } from '../net/proxies.ts';
import { runStages } from '../stages/run.ts';
import { type Counters, codeOf, fatesOf } from '../telemetry/counters.ts';
import { ABORTED, type Failure } from '../telemetry/ledger.ts';
import type { Log } from '../telemetry/log.ts';
import { NO_ENDPOINT } from '../telemetry/requests.ts';
import { accept } from './accept.ts';
import { readBody, TOO_LARGE } from './body.ts';
import { isAllowed, preflightHeaders } from './cors.ts';
import { findDatastream, namedDatastream } from './datastream.ts';
import { requestIds } from './ids.ts';
import { sendPage } from './pages.ts';
import { type NoRoute, Paths, type Route } from './paths.ts';
import { parseQuery } from './query.ts';
import {
  late,
  methodNotAllowed,
  noMedia,
  nothingAt,
  originNotAllowed,
  tooLarge,
  unauthorized,
  unexpected,
} from './refusals.ts';
import { type Answerable, respond, respondEmpty, respondProblem } from './respond.ts';

export interface GatewayDeps {
  /** What requests are judged by, now. */
  readonly workspace: () => Workspace;
  readonly matrix: Matrix;
  readonly proxies: TrustedProxies;
  readonly basePath: string;
  readonly deadlineMs: number;
  readonly requestBytesMax: number;
  readonly counters: Counters;
  readonly log: Log;
}

/** Requests in, answers out. One instance serves every data listener; the listener says which role a request has. */
export class Gateway {
  readonly #deps: GatewayDeps;
  #paths: { readonly of: Workspace; readonly paths: Paths };
  #closing = false;
  #inFlight = 0;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    const workspace = deps.workspace();
    this.#paths = { of: workspace, paths: new Paths(deps.basePath, deps.matrix, workspace) };
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** From now on every answer asks its client to close the connection. */
  startClosing(): void {
    this.#closing = true;
  }

  handler(role: 'edge' | 'server', encrypted: boolean): (req: IncomingMessage, res: ServerResponse) => void {
    return (req, res) => this.#handle(req, res, role, encrypted);
  }

  #pathsFor(workspace: Workspace): Paths {
    if (this.#paths.of !== workspace) {
      this.#paths = { of: workspace, paths: new Paths(this.#deps.basePath, this.#deps.matrix, workspace) };
    }
    return this.#paths.paths;
  }

  #handle(req: IncomingMessage, res: ServerResponse, role: 'edge' | 'server', encrypted: boolean): void {
    const workspace = this.#deps.workspace();
    const url = req.url ?? '/';
    const mark = url.indexOf('?');
    const pathname = mark === -1 ? url : url.slice(0, mark);
    const found = this.#pathsFor(workspace).find(pathname);
    if (found === 'not-found' && role === 'edge' && sendPage(req, res, workspace.pages, pathname)) {
      this.#deps.counters.requests.count(role, 'page', res.statusCode);
      return;
    }
    const query = parseQuery(mark === -1 ? '' : url.slice(mark + 1));
    const given = query.requestId ?? headerOf(req, 'x-request-id');
    const ids = requestIds(given);
    const region = typeof found === 'string' ? workspace.ownRegion : found.region;
    const to: Answerable = {
      res,
      requestId: ids.requestId,
      origin: req.headers.origin ?? null,
      encrypted,
      region,
      datastream: null,
      closing: this.#closing,
    };
    const endpoint = typeof found === 'string' ? null : found.endpoint;
    const entry = new Entry(this.#deps.counters, to, req.method === 'POST' && endpoint?.takesEvents === true);
    this.#count(res, role, endpoint);
    try {
      if (role === 'server') throw unauthorized();
      if (typeof found === 'string') {
        this.#nowhere(to, found, pathname);
        return;
      }
      to.datastream = namedDatastream(workspace, found.path, query);
      if (to.datastream?.access === 'authenticated') throw unauthorized();
      if (req.method !== 'POST') {
        notPost(to, req, found);
        return;
      }
      const incoming = {
        req,
        role,
        encrypted,
        route: found,
        query,
        ids,
        givenRequestId: given,
        nowMs: Date.now(),
        deadlineMs: performance.now() + this.#deps.deadlineMs,
      };
      this.#receive(
        to,
        req,
        entry,
        (body) => {
          const datastream = findDatastream(workspace, found.path, query);
          if (!isAllowed(to.origin, datastream)) throw originNotAllowed(to.origin ?? '');
          return accept(incoming, datastream, body, this.#deps.proxies);
        },
        found,
      );
    } catch (error) {
      this.#fail(to, error, entry);
      entry.unread();
    }
  }

  /** The body within the deadline, then the stages, then the answer: at most one of them. */
  #receive(to: Answerable, req: IncomingMessage, entry: Entry, begin: (body: Buffer) => Exchange, route: Route): void {
    let x: Exchange | null = null;
    let answered = false;
    const fail = (error: unknown): void => this.#fail(to, error, entry);
    const once = (answer: () => void): void => {
      if (answered) return;
      answered = true;
      clearTimeout(timer);
      answer();
    };
    const timer = setTimeout(() => {
      if (x !== null) x.expired = true;
      once(() => fail(late(x === null)));
      if (x === null) entry.unread();
    }, this.#deps.deadlineMs);
    to.res.on('close', () => {
      clearTimeout(timer);
      if (x === null) once(() => entry.aborted());
    });
    readBody(req, this.#deps.requestBytesMax, (body) => {
      if (answered) return;
      try {
        if (body === TOO_LARGE) throw tooLarge(this.#deps.requestBytesMax);
        x = begin(body);
      } catch (error) {
        once(() => fail(error));
        return entry.unread();
      }
      const exchange = x;
      runStages(route.stages, exchange).then(
        () => {
          once(() => this.#succeed(to, exchange, route, entry));
          entry.read(exchange);
        },
        (error) => {
          once(() => fail(error));
          entry.read(exchange);
        },
      );
    });
  }

  #succeed(to: Answerable, x: Exchange, route: Route, entry: Entry): void {
    try {
      respond(to, x, route.endpoint.success(x));
    } catch (error) {
      this.#fail(to, error, entry);
    }
  }

  #nowhere(to: Answerable, why: NoRoute, pathname: string): void {
    if (why === 'unknown-hint') {
      respondEmpty(to, 404);
      return;
    }
    throw why === 'media' ? noMedia() : nothingAt(pathname, this.#deps.basePath);
  }

  #fail(to: Answerable, error: unknown, entry: Entry): void {
    const failure = error instanceof Problem ? error : unexpected(error);
    const { status } = failure.spec;
    const code = codeOf(failure);
    entry.failure = { code, status };
    this.#deps.counters.countProblem(failure);
    if (status >= 500)
      this.#deps.log.error({ requestId: to.requestId, code, status, cause: causeOf(failure) }, 'request failed');
    if (to.res.headersSent || to.res.destroyed) return;
    respondProblem(to, failure);
  }

  #count(res: ServerResponse, role: 'edge' | 'server', endpoint: Endpoint | null): void {
    this.#inFlight += 1;
    res.once('close', () => {
      this.#inFlight -= 1;
      const status = res.headersSent ? res.statusCode : null;
      this.#deps.counters.requests.count(role, endpoint?.name ?? NO_ENDPOINT, status);
    });
  }
}

/** As proxies log it; nobody gets to see it. */
const CLIENT_CLOSED_REQUEST = 499;

/** One request's entry in the ingress ledger: made once, when it is known what became of it. */
class Entry {
  readonly #counters: Counters;
  readonly #to: Answerable;
  #isOpen: boolean;
  /** What it was answered with, where that is a failure. */
  failure: Failure | null = null;

  constructor(counters: Counters, to: Answerable, takesEvents: boolean) {
    this.#counters = counters;
    this.#to = to;
    this.#isOpen = takesEvents;
  }

  /** Its events could not be read. */
  unread(): void {
    if (this.#isOpen) this.#counters.ledger.unread(this.#to.datastream, Date.now(), this.failure!);
    this.#isOpen = false;
  }

  /** The client is gone before its body came. */
  aborted(): void {
    this.failure = { code: ABORTED, status: CLIENT_CLOSED_REQUEST };
    this.unread();
  }

  /** Its stages are over; its own record may still be on its way to disk, where the request has failed. */
  read(x: Exchange): void {
    if (x.appended === null) this.#settle(x, false);
    else
      x.appended.then(
        () => this.#settle(x, true),
        () => this.#settle(x, false),
      );
  }

  #settle(x: Exchange, isStored: boolean): void {
    if (this.#isOpen) this.#counters.ledger.settle(x.datastream, x.nowMs, fatesOf(x.events), isStored, this.failure);
    this.#isOpen = false;
  }
}

function notPost(to: Answerable, req: IncomingMessage, route: Route): void {
  if (req.method !== 'OPTIONS') throw methodNotAllowed(req.method ?? '', route.path);
  to.res.writeHead(204, preflightHeaders(to.origin, to.datastream));
  to.res.end();
}

function headerOf(req: IncomingMessage, name: string): string | null {
  const value = req.headers[name];
  return typeof value === 'string' ? value : null;
}

function causeOf(failure: Problem): string | undefined {
  const { cause } = failure;
  return cause instanceof Error ? (cause.stack ?? cause.message) : cause === undefined ? undefined : String(cause);
}
