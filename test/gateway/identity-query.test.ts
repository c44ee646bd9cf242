import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { type GatewayServer, startGateway } from '../support/gateway-server.ts';
import { post } from '../support/raw-http.ts';
import { decodeAnswer, decodeProblem } from '../support/strict-decoder.ts';

let server: GatewayServer;
beforeAll(async () => {
  server = await startGateway();
});
afterAll(() => server.stop());

const WRONG: readonly [identity: Json, place: string, words: readonly string[]][] = [
  ['ECID', '', ['"ECID"', '{"fetch":["ECID"]}']],
  [['ECID'], '', ['{"fetch":["ECID"]}']],
  [{ fetch: 'ECID' }, '.fetch', ['"ECID"', '["ECID"]']],
  [{ fetch: { ECID: true } }, '.fetch', ['["ECID"]']],
  [{ fetch: true }, '.fetch', ['true', '["ECID"]']],
  [{ fetch: ['ECID', 7] }, '.fetch[1]', ['7', 'namespace']],
  [{ fetch: [null] }, '.fetch[0]', ['null']],
];
const TAKEN: readonly Json[] = [null, {}, { fetch: null }, { fetch: [] }, { fetch: ['ECID'] }, { fetch: ['Email'] }];

const event = { xdm: {} };
const PLACES: readonly [where: string, path: string, field: string, bodyOf: (query: JsonObject) => JsonObject][] = [
  ['interact', '/v2/interact?datastreamId', 'query', (query) => ({ event, query })],
  ['its event', '/v2/interact?datastreamId', 'event.query', (query) => ({ event: { ...event, query } })],
  [
    'an event of several',
    '/v1/interact?configId',
    'events[1].query',
    (query) => ({ events: [event, { ...event, query }] }),
  ],
  ['acquire', '/v1/identity/acquire?configId', 'query', (query) => ({ query })],
];

describe.each(PLACES)('what %s asks for', (_where, path, field, bodyOf) => {
  const answerTo = (identity: Json) => post(server.edge, `/ee${path}=shop`, bodyOf({ identity }));

  test.each(WRONG)('%j is refused: no list would ask for nothing', async (identity, place, words) => {
    const answer = await answerTo(identity);
    expect(answer.status).toBe(400);
    const { type, detail } = decodeProblem(answer.json) as { type: string; detail: string };
    expect(type).toContain('EXEG-0102-400');
    for (const word of [`'${field}.identity${place}'`, ...words]) expect(detail).toContain(word);
  });

  test.each(TAKEN)('%j is taken', async (identity) => {
    const answer = await answerTo(identity);
    expect(answer.status).toBe(200);
    decodeAnswer(answer.json);
  });
});
