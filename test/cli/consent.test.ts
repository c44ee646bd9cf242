import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpointAt } from '../../src/components.ts';
import { FileLog } from '../../src/log/file.ts';
import { nodeFs } from '../../src/log/node-fs.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { weir } from '../support/command.ts';
import { post } from '../support/raw-http.ts';
import { TC_IN, TC_OUT } from '../support/tc-strings.ts';
import { startWeir, type Weir } from '../support/weir.ts';

const ECID = '11111111111111111112222222222222222222';
const OTHER = '33333333333333333334444444444444444444';
const identityMap = { ECID: [{ id: ECID }] };
const adobe = (value: JsonObject, version = '2.0'): JsonObject => ({ standard: 'Adobe', version, value });
const tcf = (value: string): JsonObject => ({ standard: 'IAB TCF', version: '2.2', value });

let server: Weir;
const choose = (datastream: string, requestId: string, body: JsonObject): Promise<unknown> =>
  post(server.edge, `/ee/v1/privacy/set-consent?configId=${datastream}&requestId=${requestId}`, {
    identityMap,
    ...body,
  });

beforeAll(async () => {
  server = await startWeir({
    'datastreams/strict.yaml': 'id: strict\norg: TEST@AdobeOrg\nname: Strict\nconsent: { tcfVendor: 12 }\n',
    'datastreams/other.yaml': 'id: other\norg: OTHER@AdobeOrg\nname: Other\n',
  });
  await choose('shop', 'first', { consent: [adobe({ collect: { val: 'y' }, share: { val: 'n' } })] });
  await choose('shop', 'second', { consent: [tcf(TC_OUT)], query: { consent: { operation: 'update' } } });
  await choose('other', 'elsewhere', { consent: [adobe({ general: 'in' }, '1.0')] });
  const consentStrings = [
    { consentStandard: 'IAB TCF', consentStandardVersion: '2.2', consentStringValue: TC_IN, gdprApplies: false },
  ];
  const events = [{ xdm: { identityMap, consentStrings, timestamp: new Date().toISOString() } }];
  await post(server.edge, '/ee/v1/interact?configId=shop&requestId=third', { events });
  await choose('strict', 'fourth', { consent: [tcf(TC_IN)] });
});
afterAll(() => server.stop());

const run = (...args: string[]) => weir('consent', '--data', server.data, ...args);
const lines = async (...args: string[]) => {
  const { code, out, err } = await run('--ecid', ECID, '--json', ...args);
  expect([code, err]).toEqual([0, '']);
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
};

/** As tests before and after the stop expect it. */
async function expectHistory(): Promise<void> {
  const choices = await lines('--org', 'TEST@AdobeOrg');
  expect(
    choices.map(({ position, by, operation, previous, collect }) => [position, by, operation, previous, collect]),
  ).toEqual([
    ['0:0', 'set-consent', 'replace', null, 'in'],
    ['0:1', 'set-consent', 'update', '0:0', 'out'],
    ['0:3', 'event', 'update', '0:1', 'in'],
    // By the vendor that this datastream asks for.
    ['0:4', 'set-consent', 'replace', '0:3', 'out'],
  ]);
  expect(choices[0]).toMatchObject({
    orgId: 'TEST@AdobeOrg',
    datastreamId: 'shop',
    requestId: expect.stringMatching(/^first-[0-9a-f]{16}$/),
    receivedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    given: [adobe({ collect: { val: 'y' }, share: { val: 'n' } })],
    holds: { collect: { val: 'y' }, share: { val: 'n' }, version: '2.0' },
    isOutdated: false,
    isFragment: false,
  });
  expect(choices[1]).toMatchObject({
    given: [tcf(TC_OUT)],
    holds: { collect: { val: 'y' }, share: { val: 'n' }, tcf: { purposes: [2], gdprApplies: true } },
  });
  expect(choices[2].given).toMatchObject([{ value: TC_IN, gdprApplies: false }]);
  // What events keep points at these.
  const events = await server.events();
  expect(events.map(({ consent }) => [consent.recordId, consent.value?.['tcf']])).toEqual([
    ['this', choices[2].holds.tcf],
  ]);
}

describe('weir consent --json', () => {
  test('every choice, as it was sent and what it came to, while the server runs', expectHistory);

  test('of every org, or of the one that a datastream belongs to', async () => {
    expect((await lines()).map(({ orgId }) => orgId)).toEqual(
      ['TEST', 'TEST', 'OTHER', 'TEST', 'TEST'].map((org) => `${org}@AdobeOrg`),
    );
    expect((await lines('--datastream', 'other')).map(({ requestId }) => requestId.split('-')[0])).toEqual([
      'elsewhere',
    ]);
    expect(await lines('--datastream', 'strict')).toEqual(await lines('--org', 'TEST@AdobeOrg'));
    expect(await lines('--org', 'NOBODY@AdobeOrg')).toEqual([]);
  });
});

test('for people', async () => {
  const { code, out } = await run('--ecid', ECID);
  expect(code).toBe(0);
  const plain = out
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/-[0-9a-f]{16}\b/g, '-<hex>')
    .replaceAll(/\{"version":"2.2".*?\}/g, '<tcf>');
  expect(plain.split('\n\n').slice(0, 2)).toEqual([
    `ECID ${ECID}, org TEST@AdobeOrg: 4 choices`,
    `<time>  record 0:0
  set-consent, datastream shop, request first-<hex>
  replaces everything; the choice before: none
  given: Adobe 2.0 {"collect":{"val":"y"},"share":{"val":"n"}}
  holds: {"collect":{"val":"y"},"share":{"val":"n"},"version":"2.0"}
  collection: in`,
  ]);
  expect(plain).toContain(`  changes what it names; the choice before: 0:0
  given: IAB TCF 2.2 ${TC_OUT}
  holds: {"collect":{"val":"y"},"share":{"val":"n"},"version":"2.0","tcf":<tcf>}
  collection: out`);
  expect(plain).toContain(`  consentStrings of an event, datastream shop, request third-<hex>`);
  expect(plain).toContain(`given: IAB TCF 2.2 ${TC_IN} {"gdprApplies":false,"gdprContainsPersonalData":false}`);
  expect(plain).toContain(`ECID ${ECID}, org OTHER@AdobeOrg: 1 choice\n`);
});

test('a visitor who never chose', async () => {
  expect(await run('--ecid', OTHER)).toEqual({ code: 0, out: `ECID ${OTHER}: the log holds no choice.\n`, err: '' });
  expect((await run('--ecid', OTHER, '--json')).out).toBe('');
});

describe('called wrongly', () => {
  test.each<[string, string[], number, string]>([
    ['no ECID', [], 2, '--ecid is missing'],
    ['an ECID that is none', ['--ecid', '123'], 2, '38 digits'],
    ['org and datastream', ['--ecid', ECID, '--org', 'a', '--datastream', 'b'], 2, 'not both'],
    ['a datastream that the log does not know', ['--ecid', ECID, '--datastream', 'shp'], 1, "datastream 'shp'"],
    ['an unknown option', ['--ecid', ECID, '--all'], 2, '--all'],
  ])('%s', async (_name, args, code, said) => {
    const ran = await run(...args);
    expect(ran).toMatchObject({ code, out: '' });
    expect(ran.err).toContain(said);
  });

  test('no data', async () => {
    expect(await weir('consent', '--ecid', ECID)).toMatchObject({ code: 2, err: expect.stringContaining('--data') });
  });
});

test('the same when the server does not run, and when its state is gone', async () => {
  await server.halt();
  await expectHistory();
  for (const name of ['state', 'snapshots']) rmSync(join(server.data, name), { recursive: true });
  await expectHistory();
});

test('the same when retention has dropped what they stood in, and of all events nothing is left', async () => {
  await server.halt();
  const before = await lines();
  const log = await FileLog.open({
    ...{ fs: nodeFs, directory: join(server.data, 'log'), partition: 0, segmentBytes: 1024 * 1024 },
    ...{ queueBytesMax: 1024 * 1024, queueAgeMsMax: 60_000, lowWaterBytes: 0, reservedBytes: 0 },
    retention: { maxAgeMs: null, maxBytes: 1 },
    parseBody: (path, body) => endpointAt(path).parse(path, body),
    onSynced: () => undefined,
    mayDropBefore: () => Number.POSITIVE_INFINITY,
    onFatal: (error) => expect.unreachable(error.message),
    report: (message) => expect.unreachable(message),
  });
  const rest = { path: '', ecid: null, meta: {}, events: [], raw: null, changes: [] };
  // Begins a segment: the newest is never dropped.
  await log.append({ requestId: 'last', atMs: Date.now(), orgId: 'TEST@AdobeOrg', datastreamId: 'shop', ...rest });
  expect(await log.retain()).toBe(1);
  await log.close();
  expect(await server.events()).toEqual([]);
  expect(await lines()).toEqual(before);
});
