import type { Datastream } from './datastream.ts';
import type { Decision, StoredDecision, StoredNotice } from './decision.ts';
import type { JsonObject } from './json.ts';
import type { Change, PersonState } from './person.ts';
import type { Problem } from './problem.ts';
import type { Position } from './record.ts';
import type { Region } from './region.ts';

/** What an endpoint's parse returns: the wire's differences are gone after it (v1's shared top-level xdm is merged in). */
export interface Received {
  readonly events: readonly ReceivedEvent[];
  /** Of the request, not of one event. */
  readonly identityMap: JsonObject | null;
  readonly consent: readonly JsonObject[] | null;
  readonly query: JsonObject;
  readonly meta: JsonObject;
}
export interface ReceivedEvent {
  readonly xdm: JsonObject;
  readonly data: JsonObject | null;
  readonly query: JsonObject | null;
  readonly meta: JsonObject | null;
}

export interface Identity {
  readonly namespace: string;
  readonly id: string;
  readonly authenticatedState: 'ambiguous' | 'authenticated' | 'loggedOut';
  readonly primary: boolean;
}

/** Consent in force for one event, stored with it. What a use of the event needs of it: model/consent-gate.ts. */
export interface Consent {
  /** Position of the consent record; `THIS_RECORD` where it is the event's own; null where nobody chose, and the default holds. */
  readonly recordId: string | null;
  /** About collection: what all choices together come to. */
  readonly collect: 'in' | 'out' | 'pending';
  /** The request came with Global Privacy Control (`Sec-GPC: 1`). */
  readonly gpc: boolean;
  /** The datastream's, for what was not chosen. */
  readonly default: 'in' | 'out' | 'pending';
  /** Every choice that holds, with its standard and version (model/consent-in-force.ts). */
  readonly value: JsonObject | null;
}
export const THIS_RECORD = 'this';

/**
 * One customer event, from acceptance to the last sink. Named EdgeEvent because a forgotten import of `Event` silently
 * type-checks against the DOM global.
 */
export interface EdgeEvent {
  /** Ours: "<requestId>/<index>", unique; sinks use it as their key. */
  readonly id: string;
  /** xdm._id, else the client's requestId and the index; within the datastream. Suppresses only with an equal payload hash. */
  readonly dedupKey: string;
  readonly payloadHash: string;
  /** Position in the request, 0-based; echoed in handles and reports. */
  readonly index: number;
  xdm: JsonObject;
  readonly data: JsonObject | null;
  readonly query: JsonObject | null;
  readonly meta: JsonObject | null;
  identities: readonly Identity[];
  /** The event's ECID, its own or the request's; null where neither has one. */
  ecid: string | null;
  consent: Consent;
  /** Unix epoch, milliseconds: `xdm.timestamp` where plausible, else when it was received. */
  readonly occurredAtMs: number;
  /** `received`: no timestamp was sent. `implausible`: sent, but outside −30 days/+5 minutes. `unreadable`: sent, but no RFC 3339 date. */
  readonly occurredAtFrom: 'timestamp' | 'received' | 'implausible' | 'unreadable';
  /** Events are never removed from an exchange: later stages skip all but `store`. */
  fate: 'store' | 'withheld' | 'rejected' | 'duplicate';
  /** What stages added to `xdm` (already merged there); logged beside the raw body. */
  added: JsonObject | null;
}

/** By which a request without events is known when it is sent again; an event has its own. Both must be equal. */
export interface RetryKey {
  /** Of the client's request id and the path: another endpoint's request is another one. */
  readonly dedupKey: string;
  /** Of the body's bytes. */
  readonly payloadHash: string;
}

/** One request in progress. Every field is set once in accept(), so V8 keeps a single shape. */
export interface Exchange {
  /** "<given or new uuid>-<16 hex>" */
  readonly requestId: string;
  readonly clientRequestId: string | null;
  /** Unix epoch, milliseconds; the only clock that stages read. */
  readonly nowMs: number;
  /** 32 hex digits; the only randomness that stages read. */
  readonly seed: string;
  readonly role: 'edge' | 'server';
  readonly datastream: Datastream;
  readonly client: Client;
  readonly region: Region;
  /** Endpoint path as in `Endpoint.paths`. */
  readonly path: string;
  readonly mintsEcid: boolean;
  /** collect was asked not to send a body. */
  readonly silent: boolean;
  readonly received: Received;
  /** The body as sent; as JSON without them, where it held FPIDs: those are not stored. */
  raw: Uint8Array;
  /** Null where the client gave no request id, and of a request with events. */
  readonly retryKey: RetryKey | null;
  /** The same request was taken before: it is answered, and changes nothing. Of a request with events, each says so itself. */
  isRetry: boolean;
  /** `performance.now()` at which the answer must have left. */
  readonly deadlineMs: number;
  /** Kept back of it for logging and answering, once a service was given up. */
  readonly reserveMs: number;
  /** Set when the deadline has passed and an answer left: later stages do not run. */
  expired: boolean;
  readonly events: readonly EdgeEvent[];
  /** The request's; collect may hold events of others. */
  ecid: string | null;
  /** Where the ECID is from; of a cookie's ECID, what the cookie says. */
  ecidSource: IdentitySource;
  /** The ECID's identity cookie as the request brought it; null where it brought none for this ECID. */
  identityCookie: IdentityCookie | null;
  /** State of the persons that this request names, read once, in identify. */
  readonly persons: Map<string, PersonState | null>;
  /** The visitor's id for all sites (CORE), on a third-party host; null elsewhere. */
  core: string | null;
  /** A whole Set-Cookie header for this host alone, in spite of what `meta.state` says; null for none. */
  hostCookie: string | null;
  /** Logged with the events, applied after. */
  readonly changes: Change[];
  /** Set-Cookie or state:store. */
  readonly cookies: StateEntry[];
  /** All of the visitor's consent preferences after this request's choice, in 2.0 shape; null unless it made one. */
  preferences: JsonObject | null;
  /** What its events are to see, those that were decided for; null: none. */
  personalization: EventDecision[] | null;
  readonly handles: Handle[];
  /** What was decided for its events, to be logged with them; null: nothing. */
  decisions: StoredDecision[] | null;
  /** What its events notify of, as far as it is true, to be logged with them; null: nothing. */
  notices: StoredNotice[] | null;
  /** Any → 207. */
  readonly errors: Problem[];
  readonly warnings: Problem[];
  /** Where the request's record stands in the log; null until it is durable, and where nothing was to be stored. */
  position: Position | null;
  /** Resolves when the first copy of this request's duplicates is durable; null where none is under way. */
  awaiting: Promise<Position> | null;
  /** Resolves when this request's own record is durable; null where it has none. */
  appended: Promise<Position> | null;
}

/** What was decided for one event. */
export interface EventDecision {
  readonly eventIndex: number;
  readonly decision: Decision;
  /** Whether the event asked for content, and not only segments and pushes came of it. */
  readonly isAsked: boolean;
  /** One for each proposition: `characteristics.eventToken`. */
  readonly tokens: readonly string[];
  /** The visitor's attributes, of which authenticated callers are told some; null for others. */
  readonly profile: JsonObject | null;
}

export interface Client {
  readonly ip: string;
  readonly host: string;
  /** The request came over https, and so did the page that made it (by its Referer, where there is one). */
  readonly https: boolean;
  /** `Sec-GPC: 1`: the visitor's browser objects to sharing. */
  readonly gpc: boolean;
  /** `meta.state.domain` does not cover the host: cookies go through `state:store`. */
  readonly thirdParty: boolean;
  /** `meta.state.domain` where it covers the host, else "". */
  readonly cookieDomain: string;
  readonly cookiesEnabled: boolean;
  readonly origin: string | null;
  readonly referer: string | null;
  readonly userAgent: string;
  /** Names and values in turn, as sent. */
  readonly rawHeaders: readonly string[];
  /** The query parameter `weir_preview`; null where there is none. */
  readonly preview: string | null;
  /** Of the request's Cookie header, or where there is none of that name, of `meta.state.entries`. */
  readonly cookies: ReadonlyMap<string, string>;
}

export interface StateEntry {
  readonly key: string;
  readonly value: string;
  /** null = session. */
  readonly maxAgeSeconds: number | null;
}

/** The fields of the identity cookie that Weir reads and writes (model/identity-cookie.ts). Times: Unix epoch, milliseconds. */
export interface IdentityCookie {
  readonly ecid: string;
  readonly createdAtMs: number;
  /** The ECID was made at random, and not from an id that was there before. Documented. */
  readonly isNew: boolean;
  readonly source: IdentitySource;
  readonly writtenAtMs: number;
}

/** Where an ECID is from. `fpid`: made of a first-party id; `third-party`: of one for all sites. Documented. */
export type IdentitySource = 'random' | 'third-party' | 'fpid' | 'received';

/** Wire shape of one entry of the response's `handle` array. */
export interface Handle<Type extends string = string, Payload = unknown> {
  readonly type: Type;
  readonly payload: readonly Payload[];
  readonly eventIndex?: number;
  /** All of this as JSON, of handles that can say it faster than `JSON.stringify`. No part of the wire shape. */
  readonly json?: string;
}
