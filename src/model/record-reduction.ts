import { isObject, type Json, type JsonObject, parseJson } from './json.ts';
import type { Change } from './person.ts';
import type { LogRecord, StoredEvent } from './record.ts';

/** What is left of a record when some of it may not be kept. */
export interface Left {
  readonly events: readonly StoredEvent[];
  readonly changes: readonly Change[];
  /** The request itself is of somebody who is gone: its ECID, identity map and meta go too; its id only where no event stays. */
  readonly isRequesterGone: boolean;
}

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/**
 * The same record with less in it, at the same place. Where events stay the body stays, as JSON, with an empty event in the
 * place of each that goes, and without the cookies that it passed on, which may be anybody's: written out one by one, events
 * that share 40 KB would make 20 MB of a body of 60 KB. Where none stays nothing of the request does.
 */
export function reduced(record: LogRecord, { events, changes, isRequesterGone }: Left): LogRecord {
  const { atMs, orgId, datastreamId, path } = record;
  if (events.length === 0) {
    const nothing = { requestId: '', ecid: null, meta: {}, events, raw: null, retryKey: null };
    return { atMs, orgId, datastreamId, path, changes, ...nothing };
  }
  const { requestId, raw, retryKey = null } = record;
  const kept = new Set(events.map(({ index }) => index));
  return {
    ...{ requestId, atMs, orgId, datastreamId, path, events, changes, retryKey },
    decisions: ofKept(record.decisions, kept),
    notices: ofKept(record.notices, kept),
    ecid: isRequesterGone ? null : record.ecid,
    meta: isRequesterGone ? {} : withoutEntries(record.meta),
    raw: raw === null ? null : reducedBody(raw, kept, isRequesterGone),
  };
}

/** What stands beside the events, of those that stay. */
function ofKept<T extends { readonly i: number }>(
  all: readonly T[] | null | undefined,
  kept: ReadonlySet<number>,
): readonly T[] | null {
  const left = all?.filter(({ i }) => kept.has(i)) ?? [];
  return left.length === 0 ? null : left;
}

function reducedBody(raw: Uint8Array, kept: ReadonlySet<number>, isRequesterGone: boolean): Uint8Array {
  const body = parseJson(decoder.decode(raw)) as JsonObject;
  if (isRequesterGone) for (const name of ['identityMap', 'meta']) delete body[name];
  if (isObject(body['meta'])) body['meta'] = withoutEntries(body['meta']);
  if (Array.isArray(body['events'])) {
    body['events'] = body['events'].map((event, index): Json => (kept.has(index) ? event : { xdm: {} }));
  }
  return encoder.encode(JSON.stringify(body));
}

function withoutEntries(meta: JsonObject): JsonObject {
  const state = meta['state'];
  if (!isObject(state) || state['entries'] === undefined) return meta;
  const { entries: _entries, ...rest } = state;
  return { ...meta, state: rest };
}
