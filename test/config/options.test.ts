import { describe, expect, test } from 'vitest';
import * as limits from '../../src/config/limits.ts';
import { changedOptions, DEFAULT_BASE_PATH, DEFAULT_PORTS, serverOptions } from '../../src/config/options.ts';
import { readSchema, type Schema } from '../../src/config/schema-check.ts';
import { RESERVED_BYTES } from '../../src/log/disk-space.ts';
import { DEFAULT_OWN_HINT } from '../../src/model/region.ts';
import { DUPLICATE_WINDOW_MS, DUPLICATES_MAX } from '../../src/stages/duplicates.ts';

const schema = readSchema('weir');

function option(path: string): Schema {
  let at: Schema = schema;
  for (const key of path.replaceAll('[]', '.[]').split('.')) at = key === '[]' ? at.items! : at.properties![key]!;
  return at.$ref === undefined ? at : { ...schema.definitions![at.$ref.slice('#/definitions/'.length)]!, ...at };
}

describe('the schema says the same as the constants', () => {
  test.each<[string, limits.Limit]>([
    ['deadlineMs', limits.DEADLINE_MS],
    ['requestBytesMax', limits.REQUEST_BYTES],
    ['log.segmentBytes', limits.SEGMENT_BYTES],
    ['log.queueBytesMax', limits.QUEUE_BYTES],
    ['log.queueAgeMsMax', limits.QUEUE_AGE_MS],
    ['log.lowWaterBytes', limits.LOW_WATER_BYTES],
    ['log.reservedBytes', limits.RESERVED_BYTES],
    ['consent.retention.maxAgeDays', limits.CONSENT_AGE_DAYS],
    ['duplicates.windowMinutes', limits.DUPLICATES_WINDOW_MINUTES],
    ['duplicates.entriesMax', limits.DUPLICATES_ENTRIES],
    ['auth.clockToleranceSeconds', limits.CLOCK_TOLERANCE_SECONDS],
    ['auth.issuers[].maxAgeSeconds', limits.TOKEN_AGE_SECONDS],
    ['listeners.edgePort', { ...limits.PORT, default: DEFAULT_PORTS.edge }],
    ['listeners.serverPort', { ...limits.PORT, default: DEFAULT_PORTS.server }],
    ['listeners.adminPort', { ...limits.PORT, default: DEFAULT_PORTS.admin }],
  ])('%s', (path, limit) => {
    const { minimum, maximum, default: byDefault } = option(path);
    expect({ min: minimum, max: maximum, default: byDefault }).toEqual(limit);
  });

  test.each<[string, { min: number; max: number }]>([
    ['log.retention.maxAgeDays', limits.RETENTION_DAYS],
    ['log.retention.maxBytes', limits.RETENTION_BYTES],
    ['listeners.tlsPort', limits.PORT],
    ['requestUnits.interact', limits.REQUEST_UNITS],
    ['requestUnits.collect', limits.REQUEST_UNITS],
  ])('%s, which is null by default', (path, limit) => {
    const { minimum, maximum, default: byDefault } = option(path);
    expect({ min: minimum, max: maximum, default: byDefault }).toEqual({ ...limit, default: null });
  });

  test('how long a datastream keeps events: never for less than duplicates are known', () => {
    const { minimum, maximum, default: byDefault } = readSchema('datastream').definitions!['maxAgeDays']!;
    expect({ min: minimum, max: maximum, default: byDefault }).toEqual({ ...limits.EVENT_AGE_DAYS, default: null });
    expect(limits.EVENT_AGE_DAYS.min * 24 * 60).toBeGreaterThanOrEqual(limits.DUPLICATES_WINDOW_MINUTES.max);
  });

  test('texts', () => {
    const defaults = serverOptions({}, '/w');
    expect(option('basePath').default).toBe(DEFAULT_BASE_PATH);
    expect(option('region').default).toBe(DEFAULT_OWN_HINT);
    expect(option('listeners.host').default).toBe(defaults.listeners.host);
    expect(option('listeners.adminHost').default).toBe(defaults.listeners.adminHost);
  });
});

describe('options', () => {
  test('have defaults', () => {
    expect(serverOptions({}, '/w')).toEqual({
      basePath: 'ee',
      proxies: [],
      deadlineMs: 2000,
      requestBytesMax: 65_536,
      log: {
        segmentBytes: 134_217_728,
        queueBytesMax: 67_108_864,
        queueAgeMsMax: 2000,
        lowWaterBytes: 268_435_456,
        reservedBytes: RESERVED_BYTES,
        retention: { maxAgeMs: null, maxBytes: null },
      },
      consent: { retention: { maxAgeMs: 1826 * 24 * 60 * 60 * 1000 } },
      duplicates: { windowMs: DUPLICATE_WINDOW_MS, entriesMax: DUPLICATES_MAX },
      listeners: {
        host: '127.0.0.1',
        adminHost: '127.0.0.1',
        edgePort: 8080,
        serverPort: 8081,
        adminPort: 9090,
        tlsPort: null,
        tlsCert: null,
        tlsKey: null,
      },
      identity: { fpidKeyFile: null, cookieKeysFile: null, erasureKeyFile: null, requireSigned: false },
      thirdParty: { hosts: [], cookie: 'demdex' },
      decisions: { budgetMs: 50, keysFile: null },
      tracing: { enabled: null },
      admin: { openStatus: false },
    });
  });

  test('are in milliseconds and absolute paths', () => {
    const options = serverOptions(
      {
        log: { retention: { maxAgeDays: 0.5, maxBytes: 2_000_000 } },
        duplicates: { windowMinutes: 1.5 },
        listeners: { tlsPort: 8443, tlsCert: 'tls/cert.pem', tlsKey: '/etc/key.pem' },
      },
      '/w',
    );
    expect(options.log.retention).toEqual({ maxAgeMs: 43_200_000, maxBytes: 2_000_000 });
    expect(options.duplicates.windowMs).toBe(90_000);
    expect(options.listeners).toMatchObject({ tlsPort: 8443, tlsCert: '/w/tls/cert.pem', tlsKey: '/etc/key.pem' });
  });

  test('that differ are named as in the file', () => {
    const before = serverOptions({ proxies: ['10.0.0.0/8'], deadlineMs: 2000 }, '/w');
    const after = serverOptions(
      {
        proxies: ['10.0.0.0/8', '::1'],
        log: { retention: { maxAgeDays: 1 } },
        duplicates: { windowMinutes: 11 },
        listeners: { edgePort: 80 },
      },
      '/w',
    );
    expect(changedOptions(before, after)).toEqual([
      'proxies',
      'log.retention.maxAgeDays',
      'duplicates.windowMinutes',
      'listeners.edgePort',
    ]);
    expect(changedOptions(before, serverOptions({ proxies: ['10.0.0.0/8'] }, '/w'))).toEqual([]);
  });
});
