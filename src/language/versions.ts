/** Versions: semver 2.0.0, with one to four numbers in place of three, as browsers and systems have them. */

export interface Version {
  /** Missing ones are 0. */
  readonly numbers: readonly [number, number, number, number];
  /** Names of the pre-release; empty: a release, which comes after all its pre-releases. */
  readonly before: readonly (string | bigint)[];
}

/** The longest versions that are met have some 30 characters. */
const VERSION_CHARACTERS_MAX = 64;
const VERSION =
  /^v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/;

/** "17", "17.4.1", "120.0.6099.109", "v2.0.0-beta.1+build": null for everything else. */
export function parseVersion(text: string): Version | null {
  if (text.length > VERSION_CHARACTERS_MAX) return null;
  const match = VERSION.exec(text);
  if (match === null) return null;
  const [, a, b, c, d, before] = match;
  return {
    numbers: [Number(a), Number(b ?? 0), Number(c ?? 0), Number(d ?? 0)],
    before: before === undefined ? NONE : before.split('.').map((name) => (/^\d+$/.test(name) ? BigInt(name) : name)),
  };
}
const NONE: readonly string[] = [];

/** Negative where `a` comes first, 0 where they are the same. Documented: semver.org, precedence. */
export function compareVersions(a: Version, b: Version): number {
  for (let i = 0; i < 4; i++) {
    const difference = a.numbers[i]! - b.numbers[i]!;
    if (difference !== 0) return difference;
  }
  if (a.before.length === 0 || b.before.length === 0) return b.before.length - a.before.length;
  for (let i = 0; i < Math.min(a.before.length, b.before.length); i++) {
    const difference = compareNames(a.before[i]!, b.before[i]!);
    if (difference !== 0) return difference;
  }
  return a.before.length - b.before.length;
}

/** Numbers come before texts. Of any size: pre-releases are named by dates and times too. */
function compareNames(a: string | bigint, b: string | bigint): number {
  if (a === b) return 0;
  if (typeof a !== typeof b) return typeof a === 'bigint' ? -1 : 1;
  return a < b ? -1 : 1;
}
