import type { ArmKey, DayCounts } from './arms.ts';
import { dayText } from './calendar.ts';
import { type Extent, nameOfArm, rounded, type Subject, unseenOf } from './describe.ts';
import type { ArmReport, Range, Report } from './report.ts';
import type { Goal, NotCounted } from './tally.ts';

type Row = readonly string[];
/** An arm. */
interface Group {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** What a terminal has at least. */
const LINE_CHARACTERS_MAX = 80;
const GAP = '  ';

/** A report for people: a row for each arm and day, one for each arm's total, and what is to be known of them. */
export function tableOf(subject: Subject, report: Report, range: Range, extent: Extent): string {
  const { activity, orgId, timeZone, credit } = subject;
  const groups = [...report.arms, ...report.bots].map((arm) => groupOf(arm, subject));
  const lines = [
    `${activity.name} (${activity.id}) of ${orgId}${rangeText(range)}; days in ${timeZone}; counted from the ${credit} on`,
    '',
    ...(groups.length === 0 ? ['Nothing was counted.'] : drawn(headsOf(report.goals), groups)),
    '',
    ...notesOf(subject, report, range, extent).map((note) => `${note}\n`.trimEnd()),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** Two lines: what a goal counts stands below its name, which keeps columns narrow. */
function headsOf(goals: readonly Goal[]): readonly Row[] {
  const told = ['day', 'assigned', 'visitors', 'displays', 'clicks', 'dismissed'];
  return [
    [...told, ...goals.map(({ id }) => id)],
    [...told.map(() => ''), ...goals.map(({ count }) => UNITS[count])],
  ];
}
const UNITS: Readonly<Record<Goal['count'], string>> = { visitor: 'visitors', total: 'events', sum: 'sum' };

function groupOf({ arm: { key }, totals, days }: ArmReport, subject: Subject): Group {
  const name = `${nameOfArm(key.kind, key.experienceId, subject)}${key.isBot ? ' (bots)' : ''}`;
  const isCredited = subject.credit === 'decision' || isDisplayed(key.kind, totals.displays);
  const cells = (day: string, counts: Omit<DayCounts, 'goals'>, goals: readonly number[]): Row => {
    const { assigned, visitors, displays, clicks, dismissals } = counts;
    const credited = (number: number): string => (isCredited ? String(rounded(number)) : NOT_CREDITED);
    const told = [displays, clicks, dismissals].map(String);
    return [day, String(assigned), credited(visitors), ...told, ...goals.map(credited)];
  };
  const ofDays = days.map(([day, counts]) =>
    cells(`${dayText(day)}${counts.late > 0 ? ' *' : ''}`, counts, counts.goals),
  );
  const sums = totals.goals.map(({ sum }) => sum);
  return { name, rows: [...ofDays, cells('all', totals, sums)] };
}
/** Zeros would say that the held out did nothing. */
const NOT_CREDITED = '-';

/** The held out are shown nothing, but for an offer decision's fallback. */
function isDisplayed(kind: ArmKey['kind'], displays: number): boolean {
  return kind === 'experience' || displays > 0;
}

/** What is too wide for a line goes on below, with the arms and days again. */
function drawn(heads: readonly Row[], groups: readonly Group[]): readonly string[] {
  const rows = [...heads, ...groups.flatMap((group) => group.rows)];
  const widths = heads[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return columnsOfTables(widths).flatMap((columns, index) => {
    const line = (row: Row): string => lineOf(row, columns, widths);
    return [
      ...(index === 0 ? [] : ['']),
      ...heads.map(line).filter((text) => text !== ''),
      ...groups.flatMap(({ name, rows }, at) => [...(at === 0 ? [] : ['']), name, ...rows.map(line)]),
    ];
  });
}

/** The first column, the day, is in each. */
function columnsOfTables(widths: readonly number[]): readonly (readonly number[])[] {
  const tables: number[][] = [];
  let left = 0;
  for (let column = 1; column < widths.length; column++) {
    left -= GAP.length + widths[column]!;
    if (left < 0) {
      tables.push([0]);
      left = LINE_CHARACTERS_MAX - widths[0]! - GAP.length - widths[column]!;
    }
    tables.at(-1)!.push(column);
  }
  return tables;
}

/** Days begin together, numbers end together. */
function lineOf(row: Row, columns: readonly number[], widths: readonly number[]): string {
  return columns
    .map((column) => (column === 0 ? row[0]!.padEnd(widths[0]!) : row[column]!.padStart(widths[column]!)))
    .join(GAP)
    .trimEnd();
}

function rangeText({ from, to }: Range): string {
  if (from === null && to === null) return '';
  if (to === null) return `, from ${dayText(from!)} on`;
  return from === null ? `, up to ${dayText(to)}` : `, ${dayText(from)} to ${dayText(to)}`;
}

const NOT_COUNTED: Readonly<Record<keyof NotCounted, string>> = {
  duplicates: 'told again of a decision that was counted',
  unsigned: 'with a token that was not found true, or none',
  previews: 'of previews',
  expired: 'told more than 30 days after the decision',
  withoutVisitor: 'of no visitor who could be told from others',
  withoutNumber: 'that reached a goal without the number to add',
};

function notesOf(
  subject: Subject,
  { arms, bots, notCounted }: Report,
  { from, to }: Range,
  extent: Extent,
): readonly string[] {
  const { warnings, credit } = subject;
  const all = [...arms, ...bots];
  const unseen = unseenOf(subject, arms);
  const left = Object.entries(NOT_COUNTED)
    .filter(([name]) => notCounted[name as keyof NotCounted] > 0)
    .map(([name, text]) => `${notCounted[name as keyof NotCounted]} ${text}`);
  return [
    ...(all.some(({ totals }) => totals.late > 0)
      ? ['* Events of this day came in after it was over: it may say more than it did.']
      : []),
    ...(credit === 'display' && all.some(({ arm, totals }) => !isDisplayed(arm.key.kind, totals.displays))
      ? [
          "The held out are shown nothing, so nothing counts from a display on: compare with them by '--credit decision'.",
        ]
      : []),
    ...(arms.length === 0 || unseen.length === 0
      ? []
      : [
          `Nobody was counted of: ${unseen.map(({ kind, experienceId }) => nameOfArm(kind, experienceId, subject)).join(', ')}.`,
        ]),
    ...(left.length === 0
      ? []
      : [`Not counted${from === null && to === null ? '' : ', of all days'}: ${left.join('; ')}.`]),
    ...(extent.isComplete ? [] : ['The log was not read to its end.']),
    ...warnings,
  ];
}
