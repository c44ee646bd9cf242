import { describe, expect, test } from 'vitest';
import type { Datastream } from '../../src/model/datastream.ts';
import type { Json } from '../../src/model/json.ts';
import { applyOverrides } from '../../src/model/overrides.ts';
import type { HandleSource, Stage } from '../../src/model/parts.ts';
import { SERVICE_NAMES, SERVICES, type ServiceName } from '../../src/model/services.ts';
import { Answer } from '../../src/stages/answer.ts';
import { runStages } from '../../src/stages/run.ts';
import { IdentityCounts } from '../../src/telemetry/identity-counts.ts';
import { datastreamOf, exchangeOf, SEAL } from '../support/exchanges.ts';

/**
 * Every service, switched off alone by configuration and by override: its stage does not run, and the handle types that
 * it makes are absent. Probes stand for the services' stages and handles, so that the rule holds before they exist.
 */

async function run(datastream: Datastream): Promise<{ stages: string[]; handles: Set<string> }> {
  const stages: string[] = [];
  const probes = SERVICE_NAMES.map(
    (service): Stage => ({
      name: service,
      service,
      run() {
        stages.push(service);
        return undefined;
      },
    }),
  );
  const sources = SERVICE_NAMES.flatMap((service) =>
    SERVICES[service].handles.map(
      (type): HandleSource => ({
        type,
        service,
        wanted: () => true,
        produce: () => [{ type: `${type} of ${service}`, payload: [] }],
      }),
    ),
  );
  const x = exchangeOf({ datastream });
  await runStages([...probes, new Answer(sources, SEAL, new IdentityCounts())], x);
  return { stages, handles: new Set(x.handles.map((handle) => handle.type)) };
}

const all = datastreamOf({ services: new Set(SERVICE_NAMES) });
const handlesOf = (services: readonly ServiceName[]) =>
  new Set(services.flatMap((service) => SERVICES[service].handles.map((type) => `${type} of ${service}`)));

/** `{a: {b: {enabled: false}}}` for the path a, b. */
function switchOff(path: readonly string[]): Json {
  return path.reduceRight<Json>((inner, key) => ({ [key]: inner }), { enabled: false });
}
const overridden = (override: Json): Datastream =>
  applyOverrides(all, override, () => {
    throw new Error('No warning was expected.');
  });

describe('all services on', () => {
  test('every stage runs, every handle type is there', async () => {
    const { stages, handles } = await run(all);
    expect(stages).toEqual(SERVICE_NAMES);
    expect(handles).toEqual(handlesOf(SERVICE_NAMES));
  });
});

const but = (service: ServiceName) => SERVICE_NAMES.filter((one) => one !== service);

test.each(SERVICE_NAMES)('%s off by configuration', async (service) => {
  const { stages, handles } = await run(datastreamOf({ services: new Set(but(service)) }));
  expect(stages).toEqual(but(service));
  expect(handles).toEqual(handlesOf(but(service)));
});

/** All but media, which no documented key of an override names. */
const SWITCHABLE = SERVICE_NAMES.filter((service) => SERVICES[service].override !== null);

test.each(SWITCHABLE)('%s off by override, for this request alone', async (service) => {
  const { stages, handles } = await run(overridden(switchOff(SERVICES[service].override!)));
  expect(stages).toEqual(but(service));
  expect(handles).toEqual(handlesOf(but(service)));
  expect(all.services.size).toBe(SERVICE_NAMES.length);
});

test('a parent that is off covers its children', async () => {
  const platform = 'com_adobe_experience_platform';
  const left = SERVICE_NAMES.filter(
    (service) => !(SERVICES[service].override as readonly string[] | null)?.includes(platform),
  );
  expect(left.length).toBeLessThan(SERVICE_NAMES.length - 1);
  expect((await run(overridden({ [platform]: { enabled: false } }))).stages).toEqual(left);
});

test('media is the only service that no override switches off', () => {
  expect(but('media')).toEqual(SWITCHABLE);
});
