import type { JsonObject } from '../model/json.ts';
import { parseTimestamp } from '../model/timestamp.ts';
import { type Bound, type Came, type Replay, replayDecisions, wordsOf } from '../replaying.ts';
import { type Command, type Io, readArgs, UsageError } from './usage.ts';

const help = `Usage: weir replay --data DIR [--from TIME|POSITION] [--to TIME|POSITION]
                   [--workspace OTHER] [--activity A] [--json]

Makes every recorded decision again from the event log. By the definitions that
it was made by, each has to come out the same: exit code 1 where one does not.
By those of another workspace, prints which decisions would change, and for how
many visitors. Works whether the server runs or not.

  --data DIR           the server's data folder
  --from, --to         a time such as 2026-11-28T12:00:00Z, or a position such
                       as 0:1200; what is at --to is not included
  --workspace OTHER    decide by the activities of this workspace
  --activity A         compare only this activity
  --json               one JSON object, for programs
`;

export const replay: Command = { help, run };

/** Decisions that are named one by one: of a changed workspace there may be millions. */
const NAMED_MAX = 20;
const NAMED_IN_JSON_MAX = 1_000;

async function run(args: string[], io: Io): Promise<number> {
  const { values } = readArgs({
    args,
    options: {
      data: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      workspace: { type: 'string' },
      activity: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  const { data, workspace = null, activity = null, json = false } = values;
  if (data === undefined) throw new UsageError('--data is missing.');
  const [from, to] = [boundOf('from', values.from), boundOf('to', values.to)];
  if (from !== null && to !== null && isEmpty(from, to)) {
    throw new UsageError(`--from ${values.from} is not before --to ${values.to}.`);
  }
  let isDamaged = false;
  const made = await replayDecisions({
    ...{ data, workspace, from, to, activityId: activity },
    namedMax: json ? NAMED_IN_JSON_MAX : NAMED_MAX,
    report(message) {
      isDamaged = true;
      io.stderr.write(`weir replay: ${message}\n`);
    },
  });
  io.stdout.write(json ? `${JSON.stringify(describe(made))}\n` : textOf(made, workspace));
  return isDamaged || (workspace === null && made.counts.different > 0) ? 1 : 0;
}

function boundOf(name: string, text: string | undefined): Bound | null {
  if (text === undefined) return null;
  const offset = /^0:(\d{1,15})$/.exec(text)?.[1];
  if (offset !== undefined) return { offset: Number(offset) };
  const timeMs = parseTimestamp(text);
  if (timeMs !== null) return { timeMs };
  throw new UsageError(
    `--${name} is '${text}'; it takes a time such as 2026-11-28T12:00:00Z or a position such as 0:1200.`,
  );
}

/** A position and a time cannot be told apart without the log. */
function isEmpty(from: Bound, to: Bound): boolean {
  if ('offset' in from) return 'offset' in to && from.offset >= to.offset;
  return 'timeMs' in to && from.timeMs >= to.timeMs;
}

function describe({ counts, visitors, shifts, named }: Replay): JsonObject {
  const { decisions, same, different, lacking } = counts;
  return {
    ...{ decisions, same, different },
    notReplayed: { ...lacking },
    visitors: visitors.size,
    changes: shifts.map((shift) => ({
      activity: shift.activityId,
      from: cameOf(shift.from),
      to: cameOf(shift.to),
      decisions: shift.decisions,
      visitors: shift.visitors.size,
    })),
    differences: named.map(({ position, requestId, eventIndex, what }) => ({
      position: `${position.partition}:${position.offset}`,
      ...{ requestId, eventIndex, what },
    })),
  };
}

function cameOf({ outcome, experienceId }: Came): JsonObject {
  return { outcome, experience: experienceId };
}

function textOf({ counts, visitors, shifts, named }: Replay, workspace: string | null): string {
  const { decisions, different, same } = counts;
  const lines = [
    `${decisions} ${decisions === 1 ? 'decision' : 'decisions'} by ${workspace === null ? 'their own definitions' : workspace}: ${same} the same, ${different} different${different === 0 ? '' : `, for ${visitors.size} ${visitors.size === 1 ? 'visitor' : 'visitors'}`}.`,
    ...lackingOf(counts.lacking),
  ];
  if (shifts.length > 0) {
    lines.push('', ...aligned([['activity', 'from', 'to', 'decisions', 'visitors'], ...shifts.map(rowOf)]));
  }
  if (named.length > 0) {
    lines.push('', different > named.length ? `The first ${named.length}:` : 'Which:');
    for (const { position, requestId, eventIndex, what } of named) {
      lines.push(`  ${position.partition}:${position.offset} ${requestId}/${eventIndex}: ${what}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

const LACKING: Readonly<Record<keyof Replay['counts']['lacking'], string>> = {
  person: 'what was known of the visitor is no longer in the log',
  event: 'the event was taken out of the log',
  client: 'the definitions look at facts of the client that were not kept with it',
  definitions: 'the definitions that it was made by are not in the data folder',
  time: 'it ran out of time, and says nothing of what others would have come to',
};

function lackingOf(lacking: Replay['counts']['lacking']): readonly string[] {
  return Object.entries(LACKING)
    .filter(([name]) => lacking[name as keyof typeof lacking] > 0)
    .map(([name, text]) => `${lacking[name as keyof typeof lacking]} not made again: ${text}.`);
}

function rowOf({ activityId, from, to, decisions, visitors }: Replay['shifts'][number]): readonly string[] {
  const same = wordsOf(from) === wordsOf(to) ? ', otherwise' : '';
  return [activityId, wordsOf(from), `${wordsOf(to)}${same}`, String(decisions), String(visitors.size)];
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}
