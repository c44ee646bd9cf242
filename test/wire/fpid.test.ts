import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { post } from '../support/raw-http.ts';
import { decodeAnswer } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

const DATASTREAM = 'id: shop\norg: TEST@AdobeOrg\nname: Shop\nidentity: { fpidCookie: device }\n';
const FPID = '8f1c0b6e-3d52-4c7a-9e41-5a7b90c3d21f';
const MAP = { FPID: [{ id: FPID, primary: true }] };
const KEY = 'c0ffee00'.repeat(8);

async function started(files: Record<string, string> = {}): Promise<Weir> {
  const weir = await startWeir({ 'datastreams/shop.yaml': DATASTREAM, ...files });
  onTestFinished(() => weir.stop());
  return weir;
}

async function ecidOf(
  weir: Weir,
  path: string,
  body: JsonObject,
  headers: readonly (readonly [string, string])[] = [],
): Promise<string> {
  const asked = { ...body, query: { identity: { fetch: ['ECID'] } } };
  const answer = await post(weir.edge, `/ee${path}?configId=shop&datastreamId=shop`, asked, headers);
  expect(answer.status, JSON.stringify(answer.json)).toBe(200);
  const result = decodeAnswer(answer.json).handle.find(({ type }) => type === 'identity:result');
  return (result!.payload as { id: string }[])[0]!.id;
}

const CONSENT = [{ standard: 'Adobe', version: '1.0', value: { general: 'in' } }];
const ENTRY = { key: 'device', value: FPID };
const OTHER_ENTRY = { key: 'kndctr_TEST_AdobeOrg_cluster', value: 'va6' };
/** Every way in which a request can bring an FPID. */
const WAYS: readonly (readonly [string, JsonObject, (readonly (readonly [string, string])[])?])[] = [
  ['/v1/interact', { events: [{ xdm: { eventType: 'a', identityMap: MAP } }] }],
  ['/v1/interact', { xdm: { identityMap: MAP }, events: [{ xdm: { eventType: 'b' } }, { xdm: { eventType: 'c' } }] }],
  ['/v2/interact', { event: { xdm: { eventType: 'd', identityMap: MAP } } }],
  ['/v1/identity/acquire', { xdm: { identityMap: MAP } }],
  ['/v1/privacy/set-consent', { identityMap: MAP, consent: CONSENT }],
  ['/v1/interact', { events: [{ xdm: { eventType: 'e' } }] }, [['cookie', `device=${FPID}`]]],
  ['/v1/interact', { events: [{ xdm: { eventType: 'f' } }], meta: { state: { entries: [ENTRY, OTHER_ENTRY] } } }],
];

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

test('an FPID has one ECID on every endpoint, after a restart, and is on no file of the server', async () => {
  const weir = await started();
  const before = await Promise.all(WAYS.map(([path, body, headers]) => ecidOf(weir, path, body, headers)));
  expect(new Set(before).size).toBe(1);
  await weir.restart();
  const [path, body] = WAYS[0]!;
  expect(await ecidOf(weir, path, body)).toBe(before[0]);
  expect(await post(weir.edge, '/ee/v1/collect?configId=shop', body)).toMatchObject({ status: 204 });

  const events = await weir.events();
  expect(events.map(({ xdm }) => xdm['eventType']).sort()).toEqual(['a', 'a', 'a', 'b', 'c', 'd', 'e', 'f']);
  for (const { xdm } of events) {
    expect(xdm['identityMap']).toMatchObject({ ECID: [{ id: before[0], primary: true }] });
    expect(xdm['identityMap']).not.toHaveProperty('FPID');
  }
  const { record } = events.find(({ xdm }) => xdm['eventType'] === 'f')!;
  expect(record.meta).toEqual({ state: { entries: [OTHER_ENTRY] } });
  await weir.halt();
  const bare = FPID.replaceAll('-', '');
  for (const file of filesOf(weir.data)) {
    const text = readFileSync(file).toString('latin1').toLowerCase();
    for (const trace of [FPID, bare]) expect(text.includes(trace), `${trace} in ${file}`).toBe(false);
  }
});

test('a batch that shares much with its events is stored as small as it came', async () => {
  const weir = await started();
  const blob = 'x'.repeat(40_000);
  const events = Array.from({ length: 500 }, (_, n) => ({ xdm: { n } }));
  await ecidOf(weir, '/v1/interact', { xdm: { identityMap: MAP, blob }, events });
  const { record } = (await weir.records())[0]!;
  expect(record.raw!.length).toBeLessThan(60_000);
  expect(record.events).toHaveLength(500);
  const { identityMap, ...rest } = record.events[7]!.xdm;
  expect(rest).toEqual({ blob, n: 7 });
  expect(Object.keys(identityMap as object)).toEqual(['ECID']);
});

test('servers with the same key agree, those with another do not', async () => {
  const options = { 'weir.yaml': 'identity: { fpidKeyFile: fpid.key }\n', 'fpid.key': KEY };
  const [path, body] = WAYS[0]!;
  const ecids = [];
  for (const files of [options, options, {}]) ecids.push(await ecidOf(await started(files), path, body));
  expect(ecids[1]).toBe(ecids[0]);
  expect(ecids[2]).not.toBe(ecids[0]);
});

test('a key file that holds no key keeps the server from starting', async () => {
  const options = { 'weir.yaml': 'identity: { fpidKeyFile: fpid.key }\n', 'fpid.key': 'secret' };
  await expect(started(options)).rejects.toThrow(/fpid\.key does not hold what it should/);
});
