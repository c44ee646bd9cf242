import { describe, expect, test } from 'vitest';
import type { Datastream } from '../../src/model/datastream.ts';
import { KEPT_FOR_EVER } from '../../src/model/expiry.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { applyOverrides, OVERRIDE_ITEMS_MAX } from '../../src/model/overrides.ts';
import { Problem } from '../../src/model/problem.ts';
import { SERVICE_NAMES, SERVICES, type ServiceName } from '../../src/model/services.ts';
import { CONSENT_RULES, identityOf } from '../support/exchanges.ts';

const REGISTERED: JsonObject = {
  com_adobe_experience_platform: { datasets: { event: { datasetId: ['d1', 'd2'] } } },
  com_adobe_analytics: { reportSuites: ['g', 'h'] },
  com_adobe_identity: { idSyncContainerId: [107, '108'] },
  com_adobe_target: { propertyToken: ['token-1'] },
};

function datastream(unregistered: 'reject' | 'warn' = 'reject'): Datastream {
  return {
    id: 'd',
    orgId: 'O@AdobeOrg',
    name: 'shop',
    enabled: true,
    access: 'mixed',
    requestUnits: null,
    origins: null,
    services: new Set(SERVICE_NAMES),
    missingServices: ['audiences', 'offers'],
    overrides: { unregistered, registered: REGISTERED },
    validation: { timestamp: 'warn' },
    consent: CONSENT_RULES,
    ipObfuscation: null,
    retention: KEPT_FOR_EVER,
    identity: identityOf(),
    decisions: null,
    cookiePrefix: 'kndctr_O_AdobeOrg_',
  };
}

const silent = (warning: Problem): never => {
  throw new Error(`Unexpected warning: ${warning.detail}`);
};

function refusal(overrides: Json, unregistered: 'reject' | 'warn' = 'reject'): string {
  try {
    applyOverrides(datastream(unregistered), overrides, silent);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.spec.code).toBe('EXEG-0113-400');
    return error.detail;
  }
  throw new Error('Nothing was refused.');
}

function offBy(overrides: Json): readonly ServiceName[] {
  const services = applyOverrides(datastream(), overrides, silent).services;
  return SERVICE_NAMES.filter((service) => !services.has(service));
}

describe('requests that change nothing get the datastream itself', () => {
  test.each<[string, Json | undefined]>([
    ['absent', undefined],
    ['null', null],
    ['empty', {}],
    ['empty services', { com_adobe_target: {}, com_adobe_experience_platform: { datasets: {} } }],
    ['a registered dataset', { com_adobe_experience_platform: { datasets: { event: { datasetId: 'd2' } } } }],
    ['registered report suites', { com_adobe_analytics: { reportSuites: ['h', 'g'] } }],
    ['a container id as a number', { com_adobe_identity: { idSyncContainerId: 107 } }],
    ['as a text, which the documentation prints', { com_adobe_identity: { idSyncContainerId: '107' } }],
    ['registered as a text', { com_adobe_identity: { idSyncContainerId: 108 } }],
    ['a registered property token', { com_adobe_target: { propertyToken: 'token-1' } }],
  ])('%s', (_what, overrides) => {
    const before = datastream();
    expect(applyOverrides(before, overrides, silent)).toBe(before);
  });
});

describe('enabled: false', () => {
  const at = (path: readonly string[]): JsonObject =>
    path.reduceRight<JsonObject>((inner, key) => ({ [key]: inner }), { enabled: false });

  test.each(SERVICE_NAMES.filter((name) => SERVICES[name].override !== null))(
    'switches %s off, and nothing else',
    (name) => {
      expect(offBy(at(SERVICES[name].override!))).toEqual([name]);
    },
  );

  test('at the platform covers every service below it', () => {
    expect(offBy({ com_adobe_experience_platform: { enabled: false } })).toEqual([
      'offers',
      'messages',
      'profiles',
      'activation',
    ]);
  });

  test('of a service that Weir lacks is accepted', () => {
    expect(offBy({ com_adobe_analytics: { enabled: false } })).toEqual([]);
  });

  test('is understood in the other spelling that clients send', () => {
    expect(offBy({ com_adobe_audiencemanager: { enabled: false } })).toEqual(['audiences']);
  });

  test('silences the warning of a service that is configured but missing', () => {
    expect(
      applyOverrides(datastream(), { com_adobe_audience_manager: { enabled: false } }, silent).missingServices,
    ).toEqual(['offers']);
  });

  test('leaves the datastream as it was, for the next request', () => {
    const before = datastream();
    const after = applyOverrides(before, { com_adobe_target: { enabled: false } }, silent);
    expect(before.services.has('decisions')).toBe(true);
    expect({ ...after, services: before.services }).toEqual(before);
  });

  test('of several services at once', () => {
    expect(offBy({ com_adobe_target: { enabled: false }, com_adobe_launch_ssf: { enabled: false } })).toEqual([
      'decisions',
      'forwarding',
    ]);
  });
});

describe('the body that the Web SDK was seen to send', () => {
  const captured: JsonObject = {
    com_adobe_analytics: { reportSuites: ['g'] },
    com_adobe_experience_platform: { datasets: { event: { datasetId: 'd1' } } },
    com_adobe_audiencemanager: { enabled: false },
  };
  test('passes where its values are registered', () => {
    expect(offBy(captured)).toEqual(['audiences']);
  });
});

describe('what is refused, with key and value', () => {
  test.each<[string, Json, readonly string[]]>([
    ['an array', [], ['meta.configOverrides', '[]']],
    ['a text', 'x', ['meta.configOverrides', '"x"']],
    ['an unknown service', { com_adobe_x: {} }, ['meta.configOverrides.com_adobe_x', 'com_adobe_target']],
    ['an unknown key', { com_adobe_target: { token: 1 } }, ['com_adobe_target.token', 'enabled, propertyToken']],
    ['a key of every object', { com_adobe_target: { constructor: 1 } }, ['com_adobe_target.constructor', 'no known']],
    ['a service that is a text', { com_adobe_target: 'x' }, ['com_adobe_target', '"x"', 'an object']],
    ['a service that is null', { com_adobe_target: null }, ['com_adobe_target', 'null']],
    ['a service that is an array', { com_adobe_target: [] }, ['com_adobe_target', 'an object']],
    [
      'an unregistered dataset',
      { com_adobe_experience_platform: { datasets: { event: { datasetId: 'd9' } } } },
      [
        'datasets.event.datasetId',
        '"d9"',
        'overrides.registered.com_adobe_experience_platform.datasets.event.datasetId',
      ],
    ],
    [
      'a dataset of a kind without any',
      { com_adobe_experience_platform: { datasets: { profile: { datasetId: 'd1' } } } },
      ['datasets.profile.datasetId', '"d1"'],
    ],
    [
      'an unregistered report suite among others',
      { com_adobe_analytics: { reportSuites: ['g', 'x'] } },
      ['com_adobe_analytics.reportSuites[1]', '"x"', 'overrides.unregistered: warn'],
    ],
    ['an unregistered container', { com_adobe_identity: { idSyncContainerId: 1 } }, ['idSyncContainerId', '1']],
    [
      'a container that is no number',
      { com_adobe_identity: { idSyncContainerId: '1a' } },
      ['idSyncContainerId', '"1a"'],
    ],
    [
      'a container that is a fraction',
      { com_adobe_identity: { idSyncContainerId: 1.5 } },
      ['idSyncContainerId', '1.5'],
    ],
    ['a token that is a number', { com_adobe_target: { propertyToken: 7 } }, ['propertyToken', '7', 'a text']],
    ['an empty token', { com_adobe_target: { propertyToken: '' } }, ['propertyToken', '""']],
    ['report suites that are a text', { com_adobe_analytics: { reportSuites: 'g' } }, ['reportSuites', 'an array']],
    ['no report suites', { com_adobe_analytics: { reportSuites: [] } }, ['reportSuites', 'at least one']],
    ['a report suite that is a number', { com_adobe_analytics: { reportSuites: ['g', 1] } }, ['reportSuites[1]', '1']],
    [
      'enabled: true',
      { com_adobe_target: { enabled: true } },
      ['com_adobe_target.enabled', 'only switch a service off'],
    ],
    ['enabled: 0', { com_adobe_target: { enabled: 0 } }, ['com_adobe_target.enabled', 'false']],
    ['enabled: "false"', { com_adobe_target: { enabled: 'false' } }, ['com_adobe_target.enabled', '"false"']],
  ])('%s', (_what, overrides, said) => {
    const detail = refusal(overrides);
    for (const part of said) expect(detail).toContain(part);
  });

  test('more keys and values than allowed, at the edge', () => {
    const suites = (count: number): JsonObject => ({
      com_adobe_analytics: { reportSuites: new Array(count).fill('g') },
    });
    const fits = OVERRIDE_ITEMS_MAX - 2;
    expect(() => applyOverrides(datastream(), suites(fits), silent)).not.toThrow();
    expect(refusal(suites(fits + 1))).toContain(`more than ${OVERRIDE_ITEMS_MAX}`);
  });

  test('a stranger’s long keys and values are quoted in part', () => {
    expect(refusal({ ['k'.repeat(60_000)]: 1 }).length).toBeLessThan(600);
    expect(refusal({ com_adobe_target: { propertyToken: 'v'.repeat(60_000) } }).length).toBeLessThan(600);
  });
});

describe('overrides.unregistered: warn', () => {
  test('unknown keys and unregistered values are said, and have no effect', () => {
    const warnings: Problem[] = [];
    const before = datastream('warn');
    const overrides = {
      com_adobe_x: { enabled: false },
      com_adobe_analytics: { reportSuites: ['g', 'x'] },
      com_adobe_target: { propertyToken: 'y' },
    };
    expect(applyOverrides(before, overrides, (warning) => warnings.push(warning))).toBe(before);
    expect(warnings.map((warning) => warning.spec.code)).toEqual(new Array(3).fill('EXEG-0204-200'));
    const details = warnings.map((warning) => warning.detail);
    expect(details[0]).toContain('com_adobe_x');
    expect(details[1]).toMatch(/reportSuites\[1\].*"x".*overrides\.registered\.com_adobe_analytics\.reportSuites/);
    expect(details[2]).toMatch(/propertyToken.*"y"/);
  });

  test('what is known still works beside them', () => {
    const warnings: Problem[] = [];
    const overrides = { com_adobe_x: 1, com_adobe_target: { enabled: false } };
    const after = applyOverrides(datastream('warn'), overrides, (warning) => warnings.push(warning));
    expect(after.services.has('decisions')).toBe(false);
    expect(warnings).toHaveLength(1);
  });

  test.each<[string, Json]>([
    ['wrong types', { com_adobe_target: { propertyToken: 7 } }],
    ['enabled: true', { com_adobe_target: { enabled: true } }],
    ['too much', { com_adobe_analytics: { reportSuites: new Array(OVERRIDE_ITEMS_MAX).fill('x') } }],
  ])('%s are refused all the same', (_what, overrides) => {
    expect(() => applyOverrides(datastream('warn'), overrides, () => undefined)).toThrow(Problem);
  });
});
