import { describe, expect, test } from 'vitest';
import { endpointAt } from '../../src/components.ts';
import { ipObfuscation } from '../../src/enrichments/ip-obfuscation.ts';
import type { IpObfuscation } from '../../src/model/datastream.ts';
import type { Exchange } from '../../src/model/exchange.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { decodeRecord, recordBytesMax, recordHead, writeRecord } from '../../src/model/record.ts';
import { clientOf, datastreamOf, eventOf, exchangeOf } from '../support/exchanges.ts';

/** Addresses with events: what is stored, read back from the record's bytes. */

const V4 = '203.0.113.177';
const V6 = '2001:db8:1345:7:aaaa:bbbb:cccc:dddd';

interface Sent {
  readonly level: IpObfuscation | null;
  readonly ip?: string;
  readonly role?: 'edge' | 'server';
  readonly events: readonly JsonObject[];
  /** As v1 has it: shared by all events. */
  readonly shared?: JsonObject;
}

function exchange({ level, ip = V4, role = 'edge', events, shared }: Sent): Exchange {
  const body = { ...(shared === undefined ? {} : { xdm: shared }), events: events.map((xdm) => ({ xdm })) };
  const raw = Buffer.from(JSON.stringify(body));
  const received = endpointAt('/v1/interact').parse('/v1/interact', JSON.parse(raw.toString()));
  const fields = { client: clientOf({ ip }), datastream: datastreamOf({ ipObfuscation: level }), role, raw, received };
  return exchangeOf({
    ...fields,
    events: received.events.map(({ xdm }, index) => eventOf(xdm, { index, payloadHash: '' })),
  });
}

/** The bytes of the record, and the events' environments that are read from it. */
function stored(x: Exchange) {
  const record = {
    ...{ requestId: x.requestId, atMs: x.nowMs, orgId: x.datastream.orgId, datastreamId: x.datastream.id },
    ...{ path: x.path, ecid: null, meta: {}, events: x.events, raw: x.raw, changes: [] },
  };
  const head = recordHead(record);
  const bytes = Buffer.alloc(recordBytesMax(head, record));
  const written = bytes.subarray(0, writeRecord(head, record, bytes, 0));
  const read = decodeRecord(written, (path, json) => endpointAt(path).parse(path, json));
  return { text: written.toString(), environments: read.events.map(({ xdm }) => xdm['environment']) };
}

function kept(sent: Sent) {
  const x = exchange(sent);
  ipObfuscation.enrich(x);
  const { text, environments } = stored(x);
  // What stages behind it see is what is stored.
  expect(x.events.map(({ xdm }) => xdm['environment'])).toEqual(environments);
  return { text, environments };
}

describe("the client's address", () => {
  test.each<[level: IpObfuscation | null, ip: string, environment: JsonObject | undefined]>([
    [null, V4, undefined],
    ['none', V4, { ipV4: V4 }],
    ['partial', V4, { ipV4: '203.0.113.0' }],
    ['full', V4, { ipV4: '0.0.0.0' }],
    ['none', V6, { ipV6: V6 }],
    ['partial', V6, { ipV6: '2001:db8:1345::' }],
    ['full', V6, { ipV6: '::' }],
    ['none', '', undefined],
    ['none', 'fe80::1%eth0', undefined],
  ])('%s, from %s', (level, ip, environment) => {
    const { text, environments } = kept({ level, ip, events: [{}, {}] });
    expect(environments).toEqual([environment, environment]);
    if (level !== 'none') expect(text).not.toContain(ip);
  });

  test('joins what the event has of its environment, and nothing that was sent is lost', () => {
    const { environments } = kept({ level: 'partial', events: [{ environment: { type: 'browser' } }] });
    expect(environments).toEqual([{ type: 'browser', ipV4: '203.0.113.0' }]);
  });

  test('an environment that is none stays as it is', () => {
    const events = [{ environment: 'a text' }, { environment: null }, { environment: [] }];
    expect(kept({ level: 'full', events }).environments).toEqual(['a text', null, []]);
  });

  test("the server listener's callers are no visitors: nothing is added", () => {
    expect(kept({ level: 'none', role: 'server', events: [{}] }).environments).toEqual([undefined]);
  });
});

describe('an address that the client sends', () => {
  const OWN = '198.51.100.213';
  test.each<[level: IpObfuscation | null, environment: JsonObject, kept: JsonObject]>([
    [null, { ipV4: OWN }, { ipV4: OWN }],
    ['none', { ipV4: OWN, ipV6: V6 }, { ipV4: OWN, ipV6: V6 }],
    ['partial', { ipV4: OWN, ipV6: V6 }, { ipV4: '198.51.100.0', ipV6: '2001:db8:1345::' }],
    ['full', { ipV4: OWN, ipV6: V6 }, { ipV4: '0.0.0.0', ipV6: '::' }],
    ['partial', { ipV6: `::ffff:${OWN}` }, { ipV6: '198.51.100.0' }],
    ['partial', { ipV4: `${OWN}, 10.0.0.1`, type: 'browser' }, { type: 'browser' }],
    ['partial', { ipV4: [OWN], ipV6: { a: V6 } }, {}],
    ['full', { ipV4: 7 }, {}],
  ])('%s: %j', (level, environment, expected) => {
    for (const role of ['edge', 'server'] as const) {
      const { text, environments } = kept({ level, role, events: [{ environment }] });
      expect(environments).toEqual([expected]);
      expect([text.includes(OWN), text.includes(V6)]).toEqual([
        level === null || level === 'none' ? JSON.stringify(environment).includes(OWN) : false,
        level === null || level === 'none' ? JSON.stringify(environment).includes(V6) : false,
      ]);
    }
  });

  test('one event brings its own, the others have the connection', () => {
    const { environments, text } = kept({ level: 'partial', events: [{}, { environment: { ipV4: OWN } }, {}] });
    expect(environments).toEqual([{ ipV4: '203.0.113.0' }, { ipV4: '198.51.100.0' }, { ipV4: '203.0.113.0' }]);
    expect(text).not.toContain(OWN);
  });

  test('shared by all events of the request', () => {
    const { environments, text } = kept({ level: 'partial', shared: { environment: { ipV4: OWN } }, events: [{}, {}] });
    expect(environments).toEqual([{ ipV4: '198.51.100.0' }, { ipV4: '198.51.100.0' }]);
    expect(text).not.toContain(OWN);
  });
});
