import { type Compare, ERROR, type Mark, markOf, NO, WRONG } from '../closures.ts';
import { DATE, NUMBER, VERSION } from '../kinds.ts';
import { compareVersions, type Version } from '../versions.ts';
import { type Comparison, ofTwo } from './comparison.ts';

/** Dates beside each other and beside the facts' time, and versions. There is no clock but `time.now`. */

const DAY_MS = 24 * 60 * 60 * 1000;

function dates(word: string, holds: (a: number, b: number) => boolean): Comparison {
  return {
    kinds: [DATE],
    min: 2,
    max: 2,
    use: '[date, date]',
    make: ofTwo(DATE, DATE, (a, b) => markOf(holds(a, b))),
    text: (a, b) => `${a} ${word} ${b}`,
  };
}

/** `sinceMs`: from the date to now; negative for a date to come. */
function days(
  text: (date: string, count: string) => string,
  holds: (sinceMs: number, daysMs: number) => boolean,
): Comparison {
  return {
    kinds: [DATE, NUMBER],
    min: 2,
    max: 2,
    use: '[date, number of days]',
    make: ([date, count]): Compare => {
      const readDate = date!.read;
      const readCount = count!.read;
      return (facts, marks, item) => {
        const at = readDate(facts, marks, item);
        const number = readCount(facts, marks, item);
        if (at === WRONG || number === WRONG) return ERROR;
        if (at === null || number === null) return NO;
        const atMs = DATE.of(at);
        const now = facts.time['now'];
        if (atMs === undefined || typeof number !== 'number' || typeof now !== 'number') return ERROR;
        return markOf(holds(now - atMs, number * DAY_MS));
      };
    },
    text: (a, b) => text(a, b),
  };
}

const VERSION_SIGNS: Readonly<Record<string, readonly [string, (a: Version, b: Version) => boolean]>> = {
  '=': ['is version', (a, b) => compareVersions(a, b) === 0],
  '!=': ['is not version', (a, b) => compareVersions(a, b) !== 0],
  '<': ['is older than version', (a, b) => compareVersions(a, b) < 0],
  '<=': ['is at most version', (a, b) => compareVersions(a, b) <= 0],
  '>': ['is newer than version', (a, b) => compareVersions(a, b) > 0],
  '>=': ['is at least version', (a, b) => compareVersions(a, b) >= 0],
  '^': ['has the major version of', (a, b) => a.numbers[0] === b.numbers[0]],
  '~': ['has the minor version of', (a, b) => a.numbers[0] === b.numbers[0] && a.numbers[1] === b.numbers[1]],
};
const SIGNS = Object.keys(VERSION_SIGNS);

/** `{"semver": [version, ">=", version]}`. */
const semver: Comparison = {
  kinds: [
    VERSION,
    { name: `one of ${SIGNS.join(' ')}`, of: (value) => (SIGNS.includes(value as string) ? value : undefined) },
    VERSION,
  ],
  min: 3,
  max: 3,
  use: '[version, ">=", version]',
  make: ([a, sign, b], kit) => {
    const entry =
      typeof sign!.constant === 'string' && SIGNS.includes(sign!.constant) ? VERSION_SIGNS[sign!.constant]! : null;
    if (entry === null) {
      kit.problem(sign!.path, `Between the versions of 'semver' stands one of ${SIGNS.join(' ')}, written out.`);
      return (): Mark => ERROR;
    }
    const holds = entry[1];
    return ofTwo(VERSION, VERSION, (x, y) => markOf(holds(x, y)))([a!, b!]);
  },
  text: (a, sign, b) => `${a} ${VERSION_SIGNS[sign!.slice(1, -1)]?.[0] ?? sign} ${b}`,
};

export const DATES: Readonly<Record<string, Comparison>> = {
  before: dates('is before', (a, b) => a < b),
  after: dates('is after', (a, b) => a > b),
  withinDays: days(
    (a, n) => `${a} was within the last ${n} days`,
    (since, max) => since >= 0 && since <= max,
  ),
  withinNextDays: days(
    (a, n) => `${a} is within the next ${n} days`,
    (since, max) => since <= 0 && -since <= max,
  ),
  olderThanDays: days(
    (a, n) => `${a} was more than ${n} days ago`,
    (since, max) => since > max,
  ),
  semver,
};
