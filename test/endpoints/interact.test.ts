import { describe, expect, test } from 'vitest';
import { interact } from '../../src/endpoints/interact.ts';
import type { Json } from '../../src/model/json.ts';
import { exchangeOf } from '../support/exchanges.ts';
import { problemOf } from '../support/problems.ts';

const v1 = (body: Json) => interact.parse('/v1/interact', body);
const v2 = (body: Json) => interact.parse('/v2/interact', body);
const bare = { data: null, query: null, meta: null };

describe('what it is', () => {
  test('two paths, ECIDs are minted, success is 200', () => {
    expect(interact.paths).toEqual(['/v1/interact', '/v2/interact']);
    expect(interact.mintsEcid).toBe(true);
    expect(interact.success(exchangeOf())).toBe(200);
  });
});

describe('v2: one event', () => {
  test.each<[string, Json, unknown]>([
    ['the least', { event: { xdm: {} } }, { events: [{ xdm: {}, ...bare }], query: {}, meta: {} }],
    [
      'everything',
      {
        event: { xdm: { eventType: 'a' }, data: { d: 1 }, query: { q: 1 }, meta: { m: 1 } },
        query: { identity: { fetch: ['ECID'] } },
        meta: { state: {} },
      },
      {
        events: [{ xdm: { eventType: 'a' }, data: { d: 1 }, query: { q: 1 }, meta: { m: 1 } }],
        query: { identity: { fetch: ['ECID'] } },
        meta: { state: {} },
      },
    ],
    [
      'null is absent',
      { event: { xdm: {}, data: null, query: null, meta: null }, events: null, query: null, meta: null },
      { events: [{ xdm: {}, ...bare }], query: {}, meta: {} },
    ],
    [
      'fields that nobody asked about',
      { event: { xdm: { x: [1, null] }, extra: 1 }, extra: 2 },
      { events: [{ xdm: { x: [1, null] }, ...bare }], query: {}, meta: {} },
    ],
  ])('%s', (_what, body, wanted) => {
    expect(v2(body)).toEqual({ identityMap: null, consent: null, ...(wanted as object) });
  });

  test.each<[Json, string, readonly string[]]>([
    [[], 'EXEG-0102-400', ['/v2/interact', 'an array', 'collect']],
    ['x', 'EXEG-0102-400', ['/v2/interact', '"x"']],
    [null, 'EXEG-0102-400', ['null']],
    [{}, 'EXEG-0103-400', ["'event'"]],
    [{ event: null }, 'EXEG-0103-400', ["'event'"]],
    [{ events: [{ xdm: {} }] }, 'EXEG-0103-400', ["'event'", "'events'", '/v2/collect']],
    [{ event: { xdm: {} }, events: [] }, 'EXEG-0103-400', ["/v2/interact takes 'event' alone", '/v2/collect']],
    [{ event: {}, events: { xdm: {} } }, 'EXEG-0103-400', ["'events'", '/v2/collect']],
    [{ event: [{ xdm: {} }] }, 'EXEG-0102-400', ["'event'", 'an array', '/v2/collect']],
    [{ event: 'x' }, 'EXEG-0102-400', ["'event'", '"x"']],
    [{ event: {} }, 'EXEG-0103-400', ["'event.xdm'"]],
    [{ event: { xdm: null } }, 'EXEG-0103-400', ["'event.xdm'"]],
    [{ event: { xdm: [] } }, 'EXEG-0102-400', ["'event.xdm'", 'an array']],
    [{ event: { xdm: 'x' } }, 'EXEG-0102-400', ["'event.xdm'", '"x"']],
    [{ event: { xdm: {}, data: 1 } }, 'EXEG-0102-400', ["'event.data'", 'the number 1']],
    [{ event: { xdm: {}, query: [] } }, 'EXEG-0102-400', ["'event.query'"]],
    [{ event: { xdm: {}, meta: true } }, 'EXEG-0102-400', ["'event.meta'", 'the boolean true']],
    [{ event: { xdm: {} }, query: [] }, 'EXEG-0102-400', ["'query'"]],
    [{ event: { xdm: {} }, meta: 'm' }, 'EXEG-0102-400', ["'meta'"]],
  ])('%j is %s', (body, code, words) => {
    const { spec, detail } = problemOf(() => v2(body));
    expect(spec.code).toBe(code);
    for (const word of words) expect(detail).toContain(word);
  });
});

describe('v1: several events, one shared xdm', () => {
  test('the top-level xdm stands in every event, where an event’s own fields win', () => {
    const received = v1({
      xdm: { identityMap: { ECID: [{ id: 'e' }] }, web: { name: 'shared', site: 's' }, device: { type: 'phone' } },
      events: [{ xdm: { web: { name: 'own' } }, query: { personalization: {} } }, { xdm: { device: null } }],
      query: { identity: {} },
    });
    expect(received).toEqual({
      events: [
        {
          ...bare,
          xdm: {
            identityMap: { ECID: [{ id: 'e' }] },
            web: { name: 'own', site: 's' },
            device: { type: 'phone' },
          },
          query: { personalization: {} },
        },
        {
          ...bare,
          xdm: { identityMap: { ECID: [{ id: 'e' }] }, web: { name: 'shared', site: 's' }, device: null },
        },
      ],
      identityMap: { ECID: [{ id: 'e' }] },
      consent: null,
      query: { identity: {} },
      meta: {},
    });
  });

  test('an event may leave its xdm out where the request has one', () => {
    expect(v1({ xdm: { a: 1 }, events: [{ data: { b: 2 } }] }).events).toEqual([
      { ...bare, xdm: { a: 1 }, data: { b: 2 } },
    ]);
  });

  test('the request’s own body is not changed by the merge', () => {
    const body: Json = { xdm: { a: { b: 1 } }, events: [{ xdm: { a: { c: 2 } } }, { xdm: {} }] };
    const before = structuredClone(body);
    const { events } = v1(body);
    expect(body).toEqual(before);
    expect(events[0]!.xdm).not.toBe(events[1]!.xdm);
  });

  test.each<[Json, string, readonly string[]]>([
    [[{ xdm: {} }], 'EXEG-0102-400', ['/v1/interact', 'an array']],
    [{}, 'EXEG-0103-400', ["'events'"]],
    [{ event: { xdm: {} } }, 'EXEG-0103-400', ["'events'", "'event'", '/v2/interact']],
    [{ events: null }, 'EXEG-0102-400', ["'events'"]],
    [{ events: {} }, 'EXEG-0102-400', ["'events'", 'an object']],
    [{ events: [] }, 'EXEG-0103-400', ["'events'", 'empty']],
    [{ events: [{ xdm: {} }, 7] }, 'EXEG-0102-400', ["'events[1]'", 'the number 7']],
    [{ events: [null] }, 'EXEG-0102-400', ["'events[0]'", 'null']],
    [{ events: [{}] }, 'EXEG-0103-400', ["'events[0].xdm'"]],
    [{ events: [{ xdm: {} }, { xdm: 1 }] }, 'EXEG-0102-400', ["'events[1].xdm'"]],
    [{ events: [{ xdm: {}, data: [] }] }, 'EXEG-0102-400', ["'events[0].data'"]],
    [{ xdm: [], events: [{ xdm: {} }] }, 'EXEG-0102-400', ["'xdm'"]],
    [{ xdm: { identityMap: [] }, events: [{ xdm: {} }] }, 'EXEG-0102-400', ["'xdm.identityMap'"]],
    [
      { xdm: { identityMap: { ECID: [{}] } }, events: [{ xdm: {} }] },
      'EXEG-0103-400',
      ["'xdm.identityMap.ECID[0].id'"],
    ],
  ])('%j is %s', (body, code, words) => {
    const { spec, detail } = problemOf(() => v1(body));
    expect(spec.code).toBe(code);
    for (const word of words) expect(detail).toContain(word);
  });
});
