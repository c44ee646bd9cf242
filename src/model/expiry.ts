import type { JsonObject } from './json.ts';
import type { Change } from './person.ts';
import { type LogRecord, requestOf } from './record.ts';
import { reduced } from './record-reduction.ts';

/** How long the events of a datastream are kept, from when they were received. Null: for ever. */
export interface EventAges {
  readonly maxAgeMs: number | null;
  /** By `xdm.eventType`: these types have an age of their own, longer or shorter. */
  readonly eventTypes: ReadonlyMap<string, number | null>;
}

export const KEPT_FOR_EVER: EventAges = { maxAgeMs: null, eventTypes: new Map() };

export function keepsAll({ maxAgeMs, eventTypes }: EventAges): boolean {
  return maxAgeMs === null && [...eventTypes.values()].every((age) => age === null);
}

/** No event is expired before it is as old as this. */
export function shortestAgeMs({ maxAgeMs, eventTypes }: EventAges): number {
  return Math.min(...[maxAgeMs, ...eventTypes.values()].map((age) => age ?? Number.POSITIVE_INFINITY));
}

/**
 * A record as it is shown, and rewritten, when events expire: the same object where none of it has. By the time at which it
 * was received, never by one that a client wrote. Changes stay: what is known of persons (links, attributes, choices with the
 * call that made them) is no event, and neither is an erasure. What else a request without events said goes with events of no type.
 */
export function withoutExpired(record: LogRecord, ages: EventAges, nowMs: number): LogRecord {
  const ageMs = nowMs - record.atMs;
  if (ageMs <= shortestAgeMs(ages)) return record;
  const isKept = (xdm: JsonObject): boolean => ageMs <= ageOf(xdm, ages);
  const { changes } = record;
  if (record.events.length === 0) return isKept(NO_EVENT) ? record : bare(record);
  const events = record.events.filter(({ xdm }) => isKept(xdm));
  if (events.length === 0) return bare(record);
  const isWhole = events.length === record.events.length;
  if (isWhole && othersOf(record).every(isKept)) return record;
  const left = reduced(record, { events, changes, isRequesterGone: false });
  return isWhole && isSame(left.raw, record.raw) ? record : left;
}

function isSame(one: Uint8Array | null, other: Uint8Array | null): boolean {
  return one === other || (one !== null && other !== null && Buffer.compare(one, other) === 0);
}

/** The last moment at which a record that has been without what was expired by now is still whole; infinite where it stays. */
export function keptUntilMs(record: LogRecord, ages: EventAges, nowMs: number): number {
  if (record.events.length === 0 && bare(record) === record) return Number.POSITIVE_INFINITY;
  const all = record.events.length === 0 ? [NO_EVENT] : [...record.events.map(({ xdm }) => xdm), ...othersOf(record)];
  const untilMs = all.map((xdm) => record.atMs + ageOf(xdm, ages)).filter((ms) => ms >= nowMs);
  return Math.min(...untilMs);
}

const NO_EVENT: JsonObject = {};

function ageOf({ eventType }: JsonObject, { maxAgeMs, eventTypes }: EventAges): number {
  const own = typeof eventType === 'string' ? eventTypes.get(eventType) : undefined;
  return (own === undefined ? maxAgeMs : own) ?? Number.POSITIVE_INFINITY;
}

/**
 * A record without the choices and erasures in it, where it is older than those are kept; else the same object. A call that
 * made a choice goes with it; an event that brought one stays for as long as events do.
 */
export function withoutOldProofs(record: LogRecord, maxAgeMs: number, nowMs: number): LogRecord {
  if (nowMs - record.atMs <= maxAgeMs || !record.changes.some(isProof)) return record;
  const changes = record.changes.filter((change) => !isProof(change));
  return reduced(record, { events: record.events, changes, isRequesterGone: false });
}

/** The last moment at which it has all the choices and erasures that it has now; infinite where it has none. */
export function proofsUntilMs({ atMs, changes }: LogRecord, maxAgeMs: number): number {
  return changes.some(isProof) ? atMs + maxAgeMs : Number.POSITIVE_INFINITY;
}

function isProof({ kind }: Change): boolean {
  return kind === 'consent' || kind === 'erasure';
}

/** What of a record has a retention of its own, choices and erasures, under the id of its request; null where it has none. */
export function proofsOf(record: LogRecord): LogRecord | null {
  const changes = record.changes.filter(isProof);
  if (changes.length === 0) return null;
  return { ...reduced(record, { events: [], changes, isRequesterGone: true }), requestId: record.requestId };
}

/** Events that a body holds beside those that were stored: duplicates of other records, and what stands in the place of one that has gone. */
function othersOf(record: LogRecord): JsonObject[] {
  const request = requestOf(record);
  if (request === null || request.events.length === record.events.length) return [];
  const stored = new Set(record.events.map(({ index }) => index));
  return request.events.filter((_, index) => !stored.has(index)).map(({ xdm }) => xdm);
}

/** Without all that was sent; the same object where that is gone already. A choice keeps the id of its request: it is a proof. */
function bare(record: LogRecord): LogRecord {
  const { raw, ecid, meta, retryKey, events, changes } = record;
  const requestId = hasChoice(record) ? record.requestId : '';
  const isBare = raw === null && ecid === null && retryKey == null && requestId === record.requestId;
  if (isBare && events.length === 0 && Object.keys(meta).length === 0) return record;
  return { ...reduced(record, { events: [], changes, isRequesterGone: true }), requestId };
}

function hasChoice({ changes }: LogRecord): boolean {
  return changes.some(({ kind }) => kind === 'consent');
}
