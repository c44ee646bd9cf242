import { describe, expect, test } from 'vitest';
import { collect } from '../../src/endpoints/collect.ts';
import type { Json } from '../../src/model/json.ts';
import { exchangeOf } from '../support/exchanges.ts';
import { problemOf } from '../support/problems.ts';

const v1 = (body: Json) => collect.parse('/v1/collect', body);
const v2 = (body: Json) => collect.parse('/v2/collect', body);
const bare = { data: null, query: null, meta: null };

describe('what it is', () => {
  test('two paths, and no ECID is minted', () => {
    expect(collect.paths).toEqual(['/v1/collect', '/v2/collect']);
    expect(collect.mintsEcid).toBe(false);
  });

  test.each([
    ['/v1/collect', false, 204],
    ['/v1/collect', true, 204],
    ['/v2/collect', false, 202],
    ['/v2/collect', true, 204],
  ])('%s, silent %s: %i', (path, silent, status) => {
    expect(collect.success(exchangeOf({ path, silent }))).toBe(status);
  });
});

describe('what is taken', () => {
  test('v2: a batch, of several visitors too', () => {
    const a = { xdm: { identityMap: { CRM: [{ id: '1' }] } } };
    const b = { xdm: { identityMap: { CRM: [{ id: '2' }] } }, data: { d: 1 } };
    expect(v2({ events: [a, b], meta: { m: 1 } })).toEqual({
      events: [
        { ...bare, ...a },
        { ...bare, ...b },
      ],
      identityMap: null,
      consent: null,
      query: {},
      meta: { m: 1 },
    });
  });

  test('v1: as v1/interact, with a shared xdm', () => {
    const received = v1({ xdm: { identityMap: { ECID: [] } }, events: [{ xdm: { eventType: 'a' } }] });
    expect(received.events[0]!.xdm).toEqual({ identityMap: { ECID: [] }, eventType: 'a' });
    expect(received.identityMap).toEqual({ ECID: [] });
  });
});

describe('what is refused', () => {
  test('one event as the public documentation posts it: both ways out are named', () => {
    const { spec, detail } = problemOf(() => v2({ event: { xdm: {} } }));
    expect(spec.code).toBe('EXEG-0103-400');
    for (const word of ["'events'", "'event'", '/v2/interact', '{"events":[…]}']) expect(detail).toContain(word);
  });

  test.each<[string, Json, string, readonly string[]]>([
    ['v1', { event: { xdm: {} }, events: [{ xdm: {} }] }, 'EXEG-0103-400', ["/v1/collect takes 'events' alone"]],
    ['v2', { event: { xdm: {} }, events: [{ xdm: {} }] }, 'EXEG-0103-400', ["/v2/collect takes 'events' alone"]],
    ['v2', {}, 'EXEG-0103-400', ["'events'"]],
    ['v2', [{ xdm: {} }], 'EXEG-0102-400', ['/v2/collect', 'an array', '{"events":[…]}']],
    ['v2', { events: [] }, 'EXEG-0103-400', ["'events'", 'empty']],
    ['v2', { events: { xdm: {} } }, 'EXEG-0102-400', ["'events'", 'an object']],
    ['v2', { events: [{ xdm: {} }, {}] }, 'EXEG-0103-400', ["'events[1].xdm'"]],
    ['v2', { events: [{ xdm: { identityMap: 1 } }] }, 'EXEG-0102-400', ["'events[0].xdm.identityMap'"]],
    ['v1', { event: { xdm: {} } }, 'EXEG-0103-400', ['/v1/collect', '/v2/interact']],
    ['v1', {}, 'EXEG-0103-400', ["'events'"]],
  ])('%s: %j is %s', (version, body, code, words) => {
    const { spec, detail } = problemOf(() => (version === 'v1' ? v1(body) : v2(body)));
    expect(spec.code).toBe(code);
    for (const word of words) expect(detail).toContain(word);
  });
});
