import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RequestUnits, UNIT_BYTES } from '../../src/gateway/request-units.ts';
import type { UnitLimits } from '../../src/model/demand.ts';
import { datastreamOf, workspaceOf } from '../support/exchanges.ts';
import { startGateway } from '../support/gateway-server.ts';
import { post } from '../support/raw-http.ts';

/** Accounts whose clock the test sets. */
function accounts() {
  const clock = { ms: 1_000 };
  return { clock, units: new RequestUnits(() => clock.ms) };
}

describe('what a request costs', () => {
  test.each([
    [0, 1],
    [1, 1],
    [UNIT_BYTES, 1],
    [UNIT_BYTES + 1, 2],
    [64 * 1024, 8],
  ])('%d bytes: %d units', (bytes, cost) => {
    expect(accounts().units.charge({ interact: 100, collect: null }, 'interact', bytes)).toBe(100 - cost);
  });
});

describe('an account', () => {
  const limits: UnitLimits = { interact: 10, collect: 4 };

  test('holds what one second gives, and fills evenly', () => {
    const { clock, units } = accounts();
    const takes = (count: number): (number | null)[] =>
      Array.from({ length: count }, () => units.charge(limits, 'interact', 1));
    expect(takes(11)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1]);
    clock.ms += 99;
    expect(takes(1)).toEqual([-1]);
    clock.ms += 1;
    expect(takes(2)).toEqual([0, -1]);
    clock.ms += 3_600_000;
    expect(takes(11)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1]);
  });

  test('takes a request that costs more than it ever holds, and pays it off', () => {
    const { clock, units } = accounts();
    expect(units.charge(limits, 'collect', 64 * 1024)).toBe(0);
    clock.ms += 1_249;
    expect(units.charge(limits, 'collect', 1)).toBe(-1);
    clock.ms += 1;
    expect(units.charge(limits, 'collect', 1)).toBe(0);
  });

  test('is one for each kind and each org; without a limit there is none', () => {
    const { units } = accounts();
    for (let i = 0; i < 20; i++) units.charge(limits, 'interact', 1);
    expect(units.charge(limits, 'interact', 1)).toBe(-1);
    expect(units.charge(limits, 'collect', 1)).toBe(3);
    expect(units.charge({ interact: 10, collect: 4 }, 'interact', 1)).toBe(9);
    expect(units.charge({ interact: null, collect: 1 }, 'interact', 1)).toBe(null);
    expect(units.charge(null, 'interact', 1)).toBe(null);
  });

  test('gives out what the limit allows in any time, and one second’s more', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 8 })), { maxLength: 300 }),
        (perSecond, requests) => {
          const { clock, units } = accounts();
          const own: UnitLimits = { interact: perSecond, collect: null };
          const startMs = clock.ms;
          let taken = 0;
          let last = 0;
          for (const [waitMs, cost] of requests) {
            clock.ms += waitMs;
            if (units.charge(own, 'interact', cost * UNIT_BYTES)! < 0) continue;
            taken += cost;
            last = cost;
          }
          const allowed = perSecond + (perSecond * (clock.ms - startMs)) / 1000;
          expect(taken - last).toBeLessThanOrEqual(allowed + 1e-6);
        },
      ),
    );
  });
});

describe('over HTTP', () => {
  const event = { event: { xdm: {} } };
  const at = (id: string): string => `/ee/v2/interact?datastreamId=${id}`;

  test('429 with Retry-After and nothing left; other orgs, and other datastreams of the org, as they should', async () => {
    const { clock, units } = accounts();
    const limits: UnitLimits = { interact: 2, collect: null };
    const workspace = workspaceOf([
      datastreamOf({ requestUnits: limits }),
      datastreamOf({ id: 'shop:dev', requestUnits: limits }),
      datastreamOf({ id: 'free', orgId: 'FREE' }),
      datastreamOf({ id: 'other', orgId: 'OTHER', requestUnits: { interact: 2, collect: null } }),
      datastreamOf({ id: 'closed', enabled: false, requestUnits: limits }),
    ]);
    const { edge, counters, told, stop } = await startGateway({ workspace: () => workspace, units });
    onTestFinished(stop);
    const answers = async (id: string) => {
      const { status, header } = await post(edge, at(id), event);
      return [status, header('x-rate-limit-remaining')];
    };
    expect(await answers('closed')).toEqual([422, undefined]);
    expect(await answers('shop')).toEqual([200, '1']);
    expect(await answers('shop:dev')).toEqual([200, '0']);
    const refused = await post(edge, at('shop'), 'no JSON: it is not parsed');
    expect([refused.status, refused.header('x-rate-limit-remaining')]).toEqual([429, '0']);
    expect(refused.header('retry-after')).toMatch(/^([2-9]|10)$/);
    expect(refused.json).toMatchObject({ type: 'about:blank', status: 429, title: 'Too Many Requests' });
    const data = await post(edge, '/ee/v2/collect?datastreamId=shop', { events: [{ xdm: {} }] });
    expect([data.status, data.header('x-rate-limit-remaining')]).toEqual([202, undefined]);
    expect(await answers('other')).toEqual([200, '1']);
    expect(await answers('free')).toEqual([200, undefined]);
    clock.ms += 500;
    expect(await answers('shop')).toEqual([200, '0']);
    expect(counters.shed).toMatchObject({ 'request-units': 1, 'overload-interact': 0 });
    expect(counters.ledger.totals.get('shop')!.refusedTotal).toBe(1);
    expect(told).toEqual([]);
  });

  test('what comes without access costs nothing: nobody uses up the units of an org that he does not belong to', async () => {
    const limits: UnitLimits = { interact: 1, collect: null };
    const workspace = workspaceOf([datastreamOf({ requestUnits: limits, access: 'authenticated' })]);
    const { units } = accounts();
    const { edge, server, stop } = await startGateway({ workspace: () => workspace, units });
    onTestFinished(stop);
    for (const url of [edge, server, edge, server]) expect((await post(url, at('shop'), event)).status).toBe(401);
    expect(units.charge(limits, 'interact', 1)).toBe(0);
  });
});
