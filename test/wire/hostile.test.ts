import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { CATALOGUE } from '../../src/model/problem.ts';
import { captures } from '../support/captures.ts';
import { open, post, readAnswer } from '../support/raw-http.ts';
import { decodeAnswer, decodeProblem } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/** Nothing that is sent ends the server, and nothing that a client got wrong is answered as the server's fault. */
let weir: Weir;
beforeAll(async () => {
  weir = await startWeir();
});
afterAll(() => weir.stop());

const ENDPOINTS = [
  '/ee/v2/interact?datastreamId=shop',
  '/ee/v1/interact?configId=shop',
  '/ee/v2/collect?datastreamId=shop',
  '/ee/v1/collect?configId=shop',
  '/ee/v1/privacy/set-consent?configId=shop',
  '/ee/v1/identity/acquire?configId=shop',
];
const BODIES: readonly JsonObject[] = [
  ...captures().flatMap(({ requests }) => requests.map(({ rawBody }) => JSON.parse(rawBody) as JsonObject)),
  { event: { xdm: { identityMap: { ECID: [{ id: '1'.repeat(38), primary: 'true' }] }, timestamp: 'x' } } },
  {
    consent: [{ standard: 'Adobe', version: '2.0', value: { collect: { val: 'y' } } }],
    query: { consent: { operation: 'update' } },
  },
];

/** Places in a value, and the value with one of them replaced or removed. */
function placesOf(value: Json, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, child]) => placesOf(child, [...path, key]))];
}
function changed(
  value: Json,
  path: readonly (string | number)[],
  change: (at: Json) => Json | undefined,
): Json | undefined {
  if (path.length === 0) return change(value);
  const copy = (Array.isArray(value) ? [...value] : { ...(value as JsonObject) }) as JsonObject;
  const key = String(path[0]);
  const next = changed(copy[key]!, path.slice(1), change);
  if (next === undefined) delete copy[key];
  else copy[key] = next;
  return copy as Json;
}

const ODD: fc.Arbitrary<Json | undefined> = fc.oneof(
  fc.constantFrom<(Json | undefined)[]>(
    undefined,
    null,
    true,
    false,
    0,
    -1,
    1e308,
    '',
    '\u0000',
    '\ud800',
    'x'.repeat(2_000),
    [],
    {},
    [[]],
    [null],
    { __proto__: null, constructor: { prototype: { polluted: true } } },
    { toString: 1, hasOwnProperty: 2 },
    '1'.repeat(38),
    [{ id: '1'.repeat(38) }],
    { ECID: [{ id: 'x' }] },
    { enabled: true },
  ),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
);
const mutated = fc
  .tuple(fc.constantFrom(...BODIES), fc.array(fc.tuple(fc.nat(), ODD, fc.boolean()), { minLength: 1, maxLength: 4 }))
  .map(([body, changes]) =>
    changes.reduce<Json | undefined>((value, [pick, odd, isAdded]) => {
      if (value === undefined) return value;
      const places = placesOf(value);
      const change = (at: Json): Json | undefined =>
        isAdded && isObject(at) ? { ...at, [String(pick % 7)]: odd ?? null, identityMap: odd ?? null } : odd;
      return changed(value, places[pick % places.length]!, change);
    }, body),
  );

test('bodies that are nearly right: a documented answer, never a 5xx', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...ENDPOINTS), mutated, async (path, body) => {
      const answer = await post(weir.edge, path, JSON.stringify(body) ?? '');
      if (answer.status === 204) expect(answer.body.length).toBe(0);
      else if (answer.status === 200) decodeAnswer(answer.json);
      else if (answer.status === 202) expect(answer.json).toMatchObject({ requestId: answer.header('x-request-id') });
      else {
        const problem = decodeProblem(answer.json);
        const code = String(problem['type']).split('/').at(-1)!;
        expect(CATALOGUE.get(code)).toMatchObject({ status: answer.status, class: 'fatal' });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
        // It names a place, and quotes little of what was sent.
        expect(String(problem['detail']).length).toBeLessThan(600);
      }
    }),
    { numRuns: 600 },
  );
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('what was stored of them can be read back', async () => {
  const events = await weir.events();
  expect(events.length).toBeGreaterThan(50);
  for (const event of events) expect(isObject(event.xdm)).toBe(true);
});

describe('requests written by hand', () => {
  const request = (head: string, body = '') => Buffer.from(`${head.replaceAll('\n', '\r\n')}\r\n\r\n${body}`, 'latin1');

  test('a header named __proto__ does no harm', async () => {
    const answer = await post(weir.edge, ENDPOINTS[0]!, { event: { xdm: {} } }, [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(answer.status).toBe(200);
  });

  test('several requests sent at once are answered in order', async () => {
    const socket = await open(weir.edge);
    const one = (id: string) =>
      request(
        `POST /ee/v2/collect?datastreamId=shop&requestId=${id} HTTP/1.1\nHost: a\nContent-Type: text/plain\nContent-Length: 24`,
        '{"events":[{"xdm":{}}]} ',
      );
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.write(Buffer.concat(['p1', 'p2', 'p3'].map(one)));
    await expect
      .poll(() => text.match(/"requestId":"p\d/g))
      .toEqual(['"requestId":"p1', '"requestId":"p2', '"requestId":"p3']);
    socket.destroy();
  });

  test('Expect: 100-continue is honoured', async () => {
    const socket = await open(weir.edge);
    const body = '{"event":{"xdm":{}}}';
    socket.write(
      request(
        `POST ${ENDPOINTS[0]} HTTP/1.1\nHost: a\nContent-Type: text/plain\nExpect: 100-continue\nContent-Length: ${body.length}`,
      ),
    );
    await new Promise((resolve) => socket.once('readable', resolve));
    const answer = readAnswer(socket);
    socket.write(body);
    expect((await answer).status).toBe(200);
  });
});
