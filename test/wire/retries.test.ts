import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeIdentityCookie } from '../../src/model/identity-cookie.ts';
import { open, post, type RawAnswer, requestBytes } from '../support/raw-http.ts';
import { decodeAnswer } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir();
});
afterAll(() => weir.stop());

const EVENT = { xdm: { eventType: 'first.visit' } };
const body = { events: [EVENT], query: { identity: { fetch: ['ECID'] } } };
const ecidOf = (answer: RawAnswer) => decodeAnswer(answer.json).handle[0]!.payload[0]!['id'] as string;
const cookieIn = (answer: RawAnswer) => {
  const store = decodeAnswer(answer.json).handle.find((handle) => handle.type === 'state:store')!;
  return decodeIdentityCookie(String(store.payload[1]!['value']));
};
const eventsOf = async (server: Weir, requestId: string) =>
  (await server.events()).filter((event) => event.id.startsWith(`${requestId}-`));

/** Sends a request and cuts the connection as soon as its event can be read from the log: the answer reaches nobody. */
async function sendAndCut(server: Weir, path: string, requestId: string, sent: object = body): Promise<void> {
  const socket = await open(server.edge);
  socket.on('error', () => {});
  socket.write(requestBytes(server.edge, { path, body: JSON.stringify(sent) }));
  while ((await eventsOf(server, requestId)).length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  socket.destroy();
}

test('a first visit whose answer was lost: the retry leaves one event and one ECID', async () => {
  const path = '/ee/v1/interact?configId=shop&requestId=lost-answer';
  await sendAndCut(weir, path, 'lost-answer');
  const retried = await post(weir.edge, path, body);
  expect(retried.status).toBe(200);
  expect(retried.header('x-weir-ack')).toBe('local-fsync');
  const stored = await eventsOf(weir, 'lost-answer');
  expect(stored).toHaveLength(1);
  expect(ecidOf(retried)).toBe(stored[0]!.record.ecid);
  expect(cookieIn(retried)?.ecid).toBe(stored[0]!.record.ecid);
  // And once more: the answer stays the same.
  expect(ecidOf(await post(weir.edge, path, body))).toBe(stored[0]!.record.ecid);
  expect(await eventsOf(weir, 'lost-answer')).toHaveLength(1);
});

test('the same after the server was stopped and started between the two', async () => {
  const own = await startWeir();
  const path = '/ee/v1/interact?configId=shop&requestId=across-a-restart';
  await sendAndCut(own, path, 'across-a-restart');
  await own.restart();
  const retried = await post(own.edge, path, body);
  const stored = await eventsOf(own, 'across-a-restart');
  expect(stored).toHaveLength(1);
  expect(ecidOf(retried)).toBe(stored[0]!.record.ecid);
  await own.stop();
});

test('many retries at once are one event, all with one ECID', async () => {
  const path = '/ee/v1/interact?configId=shop&requestId=at-once';
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(weir.edge, path, body)));
  expect(new Set(answers.map(ecidOf)).size).toBe(1);
  expect(answers.every((answer) => answer.header('x-weir-ack') === 'local-fsync')).toBe(true);
  expect(await eventsOf(weir, 'at-once')).toHaveLength(1);
});

test('a beacon that is fetched again: same request id, one event', async () => {
  const path = '/ee/v1/collect?configId=shop&requestId=beacon';
  for (let i = 0; i < 3; i++) expect((await post(weir.edge, path, { events: [EVENT] })).status).toBe(204);
  expect(await eventsOf(weir, 'beacon')).toHaveLength(1);
});

test('the same request id with other bytes is another event: an id that was guessed deletes nothing', async () => {
  const path = '/ee/v1/interact?configId=shop&requestId=guessed';
  await post(weir.edge, path, { events: [{ xdm: { eventType: 'forged' } }] });
  await post(weir.edge, path, body);
  expect(await eventsOf(weir, 'guessed')).toHaveLength(2);
});

test('without a request id and without _id nothing is taken for a copy', async () => {
  const before = (await weir.events()).length;
  for (let i = 0; i < 3; i++) await post(weir.edge, '/ee/v1/interact?configId=shop', body);
  expect(await weir.events()).toHaveLength(before + 3);
});

test('a batch that was stored in part: only the rest is added', async () => {
  const of = (id: string) => ({ xdm: { _id: id } });
  const path = '/ee/v2/collect?datastreamId=shop';
  await post(weir.edge, path, { events: [of('b1'), of('b2')] });
  const answer = await post(weir.edge, path, { events: [of('b2'), of('b3'), of('b3'), of('b1')] });
  expect([answer.status, answer.header('x-weir-ack')]).toEqual([202, 'local-fsync']);
  const ids = (await weir.events()).map((event) => event.xdm['_id']).filter((id) => String(id).startsWith('b'));
  expect(ids).toEqual(['b1', 'b2', 'b3']);
});

describe('a request without events', () => {
  const optOut = {
    consent: [{ standard: 'Adobe', version: '1.0', value: { general: 'out' } }],
    query: { identity: { fetch: ['ECID'] } },
  };
  const optIn = { ...optOut, consent: [{ standard: 'Adobe', version: '1.0', value: { general: 'in' } }] };
  const setConsent = (requestId: string) => `/ee/v1/privacy/set-consent?configId=shop&requestId=${requestId}`;
  const acquire = (requestId: string) => `/ee/v1/identity/acquire?configId=shop&requestId=${requestId}`;
  const identity = (answer: RawAnswer) =>
    decodeAnswer(answer.json).handle.find((handle) => handle.type === 'identity:result')!.payload[0]!['id'] as string;
  const choice = (answer: RawAnswer) => {
    const store = decodeAnswer(answer.json).handle.find((handle) => handle.type === 'state:store')!;
    return store.payload.find((entry) => String(entry['key']).endsWith('_consent'))!['value'];
  };
  const changesOf = async (server: Weir, requestId: string) =>
    (await server.records()).flatMap(({ record }) =>
      record.requestId.startsWith(`${requestId}-`) ? record.changes : [],
    );

  test('a choice whose answer was lost: the retry is one change, and one ECID', async () => {
    const path = setConsent('lost-choice');
    const answers = [await post(weir.edge, path, optOut)];
    answers.push(...(await Promise.all(Array.from({ length: 10 }, () => post(weir.edge, path, optOut)))));
    expect(new Set(answers.map(identity)).size).toBe(1);
    expect(await changesOf(weir, 'lost-choice')).toHaveLength(1);
    for (const answer of answers) {
      expect([answer.status, answer.header('x-weir-ack'), choice(answer)]).toEqual([200, 'local-fsync', 'general=out']);
    }
  });

  test('the same where all of them come at once', async () => {
    const path = setConsent('choices-at-once');
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(weir.edge, path, optIn)));
    expect(new Set(answers.map(identity)).size).toBe(1);
    expect(await changesOf(weir, 'choices-at-once')).toHaveLength(1);
    expect(new Set(answers.map(choice))).toEqual(new Set(['general=in']));
  });

  test('the same after the server was stopped and started between the two', async () => {
    const own = await startWeir();
    const first = await post(own.edge, setConsent('restarted'), optOut);
    await own.restart();
    const retried = await post(own.edge, setConsent('restarted'), optOut);
    expect(identity(retried)).toBe(identity(first));
    expect(await changesOf(own, 'restarted')).toHaveLength(1);
    await own.stop();
  });

  test('acquire: one ECID, however often it is asked for, and nothing in the log', async () => {
    const before = (await weir.records()).length;
    const body = { query: { identity: { fetch: ['ECID'] } } };
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(weir.edge, acquire('asked'), body)));
    answers.push(await post(weir.edge, acquire('asked'), body));
    expect(new Set(answers.map(identity)).size).toBe(1);
    expect(answers.every((answer) => answer.header('x-weir-ack') === undefined)).toBe(true);
    expect(identity(await post(weir.edge, acquire('asked'), { ...body, meta: {} }))).not.toBe(identity(answers[0]!));
    expect(await weir.records()).toHaveLength(before);
  });

  test('the same id and body at another endpoint is another request: the choice is taken', async () => {
    await post(weir.edge, acquire('both'), optOut);
    await post(weir.edge, setConsent('both'), optOut);
    expect(await changesOf(weir, 'both')).toHaveLength(1);
  });

  test('without a request id each is a new visitor', async () => {
    const answers = [0, 1].map(() => post(weir.edge, '/ee/v1/privacy/set-consent?configId=shop', optIn));
    expect(new Set((await Promise.all(answers)).map(identity)).size).toBe(2);
  });

  test('a late retry of an opt-in does not undo what was chosen since; an opt-out is always taken', async () => {
    const ecid = identity(await post(weir.edge, acquire('undo'), { query: { identity: { fetch: ['ECID'] } } }));
    const of = (choice: object) => ({ ...choice, identityMap: { ECID: [{ id: ecid }] } });
    const path = setConsent('used-twice');
    expect(choice(await post(weir.edge, path, of(optOut)))).toBe('general=out');
    expect(choice(await post(weir.edge, path, of(optIn)))).toBe('general=in');
    expect(choice(await post(weir.edge, path, of(optOut)))).toBe('general=out');
    expect(choice(await post(weir.edge, path, of(optIn)))).toBe('general=out');
  });
});
