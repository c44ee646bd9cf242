import { describe, expect, it } from 'vitest';
import { firstDifference, missingOptional } from '../../scripts/lib/lockfile.mjs';
import { textOf } from '../support/sources.ts';

const LINUX = { os: 'linux', cpu: 'x64' };
const lock = (packages: Record<string, object>) => ({ packages });

describe('the optional packages of other platforms', () => {
  it('are all in the lockfile of this project', () => {
    expect(missingOptional(JSON.parse(textOf('package-lock.json')))).toEqual([]);
  });

  it('that are missing get an entry that says what they run on', () => {
    const optionalDependencies = {
      '@x/y-darwin-arm64': '1.2.3',
      '@x/y-linux-arm64-musl': '~1.2.3',
      '@x/y-linux-x64': '1.2.3',
    };
    const packages = { 'node_modules/y': { dev: true, optionalDependencies }, 'node_modules/@x/y-linux-x64': {} };
    expect(missingOptional(lock(packages))).toEqual([
      {
        key: 'node_modules/@x/y-darwin-arm64',
        entry: { version: '1.2.3', cpu: ['arm64'], dev: true, optional: true, os: ['darwin'] },
      },
      {
        key: 'node_modules/@x/y-linux-arm64-musl',
        entry: { version: '1.2.3', cpu: ['arm64'], dev: true, libc: ['musl'], optional: true, os: ['linux'] },
      },
    ]);
  });

  it('are found where Node finds them: beside the package, or further up', () => {
    const nested = { 'node_modules/a/node_modules/b': { optionalDependencies: { c: '1.0.0' } } };
    for (const at of [
      'node_modules/a/node_modules/b/node_modules/c',
      'node_modules/a/node_modules/c',
      'node_modules/c',
    ]) {
      expect(missingOptional(lock({ ...nested, [at]: {} })), at).toEqual([]);
    }
  });

  it('whose name does not say what they run on are left to a person', () => {
    const packages = { 'node_modules/y': { optionalDependencies: { fsevents: '2.3.3' } } };
    expect(() => missingOptional(lock(packages))).toThrow("'fsevents' (2.3.3) does not say");
  });
});

describe('what is installed', () => {
  const wanted = lock({
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b-linux': { version: '2.0.0', optional: true, os: ['linux'], cpu: ['x64'] },
    'node_modules/b-darwin': { version: '2.0.0', optional: true, os: ['darwin'], cpu: ['arm64'] },
    'node_modules/b-musl': { version: '2.0.0', optional: true, os: ['linux'], cpu: ['x64'], libc: ['musl'] },
  });
  const a = { 'node_modules/a': { version: '1.0.0' } };
  const b = { 'node_modules/b-linux': { version: '2.0.0' } };

  const cases: readonly (readonly [string, object | null, string | null])[] = [
    ['nothing', null, 'node_modules'],
    ['everything for this platform', lock({ ...a, ...b }), null],
    ['no binary for this platform', lock(a), 'b-linux'],
    ['an old version', lock({ ...b, 'node_modules/a': { version: '0.9.0' } }), 'a'],
    ['a package missing', lock(b), 'a'],
  ];
  it.each(cases)('%s', (_, installed, difference) => {
    expect(firstDifference(wanted, installed, LINUX)).toBe(difference);
  });
});
