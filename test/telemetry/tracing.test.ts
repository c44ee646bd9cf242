import * as api from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  NodeTracerProvider,
  ParentBasedSampler,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LogUnavailable } from '../../src/model/parts.ts';
import { Tracing } from '../../src/telemetry/tracing.ts';
import { type GatewayServer, startGateway } from '../support/gateway-server.ts';
import { HeldLog } from '../support/held-log.ts';
import { post, type RawAnswer, send } from '../support/raw-http.ts';

/** Traces of requests to the gateway, by the real SDK. */

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const INTERACT = '/ee/v2/interact?datastreamId=shop&requestId=r1';

let exporter: InMemorySpanExporter;
let log: HeldLog;
let server: GatewayServer;

async function start(sampler?: AlwaysOffSampler | ParentBasedSampler): Promise<void> {
  exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  const provider = new NodeTracerProvider(sampler === undefined ? { spanProcessors } : { spanProcessors, sampler });
  log = new HeldLog();
  log.automatic = true;
  server = await startGateway({ eventLog: log, tracing: new Tracing(api, provider.getTracer('weir')) });
}
beforeEach(() => start());
afterEach(() => server.stop());

const visit = (
  headers: readonly (readonly [string, string])[] = [],
  body = '{"event":{"xdm":{}}}',
): Promise<RawAnswer> => send(server.edge, { method: 'POST', path: INTERACT, headers, body });

/** The request's span, when it has ended, and those in it. */
async function trace(): Promise<{ request: ReadableSpan; steps: readonly ReadableSpan[] }> {
  const isRequest = ({ kind }: ReadableSpan): boolean => kind === api.SpanKind.SERVER;
  await expect.poll(() => exporter.getFinishedSpans().some(isRequest)).toBe(true);
  const spans = exporter.getFinishedSpans();
  const request = spans.find(isRequest)!;
  for (const span of spans) expect(span.spanContext().traceId).toBe(request.spanContext().traceId);
  return { request, steps: spans.filter((span) => !isRequest(span)) };
}

describe('a request', () => {
  test('has a span, and in it one for each stage that ran and for the wait for the disk', async () => {
    expect((await visit()).status).toBe(200);
    const { request, steps } = await trace();
    expect(request.name).toBe('POST /v2/interact');
    expect(request.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/v2/interact',
      'http.request.body.size': 20,
      'http.response.status_code': 200,
      'weir.listener': 'edge',
      'weir.request_id': expect.stringMatching(/^r1-[0-9a-f]{16}$/),
      'weir.datastream': 'shop',
      'weir.org': 'TEST@AdobeOrg',
      'weir.events': 1,
      'weir.position': '0:0',
    });
    const names = steps.map(({ name }) => name);
    expect(names.slice(0, 3)).toEqual(['accept', 'identify', 'wait']);
    expect(names).toEqual(expect.arrayContaining(['append', 'answer', 'durable']));
    // A service that is off does not run.
    expect(new Set(names).size).toBe(names.length);
    for (const step of steps) {
      expect(step.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
      expect(step.attributes).toEqual({});
    }
    expect(request.parentSpanContext).toBeUndefined();
    expect(request.status.code).toBe(api.SpanStatusCode.UNSET);
  });

  test('belongs to the trace that its traceparent names', async () => {
    await visit([['traceparent', `00-${TRACE}-${SPAN}-01`]]);
    const { request } = await trace();
    expect(request.spanContext().traceId).toBe(TRACE);
    expect(request.parentSpanContext).toMatchObject({ spanId: SPAN, isRemote: true });
  });

  test('whose traceparent is none begins a trace, and so does one with two', async () => {
    await visit([['traceparent', `00-${TRACE}-${SPAN}`]]);
    expect((await trace()).request.parentSpanContext).toBeUndefined();
  });
});

describe('what fails is named by its code', () => {
  test('a wrong body', async () => {
    await visit([], '{"event":');
    const { request, steps } = await trace();
    expect(request.attributes).toMatchObject({ 'http.response.status_code': 400, 'error.type': 'EXEG-0101-400' });
    // The client's mistake is no failure of the server.
    expect(request.status.code).toBe(api.SpanStatusCode.UNSET);
    expect(steps.map(({ name, attributes }) => [name, attributes])).toEqual([
      ['accept', { 'error.type': 'EXEG-0101-400' }],
    ]);
  });

  test('a stage', async () => {
    await visit([], JSON.stringify({ event: { xdm: { identityMap: { ECID: [{ id: 'somebody' }] } } } }));
    const { request, steps } = await trace();
    expect(request.attributes).toMatchObject({ 'error.type': 'EXEG-0305-400' });
    expect(steps.at(-1)).toMatchObject({ name: 'identify', attributes: { 'error.type': 'EXEG-0305-400' } });
    expect(
      JSON.stringify([request.attributes, request.status, request.events, steps.map((s) => s.status)]),
    ).not.toContain('somebody');
  });

  test('the disk', async () => {
    log.automatic = false;
    const answered = visit();
    await expect.poll(() => log.held.length).toBe(1);
    log.refuse(new LogUnavailable('disk-full', 'full'));
    expect((await answered).status).toBe(503);
    const { request, steps } = await trace();
    expect(request.attributes).toMatchObject({ 'http.response.status_code': 503, 'error.type': 'EXEG-0000-503' });
    expect(request.status).toEqual({ code: api.SpanStatusCode.ERROR });
    const durable = steps.find(({ name }) => name === 'durable');
    expect([durable?.attributes, durable?.status.code]).toEqual([
      { 'error.type': 'EXEG-0000-503' },
      api.SpanStatusCode.ERROR,
    ]);
  });

  test('an address that does not exist: nothing of it is in the span', async () => {
    await post(server.edge, '/ee/v2/somebody@example.com', {});
    const { request } = await trace();
    expect(request.name).toBe('POST');
    expect(JSON.stringify(request.attributes)).not.toContain('somebody');
    expect(request.attributes).toMatchObject({ 'http.response.status_code': 404 });
  });
});

describe('the sampler decides', () => {
  test('nothing is recorded, and requests are answered', async () => {
    await server.stop();
    await start(new AlwaysOffSampler());
    expect((await visit()).status).toBe(200);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  test.each([
    ['01', true],
    ['00', false],
  ])('by the flags %s of whoever called, where it asks them', async (flags, isRecorded) => {
    await server.stop();
    await start(new ParentBasedSampler({ root: new AlwaysOffSampler() }));
    await visit([['traceparent', `00-${TRACE}-${SPAN}-${flags}`]]);
    await visit();
    if (isRecorded) expect((await trace()).request.spanContext().traceId).toBe(TRACE);
    else expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
