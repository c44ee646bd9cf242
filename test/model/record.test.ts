import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PLAIN_CONSENT } from '../../src/model/consent-in-force.ts';
import type { StoredDecision, StoredNotice } from '../../src/model/decision.ts';
import type { Consent, Received } from '../../src/model/exchange.ts';
import { identitiesOf } from '../../src/model/identity.ts';
import { type Json, type JsonObject, mergeJson, parseJson } from '../../src/model/json.ts';
import type { Change } from '../../src/model/person.ts';
import {
  DECIDING_RECORD_VERSION,
  decodeRecord,
  duplicateKeysOf,
  type LogRecord,
  type ParseBody,
  RECORD_VERSION,
  recordBytesMax,
  recordHead,
  type StoredEvent,
  UnknownRecordVersion,
  writeRecord,
} from '../../src/model/record.ts';

/** Bodies of these tests: {meta, events: [{xdm, data, query, meta}]}. */
const parseBody: ParseBody = (path, body) => {
  expect(path).toBe('/v1/interact');
  const { meta, events } = body as JsonObject;
  return { identityMap: null, consent: null, query: {}, meta, events } as unknown as Received;
};
const neverParsed: ParseBody = () => {
  throw new Error('The body was parsed.');
};

const clean = (value: unknown): JsonObject => parseJson(JSON.stringify(value)) as JsonObject;
const key = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('constructor', 'identityMap', 'é', '💧'),
);
const objects = fc.dictionary(key, fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }), { maxKeys: 4 }).map(clean);
const nullable = fc.option(objects);
const identityMaps = fc.constantFrom<JsonObject>(
  {},
  {
    identityMap: { ECID: [{ id: '4'.repeat(38), primary: true }], CRM: [{ id: 'ü', authenticatedState: 'loggedOut' }] },
  },
);
/** What is added to nearly every event, and what only looks like it. */
const ecidAdded = fc
  .record(
    {
      id: fc.oneof(fc.constant('4'.repeat(38)), fc.string({ unit: 'binary' })),
      authenticatedState: fc.oneof(fc.constant('ambiguous'), fc.string()),
      primary: fc.oneof(fc.boolean(), fc.constant('true')),
      more: fc.constant(1),
    },
    { requiredKeys: [] },
  )
  .chain((entry) =>
    fc.constantFrom<JsonObject>(
      { identityMap: { ECID: [entry] } },
      { identityMap: { ECID: [entry, entry] } },
      { identityMap: { ECID: [entry], CRM: [] } },
      { identityMap: { CRM: [entry] } },
      { identityMap: { ECID: [entry] }, other: 1 },
    ),
  );
const consents = fc.oneof(
  fc.constant(PLAIN_CONSENT),
  fc.record<Consent>({
    recordId: fc.option(fc.string()),
    collect: fc.constantFrom('in', 'out', 'pending'),
    gpc: fc.boolean(),
    default: fc.constantFrom('in', 'out', 'pending'),
    value: nullable,
  }),
);
const times = fc.integer({ min: -(2 ** 40), max: 2 ** 42 });

const sentEvents = fc.array(
  fc.record({
    xdm: fc.tuple(objects, identityMaps).map(([xdm, map]) => ({ ...xdm, ...map })),
    data: nullable,
    query: nullable,
    meta: nullable,
    added: fc.oneof(nullable, ecidAdded),
    consent: consents,
    dedupKey: fc.string({ unit: 'binary' }),
    payloadHash: fc.string(),
    occurredAtMs: fc.option(times),
    occurredAtFrom: fc.constantFrom<StoredEvent['occurredAtFrom']>(
      'timestamp',
      'received',
      'implausible',
      'unreadable',
    ),
  }),
  { maxLength: 4 },
);
const changes = fc.array(
  fc.record<Change>({
    kind: fc.constantFrom('consent', 'identity', 'profile'),
    key: fc.string({ unit: 'binary' }),
    time: fc.string(),
    body: objects,
  }),
  { maxLength: 2 },
);

const decisions = fc.array(
  fc.record<StoredDecision>({
    i: fc.nat(3),
    h: fc.constant('0123456789abcdef'),
    seed: fc.constant('0'.repeat(32)),
    in: fc.constantFrom<StoredDecision['in']>({}, { sections: [['ECID', 'profile', '0:7']], bot: true, client: {} }),
    v: fc.constantFrom<StoredDecision['v']>(
      [],
      [
        ['a', 'shown', 'b', 12, '1-0!', null],
        ['c', 'audience', null, null, '0-', null],
        ['d', 'audience', 'x', null, '', null],
      ],
    ),
    p: fc.array(fc.tuple(fc.uuid(), fc.string({ unit: 'binary' }), fc.string(), fc.string(), fc.array(fc.string()))),
  }),
  { minLength: 1, maxLength: 2 },
);

const notices = fc.array(
  fc.record<StoredNotice>({ i: fc.nat(3), k: fc.constantFrom('display', 'dismiss'), t: fc.string() }),
  { maxLength: 2 },
);

const records = fc
  .record({
    requestId: fc.uuid(),
    atMs: times,
    orgId: fc.string(),
    datastreamId: fc.string(),
    ecid: fc.option(fc.constant('4'.repeat(38))),
    meta: objects,
    sent: sentEvents,
    changes,
    whole: fc.boolean(),
    firstIndex: fc.nat(3),
    retryKey: fc.option(fc.record({ dedupKey: fc.string(), payloadHash: fc.string() })),
    decisions: fc.option(decisions),
    notices: fc.option(notices),
  })
  .map(({ sent, whole, firstIndex, ...rest }): LogRecord => {
    // Where events were left out, the indexes of those stored have gaps.
    const offset = whole ? 0 : firstIndex;
    const raw = whole
      ? new TextEncoder().encode(
          JSON.stringify({
            meta: rest.meta,
            events: sent.map(({ xdm, data, query, meta }) => ({ xdm, data, query, meta })),
          }),
        )
      : null;
    const events = sent.map((event, i): StoredEvent => {
      const xdm = event.added === null ? event.xdm : mergeJson(event.xdm, event.added);
      const { occurredAtMs, ...others } = event;
      const index = i + offset;
      return {
        ...others,
        id: `${rest.requestId}/${index}`,
        index,
        xdm,
        identities: identitiesOf(xdm),
        occurredAtMs: occurredAtMs ?? rest.atMs,
      };
    });
    return { ...rest, path: '/v1/interact', events, raw };
  });

/** As the log stores it: behind something else in its buffer. */
function bytesOf(record: LogRecord): Uint8Array {
  const head = recordHead(record);
  const buffer = Buffer.alloc(5 + recordBytesMax(head, record));
  return new Uint8Array(buffer.subarray(5, 5 + writeRecord(head, record, buffer, 5)));
}

function headOf(record: LogRecord): Buffer {
  const bytes = Buffer.from(bytesOf(record));
  return bytes.subarray(4, 4 + bytes.readUInt32LE(0));
}

function fieldsOf(record: LogRecord): LogRecord {
  const { requestId, atMs, orgId, datastreamId, path, ecid, meta, events, raw, changes, retryKey, decisions } = record;
  return {
    requestId,
    atMs,
    orgId,
    datastreamId,
    path,
    ecid,
    meta,
    events,
    raw: raw === null ? null : Buffer.from(raw),
    changes,
    retryKey: retryKey ?? null,
    decisions: decisions ?? null,
    notices: record.notices ?? null,
  };
}

describe('a record', () => {
  test('is read back as it was written, with its body and without', () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(fieldsOf(decodeRecord(bytesOf(record), parseBody))).toEqual(fieldsOf(record));
      }),
      { numRuns: 300 },
    );
  });

  test('survives a second round', () => {
    fc.assert(
      fc.property(records, (record) => {
        const once = bytesOf(record);
        expect(Buffer.from(bytesOf(decodeRecord(once, parseBody)))).toEqual(Buffer.from(once));
      }),
    );
  });

  test('tells its changes and head, and of one event its keys, without parsing the body', () => {
    fc.assert(
      fc.property(records, (record) => {
        const read = decodeRecord(bytesOf(record), record.events.length > 1 ? parseBody : neverParsed);
        const keys = [...record.events, ...(record.retryKey == null ? [] : [record.retryKey])].map(
          ({ dedupKey, payloadHash }) => ({ dedupKey, payloadHash }),
        );
        expect(duplicateKeysOf(read).map(({ dedupKey, payloadHash }) => ({ dedupKey, payloadHash }))).toEqual(keys);
        expect(duplicateKeysOf(read)).toEqual(duplicateKeysOf(record));
        expect(read.changes).toEqual(record.changes);
        expect([read.requestId, read.atMs, read.ecid]).toEqual([record.requestId, record.atMs, record.ecid]);
      }),
    );
  });
});

const xdm: JsonObject = { eventType: 'page', web: { name: 'Größe 💧' } };
const added: JsonObject = { identityMap: { ECID: [{ id: '4'.repeat(38), primary: true }] } };
const body = { meta: { state: {} }, events: [{ xdm, data: null, query: null, meta: null }] };
const simple = (raw: Uint8Array | null): LogRecord => {
  const all = mergeJson(xdm, added);
  const event: StoredEvent = {
    id: 'r/0',
    dedupKey: 'k',
    payloadHash: 'h',
    index: 0,
    xdm: all,
    data: null,
    query: null,
    meta: null,
    identities: identitiesOf(all),
    consent: PLAIN_CONSENT,
    added,
    occurredAtMs: 5,
    occurredAtFrom: 'timestamp',
  };
  const rest = {
    requestId: 'r',
    atMs: 5,
    orgId: 'O',
    datastreamId: 'd',
    path: '/v1/interact',
    ecid: null,
    changes: [],
  };
  return { ...rest, meta: body.meta, events: [event], raw };
};
const rawBody = new TextEncoder().encode(JSON.stringify(body));

describe('the bytes', () => {
  test('hold the body as sent, and the event’s content once', () => {
    const record = simple(rawBody);
    const bytes = Buffer.from(bytesOf(record));
    expect(bytes.subarray(4 + bytes.readUInt32LE(0)).equals(rawBody)).toBe(true);
    expect(headOf(record).toString()).not.toContain('eventType');
    expect(headOf(record).toString()).toContain('"a":{"identityMap"');
  });

  test('hold the events themselves where the body may not be stored', () => {
    const record = simple(null);
    expect(bytesOf(record)).toHaveLength(4 + headOf(record).length);
    expect(headOf(record).toString()).toContain('Größe 💧');
  });

  test('leave out what is usual', () => {
    const head = JSON.parse(headOf(simple(rawBody)).toString()) as { e: JsonObject[] };
    expect(Object.keys(head).sort()).toEqual(['e', 'g', 'p', 'r', 's', 't', 'u', 'v']);
    expect(Object.keys(head.e[0]!).sort()).toEqual(['a', 'h', 'i', 'k']);
  });

  test('say of a refusal by an audience only whose and how, and have a format of their own then', () => {
    const refused = ['hero', 'audience', null, null, '1-0', null] as const;
    const shown = ['banner', 'shown', 'a', 7, '', null] as const;
    const record = { ...simple(rawBody), decisions: [{ i: 0, h: 'h', seed: '0', in: {}, v: [refused, shown], p: [] }] };
    const head = headOf(record).toString();
    expect(head).toContain('"v":[["hero","1-0"],["banner","shown","a",7,"",null]]');
    expect(JSON.parse(head)).toMatchObject({ v: DECIDING_RECORD_VERSION });
    expect(JSON.parse(headOf(simple(rawBody)).toString())).toMatchObject({ v: RECORD_VERSION });
    expect(decodeRecord(bytesOf(record), parseBody).decisions).toEqual(record.decisions);
  });

  test('of before, with every verdict whole, are read as they were', () => {
    const decision = { i: 0, h: 'h', seed: '0', in: {}, v: [['hero', 'audience', null, null, '1-0', null]], p: [] };
    const head = JSON.parse(headOf(simple(null)).toString()) as JsonObject;
    const text = Buffer.from(JSON.stringify({ ...head, z: [decision] }));
    const bytes = Buffer.concat([Buffer.alloc(4), text]);
    bytes.writeUInt32LE(text.length);
    expect(head['v']).toBe(RECORD_VERSION);
    expect(decodeRecord(bytes, parseBody).decisions).toEqual([decision]);
  });

  test('of a newer format are refused, with the remedy', () => {
    const head = Buffer.from(bytesOf(simple(null)));
    const newer = Buffer.from(
      head.toString('latin1').replace(`"v":${RECORD_VERSION}`, `"v":${DECIDING_RECORD_VERSION + 1}`),
      'latin1',
    );
    expect(() => decodeRecord(newer, parseBody)).toThrow(UnknownRecordVersion);
    expect(() => decodeRecord(newer, parseBody)).toThrow(/format 4; this version reads formats up to 3/);
  });

  test('that are damaged are an error, not another record', () => {
    const good = bytesOf(simple(rawBody));
    for (const length of [0, 3, 4, 20]) expect(() => decodeRecord(good.subarray(0, length), parseBody)).toThrow();
    const notUtf8 = Uint8Array.from(good);
    notUtf8[30] = 0xff;
    expect(() => decodeRecord(notUtf8, parseBody)).toThrow();
  });
});

test('events are parsed once, however often they are asked for', () => {
  let parses = 0;
  const record = decodeRecord(bytesOf(simple(rawBody)), (path, json: Json) => {
    parses += 1;
    return parseBody(path, json);
  });
  expect(record.events).toBe(record.events);
  expect(record.meta).toEqual(body.meta);
  expect(record.events[0]!.identities[0]!.id).toBe('4'.repeat(38));
  expect(parses).toBe(1);
});
