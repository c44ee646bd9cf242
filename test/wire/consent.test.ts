import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { post, type RawAnswer } from '../support/raw-http.ts';
import { decodeAnswer } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir();
});
afterAll(() => weir.stop());

const ecidOf = (digit: number) => String(digit).padStart(38, '7');
const map = (ecid: string) => ({ ECID: [{ id: ecid }] });
const adobe1 = (general: string): JsonObject => ({ standard: 'Adobe', version: '1.0', value: { general } });
const adobe2 = (value: JsonObject): JsonObject => ({ standard: 'Adobe', version: '2.0', value });

function choose(ecid: string, consent: Json[], query: JsonObject = {}): Promise<RawAnswer> {
  return post(weir.edge, '/ee/v1/privacy/set-consent?configId=shop', { identityMap: map(ecid), consent, query });
}
function sendEvent(ecid: string, name: string): Promise<RawAnswer> {
  const events = [{ xdm: { eventType: name, identityMap: map(ecid) } }];
  return post(weir.edge, '/ee/v1/interact?configId=shop', { events });
}
const names = async () => (await weir.events()).map((event) => event.xdm['eventType']);
const handleOf = (answer: RawAnswer, type: string) =>
  decodeAnswer(answer.json).handle.find((handle) => handle.type === type)?.payload;

test('out is kept to from the next event on, and in lets events in again, of the same ECID', async () => {
  const ecid = ecidOf(1);
  await sendEvent(ecid, 'before');
  const out = await choose(ecid, [adobe2({ collect: { val: 'n' } })]);
  expect(out.status).toBe(200);
  expect(out.header('x-weir-ack')).toBe('local-fsync');
  expect(handleOf(out, 'consent:preferences')).toEqual([{ collect: { val: 'n' } }]);
  expect(handleOf(out, 'state:store')).toMatchObject([
    { key: 'kndctr_TEST_AdobeOrg_cluster' },
    { key: 'kndctr_TEST_AdobeOrg_identity' },
    { key: 'kndctr_TEST_AdobeOrg_consent', value: 'general=out', maxAge: 15_552_000 },
    { key: 'kndctr_TEST_AdobeOrg_consent_check', value: '1', maxAge: 7_200 },
  ]);

  const withheld = await sendEvent(ecid, 'while out');
  expect(withheld.status).toBe(200);
  expect(withheld.header('x-weir-ack')).toBeUndefined();
  const { warnings, handle } = decodeAnswer(withheld.json);
  expect(warnings).toMatchObject([
    { type: 'https://ns.adobe.com/aep/errors/EXEG-0301-200', status: 200, title: 'User consent missing' },
  ]);
  // Identity and state are answered all the same.
  expect(handle.map((one) => one.type)).toEqual(['locationHint:result', 'state:store']);

  const back = await choose(ecid, [adobe1('in')]);
  expect(handleOf(back, 'state:store')).toContainEqual(
    expect.objectContaining({ key: 'kndctr_TEST_AdobeOrg_consent', value: 'general=in' }),
  );
  expect(decodeAnswer((await sendEvent(ecid, 'in again')).json).warnings).toEqual([]);
  expect(await names()).toEqual(['before', 'in again']);
  const last = (await weir.events()).at(-1)!;
  expect(last.consent).toMatchObject({ collect: 'in', recordId: expect.stringMatching(/^0:\d+$/) });
});

test('pending withholds too', async () => {
  await choose(ecidOf(2), [adobe1('pending')]);
  expect(decodeAnswer((await sendEvent(ecidOf(2), 'while pending')).json).warnings).toHaveLength(1);
  expect(await names()).not.toContain('while pending');
});

test('collect answers 202 with the warning, v1 204 without; nothing is stored', async () => {
  await choose(ecidOf(3), [adobe1('out')]);
  const xdm = { eventType: 'by collect', identityMap: map(ecidOf(3)) };
  const v2 = await post(weir.edge, '/ee/v2/collect?datastreamId=shop', { events: [{ xdm }] });
  expect(v2.status).toBe(202);
  expect(v2.json).toMatchObject({ warnings: [{ status: 200, title: 'User consent missing' }] });
  const v1 = await post(weir.edge, '/ee/v1/collect?configId=shop', { events: [{ xdm }] });
  expect([v1.status, v1.body.length]).toEqual([204, 0]);
  expect(await names()).not.toContain('by collect');
});

test('of a mixed batch only the events of visitors who are in are stored; the body is not', async () => {
  await choose(ecidOf(4), [adobe1('out')]);
  const of = (ecid: string, eventType: string) => ({ xdm: { eventType, identityMap: map(ecid) } });
  const events = [of(ecidOf(4), 'withheld in a batch'), of(ecidOf(5), 'stored from a batch')];
  const answer = await post(weir.edge, '/ee/v2/collect?datastreamId=shop', { events });
  expect(answer.json).toMatchObject({ warnings: [{ report: { eventIndex: 0 } }] });
  const stored = (await weir.events()).find((event) => event.xdm['eventType'] === 'stored from a batch')!;
  expect(stored.index).toBe(1);
  expect(stored.record.raw).toBeNull();
  expect(JSON.stringify(await weir.records())).not.toContain('withheld in a batch');
});

test('an update keeps what it does not name; without it everything before is forgotten', async () => {
  const ecid = ecidOf(6);
  const update = { consent: { operation: 'update' } };
  await choose(ecid, [adobe2({ collect: { val: 'n' }, share: { val: 'y' } })]);
  const updated = await choose(ecid, [adobe2({ adID: { val: 'n' } })], update);
  expect(handleOf(updated, 'consent:preferences')).toEqual([
    { collect: { val: 'n' }, share: { val: 'y' }, adID: { val: 'n' } },
  ]);
  expect(handleOf(updated, 'state:store')).toContainEqual(expect.objectContaining({ value: 'general=out' }));
  expect(decodeAnswer((await sendEvent(ecid, 'still out')).json).warnings).toHaveLength(1);

  const replaced = await choose(ecid, [adobe2({ share: { val: 'n' } })]);
  expect(handleOf(replaced, 'consent:preferences')).toEqual([{ share: { val: 'n' } }]);
  expect(handleOf(replaced, 'state:store')).toContainEqual(expect.objectContaining({ value: 'general=in' }));
  expect(decodeAnswer((await sendEvent(ecid, 'in by default')).json).warnings).toEqual([]);
});

test('a choice outlives the server', async () => {
  const own = await startWeir();
  const body = { identityMap: map(ecidOf(7)), consent: [adobe1('out')] };
  await post(own.edge, '/ee/v1/privacy/set-consent?configId=shop', body);
  await own.restart();
  const events = [{ xdm: { identityMap: map(ecidOf(7)) } }];
  const answer = await post(own.edge, '/ee/v1/interact?configId=shop', { events });
  expect(decodeAnswer(answer.json).warnings).toHaveLength(1);
  await own.stop();
});

test('a visitor without an ECID gets one with the choice, and every cookie', async () => {
  const body = { consent: [adobe1('out')], query: { identity: { fetch: ['ECID'] } } };
  const answer = await post(weir.edge, '/ee/v1/privacy/set-consent?configId=shop', body);
  const ecid = handleOf(answer, 'identity:result')![0]!['id'] as string;
  expect(handleOf(answer, 'state:store')!.map((entry) => entry['key'])).toEqual([
    'kndctr_TEST_AdobeOrg_cluster',
    'kndctr_TEST_AdobeOrg_identity',
    'kndctr_TEST_AdobeOrg_consent',
    'kndctr_TEST_AdobeOrg_consent_check',
  ]);
  expect(decodeAnswer((await sendEvent(ecid, 'of the new one')).json).warnings).toHaveLength(1);
});

describe('what is refused changes nothing', () => {
  test.each<[string, Json[], string]>([
    ['an unknown standard', [{ standard: 'GPC', version: '1', value: {} }], 'EXEG-0102-400'],
    ['an unknown version', [{ standard: 'Adobe', version: '3.0', value: {} }], 'EXEG-0102-400'],
    ['no value', [{ standard: 'Adobe', version: '2.0' }], 'EXEG-0103-400'],
    ['an empty choice', [adobe2({ collect: { val: '' } })], 'EXEG-0104-422'],
    ['an unknown choice', [adobe1('maybe')], 'EXEG-0102-400'],
  ])('%s', async (_what, consent, code) => {
    const before = (await weir.records()).length;
    const answer = await choose(ecidOf(8), consent);
    expect(answer.json).toMatchObject({ type: `https://ns.adobe.com/aep/errors/${code}` });
    expect(await weir.records()).toHaveLength(before);
  });
});
