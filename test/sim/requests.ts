import { ALIGN_BYTES, FRAME_HEADER_BYTES, frameBytes, sealFrame } from '../../src/log/segment.ts';
import { PLAIN_CONSENT } from '../../src/model/consent-in-force.ts';
import { identitiesOf } from '../../src/model/identity.ts';
import { isObject, type JsonObject, valueAt } from '../../src/model/json.ts';
import { type Change, personKey } from '../../src/model/person.ts';
import type { LogRecord, ParseBody, StoredEvent } from '../../src/model/record.ts';
import type { Random } from './random.ts';

/** Of requests that are nobody's, and are shown as they are. */
export const PLAIN_PATH = '/v2/interact';
const PERSONS = ['ann', 'bob', 'cleo'];

/** The n-th request of a schedule: sizes, changes and bodies of all kinds, some of them hostile. */
export function recordOf(number: number, random: Random, atMs: number): LogRecord {
  const changes: Change[] = [];
  const time = `${number.toString(16).padStart(12, '0')}-0000`;
  for (let i = random.below(3); i > 0; i--) {
    const operation = random.oneIn(2) ? 'update' : 'replace';
    const value = { [random.pick(['a', 'b'])]: number };
    changes.push({ kind: 'consent', key: random.pick(PERSONS), time, body: { operation, value } });
  }
  const raw = random.oneIn(8)
    ? forgedFrame(random)
    : Buffer.alloc(random.below(random.oneIn(5) ? 600 : 80), number + 1);
  return {
    requestId: `r${number}`,
    atMs,
    orgId: 'org',
    datastreamId: 'site',
    path: PLAIN_PATH,
    ecid: null,
    meta: {},
    events: [],
    raw: raw.length === 0 ? null : raw,
    changes,
  };
}

/** Who comes to the theme of erasures. */
export const VISITORS = ['visitor-ann', 'visitor-bob', 'visitor-cleo'] as const;

export function visitorKey(visitor: string): string {
  return personKey('org', 'ECID', visitor);
}

/**
 * A request of one to three visitors, each with an event; what belongs to one has a mark of its own in it. Some choose, some are
 * linked.
 */
export function visitOf(number: number, random: Random, atMs: number): LogRecord {
  const visitors = Array.from({ length: random.between(1, 3) }, () => random.pick(VISITORS));
  const marks = visitors.map((visitor, i) => `mark.${number}.${i}.${visitor}`);
  const events = visitors.map((visitor, i) => ({
    xdm: { identityMap: { ECID: [{ id: visitor }] }, mark: marks[i]!, filler: 'x'.repeat(random.below(200)) },
  }));
  const time = `${number.toString(16).padStart(12, '0')}-0000`;
  const changes: Change[] = [];
  for (const [i, visitor] of visitors.entries()) {
    const key = visitorKey(visitor);
    if (random.oneIn(3)) changes.push({ kind: 'consent', key, time, body: { value: { a: marks[i]! } } });
    const other = random.pick(VISITORS);
    const links = [['ECID', other, 'ambiguous']];
    if (random.oneIn(3) && other !== visitor) changes.push({ kind: 'identity', key, time, body: { links } });
  }
  const raw = Buffer.from(JSON.stringify({ events }));
  return {
    ...{ requestId: `r${number}`, atMs, orgId: 'org', datastreamId: 'site', path: '/v2/collect' },
    ecid: visitors.length === 1 ? visitors[0]! : null,
    meta: {},
    events: events.map(({ xdm }, index) => storedEvent(`r${number}`, xdm, index, atMs)),
    raw,
    changes,
  };
}

export function callMark(requestId: string): string {
  return `call.${requestId}.`;
}

/** Where requests go to in the theme of expiry. */
export const DATASTREAMS = ['shop', 'site', 'shop:dev'] as const;
export const EVENT_TYPES = ['view', 'buy'] as const;

/**
 * A visit of a datastream whose events have types and expire; of choices it keeps marks of their own. Some are calls that only
 * choose; of some the body was not kept.
 */
export function keptVisitOf(number: number, random: Random, atMs: number): LogRecord {
  const visit = visitOf(number, random, atMs);
  const datastreamId = random.pick(DATASTREAMS);
  const changes = visit.changes.map((change, i): Change => {
    return change.kind === 'consent' ? choiceOf(change, `choice.${number}.${i}.${idOf(change)}`) : change;
  });
  const { requestId } = visit;
  const [first] = changes;
  if (first !== undefined && random.oneIn(4)) {
    const raw = Buffer.from(JSON.stringify({ call: callMark(requestId) }));
    return {
      ...visit,
      datastreamId,
      ecid: idOf(first),
      events: [],
      raw,
      changes: [choiceOf(first, `choice.${number}.`)],
    };
  }
  const xdms = visit.events.map(({ xdm }): JsonObject => {
    const eventType = random.pick([...EVENT_TYPES, null]);
    return eventType === null ? xdm : { ...xdm, eventType };
  });
  const raw = random.oneIn(3) ? null : Buffer.from(JSON.stringify({ events: xdms.map((xdm) => ({ xdm })) }));
  const events = xdms.map((xdm, index) => storedEvent(requestId, xdm, index, atMs));
  return { ...visit, datastreamId, events, raw, changes };
}

function choiceOf({ key, time }: Change, mark: string): Change {
  return { kind: 'consent', key, time, body: { value: { a: mark } } };
}

/** The visitor that a change is about. */
export function idOf({ key }: Change): string {
  return key.split('|')[2]!;
}

function storedEvent(requestId: string, xdm: JsonObject, index: number, atMs: number): StoredEvent {
  return {
    ...{ id: `${requestId}/${index}`, dedupKey: `${requestId}/${index}`, payloadHash: '', index, xdm },
    ...{ data: null, query: null, meta: null, identities: identitiesOf(xdm), consent: PLAIN_CONSENT, added: null },
    ...{ occurredAtMs: atMs, occurredAtFrom: 'timestamp' },
  };
}

/** Bodies of visits have events; all others are compared as bytes. */
export const parseBody: ParseBody = (_path, body) => {
  const events = isObject(body) && Array.isArray(body['events']) ? body['events'] : [];
  const parsed = events.map((event) => ({
    xdm: valueAt(event, 'xdm') as JsonObject,
    data: null,
    query: null,
    meta: null,
  }));
  return { events: parsed, identityMap: null, consent: null, query: {}, meta: {} };
};

/** What a client may send who knows the format: a frame with a record that nobody sent, at a place where a frame may start. */
function forgedFrame(random: Random): Buffer {
  const head = Buffer.from('{"v":1,"r":"forged","t":1,"g":"","s":"","p":"","u":null,"e":[]}');
  const shift = random.below(ALIGN_BYTES);
  const bytes = Buffer.alloc(shift + frameBytes(4 + head.length), 1);
  bytes.writeUInt32LE(head.length, shift + FRAME_HEADER_BYTES);
  head.copy(bytes, shift + FRAME_HEADER_BYTES + 4);
  const offset = random.below(40);
  const frame = { epoch: random.below(5), batch: offset, offset, atMs: 1, previousCrc: 0 };
  sealFrame(bytes, shift, 4 + head.length, frame);
  return bytes;
}
