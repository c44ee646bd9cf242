import { describe, expect, test } from 'vitest';
import { SERVICE_NAMES, SERVICES } from '../../src/model/services.ts';

describe('services', () => {
  /** Documented keys of meta.configOverrides; who switches what. */
  test.each([
    ['decisions', 'com_adobe_target', ['personalization:decisions']],
    ['offers', 'com_adobe_experience_platform.com_adobe_edge_ode', ['personalization:decisions']],
    ['messages', 'com_adobe_experience_platform.com_adobe_edge_ajo', ['personalization:decisions']],
    ['profiles', 'com_adobe_experience_platform.com_adobe_edge_segmentation', []],
    ['activation', 'com_adobe_experience_platform.com_adobe_edge_destinations', ['activation:pull']],
    ['audiences', 'com_adobe_audience_manager', ['activation:push']],
    ['identitySync', 'com_adobe_identity', ['identity:exchange']],
    ['forwarding', 'com_adobe_launch_ssf', []],
    ['media', null, ['media-analytics:new-session']],
  ] as const)('%s is switched by %s', (name, override, handles) => {
    expect(SERVICES[name].override?.join('.') ?? null).toBe(override);
    expect(SERVICES[name].handles).toEqual(handles);
  });

  test('the table above has every service', () => {
    expect(SERVICE_NAMES).toHaveLength(9);
  });

  test('no two services hang on the same switch', () => {
    const paths = SERVICE_NAMES.map((name) => SERVICES[name].override?.join('.')).filter((path) => path !== undefined);
    expect(new Set(paths).size).toBe(paths.length);
  });
});
