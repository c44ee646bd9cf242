import { describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../src/components.ts';
import { Paths, type Route } from '../../src/gateway/paths.ts';
import { REGIONS, workspaceOf } from '../support/exchanges.ts';

const matrix = ENDPOINTS.map(([endpoint]) => [endpoint, []] as const);
const pathsOf = (base: string) => new Paths(base, matrix, workspaceOf([]));
const ee = pathsOf('ee');

const ENDPOINT_PATHS = [
  ['/v1/interact', 'interact'],
  ['/v2/interact', 'interact'],
  ['/v1/collect', 'collect'],
  ['/v2/collect', 'collect'],
  ['/v1/privacy/set-consent', 'set-consent'],
  ['/v1/identity/acquire', 'acquire'],
] as const;

function routeTo(paths: Paths, pathname: string): Route {
  const found = paths.find(pathname);
  if (typeof found === 'string') throw new Error(`${pathname}: ${found}`);
  return found;
}

describe.each(ENDPOINT_PATHS)('%s', (path, name) => {
  test.each([
    ['', 'or2'],
    ['/or2', 'or2'],
    ['/va6', 'va6'],
    ['/irl1', 'irl1'],
    ['/ind1', 'ind1'],
    ['/jpn3', 'jpn3'],
    ['/sgp3', 'sgp3'],
    ['/aus3', 'aus3'],
    ['/t38', 'sgp3'],
    ['/t34', 'va6'],
    ['/t99', 'or2'],
    ['/t999999999', 'or2'],
  ])('with "%s" in front is answered as %s', (prefix, hint) => {
    for (const base of ['ee', 'ee-pre-prd']) {
      const route = routeTo(ee, `/${base}${prefix}${path}`);
      expect(route).toMatchObject({ path, region: REGIONS.byHint.get(hint) });
      expect(route.endpoint.name).toBe(name);
    }
  });

  test('is found under another base path, and then not under ee', () => {
    const paths = pathsOf('collect-here');
    expect(routeTo(paths, `/collect-here${path}`).path).toBe(path);
    expect(routeTo(paths, `/collect-here/va6${path}`).region.hint).toBe('va6');
    expect(routeTo(paths, `/ee-pre-prd${path}`).path).toBe(path);
    expect(paths.find(`/ee${path}`)).toBe('not-found');
  });

  test.each(['xyz9', 'OR2', 'or', 'or22', 't', 'tx', 't38x', 't1234567890', 'constructor', '__proto__', ''])(
    'behind the unknown hint "%s" is an empty 404',
    (hint) => {
      expect(ee.find(`/ee/${hint}${path}`)).toBe('unknown-hint');
    },
  );

  test.each([`/ee${path}/`, `/ee${path}/more`, `/ee/or2/va6${path}`, `/EE${path}`, path, `/x${path}`])(
    '%s is nothing',
    (pathname) => {
      expect(ee.find(pathname)).toBe('not-found');
    },
  );
});

describe('media', () => {
  test.each([
    '/ee/va/v1/play',
    '/ee/or2/va/v1/sessionStart',
    '/ee/t38/va/v1/ping',
    '/ee/t99/va/v1/ping',
    '/ee-pre-prd/va/v1/play',
  ])('%s is known to be media', (pathname) => {
    expect(ee.find(pathname)).toBe('media');
  });
  test('behind an unknown hint it is an empty 404 too', () => {
    expect(ee.find('/ee/zz9/va/v1/play')).toBe('unknown-hint');
  });
});

describe('nothing', () => {
  test.each([
    '',
    '/',
    '/ee',
    '/ee/v1/nothing',
    '/ee/v3/interact',
    '/ee/or2',
    '/ee/or2/v1/nothing',
    '/ee/t99/v9/x',
    '/ee/',
    '/ee/interact',
    '/ee/V2/interact',
    '/ee/xyz9/interact',
    '*',
    'http://h/ee/v1/interact',
  ])('"%s"', (pathname) => {
    expect(ee.find(pathname)).toBe('not-found');
  });
});
