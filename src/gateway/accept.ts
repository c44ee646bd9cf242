import { hash } from 'node:crypto';
import { PLAIN_CONSENT } from '../model/consent-in-force.ts';
import type { Datastream } from '../model/datastream.ts';
import { warnOfEvents } from '../model/event-warnings.ts';
import type { Client, EdgeEvent, Exchange, Received, RetryKey } from '../model/exchange.ts';
import { eventField } from '../model/field-path.ts';
import { identitiesOf } from '../model/identity.ts';
import { canonicalJson, isObject, type JsonObject, own, quoted, valueAt } from '../model/json.ts';
import { applyOverrides } from '../model/overrides.ts';
import { type Problem, problem } from '../model/problem.ts';
import { occurredAt } from '../model/timestamp.ts';
import type { TrustedProxies } from '../net/proxies.ts';
import { isPublicSuffix } from '../net/public-suffix.ts';
import { checkContentType, parseBody } from './body-json.ts';
import { parseCookies, withEntries } from './cookies.ts';
import type { Fields } from './fields.ts';
import { checkIdentityQuery } from './identity-query.ts';
import type { RequestIds } from './ids.ts';
import { misplacedIdentities } from './misplaced-identities.ts';
import type { Route } from './paths.ts';
import type { Query } from './query.ts';

/** What is known of a request before its body is looked at. */
export interface Incoming {
  readonly fields: Fields;
  /** Names and values in turn, as sent. */
  readonly rawHeaders: readonly string[];
  /** The address of the other end of the connection; "" where it is gone. */
  readonly peer: string;
  readonly role: 'edge' | 'server';
  readonly encrypted: boolean;
  readonly route: Route;
  readonly query: Query;
  readonly ids: RequestIds;
  readonly givenRequestId: string | null;
  readonly nowMs: number;
  readonly deadlineMs: number;
  readonly reserveMs: number;
}

/**
 * Bytes to Exchange: the last place that knows HTTP. Judges in this order: content type, body, shape, cookies, time
 * stamps, overrides. Every failure is a thrown Problem; nothing is kept of a request that fails here.
 */
export function accept(incoming: Incoming, datastream: Datastream, body: Buffer, proxies: TrustedProxies): Exchange {
  const { fields, route, ids, nowMs } = incoming;
  checkContentType(fields['content-type']);
  const json = parseBody(body);
  const received = route.endpoint.parse(route.path, json);
  if (received.events.length > EVENTS_MAX) throw tooManyEvents(received.events.length);
  checkIdentityQuery(route.path, received);
  const misplaced = misplacedIdentities(route.path, json, received);
  const warnings: Problem[] = misplaced === null ? [] : [misplaced];
  if (incoming.givenRequestId !== null && ids.clientRequestId === null) warnings.push(unusableRequestId());
  const applied = applyOverrides(datastream, received.meta['configOverrides'], (warning) => warnings.push(warning));
  return {
    requestId: ids.requestId,
    clientRequestId: ids.clientRequestId,
    nowMs,
    seed: ids.seed,
    role: incoming.role,
    datastream: applied,
    client: clientOf(incoming, received, applied, proxies),
    region: route.region,
    path: route.path,
    mintsEcid: route.endpoint.mintsEcid,
    silent: isSilent(incoming.query),
    received,
    raw: body,
    retryKey: received.events.length === 0 ? retryKey(incoming, body) : null,
    isRetry: false,
    deadlineMs: incoming.deadlineMs,
    reserveMs: incoming.reserveMs,
    expired: false,
    events: eventsOf(incoming, received, body, applied, warnings),
    ecid: null,
    ecidSource: 'random',
    identityCookie: null,
    persons: new Map(),
    core: null,
    hostCookie: null,
    changes: [],
    cookies: [],
    preferences: null,
    personalization: null,
    handles: [],
    decisions: null,
    notices: null,
    errors: [],
    warnings,
    position: null,
    awaiting: null,
    appended: null,
  };
}

/** Each costs some 2 KB and 20 µs by the time it is stored, however small it is. 64 KB hold 200 real ones. Chosen. */
export const EVENTS_MAX = 1_000;

function tooManyEvents(count: number): Problem {
  return problem(
    'EXEG-0112-413',
    `The request holds ${count} events; at most ${EVENTS_MAX} are taken. Send them in several requests.`,
  );
}

function unusableRequestId(): Problem {
  return problem(
    'EXEG-0204-200',
    'The given request id was not used: it must be 1 to 128 characters of A-Z a-z 0-9 . _ : = -. A new one was made; retries under the old one cannot be recognised.',
  );
}

function isSilent(query: Query): boolean {
  if (query.silent === null || query.silent === 'false') return false;
  if (query.silent === 'true') return true;
  throw problem(
    'EXEG-0108-400',
    `The query parameter 'silent' is '${query.silent.slice(0, 40)}'; it takes true or false.`,
  );
}

function clientOf(incoming: Incoming, received: Received, datastream: Datastream, proxies: TrustedProxies): Client {
  const { fields, peer, encrypted } = incoming;
  const { ip, host, https } = proxies.resolve(peer, fields, encrypted);
  const referer = fields.referer ?? null;
  const cookiesEnabled = areCookiesEnabled(received.meta);
  const cookieDomain = cookieDomainOf(received.meta, cookiesEnabled);
  const firstParty = cookiesEnabled && covers(cookieDomain, host);
  return {
    ip,
    host,
    https: https && (referer === null || referer.startsWith('https:')),
    gpc: fields['sec-gpc'] === '1',
    thirdParty: !firstParty,
    cookieDomain: firstParty ? cookieDomain : '',
    cookiesEnabled,
    origin: fields.origin ?? null,
    referer,
    userAgent: fields['user-agent'] ?? '',
    rawHeaders: incoming.rawHeaders,
    preview: incoming.query.weir_preview,
    cookies: withEntries(
      parseCookies(fields.cookie),
      valueAt(received.meta, 'state', 'entries'),
      datastream.cookiePrefix,
    ),
  };
}

/** A text "true" is not taken for true: what would be cookies goes through `state:store`. */
function areCookiesEnabled(meta: JsonObject): boolean {
  const state = meta['state'] ?? null;
  if (state === null) return false;
  if (isObject(state)) return state['cookiesEnabled'] === true;
  throw problem('EXEG-0102-400', `The field 'meta.state' is ${quoted(state)}; it takes an object.`);
}

/** "" is what the Web SDK sends on localhost: nothing covers it, so the answer is that of a third party. Documented. */
function cookieDomainOf(meta: JsonObject, cookiesEnabled: boolean): string {
  const domain = valueAt(meta, 'state', 'domain');
  if (domain === undefined) {
    if (!cookiesEnabled) return '';
    throw problem(
      'EXEG-0110-400',
      "The field 'meta.state.domain' is missing: with 'cookiesEnabled' true it says for which domain cookies are to be set. Send the site's domain, or \"\" where there is none.",
    );
  }
  if (typeof domain !== 'string') throw problem('EXEG-0102-400', "The field 'meta.state.domain' must be a string.");
  return domain.toLowerCase();
}

/** A domain with a dot that is no address: nothing else may name a cookie's domain, and of these no public suffix. */
const COOKIE_DOMAIN = /^(?=.{3,253}$)[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*$/;

function covers(domain: string, host: string): boolean {
  if (host !== domain && !host.endsWith(`.${domain}`)) return false;
  return COOKIE_DOMAIN.test(domain) && !isPublicSuffix(domain);
}

function eventsOf(
  incoming: Incoming,
  received: Received,
  body: Buffer,
  datastream: Datastream,
  warnings: Problem[],
): EdgeEvent[] {
  const events: EdgeEvent[] = [];
  const unreadable: number[] = [];
  // Made once: for every event of a batch it would be made of all the others too.
  let bytesHash = '';
  for (let index = 0; index < received.events.length; index++) {
    const { xdm, data, query, meta } = received.events[index]!;
    const time = occurredAt(xdm['timestamp'], incoming.nowMs);
    if (time.occurredAtFrom === 'unreadable') unreadable.push(index);
    if (bytesHash === '' && incoming.ids.clientRequestId !== null && ownId(xdm) === null) {
      bytesHash = hash('sha256', body, 'base64url');
    }
    const { dedupKey, payloadHash } = duplicateKey(incoming, xdm, data, index, bytesHash);
    events.push({
      id: `${incoming.ids.requestId}/${index}`,
      dedupKey,
      payloadHash,
      index,
      xdm,
      data,
      query,
      meta,
      identities: identitiesOf(xdm),
      ecid: null,
      consent: PLAIN_CONSENT,
      occurredAtMs: time.occurredAtMs,
      occurredAtFrom: time.occurredAtFrom,
      fate: 'store',
      added: null,
    });
  }
  if (unreadable.length > 0) judgeTimestamps(incoming.route.path, events, unreadable, datastream, warnings);
  return events;
}

/** `unreadable`: indexes of the events whose time stamp is no date. */
function judgeTimestamps(
  endpointPath: string,
  events: readonly EdgeEvent[],
  unreadable: readonly number[],
  datastream: Datastream,
  warnings: Problem[],
): void {
  const what = (index: number): string => {
    const value = JSON.stringify(events[index]!.xdm['timestamp']).slice(0, 60);
    return `The field '${eventField(endpointPath, index)}.xdm.timestamp' is ${value}, which is no date`;
  };
  const form = 'Send an RFC 3339 date with time and offset, such as 2026-11-23T09:30:00.000Z.';
  if (datastream.validation.timestamp === 'reject') throw problem('EXEG-0102-400', `${what(unreadable[0]!)}. ${form}`);
  warnOfEvents(warnings, unreadable, (index) =>
    problem(
      'EXEG-0204-200',
      `${what(index)}: it is kept as sent, and the event counts as of the time it was received. ${form}`,
      events.length > 1 ? { eventIndex: index } : {},
    ),
  );
}

/** A key is stored with every event: a longer one is kept as its hash. */
const DEDUP_KEY_CHARACTERS_MAX = 128;

/**
 * `xdm._id` where there is one, with a hash of the event's content in any key order (mobile clients serialise anew, in
 * another order, under another request id); else the client's request id and the index, with a hash of the bytes (the
 * Web SDK resends the same ones). Without either nothing can be recognised, and nothing is hashed.
 */
function duplicateKey(
  incoming: Incoming,
  xdm: JsonObject,
  data: JsonObject | null,
  index: number,
  bytesHash: string,
): Pick<EdgeEvent, 'dedupKey' | 'payloadHash'> {
  const id = ownId(xdm);
  if (id !== null) {
    const dedupKey = id.length <= DEDUP_KEY_CHARACTERS_MAX ? id : hash('sha256', id, 'base64url');
    return {
      dedupKey,
      payloadHash: hash('sha256', `${incoming.route.path}\n${canonicalJson(xdm)}\n${canonicalJson(data)}`, 'base64url'),
    };
  }
  const { clientRequestId, requestId } = incoming.ids;
  if (clientRequestId === null) return { dedupKey: `${requestId}/${index}`, payloadHash: '' };
  return { dedupKey: `${clientRequestId}/${index}`, payloadHash: bytesHash };
}

function ownId(xdm: JsonObject): string | null {
  const id = own(xdm, '_id');
  return typeof id === 'string' && id !== '' ? id : null;
}

function retryKey({ ids, route }: Incoming, body: Buffer): RetryKey | null {
  if (ids.clientRequestId === null) return null;
  return { dedupKey: `${ids.clientRequestId}${route.path}`, payloadHash: hash('sha256', body, 'base64url') };
}
