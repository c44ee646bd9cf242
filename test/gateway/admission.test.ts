import { describe, expect, onTestFinished, test } from 'vitest';
import { ENDPOINTS } from '../../src/components.ts';
import { Admission, type LogQueue } from '../../src/gateway/admission.ts';
import { type GatewayServer, startGateway } from '../support/gateway-server.ts';
import { post } from '../support/raw-http.ts';

const LIMITS = { deadlineMs: 2_000, queueAgeMsMax: 30_000, queueBytesMax: 64_000 };

describe('what is turned away', () => {
  test.each<[waitMs: number, queueBytes: number, decisions: boolean, interact: boolean, collect: boolean]>([
    [0, 0, false, false, false],
    [500, 16_000, false, false, false],
    [500.1, 0, true, false, false],
    [0, 16_001, true, false, false],
    [1_000, 32_000, true, false, false],
    [1_000.1, 0, true, true, false],
    [0, 32_001, true, true, false],
    [1_500, 48_000, true, true, false],
    [1_500.1, 0, true, true, true],
    [0, 48_001, true, true, true],
  ])('a wait of %d ms and %d bytes: decisions %s, interact %s, collect %s', (waitMs, queueBytes, ...turnedAway) => {
    const admission = new Admission({ waitMs, queueBytes }, LIMITS);
    const [decisions, interact, collect] = turnedAway;
    expect(!admission.hasTimeToDecide).toBe(decisions);
    expect(admission.refusal('interact') !== null).toBe(interact);
    expect(admission.refusal('collect') !== null).toBe(collect);
  });

  test('where the log waits for less than a request does, that counts', () => {
    const limits = { ...LIMITS, queueAgeMsMax: 1_000 };
    expect(new Admission({ waitMs: 750, queueBytes: 0 }, limits).refusal('collect')).toBeNull();
    expect(new Admission({ waitMs: 750.1, queueBytes: 0 }, limits).refusal('collect')).not.toBeNull();
  });

  test('a choice of consent is kept as long as data is', () => {
    expect(ENDPOINTS.map(([{ name, demand }]) => [name, demand])).toEqual([
      ['interact', 'interact'],
      ['collect', 'collect'],
      ['set-consent', 'collect'],
      ['acquire', 'interact'],
    ]);
  });
});

const queue = { waitMs: 0, queueBytes: 0 } satisfies LogQueue;

async function started(waitMs: number): Promise<GatewayServer> {
  const server = await startGateway({ admission: new Admission({ ...queue, waitMs }, LIMITS) });
  onTestFinished(() => server.stop());
  return server;
}

describe('over HTTP', () => {
  const interact = '/ee/v2/interact?datastreamId=shop';

  test('503 with Retry-After, before a body is read; counted by kind, in the ledger, and not logged', async () => {
    const { edge, counters, told } = await started(1_100);
    const refused = await post(edge, interact, 'this is no JSON');
    expect(refused.status).toBe(503);
    expect(refused.header('retry-after')).toMatch(/^([2-9]|10)$/);
    expect(refused.json).toMatchObject({ type: expect.stringContaining('EXEG-0000-503') });
    const taken = await post(edge, '/ee/v2/collect?datastreamId=shop', { events: [{ xdm: {} }] });
    expect(taken.status).toBe(202);
    expect(counters.shed).toMatchObject({ 'overload-interact': 1, 'overload-collect': 0, 'EXEG-0000-503': 0 });
    expect(counters.ledger.totals.get('shop')).toMatchObject({ stored: 1, refusedTotal: 1 });
    expect(told).toEqual([]);
  });

  test('collect too, when it waits half as long again', async () => {
    const { edge, counters } = await started(1_501);
    expect((await post(edge, '/ee/v2/collect?datastreamId=shop', { events: [{ xdm: {} }] })).status).toBe(503);
    expect(counters.shed).toMatchObject({ 'overload-interact': 0, 'overload-collect': 1 });
  });

  test('what would be refused at any time is refused for good: a client would try it again for ever', async () => {
    const { edge, counters } = await started(1e9);
    const unknown = await post(edge, '/ee/v2/interact?datastreamId=nobodys', {});
    expect(unknown.status).toBe(400);
    expect((await post(edge, '/ee/v2/interact', {})).status).toBe(400);
    expect((await post(edge, '/ee/v2/nothing', {})).status).toBe(404);
    expect(counters.shed['overload-interact']).toBe(0);
  });
});
