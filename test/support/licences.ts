import { existsSync, readFileSync } from 'node:fs';
import { ROOT } from './sources.ts';

/** Licences that ask for no more than a notice. */
const PERMISSIVE = [
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'CC0-1.0', 'ISC', 'MIT', 'MIT-0'],
  'Unlicense',
];

export interface Lockfile {
  readonly packages: Readonly<Record<string, Locked>>;
}
interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

/** Packages of the production tree whose licence is not permissive, or not said: one sentence each. */
export function licenceProblems(lock: Lockfile): readonly string[] {
  return Object.entries(lock.packages).flatMap(([key, locked]) => {
    if (key === '' || locked.dev === true) return [];
    const licence = locked.license ?? installedLicence(key);
    // A binary of another platform, which this machine's registry did not describe: its source package is checked.
    if (licence === null && locked.optional === true) return [];
    return isPermissive(licence ?? '') ? [] : [`${key} ${locked.version}: licence '${licence ?? 'not said'}'`];
  });
}

function installedLicence(key: string): string | null {
  const file = `${ROOT}${key}/package.json`;
  if (!existsSync(file)) return null;
  const { license } = JSON.parse(readFileSync(file, 'utf8')) as { license?: string };
  return license ?? null;
}

/** SPDX expressions of one level: of "A OR B" one must be permissive, of "A AND B" both. */
function isPermissive(expression: string): boolean {
  const bare = expression.replace(/^\((.*)\)$/, '$1');
  return bare
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((licence) => PERMISSIVE.includes(licence.trim())));
}
