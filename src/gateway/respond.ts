import type { Datastream } from '../model/datastream.ts';
import type { Exchange, Handle } from '../model/exchange.ts';
import { type JsonObject, valueAt } from '../model/json.ts';
import type { Problem } from '../model/problem.ts';
import type { Position } from '../model/record.ts';
import type { Region } from '../model/region.ts';
import { setCookies } from './cookies.ts';
import { addCors, preflightHeaders } from './cors.ts';
import { linesOf, wholeAnswer } from './one-write.ts';
import type { Outlet } from './outlet.ts';

/** What every answer says, whatever became of the request. Observed; HSTS only where it means something. */
const COMMON: readonly string[] = [
  'cache-control',
  'no-cache, no-store, max-age=0, no-transform, private',
  'x-content-type-options',
  'nosniff',
];
const HSTS: readonly string[] = ['strict-transport-security', 'max-age=31536000; includeSubDomains'];
const JSON_TYPE = 'application/json;charset=utf-8';
const PROBLEM_TYPE = 'application/problem+json;charset=utf-8';

/** What an answer needs to know of its request, also where there is no Exchange yet. */
export interface Answerable {
  readonly outlet: Outlet;
  /** What it was answered with; null until then. */
  status: number | null;
  readonly requestId: string;
  readonly role: 'edge' | 'server';
  readonly origin: string | null;
  readonly encrypted: boolean;
  readonly region: Region;
  /** Null where the request names none that exists: any origin may then read the error. */
  datastream: Datastream | null;
  /** Request units that its org has left; null where nothing limits it, and before they were counted. */
  unitsLeft: number | null;
  /** The server is stopping: clients are to come back on a new connection. */
  readonly closing: boolean;
}

/** An answer that is ready to leave. */
export interface Reply {
  readonly status: number;
  /** Those of this answer alone, name and value in turn. */
  readonly headers: string[];
  /** Null where there is none. */
  readonly body: string | null;
}

/** The answer to a finished exchange: 200, 202 or 204 as the endpoint says, 207 where a part failed. */
export function replyTo(x: Exchange, success: 200 | 202 | 204): Reply {
  const status = x.errors.length > 0 ? 207 : success;
  const headers: string[] = [];
  setCookies(x, headers);
  if (status === 204) return { status, headers, body: null };
  const body = success === 200 && isStreamed(x) ? streamedBody(x) : plainBody(x, success === 200);
  headers.push('content-type', JSON_TYPE, 'content-length', String(Buffer.byteLength(body)));
  return { status, headers, body };
}

/** Sends it. `position`: where what it speaks of stands in the log; null where nothing was to be stored. */
export function send(to: Answerable, { status, headers, body }: Reply, position: Position | null): void {
  if (position !== null) headers.push('x-weir-ack', acknowledgement(to, position));
  sayOf(to, headers);
  to.status = status;
  const { direct } = to.outlet;
  if (direct === null || to.closing || body === null) finish(to, status, headers, body);
  else direct.write(wholeAnswer(status, sharedHeaders(to).text, headers, body));
}

/** By node:http's own means: what is rare, and whatever ends a connection. */
function finish(to: Answerable, status: number, headers: readonly string[], body: string | null): void {
  to.status = status;
  const ending = to.closing ? CLOSE : [];
  const { res } = to.outlet;
  res.writeHead(status, [...sharedHeaders(to).headers, ...headers, ...ending]);
  res.end(body);
}
const CLOSE: readonly string[] = ['connection', 'close'];

/** `local-fsync`: synced to this machine's disk before this answer. The position only to callers that own the log. */
function acknowledgement(to: Answerable, { partition, offset }: Position): string {
  return to.role === 'server' ? `local-fsync; position=${partition}:${offset}` : 'local-fsync';
}

/** Seconds to wait before a retry: spread, so that clients do not come back all at once. Mobile clients take whole seconds only. */
const RETRY_AFTER_MIN_SECONDS = 2;
const RETRY_AFTER_MAX_SECONDS = 10;

/** Each of the whole seconds for an equal part of the chances. `chance`: 0 or more, less than 1. */
export function retryAfterSeconds(chance: number): number {
  return RETRY_AFTER_MIN_SECONDS + Math.floor(chance * (RETRY_AFTER_MAX_SECONDS - RETRY_AFTER_MIN_SECONDS + 1));
}

/** Sends a fatal problem as application/problem+json (RFC 9457). Never framed, even where streaming was asked for. */
export function respondProblem(to: Answerable, failure: Problem): void {
  const { status } = failure.spec;
  const headers = [...failure.headers];
  sayOf(to, headers);
  if (status === 503 || status === 429 || status === 504 || status === 502) {
    headers.push('retry-after', String(retryAfterSeconds(Math.random())));
  }
  const body = JSON.stringify(failure.toJson({ requestId: to.requestId }));
  headers.push('content-type', PROBLEM_TYPE, 'content-length', String(Buffer.byteLength(body)));
  finish(to, status, headers, body);
}

/** A status with nothing to say: an unknown region hint (404). */
export function respondEmpty(to: Answerable, status: number): void {
  const headers = ['content-length', '0'];
  sayOf(to, headers);
  finish(to, status, headers, null);
}

/** What every answer says of its own request. */
function sayOf(to: Answerable, headers: string[]): void {
  headers.push('x-request-id', to.requestId);
  if (to.unitsLeft !== null) headers.push('x-rate-limit-remaining', String(to.unitsLeft)); // Observed.
}

/** Whether a page of another origin may post: it is told before it asks. */
export function respondPreflight(to: Answerable): void {
  to.status = 204;
  const { res } = to.outlet;
  res.writeHead(204, preflightHeaders(to.origin, to.datastream));
  res.end();
}

interface Shared {
  readonly region: Region;
  readonly encrypted: boolean;
  readonly origin: string | null;
  readonly datastream: Datastream | null;
  /** Name and value in turn. */
  readonly headers: readonly string[];
  /** The same as lines. */
  readonly text: string;
}

/** Of the last answer: a site's pages all get the same ones. */
let shared: Shared | null = null;

/** The headers that do not depend on what was asked: made anew where they differ from those of the answer before. */
function sharedHeaders({ region, encrypted, origin, datastream }: Answerable): Shared {
  if (
    shared === null ||
    shared.origin !== origin ||
    shared.datastream !== datastream ||
    shared.region !== region ||
    shared.encrypted !== encrypted
  ) {
    const headers = [...COMMON, 'x-adobe-edge', edgeHeader(region)];
    if (encrypted) headers.push(...HSTS);
    addCors(headers, origin, datastream);
    shared = { region, encrypted, origin, datastream, headers, text: linesOf(headers) };
  }
  return shared;
}

/** "OR2;9": region and its Audience Manager id. Documented. */
function edgeHeader(region: Region): string {
  return `${region.hint.toUpperCase()};${region.audienceManagerId}`;
}
/** `{requestId, handle?, errors?, warnings?}`: the Web SDK refuses a body without a `handle` array, so interact always has one. */
function plainBody(x: Exchange, withHandles: boolean): string {
  let body = `{"requestId":"${x.requestId}"`; // Its characters need no escape (gateway/ids.ts).
  if (withHandles) body += `,"handle":${handlesJson(x.handles)}`;
  if (x.errors.length > 0) body += `,"errors":${problems(x.errors, x)}`;
  if (x.warnings.length > 0) body += `,"warnings":${problems(x.warnings, x)}`;
  return `${body}}`;
}

/** Handles that are the same for every request (frozen) are stringified once. */
const stringified = new WeakMap<Handle, string>();

function handlesJson(handles: readonly Handle[]): string {
  let json = '';
  for (const handle of handles) {
    let text = handle.json ?? stringified.get(handle);
    if (text === undefined) {
      text = JSON.stringify(handle);
      if (Object.isFrozen(handle)) stringified.set(handle, text);
    }
    json += json === '' ? text : `,${text}`;
  }
  return `[${json}]`;
}

function problems(list: readonly Problem[], x: Exchange): string {
  const report: JsonObject = { requestId: x.requestId };
  return JSON.stringify(list.map((one) => one.toJson(report)));
}

/**
 * Fragments `NUL JSON LF`, each a whole object: handles, then errors, then warnings. Only these two separators are
 * known: a client that names others gets one plain object. Documented; NUL may not be left out (one client drops the
 * first character of each line unseen).
 */
function streamedBody(x: Exchange): string {
  const requestId = `"${x.requestId}"`;
  let body = `\u0000{"requestId":${requestId},"handle":${handlesJson(x.handles)}}\n`;
  if (x.errors.length > 0) body += `\u0000{"requestId":${requestId},"errors":${problems(x.errors, x)}}\n`;
  if (x.warnings.length > 0) body += `\u0000{"requestId":${requestId},"warnings":${problems(x.warnings, x)}}\n`;
  return body;
}

function isStreamed(x: Exchange): boolean {
  const streaming = valueAt(x.received.meta, 'konductorConfig', 'streaming');
  if (valueAt(streaming, 'enabled') !== true) return false;
  return (
    isOrAbsent(valueAt(streaming, 'recordSeparator'), '\u0000') && isOrAbsent(valueAt(streaming, 'lineFeed'), '\n')
  );
}

function isOrAbsent(value: unknown, wanted: string): boolean {
  return value === undefined || value === wanted;
}
