import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { valueAt } from '../../src/model/json.ts';
import { post } from '../support/raw-http.ts';
import { decodeAnswer, decodeProblem } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir({
    'datastreams/strict.yaml': 'id: strict\norg: TEST@AdobeOrg\nname: Strict\nvalidation: {timestamp: reject}\n',
  });
});
afterAll(() => weir.stop());

/** As the public documentation prints it. */
const PRINTED = 'YYYY-08-09T14:09:20.859Z';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
let sent = 0;

/** Sends one event and returns its answer and what was stored. */
async function stored(timestamp: unknown) {
  sent += 1;
  const id = `timestamp-${sent}`;
  const xdm = timestamp === undefined ? {} : { timestamp };
  const answer = await post(weir.edge, `/ee/v2/interact?datastreamId=shop&requestId=${id}`, { event: { xdm } });
  const event = (await weir.events()).find((one) => one.id.startsWith(`${id}-`))!;
  return { answer, event, receivedAtMs: event.record.atMs };
}

describe('when it occurred', () => {
  test('by its time stamp, where that is near enough to when it was received', async () => {
    for (const agoMs of [0, 1_000, DAY_MS, 30 * DAY_MS - MINUTE_MS, -4 * MINUTE_MS]) {
      const atMs = Date.now() - agoMs;
      const { answer, event } = await stored(new Date(atMs).toISOString());
      expect(event).toMatchObject({ occurredAtMs: atMs, occurredAtFrom: 'timestamp' });
      expect(decodeAnswer(answer.json).warnings).toEqual([]);
    }
  });

  test('else when it was received, flagged', async () => {
    for (const agoMs of [30 * DAY_MS + MINUTE_MS, -6 * MINUTE_MS, 50 * 365 * DAY_MS]) {
      const { event, receivedAtMs } = await stored(new Date(Date.now() - agoMs).toISOString());
      expect(event).toMatchObject({ occurredAtMs: receivedAtMs, occurredAtFrom: 'implausible' });
    }
  });

  test('without a time stamp, when it was received', async () => {
    for (const none of [undefined, null]) {
      const { event, receivedAtMs } = await stored(none);
      expect(event).toMatchObject({ occurredAtMs: receivedAtMs, occurredAtFrom: 'received' });
    }
  });

  test('with an offset, at that instant', async () => {
    const atMs = Math.floor(Date.now() / 1_000) * 1_000;
    const local = new Date(atMs + 330 * MINUTE_MS).toISOString().replace('.000Z', '+05:30');
    expect((await stored(local)).event).toMatchObject({ occurredAtMs: atMs, occurredAtFrom: 'timestamp' });
  });
});

describe('a time stamp that is no date', () => {
  test.each([PRINTED, '', 'yesterday', '2026-11-23', '2026-02-30T00:00:00Z', 1_795_426_200, true, {}])(
    '%j is kept as sent, with a warning that names path, value and form',
    async (timestamp) => {
      const { answer, event, receivedAtMs } = await stored(timestamp);
      expect(answer.status).toBe(200);
      const { warnings } = decodeAnswer(answer.json);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatchObject({ type: 'https://ns.adobe.com/aep/errors/EXEG-0204-200', status: 200 });
      for (const word of ["'event.xdm.timestamp'", JSON.stringify(timestamp), 'RFC 3339', '2026-11-23T09:30:00.000Z'])
        expect(warnings[0]!['detail']).toContain(word);
      expect(event.xdm['timestamp']).toEqual(timestamp);
      expect(event).toMatchObject({ occurredAtMs: receivedAtMs, occurredAtFrom: 'unreadable' });
    },
  );

  test('in a batch, the warning names the event by path and index', async () => {
    const events = [{ xdm: {} }, { xdm: { timestamp: PRINTED } }];
    const answer = await post(weir.edge, '/ee/v2/collect?datastreamId=shop', { events });
    expect(answer.status).toBe(202);
    expect(valueAt(answer.json, 'warnings')).toMatchObject([
      { detail: expect.stringContaining("'events[1].xdm.timestamp'"), report: { eventIndex: 1 } },
    ]);
  });

  test.each([
    [20, 20],
    [21, 21],
    [1_000, 21],
  ])('%i of them in a batch are %i warnings: the last counts the rest', async (count, warned) => {
    const events = Array.from({ length: count }, () => ({ xdm: { timestamp: 1 } }));
    const answer = await post(weir.edge, '/ee/v1/interact?configId=shop', { events });
    const { warnings } = decodeAnswer(answer.json);
    expect(warnings).toHaveLength(warned);
    expect(answer.body.length).toBeLessThan(16_384);
    if (count > 20) expect(warnings[20]!['detail']).toContain(`${count - 20} more`);
    if (count > 20) expect(warnings[20]!['type']).toContain('EXEG-0204-200');
  });

  test('an answer without a body stays without one', async () => {
    const answer = await post(weir.edge, '/ee/v1/collect?configId=shop', { events: [{ xdm: { timestamp: PRINTED } }] });
    expect([answer.status, answer.body.length]).toEqual([204, 0]);
  });

  test('is 0102 where the datastream rejects it, and nothing of the request is stored', async () => {
    const before = (await weir.records()).length;
    const events = [{ xdm: {} }, { xdm: { timestamp: PRINTED } }];
    const answer = await post(weir.edge, '/ee/v1/interact?configId=strict', { events });
    expect(answer.status).toBe(400);
    const problem = decodeProblem(answer.json);
    expect(problem['type']).toContain('EXEG-0102-400');
    for (const word of ["'events[1].xdm.timestamp'", PRINTED, 'RFC 3339']) expect(problem['detail']).toContain(word);
    expect(await weir.records()).toHaveLength(before);
  });

  test('an implausible one is not rejected: a clock may be wrong', async () => {
    const event = { xdm: { timestamp: '1999-12-31T23:59:59Z' } };
    expect((await post(weir.edge, '/ee/v2/interact?datastreamId=strict', { event })).status).toBe(200);
  });
});
