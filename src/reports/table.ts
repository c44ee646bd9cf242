import type { ArmKey, DayCounts } from './arms.ts';
import { dayText } from './calendar.ts';
import { type Extent, nameOfArm, rounded, type Subject } from './describe.ts';
import type { ArmReport, Range, Report } from './report.ts';
import type { Goal, NotCounted } from './tally.ts';

type Row = readonly string[];

/** A report for people: a row for each arm and day, one for each arm's total, and what is to be known of them. */
export function tableOf(subject: Subject, report: Report, range: Range, extent: Extent): string {
  const { activity, orgId, timeZone, credit } = subject;
  const head = ['', 'day', 'assigned', 'visitors', 'displays', 'clicks', 'dismissed', ...report.goals.map(headOf)];
  const rows = [...report.arms, ...report.bots].flatMap((arm) => rowsOf(arm, subject));
  const lines = [
    `${activity.name} (${activity.id}) of ${orgId}${rangeText(range)}; days in ${timeZone}; counted from the ${credit} on`,
    '',
    ...(rows.length === 0 ? ['Nothing was counted.'] : aligned([head, ...rows])),
    '',
    ...notesOf(subject, report, range, extent).map((note) => `${note}\n`.trimEnd()),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function headOf({ id, count }: Goal): string {
  return count === 'visitor' ? `${id} (visitors)` : count === 'total' ? `${id} (events)` : `${id} (sum)`;
}

function rowsOf({ arm: { key }, totals, days }: ArmReport, subject: Subject): readonly Row[] {
  const name = `${nameOfArm(key.kind, key.experienceId, subject)}${key.isBot ? ' (bots)' : ''}`;
  const isCredited = subject.credit === 'decision' || isDisplayed(key.kind, totals.displays);
  const cells = (first: string, day: string, counts: Omit<DayCounts, 'goals'>, goals: readonly number[]): Row => {
    const { assigned, visitors, displays, clicks, dismissals } = counts;
    const credited = (number: number): string => (isCredited ? String(rounded(number)) : NOT_CREDITED);
    const told = [displays, clicks, dismissals].map(String);
    return [first, day, String(assigned), credited(visitors), ...told, ...goals.map(credited)];
  };
  const ofDays = days.map(([day, counts], index) =>
    cells(index === 0 ? name : '', `${dayText(day)}${counts.late > 0 ? ' *' : ''}`, counts, counts.goals),
  );
  const sums = totals.goals.map(({ sum }) => sum);
  return [...ofDays, cells('', 'all', totals, sums)];
}
/** Zeros would say that the held out did nothing. */
const NOT_CREDITED = '-';

/** The held out are shown nothing, but for an offer decision's fallback. */
function isDisplayed(kind: ArmKey['kind'], displays: number): boolean {
  return kind === 'experience' || displays > 0;
}

/** The first two columns begin together, the numbers end together. */
function aligned(rows: readonly Row[]): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
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
  withoutNumber: 'that reached a goal and lack the number to add',
};

function notesOf(
  { activity, warnings, credit }: Subject,
  { arms, bots, notCounted }: Report,
  { from, to }: Range,
  extent: Extent,
): readonly string[] {
  const all = [...arms, ...bots];
  const counted = new Set(arms.flatMap(({ arm: { key } }) => (key.kind === 'experience' ? key.experienceId : [])));
  // Of offers any number stand together: what is left of them says nothing.
  const unseen = activity.kind === 'offers' ? [] : activity.experiences.filter(({ id }) => !counted.has(id));
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
      : [`Nobody was counted of: ${unseen.map(({ name }) => name).join(', ')}.`]),
    ...(left.length === 0
      ? []
      : [`Not counted${from === null && to === null ? '' : ', of all days'}: ${left.join('; ')}.`]),
    ...(extent.isComplete ? [] : ['The log was not read to its end.']),
    ...warnings,
  ];
}
