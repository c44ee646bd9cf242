import { afterEach, describe, expect, test } from 'vitest';
import { openTracing, TRACING_PACKAGES } from '../../src/telemetry/open-tracing.ts';
import type { Tracing } from '../../src/telemetry/tracing.ts';
import { textOf } from '../support/sources.ts';
import { startTraceReceiver } from '../support/trace-receiver.ts';

const said: unknown[][] = [];
const tell = (...args: unknown[]): void => void said.push(args);
const log = { info: tell, warn: tell, error: tell };
const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
const missing = async (): Promise<never> => {
  throw new Error("Cannot find package '@opentelemetry/resources'");
};

let tracing: Tracing | null = null;
afterEach(async () => {
  await tracing?.close();
  said.length = 0;
});

describe('whether requests are traced', () => {
  test.each<[enabled: boolean | null, env: Record<string, string>, isOn: boolean]>([
    [null, {}, false],
    [null, ENDPOINT, true],
    [null, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9/v1/traces' }, true],
    [null, { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false],
    [null, { ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }, false],
    [false, ENDPOINT, false],
    [true, {}, true],
  ])('tracing.enabled %s, environment %j', async (enabled, env, isOn) => {
    tracing = await openTracing({ enabled, env, log });
    expect(tracing !== null).toBe(isOn);
  });

  test('nothing is loaded where nobody asks', async () => {
    expect(await openTracing({ enabled: null, env: {}, log, load: missing })).toBeNull();
    expect(said).toEqual([]);
  });
});

describe('packages that are not installed', () => {
  test('end the start where weir.yaml asks, and are named', async () => {
    const opened = openTracing({ enabled: true, env: {}, log, load: missing });
    await expect(opened).rejects.toThrow(`npm install ${TRACING_PACKAGES.join(' ')}`);
  });

  test('are a warning where the environment does', async () => {
    expect(await openTracing({ enabled: null, env: ENDPOINT, log, load: missing })).toBeNull();
    expect(JSON.stringify(said)).toContain(`npm install ${TRACING_PACKAGES.join(' ')}`);
  });

  test('are optional for whoever installs Weir', () => {
    const manifest = JSON.parse(textOf('package.json'));
    expect(Object.keys(manifest.peerDependencies).sort()).toEqual([...TRACING_PACKAGES].sort());
    for (const name of TRACING_PACKAGES) {
      expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
      expect(manifest.dependencies).not.toHaveProperty([name]);
    }
  });
});

test('spans go to the endpoint of the environment, at the latest when it is closed', async () => {
  const receiver = await startTraceReceiver();
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
  try {
    const one = (await openTracing({ enabled: null, env: process.env, log }))!;
    one
      .request({ role: 'edge', method: 'POST', path: '/v1/interact', requestId: 'r', traceparent: undefined })!
      .end(200, null);
    await one.close();
    expect(receiver.spans.map(({ name }) => name)).toEqual(['POST /v1/interact']);
    expect([...receiver.services]).toEqual(['weir']);
  } finally {
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    await receiver.stop();
  }
});

test('a collector that is away does not hold up the stop', async () => {
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = 'http://127.0.0.1:9';
  const beforeMs = Date.now();
  try {
    const one = (await openTracing({ enabled: true, env: process.env, log }))!;
    one.request({ role: 'edge', method: 'POST', path: null, requestId: 'r', traceparent: undefined })!.end(404, null);
    await one.close();
  } finally {
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  }
  expect(Date.now() - beforeMs).toBeLessThan(8_000);
});
