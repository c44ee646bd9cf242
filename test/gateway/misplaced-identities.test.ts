import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayServer, startGateway } from '../support/gateway-server.ts';
import { post } from '../support/raw-http.ts';
import { decodeProblem } from '../support/strict-decoder.ts';

let server: GatewayServer;
beforeAll(async () => {
  server = await startGateway();
});
afterAll(() => server.stop());

const identityMap = { ECID: [{ id: '1'.repeat(38) }] };
const xdm = { identityMap };
const event = { xdm: {} };

const INTERACT_V1 = '/v1/interact?configId';
const INTERACT_V2 = '/v2/interact?datastreamId';
const COLLECT_V1 = '/v1/collect?configId';
const COLLECT_V2 = '/v2/collect?datastreamId';

describe('an identity map that is not read is refused: the events would be another visitor’s', () => {
  test.each([
    [INTERACT_V1, { events: [event], identityMap }, 'identityMap', "'xdm.identityMap'"],
    [COLLECT_V1, { events: [event], identityMap }, 'identityMap', "'xdm.identityMap'"],
    [INTERACT_V2, { event, identityMap }, 'identityMap', "'event.xdm.identityMap'"],
    [INTERACT_V2, { event, xdm }, 'xdm.identityMap', "'event.xdm.identityMap'"],
    [COLLECT_V2, { events: [event], xdm }, 'xdm.identityMap', "'events[0].xdm.identityMap'"],
  ])('%s %j', async (path, body, field, place) => {
    const answer = await post(server.edge, `/ee${path}=shop`, body);
    expect(answer.status).toBe(400);
    const { type, detail } = decodeProblem(answer.json) as { type: string; detail: string };
    expect(type).toContain('EXEG-0102-400');
    expect(detail).toContain(`The field '${field}' is not read by ${path.split('?')[0]}`);
    expect(detail).toContain(`${place}.`);
  });
});

describe('is taken', () => {
  test.each([
    [INTERACT_V1, { events: [event], xdm }, 200],
    [INTERACT_V1, { events: [event], xdm, identityMap }, 200],
    [INTERACT_V2, { event: { xdm }, xdm: null, identityMap: null }, 200],
    [INTERACT_V2, { event, xdm: { eventType: 'x' } }, 200],
    [COLLECT_V2, { events: [{ xdm }] }, 202],
    [INTERACT_V2, { event: { xdm }, xdm }, 200],
    [COLLECT_V2, { events: [{ xdm }, event], identityMap }, 202],
  ])('%s %j', async (path, body, status) => {
    expect((await post(server.edge, `/ee${path}=shop`, body)).status).toBe(status);
  });
});
