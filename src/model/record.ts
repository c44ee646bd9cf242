import { addedJson } from './added-json.ts';
import { PLAIN_CONSENT } from './consent-in-force.ts';
import type { StoredDecision, StoredNotice } from './decision.ts';
import { type DuplicateKey, duplicateKeys } from './duplicate-keys.ts';
import { isErasure } from './erasure.ts';
import type { Consent, EdgeEvent, Received, RetryKey } from './exchange.ts';
import { identitiesOf } from './identity.ts';
import { type Json, type JsonObject, jsonText, mergeJson, parseJson } from './json.ts';
import type { Change } from './person.ts';
import { decisionJson, type WrittenDecision, writtenDecision } from './stored-decision.ts';

/**
 * What the log holds: one record per request, so a request is stored whole or not at all.
 *
 * Bytes of a record: `u32 little-endian length of the head | head, JSON in UTF-8 | body`. The body is the request's
 * body as sent, or empty when an event had to be left out or changed; then each event's fields stand in the head.
 * The frame around it (length, checksum, sequence) is the log engine's.
 */
export interface LogRecord {
  readonly requestId: string;
  /** When the request was received: Unix epoch, milliseconds. Order, duplicates, retention and consent go by it. */
  readonly atMs: number;
  readonly orgId: string;
  readonly datastreamId: string;
  /** Endpoint path as in `Endpoint.paths`: says how `raw` is parsed. */
  readonly path: string;
  /** The request's ECID; null where it had none. */
  readonly ecid: string | null;
  /** The request's `meta`. */
  readonly meta: JsonObject;
  readonly events: readonly StoredEvent[];
  /** The body as sent; null if an event was withheld or rejected. It may hold duplicates: `events` are those that were stored. */
  readonly raw: Uint8Array | null;
  readonly changes: readonly Change[];
  /** Of a request without events; left out or null where its retry cannot be known. */
  readonly retryKey?: RetryKey | null;
  /** What was decided for its events, at most one for each; left out or null where nothing was. */
  readonly decisions?: readonly StoredDecision[] | null;
  /** What its events notify of, as far as it is true; left out or null for nothing. */
  readonly notices?: readonly StoredNotice[] | null;
}

export type StoredEvent = Pick<
  EdgeEvent,
  | 'id'
  | 'dedupKey'
  | 'payloadHash'
  | 'index'
  | 'xdm'
  | 'data'
  | 'query'
  | 'meta'
  | 'identities'
  | 'consent'
  | 'added'
  | 'occurredAtMs'
  | 'occurredAtFrom'
>;

/** Where a record stands: a total order inside one partition (one writer process), none between them. `offset` counts records from 0. */
export interface Position {
  readonly partition: number;
  readonly offset: number;
}
export interface Stored {
  readonly position: Position;
  readonly record: LogRecord;
}

/** Parses a stored body with the endpoint that accepted it. */
export type ParseBody = (path: string, body: Json) => Received;

/** One event in the head. Short keys: they stand in every record. */
interface HeadEvent {
  i: number;
  k: string;
  h: string;
  /** Occurred at, only where it differs from received. */
  o?: number;
  /** Present where the body is not: the event as it is to be read. */
  x?: JsonObject;
  d?: JsonObject;
  q?: JsonObject;
  m?: JsonObject;
  /** What was added to `xdm`. */
  a?: JsonObject;
  /** Consent in force, unless nobody chose anything and the default is in. Logs from before 0.2 have two of its fields. */
  c?: Partial<Consent>;
  /** Where the time came from, unless it is the event's own timestamp. */
  f?: StoredEvent['occurredAtFrom'];
}
interface Head {
  v: number;
  r: string;
  t: number;
  g: string;
  s: string;
  p: string;
  u: string | null;
  /** The request's meta, where the body is not there to hold it. */
  n?: JsonObject;
  e: HeadEvent[];
  /** The request's own dedup key and payload hash. */
  k?: readonly [string, string];
  y?: readonly Change[];
  z?: readonly WrittenDecision[];
  w?: readonly StoredNotice[];
}

const decoder = new TextDecoder('utf-8', { fatal: true });
export const RECORD_VERSION = 1;
/** Of records that erase: a version of Weir that would go on showing what they hide does not read them. */
export const ERASING_RECORD_VERSION = 2;
/** Of records with decisions: a version of Weir that takes short verdicts for whole ones does not read them. */
export const DECIDING_RECORD_VERSION = 3;

const VERSIONS: ReadonlySet<number> = new Set([RECORD_VERSION, ERASING_RECORD_VERSION, DECIDING_RECORD_VERSION]);

/** At most this many bytes are written by `writeRecord`, given the record's head. */
export function recordBytesMax(head: string, record: LogRecord): number {
  return HEAD_LENGTH_BYTES + head.length * UTF8_BYTES_PER_UNIT_MAX + (record.raw?.length ?? 0);
}
const HEAD_LENGTH_BYTES = 4;
/** A UTF-16 unit takes at most three bytes in UTF-8. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

/** Writes a record at `at`; returns its bytes. Straight into the log's buffer: one of its own costs more than the copy. */
export function writeRecord(head: string, record: LogRecord, into: Buffer, at: number): number {
  const headBytes = into.write(head, at + HEAD_LENGTH_BYTES);
  into.writeUInt32LE(headBytes, at);
  const end = at + HEAD_LENGTH_BYTES + headBytes;
  if (record.raw === null) return end - at;
  into.set(record.raw, end);
  return end + record.raw.length - at;
}

/**
 * The head of a record, JSON. Put together by hand: this runs for every request, and costs a third of stringifying an
 * object made for it.
 */
export function recordHead(record: LogRecord): string {
  const whole = record.raw !== null;
  let events = '';
  for (const event of record.events) events += `${events === '' ? '' : ','}${encodeEvent(event, record.atMs, whole)}`;
  const ecid = record.ecid === null ? 'null' : jsonText(record.ecid);
  const changes = record.changes.length === 0 ? '' : `,"y":${JSON.stringify(record.changes)}`;
  const retryKey = record.retryKey ?? null;
  const key = retryKey === null ? '' : `,"k":[${jsonText(retryKey.dedupKey)},${jsonText(retryKey.payloadHash)}]`;
  const decided = record.decisions ?? null;
  const decisions = decided === null ? '' : `,"z":[${decided.map(decisionJson).join(',')}]`;
  const noted = record.notices ?? null;
  const notices = noted === null ? '' : `,"w":${JSON.stringify(noted)}`;
  const meta = whole ? '' : `,"n":${JSON.stringify(record.meta)}`;
  return `{"v":${versionOf(record)},"r":${jsonText(record.requestId)},"t":${record.atMs},${placeJson(record)},"u":${ecid},"e":[${events}]${key}${changes}${decisions}${notices}${meta}}`;
}

function encodeEvent(event: StoredEvent, atMs: number, whole: boolean): string {
  const { consent } = event;
  let text = `{"i":${event.index},"k":${jsonText(event.dedupKey)},"h":${jsonText(event.payloadHash)}`;
  if (event.occurredAtMs !== atMs) text += `,"o":${event.occurredAtMs}`;
  if (event.occurredAtFrom !== 'timestamp') text += `,"f":"${event.occurredAtFrom}"`;
  if (event.added !== null) text += `,"a":${addedJson(event.added)}`;
  if (consent !== PLAIN_CONSENT) text += `,"c":${JSON.stringify(consent)}`;
  if (!whole) {
    text += `,"x":${JSON.stringify(event.xdm)}`;
    if (event.data !== null) text += `,"d":${JSON.stringify(event.data)}`;
    if (event.query !== null) text += `,"q":${JSON.stringify(event.query)}`;
    if (event.meta !== null) text += `,"m":${JSON.stringify(event.meta)}`;
  }
  return `${text}}`;
}

/** The oldest that can say it. */
function versionOf({ changes, decisions }: LogRecord): number {
  if ((decisions ?? null) !== null) return DECIDING_RECORD_VERSION;
  return changes.length > 0 && changes.some(isErasure) ? ERASING_RECORD_VERSION : RECORD_VERSION;
}

let place = { orgId: '', datastreamId: '', path: '', json: '' };

/** Where a request went: made anew where it differs from that of the record before. */
function placeJson({ orgId, datastreamId, path }: LogRecord): string {
  if (place.orgId !== orgId || place.datastreamId !== datastreamId || place.path !== path) {
    const json = `"g":${jsonText(orgId)},"s":${jsonText(datastreamId)},"p":${jsonText(path)}`;
    place = { orgId, datastreamId, path, json };
  }
  return place.json;
}

/** A record was written by a newer version of Weir: nothing of it is guessed. */
export class UnknownRecordVersion extends Error {}

/**
 * Reads a record back. The head is parsed at once; events that stand in the body are parsed when `events` or `meta` is
 * first asked for, so readers that need only positions, changes and duplicate keys stay cheap.
 */
export function decodeRecord(bytes: Uint8Array, parseBody: ParseBody): LogRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headBytes = view.getUint32(0, true);
  const head = JSON.parse(decoder.decode(bytes.subarray(4, 4 + headBytes))) as Head;
  if (!VERSIONS.has(head.v)) {
    throw new UnknownRecordVersion(
      `The log holds a record of format ${String(head.v)}; this version reads formats up to ${DECIDING_RECORD_VERSION}. Start the version of Weir that wrote it, or a newer one.`,
    );
  }
  const raw = bytes.byteLength > 4 + headBytes ? bytes.subarray(4 + headBytes) : null;
  return new DecodedRecord(head, raw, parseBody);
}

/** By what copies are known. The body is parsed only where a batch has events that name their ECIDs themselves. */
export function duplicateKeysOf(record: LogRecord): readonly DuplicateKey[] {
  return duplicateKeys(record, record instanceof DecodedRecord ? record.keyed() : record.events);
}

/** What the body says, with every event of it, stored or not; null where the body was not kept. */
export function requestOf(record: LogRecord): Received | null {
  return record instanceof DecodedRecord ? record.request() : null;
}

class DecodedRecord implements LogRecord {
  readonly requestId: string;
  readonly atMs: number;
  readonly orgId: string;
  readonly datastreamId: string;
  readonly path: string;
  readonly ecid: string | null;
  readonly raw: Uint8Array | null;
  readonly changes: readonly Change[];
  readonly retryKey: RetryKey | null;
  readonly notices: readonly StoredNotice[] | null;
  readonly #head: Head;
  readonly #parseBody: ParseBody;
  #received: Received | null = null;
  #events: readonly StoredEvent[] | null = null;
  #decisions: readonly StoredDecision[] | null = null;

  constructor(head: Head, raw: Uint8Array | null, parseBody: ParseBody) {
    this.#head = head;
    this.#parseBody = parseBody;
    this.requestId = head.r;
    this.atMs = head.t;
    this.orgId = head.g;
    this.datastreamId = head.s;
    this.path = head.p;
    this.ecid = head.u;
    this.raw = raw;
    this.changes = head.y ?? [];
    this.notices = head.w ?? null;
    this.retryKey = head.k === undefined ? null : { dedupKey: head.k[0], payloadHash: head.k[1] };
  }

  get meta(): JsonObject {
    return this.raw === null ? (this.#head.n ?? {}) : this.#receive(this.raw).meta;
  }

  get decisions(): readonly StoredDecision[] | null {
    this.#decisions ??= this.#head.z?.map(writtenDecision) ?? null;
    return this.#decisions;
  }

  get events(): readonly StoredEvent[] {
    this.#events ??= this.#head.e.map((head) => this.#event(head));
    return this.#events;
  }

  keyed(): readonly Pick<StoredEvent, 'dedupKey' | 'payloadHash' | 'added'>[] {
    return this.#head.e.map((head) => ({ dedupKey: head.k, payloadHash: head.h, added: head.a ?? null }));
  }

  request(): Received | null {
    return this.raw === null ? null : this.#receive(this.raw);
  }

  #receive(raw: Uint8Array): Received {
    this.#received ??= this.#parseBody(this.path, parseJson(decoder.decode(raw)));
    return this.#received;
  }

  #event(head: HeadEvent): StoredEvent {
    const sent = this.raw === null ? null : this.#receive(this.raw).events[head.i]!;
    const xdm = sent === null ? head.x! : head.a === undefined ? sent.xdm : mergeJson(sent.xdm, head.a);
    return {
      id: `${this.requestId}/${head.i}`,
      dedupKey: head.k,
      payloadHash: head.h,
      index: head.i,
      xdm,
      data: sent === null ? (head.d ?? null) : sent.data,
      query: sent === null ? (head.q ?? null) : sent.query,
      meta: sent === null ? (head.m ?? null) : sent.meta,
      identities: identitiesOf(xdm),
      consent: head.c === undefined ? PLAIN_CONSENT : { ...PLAIN_CONSENT, ...head.c },
      added: head.a ?? null,
      occurredAtMs: head.o ?? this.atMs,
      occurredAtFrom: head.f ?? 'timestamp',
    };
  }
}
