import type { DiagLogger } from '@opentelemetry/api';
import type { Log } from './log.ts';
import { Tracing } from './tracing.ts';

/** What is installed beside Weir by whoever wants traces; not with it, because it is 34 MB. */
export const TRACING_PACKAGES = [
  '@opentelemetry/api',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-node',
  '@opentelemetry/exporter-trace-otlp-http',
] as const;

/** By either of them, everything that exports traces knows where to. */
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;

export interface TracingDeps {
  /** `tracing.enabled` of weir.yaml; null: where the environment names somebody who takes traces. */
  readonly enabled: boolean | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly load?: () => Promise<Packages>;
}

/**
 * Traces, exported by OTLP over HTTP as OpenTelemetry's own variables say (endpoint, headers, sampler, batches); null where
 * nobody wants any. Packages that are missing end the start where weir.yaml asks for traces, and are a warning where only the
 * environment does, which platforms set for all that they run.
 */
export async function openTracing({ enabled, env, log, load = loadPackages }: TracingDeps): Promise<Tracing | null> {
  const isNamed = ENDPOINTS.some((name) => (env[name] ?? '') !== '') && env['OTEL_SDK_DISABLED'] !== 'true';
  if (!(enabled ?? isNamed)) return null;
  let packages: Packages;
  try {
    packages = await load();
  } catch (cause) {
    const why = `Traces are asked for${enabled === true ? " by 'tracing.enabled'" : ' by OTEL_EXPORTER_OTLP_ENDPOINT'}, but not all that they need is installed. Install it beside Weir: npm install ${TRACING_PACKAGES.join(' ')}`;
    if (enabled === true) throw new Error(why, { cause });
    log.warn({ what: 'tracing' }, why);
    return null;
  }
  return startTracing(packages, log);
}

interface Packages {
  readonly api: typeof import('@opentelemetry/api');
  readonly resources: typeof import('@opentelemetry/resources');
  readonly sdk: typeof import('@opentelemetry/sdk-trace-node');
  readonly exporter: typeof import('@opentelemetry/exporter-trace-otlp-http');
}

async function loadPackages(): Promise<Packages> {
  const [api, resources, sdk, exporter] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  return { api, resources, sdk, exporter };
}

function startTracing({ api, resources, sdk, exporter }: Packages, log: Log): Tracing {
  api.diag.setLogger(failuresTo(log), api.DiagLogLevel.WARN);
  const named = resources.detectResources({ detectors: [resources.envDetector] });
  const resource = resources
    .defaultResource()
    .merge(resources.resourceFromAttributes({ 'service.name': 'weir' }))
    .merge(named);
  const provider = new sdk.NodeTracerProvider({
    resource,
    spanProcessors: [new sdk.BatchSpanProcessor(new exporter.OTLPTraceExporter())],
  });
  // Not registered for the whole process: what is traced is what Weir says.
  return new Tracing(api, provider.getTracer('weir'), () => closed(provider.shutdown()));
}

/** A collector that is away does not hold up a stop for longer. */
const CLOSE_MS_MAX = 2_000;

async function closed(shutdown: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS_MAX);
  });
  // Spans that could not be exported are lost, and that was said when they were.
  await Promise.race([shutdown.catch(() => {}), late]);
  clearTimeout(timer);
}

/** Long enough for the cause; a collector's answer may be a page. */
const MESSAGE_CHARACTERS_MAX = 300;
/** A collector that is away fails every batch: said once in this time. */
const TELL_EVERY_MS = 60_000;

function failuresTo(log: Log): DiagLogger {
  let nextMs = 0;
  const tell = (message: string): void => {
    const nowMs = Date.now();
    if (nowMs < nextMs) return;
    nextMs = nowMs + TELL_EVERY_MS;
    log.warn({ what: 'tracing', error: message.slice(0, MESSAGE_CHARACTERS_MAX) }, 'traces could not be exported');
  };
  const silent = (): void => {};
  return { error: tell, warn: tell, info: silent, debug: silent, verbose: silent };
}
