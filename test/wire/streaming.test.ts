import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../src/model/json.ts';
import { post } from '../support/raw-http.ts';
import { decodeAnswer, decodeProblem, decodeStream } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir({
    'datastreams/busy.yaml': 'id: busy\norg: TEST@AdobeOrg\nname: Busy\nservices: {identitySync: {enabled: true}}\n',
  });
});
afterAll(() => weir.stop());

const STREAMING = { enabled: true, recordSeparator: '\u0000', lineFeed: '\n' };
const bodyWith = (streaming: Json) => ({
  meta: { konductorConfig: { streaming } },
  events: [{ xdm: { eventType: 'a' } }],
});
const interact = (configId: string, streaming: Json) =>
  post(weir.edge, `/ee/v1/interact?configId=${configId}`, bodyWith(streaming));

describe('a streamed answer', () => {
  test('is one fragment of handles, byte for byte', async () => {
    const answer = await interact('shop', STREAMING);
    expect(answer.status).toBe(200);
    expect(answer.header('content-type')).toBe('application/json;charset=utf-8');
    const { fragments, answer: decoded } = decodeStream(answer.body);
    expect(fragments).toHaveLength(1);
    expect(decoded.handle.map((handle) => handle.type)).toEqual(['locationHint:result', 'state:store']);
    expect(answer.body).toEqual(Buffer.from(`\u0000${JSON.stringify(fragments[0])}\n`));
    expect(Number(answer.header('content-length'))).toBe(answer.body.length);
  });

  test('has handles first, then warnings, each with the request’s id', async () => {
    const answer = await interact('busy', STREAMING);
    const { fragments, answer: decoded } = decodeStream(answer.body);
    expect(fragments.map((fragment) => Object.keys(fragment as object))).toEqual([
      ['requestId', 'handle'],
      ['requestId', 'warnings'],
    ]);
    for (const fragment of fragments) expect(fragment).toMatchObject({ requestId: answer.header('x-request-id') });
    expect(decoded.warnings).toHaveLength(1);
  });

  test.each<[string, string, object]>([
    [
      'set-consent',
      '/v1/privacy/set-consent',
      { consent: [{ standard: 'Adobe', version: '1.0', value: { general: 'in' } }] },
    ],
    ['acquire', '/v1/identity/acquire', { query: { identity: { fetch: ['ECID'] } } }],
  ])('is given by %s too', async (_name, path, body) => {
    const answer = await post(weir.edge, `/ee${path}?configId=shop`, { ...body, meta: bodyWith(STREAMING).meta });
    expect(decodeStream(answer.body).fragments).toHaveLength(1);
  });

  test('takes its separators as given by default', async () => {
    decodeStream((await interact('shop', { enabled: true })).body);
    decodeStream((await interact('shop', { enabled: true, recordSeparator: null })).body);
  });

  test('keeps a line feed in a value inside its fragment', async () => {
    const value = { collect: { val: 'y' }, metadata: { time: 'a\nb\u0000c' } };
    const body = { consent: [{ standard: 'Adobe', version: '2.0', value }], meta: bodyWith(STREAMING).meta };
    const answer = await post(weir.edge, '/ee/v1/privacy/set-consent?configId=shop', body);
    const { fragments, answer: decoded } = decodeStream(answer.body);
    expect(fragments).toHaveLength(1);
    expect(decoded.handle[1]!.payload).toEqual([value]);
  });
});

describe('one plain object', () => {
  test.each<[string, Json]>([
    ['not enabled', { ...STREAMING, enabled: false }],
    ['enabled as text', { ...STREAMING, enabled: 'true' }],
    ['another record separator', { ...STREAMING, recordSeparator: '\u001e' }],
    ['another line feed', { ...STREAMING, lineFeed: '\r\n' }],
    ['an empty separator', { ...STREAMING, recordSeparator: '' }],
    ['a separator that is no text', { ...STREAMING, lineFeed: 10 }],
    ['no object', true],
    ['a list', []],
  ])('%s', async (_what, streaming) => {
    const answer = await interact('shop', streaming);
    expect(answer.body[0]).toBe('{'.charCodeAt(0));
    decodeAnswer(answer.json);
  });

  test('collect, whatever was asked', async () => {
    const answer = await post(weir.edge, '/ee/v2/collect?datastreamId=shop', bodyWith(STREAMING));
    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({ requestId: answer.header('x-request-id') });
  });
});

test('an error is never framed', async () => {
  const wrong = [
    await interact('nobody', STREAMING),
    await post(weir.edge, '/ee/v1/interact?configId=shop', { meta: bodyWith(STREAMING).meta }),
    await post(weir.server, '/ee/v1/interact?configId=shop', bodyWith(STREAMING)),
  ];
  expect(wrong.map((answer) => answer.status)).toEqual([400, 400, 401]);
  for (const answer of wrong) decodeProblem(answer.json);
});
