import { expect, test } from 'vitest';
import { COOKIES, judged } from './fuzz.ts';
import { InProcess } from './in-process.ts';
import { DATASTREAM, type Input, ORG } from './input.ts';
import { ALL_EDGES, NAMES } from './json-edges.ts';

/** Every edge of JSON in every place where a value or a key may stand, one at a time. */

const TARGETS = [
  `/ee/v1/interact?configId=${DATASTREAM}`,
  `/ee/v2/interact?datastreamId=${DATASTREAM}`,
  `/ee/v2/collect?datastreamId=${DATASTREAM}`,
  `/ee/v1/privacy/set-consent?configId=${DATASTREAM}`,
  `/ee/v1/identity/acquire?configId=${DATASTREAM}`,
];
/** `#`: where the edge goes. */
const PLACES = [
  '#',
  '{"events":#}',
  '{"events":[#]}',
  '{"event":#}',
  '{"events":[{"xdm":#}]}',
  '{"event":{"xdm":{"a":#}}}',
  '{"events":[{"xdm":{"a":#,"timestamp":#,"_id":#}}]}',
  '{"events":[{"xdm":{},"data":#}]}',
  '{"events":[{"xdm":{"identityMap":{"ECID":#}}}]}',
  '{"events":[{"xdm":{"identityMap":{"CRM":[{"id":#}]}}}]}',
  '{"identityMap":#,"events":[{"xdm":{}}],"event":{"xdm":{}},"consent":[{"standard":"Adobe","version":"1.0","value":{"general":"in"}}]}',
  '{"events":[{"xdm":{}}],"meta":#}',
  '{"events":[{"xdm":{}}],"meta":{"state":#}}',
  '{"events":[{"xdm":{}}],"meta":{"state":{"domain":#,"cookiesEnabled":#,"entries":#}}}',
  '{"events":[{"xdm":{}}],"meta":{"configOverrides":#}}',
  '{"events":[{"xdm":{}}],"meta":{"configOverrides":{"com_adobe_identity":#}}}',
  '{"events":[{"xdm":{}}],"meta":{"konductorConfig":{"streaming":#}}}',
  '{"events":[{"xdm":{}}],"query":{"identity":#}}',
  '{"query":{"identity":{"fetch":#}},"event":{"xdm":{}}}',
  '{"consent":#}',
  '{"consent":[{"standard":#,"version":#,"value":#}]}',
  '{"consent":[{"standard":"Adobe","version":"2.0","value":#}]}',
  '{"consent":[{"standard":"Adobe","version":"2.0","value":{"collect":#,"idSpecific":#}}],"query":{"consent":#}}',
];
const KEYS = [
  '{"events":[{"xdm":{#:1}}],"event":{"xdm":{#:{}}}}',
  '{#:{},"events":[{"xdm":{},#:1}]}',
  '{"events":[{"xdm":{"identityMap":{#:[{"id":"a"}]}}}]}',
  '{"events":[{"xdm":{"identityMap":{#:1}}}]}',
  '{"events":[{"xdm":{}}],"meta":{"configOverrides":{#:{#:[1]}}}}',
  '{"consent":[{"standard":"Adobe","version":"2.0","value":{#:{"val":"y"}}}]}',
];

const request = (target: string, body: string | Buffer, headers: Input['headers'] = []): Input => ({
  method: 'POST',
  target,
  headers: [['Host', 'edge.weir.test'], ['Content-Type', 'application/json'], ...headers],
  body: Buffer.from(body),
});

test.each(TARGETS)('%s', async (target) => {
  const server = new InProcess();
  const fill = (place: string, edge: string): string => place.replaceAll('#', () => edge);
  for (const place of PLACES)
    for (const edge of ALL_EDGES) await judged(server, request(target, fill(place, edge)), place);
  for (const place of KEYS) for (const name of NAMES) await judged(server, request(target, fill(place, name)), place);
  expect(server.told).toEqual([]);
});

test('a BOM, other encodings and broken UTF-8 are refused, and nothing is stored', async () => {
  const server = new InProcess();
  const body = '{"events":[{"xdm":{"a":"b"}}]}';
  const at = body.indexOf('b"');
  const broken = [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0x80]];
  const all = [
    `\ufeff${body}`,
    Buffer.from(body, 'utf16le'),
    ...broken.map((bytes) =>
      Buffer.concat([Buffer.from(body.slice(0, at)), Buffer.from(bytes), Buffer.from(body.slice(at))]),
    ),
  ];
  for (const one of all) expect((await judged(server, request(TARGETS[0]!, one), 'bytes')).status).toBe(400);
  expect(server.log.records).toBe(0);
});

test('every bit of every cookie, in the header or among the entries', async () => {
  const server = new InProcess();
  const name = `kndctr_${ORG.replace('@', '_')}_identity`;
  const body = { events: [{ xdm: {} }], query: { identity: { fetch: ['ECID'] } } };
  for (const cookie of COOKIES) {
    const bytes = Buffer.from(cookie, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const value = flipped.toString('base64url');
      const entries = [{ key: name, value }];
      const inBody = JSON.stringify({ ...body, meta: { state: { domain: '', cookiesEnabled: true, entries } } });
      const inHeader = request(TARGETS[0]!, JSON.stringify(body), [['Cookie', `${name}=${value}`]]);
      const input = bit % 2 === 0 ? inHeader : request(TARGETS[0]!, inBody);
      expect((await judged(server, input, `bit ${bit}`)).status).toBe(200);
    }
  }
});
