import type { Context, Span, Tracer } from '@opentelemetry/api';
import type { Exchange } from '../model/exchange.ts';
import type { Stage, Waited } from '../model/parts.ts';
import { Problem } from '../model/problem.ts';
import type { Position } from '../model/record.ts';
import { parseTraceparent } from '../model/traceparent.ts';
import { codeOf } from './counters.ts';

type Api = typeof import('@opentelemetry/api');

/** What is known of a request when it begins. */
export interface TracedRequest {
  readonly role: 'edge' | 'server';
  readonly method: string;
  /** The endpoint's path, base path and region left out; null where there is no endpoint. */
  readonly path: string | null;
  readonly requestId: string;
  readonly traceparent: string | undefined;
}

/**
 * Traces of requests by OpenTelemetry: a span for each, and in it one for the reading of the body, each stage, and the wait for
 * the disk. Attributes are ids, sizes and codes of our own, and ids that the log has too; nothing that a client put into a
 * header, a path or a body, and no message of an error.
 */
export class Tracing {
  readonly #api: Api;
  readonly #tracer: Tracer;
  readonly #close: () => Promise<void>;

  /** `close`: exports what is left. */
  constructor(api: Api, tracer: Tracer, close: () => Promise<void> = async () => {}) {
    this.#api = api;
    this.#tracer = tracer;
    this.#close = close;
  }

  /** Null where the sampler leaves this request out. */
  request({ role, method, path, requestId, traceparent }: TracedRequest): RequestTrace | null {
    const { SpanKind, ROOT_CONTEXT, trace } = this.#api;
    const parent = parseTraceparent(traceparent);
    const context =
      parent === null
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, {
            traceId: parent.traceId,
            spanId: parent.spanId,
            traceFlags: parent.flags,
            isRemote: true,
          });
    const attributes = {
      'http.request.method': method,
      ...(path === null ? {} : { 'http.route': path }),
      'weir.listener': role,
      'weir.request_id': requestId,
    };
    const name = path === null ? method : `${method} ${path}`;
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, context);
    if (!span.isRecording()) return null;
    return new RequestTrace(this.#api, this.#tracer, span, trace.setSpan(context, span));
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

/** One request that is recorded. */
export class RequestTrace {
  readonly #api: Api;
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #context: Context;

  constructor(api: Api, tracer: Tracer, span: Span, context: Context) {
    this.#api = api;
    this.#tracer = tracer;
    this.#span = span;
    this.#context = context;
  }

  /** The body was read and is judged. */
  accept(body: Buffer, accept: (body: Buffer) => Exchange): Exchange {
    const span = this.#start('accept');
    try {
      const x = accept(body);
      this.#span.setAttributes({
        'http.request.body.size': body.length,
        'weir.datastream': x.datastream.id,
        'weir.org': x.datastream.orgId,
        'weir.events': x.events.length,
      });
      return x;
    } catch (error) {
      this.#fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  }

  /** The stages, each of which has a span of its own. Those that do not run have none. */
  stages(stages: readonly Stage[]): readonly Stage[] {
    return stages.map((stage) => ({ name: stage.name, service: stage.service, run: (x) => this.#run(stage, x) }));
  }

  #run(stage: Stage, x: Exchange): undefined | Promise<Waited> {
    const span = this.#start(stage.name);
    try {
      const pending = stage.run(x);
      if (pending === undefined) {
        span.end();
        return undefined;
      }
      return this.#until(span, pending);
    } catch (error) {
      this.#fail(span, error);
      span.end();
      throw error;
    }
  }

  /** The record is on its way to disk. To be called before anybody else waits for it: the answer ends the request's span. */
  durable(pending: Promise<Position>): void {
    const span = this.#start('durable');
    pending.then(
      ({ partition, offset }) => {
        span.end();
        // By then the deadline may have answered.
        if (this.#span.isRecording()) this.#span.setAttribute('weir.position', `${partition}:${offset}`);
      },
      (error: unknown) => {
        this.#fail(span, error);
        span.end();
      },
    );
  }

  /** `status`: of the answer; null where there was none, because the client had gone. */
  end(status: number | null, failure: { readonly code: string; readonly status: number } | null): void {
    if (status !== null) this.#span.setAttribute('http.response.status_code', status);
    if (failure !== null) this.#span.setAttribute('error.type', failure.code);
    if ((failure?.status ?? status ?? 0) >= SERVER_ERROR) {
      this.#span.setStatus({ code: this.#api.SpanStatusCode.ERROR });
    }
    this.#span.end();
  }

  #start(name: string): Span {
    return this.#tracer.startSpan(name, undefined, this.#context);
  }

  async #until(span: Span, pending: Promise<Waited>): Promise<Waited> {
    try {
      return await pending;
    } catch (error) {
      this.#fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  }

  /** By its code: what an error says may quote what a client sent. */
  #fail(span: Span, error: unknown): void {
    span.setAttribute('error.type', error instanceof Problem ? codeOf(error) : UNEXPECTED);
    span.setStatus({ code: this.#api.SpanStatusCode.ERROR });
  }
}

const SERVER_ERROR = 500;
const UNEXPECTED = 'unexpected';
