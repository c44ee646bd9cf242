import { afterAll, beforeAll, expect, test } from 'vitest';
import { EVENTS_MAX } from '../../src/gateway/accept.ts';
import { VALUES_MAX } from '../../src/gateway/body-json.ts';
import { type GatewayServer, startGateway } from '../support/gateway-server.ts';
import { HeldLog } from '../support/held-log.ts';
import { post } from '../support/raw-http.ts';

/** Limits of one request, at their edges, over HTTP. */

const eventLog = new HeldLog();
eventLog.automatic = true;
let server: GatewayServer;
beforeAll(async () => {
  server = await startGateway({ eventLog });
});
afterAll(() => server.stop());

const COLLECT = '/ee/v2/collect?datastreamId=shop';

test(`${EVENTS_MAX} events are taken, all of them; one more is 0112, and none is stored`, async () => {
  const batch = (count: number) => ({ events: Array.from({ length: count }, () => ({ xdm: {} })) });
  expect((await post(server.edge, `${COLLECT}&requestId=batch`, batch(EVENTS_MAX))).status).toBe(202);
  const [record] = eventLog.stored.splice(0);
  expect(record!.events).toHaveLength(EVENTS_MAX);
  // Each is known by its index, and by the bytes that they came in.
  expect(new Set(record!.events.map(({ dedupKey }) => dedupKey)).size).toBe(EVENTS_MAX);
  expect(new Set(record!.events.map(({ payloadHash }) => payloadHash)).size).toBe(1);

  const answer = await post(server.edge, COLLECT, batch(EVENTS_MAX + 1));
  expect(answer.status).toBe(413);
  expect(answer.json).toMatchObject({ type: expect.stringContaining('EXEG-0112-413') });
  expect(answer.text).toContain(String(EVENTS_MAX));
  expect(eventLog.stored).toEqual([]);
});

test('a small body of very many values is 0112', async () => {
  const answer = await post(server.edge, COLLECT, `{"events":[{"xdm":{"a":[${'0,'.repeat(VALUES_MAX)}0]}}]}`);
  expect(answer.status).toBe(413);
  expect(answer.text).toContain(String(VALUES_MAX));
});
