import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayServer, startGateway } from '../support/gateway-server.ts';
import { post } from '../support/raw-http.ts';
import { decodeProblem } from '../support/strict-decoder.ts';

let server: GatewayServer;
beforeAll(async () => {
  server = await startGateway();
});
afterAll(() => server.stop());

const INTERACT = '/ee/v2/interact?datastreamId=shop';
const event = { xdm: {} };

describe('meta.state', () => {
  test.each(['on', [], 1, true])('%j is refused', async (state) => {
    const answer = await post(server.edge, INTERACT, { event, meta: { state } });
    expect(answer.status).toBe(400);
    const { type, detail } = decodeProblem(answer.json) as { type: string; detail: string };
    expect(type).toContain('EXEG-0102-400');
    expect(detail).toContain("'meta.state'");
  });

  test.each([null, {}, { cookiesEnabled: null }])('%j is taken', async (state) => {
    expect((await post(server.edge, INTERACT, { event, meta: { state } })).status).toBe(200);
  });
});

test('an empty requestId hides none that a header has', async () => {
  const answer = await post(server.edge, `${INTERACT}&requestId=`, { event }, [['X-Request-Id', 'mine']]);
  expect(answer.header('x-request-id')).toMatch(/^mine-[0-9a-f]{16}$/);
  expect(answer.json).not.toHaveProperty('warnings');
});
