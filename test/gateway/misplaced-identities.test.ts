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
const consent = [{ standard: 'Adobe', version: '1.0', value: { general: 'out' } }];

const INTERACT_V1 = '/v1/interact?configId';
const INTERACT_V2 = '/v2/interact?datastreamId';
const COLLECT_V1 = '/v1/collect?configId';
const COLLECT_V2 = '/v2/collect?datastreamId';
const SET_CONSENT = '/v1/privacy/set-consent?configId';
const ACQUIRE = '/v1/identity/acquire?configId';

interface Warned {
  readonly warnings?: readonly { readonly type: string; readonly detail: string }[];
}

describe('a call about nobody else is refused: it would be about a new visitor', () => {
  test.each([
    [SET_CONSENT, { consent, xdm }, 'xdm.identityMap', "'identityMap'"],
    [SET_CONSENT, { consent, identityMap: null, xdm: { identityMap: {} } }, 'xdm.identityMap', "'identityMap'"],
    [ACQUIRE, { identityMap }, 'identityMap', "'xdm.identityMap'"],
    [ACQUIRE, { identityMap: {}, xdm: {} }, 'identityMap', "'xdm.identityMap'"],
  ])('%s %j', async (path, body, field, place) => {
    const answer = await post(server.edge, `/ee${path}=shop`, body);
    expect(answer.status).toBe(400);
    const { type, detail } = decodeProblem(answer.json) as { type: string; detail: string };
    expect(type).toContain('EXEG-0102-400');
    expect(detail).toContain(`The field '${field}' is not read by ${path.split('?')[0]}`);
    expect(detail).toContain(`${place}.`);
  });
});

describe('events are stored, with a warning', () => {
  test.each([
    [INTERACT_V1, { events: [event], identityMap }, 200, 'identityMap', "'xdm.identityMap'"],
    [INTERACT_V2, { event, identityMap }, 200, 'identityMap', "'event.xdm.identityMap'"],
    [INTERACT_V2, { event, xdm }, 200, 'xdm.identityMap', "'event.xdm.identityMap'"],
    [COLLECT_V2, { events: [event], xdm }, 202, 'xdm.identityMap', "'events[0].xdm.identityMap'"],
  ])('%s %j', async (path, body, status, field, place) => {
    const answer = await post(server.edge, `/ee${path}=shop`, body);
    expect(answer.status).toBe(status);
    const { warnings } = answer.json as Warned;
    expect(warnings).toHaveLength(1);
    expect(warnings![0]!.type).toContain('EXEG-0204-200');
    expect(warnings![0]!.detail).toContain(`The field '${field}' is not read by ${path.split('?')[0]}`);
    expect(warnings![0]!.detail).toContain(`${place}.`);
  });
});

describe('nothing is said', () => {
  test.each([
    [INTERACT_V1, { events: [event], xdm }, 200],
    [INTERACT_V1, { events: [event], xdm, identityMap }, 200],
    [INTERACT_V2, { event: { xdm }, xdm: null, identityMap: null }, 200],
    [INTERACT_V2, { event, xdm: { eventType: 'x' } }, 200],
    [COLLECT_V2, { events: [{ xdm }] }, 202],
    [INTERACT_V2, { event: { xdm }, xdm }, 200],
    [COLLECT_V2, { events: [{ xdm }, event], identityMap }, 202],
    [COLLECT_V1, { events: [event], identityMap }, 204], // Its answers have no body.
    [SET_CONSENT, { consent, identityMap, xdm }, 200],
    [ACQUIRE, { identityMap, xdm }, 200],
  ])('%s %j', async (path, body, status) => {
    const answer = await post(server.edge, `/ee${path}=shop`, body);
    expect(answer.status).toBe(status);
    if (status !== 204) expect((answer.json as Warned).warnings).toBeUndefined();
  });
});
