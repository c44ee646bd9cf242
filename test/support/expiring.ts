import { endpointAt } from '../../src/components.ts';
import { PLAIN_CONSENT } from '../../src/model/consent-in-force.ts';
import { identitiesOf } from '../../src/model/identity.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { Change } from '../../src/model/person.ts';
import {
  decodeRecord,
  type LogRecord,
  type ParseBody,
  recordBytesMax,
  recordHead,
  type StoredEvent,
  writeRecord,
} from '../../src/model/record.ts';

/** Requests with events of types, for tests of how long those are kept. */

export const parseBody: ParseBody = (path, body) => endpointAt(path).parse(path, body);

/** One event: its type, null for none, and whether it was stored or came as a duplicate of another record's. */
export interface Sent {
  readonly type: string | null;
  readonly isDuplicate?: boolean;
}

export interface Request {
  readonly number: number;
  readonly atMs: number;
  readonly datastreamId: string;
  readonly sent: readonly Sent[];
  /** Whether the body was kept as it came. */
  readonly isWhole: boolean;
  /** Kinds of the changes that it made. */
  readonly changes?: readonly Change['kind'][];
  /** A shared `xdm` of the body, for all events. */
  readonly shared?: JsonObject;
}

/** Stands in everything that was sent of an event. */
export function markOf(number: number, index: number): string {
  return `mark-${number}-${index}.`;
}

/** What a client wrote on it is the time of long ago or to come, and no retention goes by it. */
const STRANGE_TIMES = ['1999-01-01T00:00:00Z', '2099-01-01T00:00:00Z'];

export function requestRecord({ number, atMs, datastreamId, sent, isWhole, changes = [], shared }: Request): LogRecord {
  const xdms = sent.map(
    ({ type }, index): JsonObject => ({
      ...(type === null ? {} : { eventType: type }),
      timestamp: STRANGE_TIMES[(number + index) % 2]!,
      mark: markOf(number, index),
    }),
  );
  const body = { ...(shared === undefined ? {} : { xdm: shared }), events: xdms.map((xdm) => ({ xdm })) };
  const path = '/v1/interact';
  const received = parseBody(path, body);
  const events = received.events.flatMap(({ xdm }, index): StoredEvent[] => {
    if (sent[index]!.isDuplicate === true) return [];
    const occurredAtMs = Date.parse(String(xdm['timestamp']));
    return [
      {
        ...{ id: `r${number}/${index}`, dedupKey: `key-${number}-${index}`, payloadHash: 'hash', index, xdm },
        ...{ data: null, query: null, meta: null, identities: identitiesOf(xdm), consent: PLAIN_CONSENT, added: null },
        ...{ occurredAtMs, occurredAtFrom: 'timestamp' },
      },
    ];
  });
  return {
    ...{ requestId: `r${number}`, atMs, orgId: 'org', datastreamId, path, ecid: `ecid-${number}`, meta: {}, events },
    raw: isWhole ? Buffer.from(JSON.stringify(body)) : null,
    changes: changes.map((kind) => ({ kind, key: `org|ECID|${number}`, time: '000000000001-0000', body: { number } })),
    retryKey: events.length === 0 ? { dedupKey: `retry-${number}`, payloadHash: 'hash' } : null,
  };
}

/** The record as a reader of the log has it. */
export function storedRecord(record: LogRecord): LogRecord {
  const head = recordHead(record);
  const bytes = Buffer.alloc(recordBytesMax(head, record));
  return decodeRecord(bytes.subarray(0, writeRecord(head, record, bytes, 0)), parseBody);
}

/** All that a record shows, as text. */
export function shownText(record: LogRecord): string {
  const { requestId, ecid, meta, retryKey, events, decisions, notices, raw } = record;
  const body = raw === null ? null : Buffer.from(raw).toString();
  return JSON.stringify({ requestId, ecid, meta, retryKey, events, decisions, notices, body });
}
