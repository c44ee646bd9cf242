import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import { answerReserveMs } from '../model/answer-reserve.ts';
import type { Datastream, Workspace } from '../model/datastream.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Endpoint, Matrix } from '../model/parts.ts';
import type { TrustedProxies } from '../net/proxies.ts';
import { NO_ENDPOINT } from '../telemetry/requests.ts';
import type { RequestTrace, Tracing } from '../telemetry/tracing.ts';
import { accept } from './accept.ts';
import type { Access } from './access.ts';
import type { Admission } from './admission.ts';
import { Call, type CallDeps } from './call.ts';
import { type OnRequest, peerOf, refuseMore } from './connection.ts';
import { isAllowed } from './cors.ts';
import { existingDatastream, findDatastream, namedDatastream } from './datastream.ts';
import { Deadlines } from './deadlines.ts';
import { fieldsOf } from './fields.ts';
import { framingFault } from './framing.ts';
import { requestIds } from './ids.ts';
import type { Outlet } from './outlet.ts';
import { sendPage } from './pages.ts';
import { type NoRoute, Paths, type Route } from './paths.ts';
import { parseQuery } from './query.ts';
import { methodNotAllowed, noMedia, nothingAt, originNotAllowed } from './refusals.ts';
import { type RequestUnits, UNITS_USED_UP } from './request-units.ts';
import { type Answerable, respondEmpty, respondPreflight } from './respond.ts';
import { Turn } from './turn.ts';
import type { WholeRequest } from './whole-request.ts';

export interface GatewayDeps extends CallDeps {
  readonly deadlineMs: number;
  /** What requests are judged by, now. */
  readonly workspace: () => Workspace;
  readonly matrix: Matrix;
  readonly proxies: TrustedProxies;
  readonly access: Access;
  readonly admission: Admission;
  readonly units: RequestUnits;
  readonly basePath: string;
  /** Null where nobody wants traces. */
  readonly tracing: Tracing | null;
}

/** Requests in, answers out. One instance serves every data listener; the listener says which role a request has. */
export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #deadlines = new Deadlines(() => performance.now());
  readonly #turn = new Turn();
  #paths: { readonly of: Workspace; readonly paths: Paths };
  #closing = false;
  #inFlight = 0;
  readonly #pageIsOver = (): void => {
    this.#inFlight -= 1;
  };

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

  handler(role: 'edge' | 'server', encrypted: boolean): OnRequest {
    return (req, outlet) => this.#handle(req, outlet, role, encrypted);
  }

  #pathsFor(workspace: Workspace): Paths {
    if (this.#paths.of !== workspace) {
      this.#paths = { of: workspace, paths: new Paths(this.#deps.basePath, this.#deps.matrix, workspace) };
    }
    return this.#paths.paths;
  }

  #handle(req: WholeRequest, outlet: Outlet, role: 'edge' | 'server', encrypted: boolean): void {
    const workspace = this.#deps.workspace();
    const url = req.url ?? '/';
    const mark = url.indexOf('?');
    const pathname = mark === -1 ? url : url.slice(0, mark);
    const found = this.#pathsFor(workspace).find(pathname);
    const fault = framingFault(req);
    if (fault !== null) refuseMore(req.socket);
    if (
      fault === null &&
      found === 'not-found' &&
      role === 'edge' &&
      this.#sendPage(req, outlet, workspace, pathname)
    ) {
      return;
    }
    const query = parseQuery(mark === -1 ? '' : url.slice(mark + 1));
    const fields = fieldsOf(req);
    // An empty one, as templates leave it, hides none.
    const given = (query.requestId || fields['x-request-id']) ?? query.requestId;
    const ids = requestIds(given);
    const to: Answerable = {
      outlet,
      status: null,
      requestId: ids.requestId,
      role,
      origin: fields.origin ?? null,
      encrypted,
      region: typeof found === 'string' ? workspace.ownRegion : found.region,
      datastream: null,
      unitsLeft: null,
      closing: this.#closing || fault !== null,
    };
    const route = typeof found === 'string' ? null : found;
    const trace = this.#deps.tracing === null ? null : traceOf(this.#deps.tracing, req, to, route);
    const call = this.#call(to, route?.endpoint ?? null, req.method === 'POST', trace);
    try {
      if (fault !== null) throw fault;
      if (typeof found === 'string') {
        this.#nowhere(to, found, pathname);
        return;
      }
      // On the server listener nobody is told of a datastream before they have said who they are, not even by its CORS rules.
      if (role === 'edge') to.datastream = namedDatastream(workspace, found.path, query);
      if (req.method !== 'POST') {
        notPost(to, req, found);
        return;
      }
      const needsToken = role === 'server' || to.datastream?.access === 'authenticated';
      // Before the body, as one of another org: both are to look alike. And before the overload: waiting does not mend it.
      if (to.datastream === null && !needsToken) existingDatastream(workspace, found.path, query, null);
      const overload = this.#deps.admission.refusal(found.endpoint.demand);
      if (overload !== null) throw overload;
      const nowMs = Date.now();
      const deadlineMs = performance.now() + this.#deps.deadlineMs;
      const admitted = needsToken
        ? this.#deps.access.admit({ headers: req.headers, workspace, path: found.path, query, to, nowMs })
        : undefined;
      const incoming = {
        fields,
        rawHeaders: req.rawHeaders,
        peer: peerOf(req.socket),
        role,
        encrypted,
        route: found,
        query,
        ids,
        givenRequestId: given,
        nowMs,
        deadlineMs,
        reserveMs: answerReserveMs(this.#deps.deadlineMs),
      };
      const begin = (body: Buffer): Exchange => {
        const datastream = findDatastream(workspace, found.path, query);
        if (!isAllowed(to.origin, datastream)) throw originNotAllowed(to.origin ?? '');
        this.#charge(to, datastream, found.endpoint, body.length);
        return accept(incoming, datastream, body, this.#deps.proxies);
      };
      call.receive(req, found, begin, admitted, deadlineMs);
    } catch (error) {
      call.fail(error);
    }
  }

  /** Of the site, where there is one at this path. */
  #sendPage(req: WholeRequest, outlet: Outlet, { pages }: Workspace, pathname: string): boolean {
    if (!sendPage(req, outlet, pages, pathname, this.#closing)) return false;
    this.#inFlight += 1;
    outlet.onClose = this.#pageIsOver;
    this.#deps.counters.requests.count('edge', 'page', 200);
    return true;
  }

  #call(to: Answerable, endpoint: Endpoint | null, isPost: boolean, trace: RequestTrace | null): Call {
    const call = new Call(this.#deps, this.#deadlines, this.#turn, to, isPost && endpoint?.takesEvents === true, trace);
    this.#inFlight += 1;
    const onClose = (): void => {
      this.#inFlight -= 1;
      call.close();
      this.#deps.counters.requests.count(to.role, endpoint?.name ?? NO_ENDPOINT, to.status);
    };
    to.outlet.onClose = onClose;
    return call;
  }

  /** Not before it is known whose request it is, or one org could use up what is another's. */
  #charge(to: Answerable, datastream: Datastream, { demand }: Endpoint, bytes: number): void {
    const left = this.#deps.units.charge(datastream.requestUnits, demand, bytes);
    if (left === null) return;
    to.unitsLeft = Math.max(0, left);
    if (left < 0) throw UNITS_USED_UP;
  }

  #nowhere(to: Answerable, why: NoRoute, pathname: string): void {
    if (why !== 'unknown-hint') throw why === 'media' ? noMedia() : nothingAt(pathname, this.#deps.basePath);
    respondEmpty(to, 404);
  }
}

function traceOf(tracing: Tracing, req: IncomingMessage, to: Answerable, route: Route | null): RequestTrace | null {
  const { traceparent } = req.headers;
  return tracing.request({
    role: to.role,
    method: req.method ?? '',
    path: route?.path ?? null,
    requestId: to.requestId,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
  });
}

function notPost(to: Answerable, req: IncomingMessage, route: Route): void {
  if (req.method !== 'OPTIONS') throw methodNotAllowed(req.method ?? '', route.path);
  respondPreflight(to);
}
