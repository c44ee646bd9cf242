import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Workspace } from '../model/datastream.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Matrix } from '../model/parts.ts';
import { Problem } from '../model/problem.ts';
import type { TrustedProxies } from '../net/proxies.ts';
import { runStages } from '../stages/run.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { Log } from '../telemetry/log.ts';
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
    if (found === 'not-found' && role === 'edge' && sendPage(req, res, workspace.pages, pathname)) return;
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
    const fail = (error: unknown): void => this.#fail(to, error);
    this.#count(res);
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
        fail,
        (body) => {
          const datastream = findDatastream(workspace, found.path, query);
          if (!isAllowed(to.origin, datastream)) throw originNotAllowed(to.origin ?? '');
          return accept(incoming, datastream, body, this.#deps.proxies);
        },
        found,
      );
    } catch (error) {
      fail(error);
    }
  }

  /** The body within the deadline, then the stages, then the answer: at most one of them. */
  #receive(
    to: Answerable,
    req: IncomingMessage,
    fail: (error: unknown) => void,
    begin: (body: Buffer) => Exchange,
    route: Route,
  ): void {
    let x: Exchange | null = null;
    let answered = false;
    const once = (answer: () => void): void => {
      if (answered) return;
      answered = true;
      clearTimeout(timer);
      answer();
    };
    const timer = setTimeout(() => {
      if (x !== null) x.expired = true;
      once(() => fail(late(x === null)));
    }, this.#deps.deadlineMs);
    to.res.on('close', () => clearTimeout(timer));
    readBody(req, this.#deps.requestBytesMax, (body) => {
      if (answered) return;
      try {
        if (body === TOO_LARGE) throw tooLarge(this.#deps.requestBytesMax);
        x = begin(body);
      } catch (error) {
        return once(() => fail(error));
      }
      const exchange = x;
      runStages(route.stages, exchange).then(
        () => once(() => this.#succeed(to, exchange, route)),
        (error) => once(() => fail(error)),
      );
    });
  }

  #succeed(to: Answerable, x: Exchange, route: Route): void {
    this.#deps.counters.countEvents(x.events);
    try {
      respond(to, x, route.endpoint.success(x));
    } catch (error) {
      this.#fail(to, error);
    }
  }

  #nowhere(to: Answerable, why: NoRoute, pathname: string): void {
    if (why === 'unknown-hint') {
      respondEmpty(to, 404);
      return;
    }
    throw why === 'media' ? noMedia() : nothingAt(pathname, this.#deps.basePath);
  }

  #fail(to: Answerable, error: unknown): void {
    const failure = error instanceof Problem ? error : unexpected(error);
    const { code, status } = failure.spec;
    this.#deps.counters.countProblem(code, status);
    if (status >= 500)
      this.#deps.log.error({ requestId: to.requestId, code, status, cause: causeOf(failure) }, 'request failed');
    if (to.res.headersSent || to.res.destroyed) return;
    respondProblem(to, failure);
  }

  #count(res: ServerResponse): void {
    this.#inFlight += 1;
    res.once('close', () => {
      this.#inFlight -= 1;
    });
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
