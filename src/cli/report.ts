import { CREDIT_DEFAULT, CREDITS, type Credit } from '../model/credit.ts';
import { type Day, parseDay, reportActivity } from '../reporting.ts';
import { type Command, type Io, readArgs, UsageError } from './usage.ts';

const help = `Usage: weir report --activity A --data DIR [--org O] [--from DATE] [--to DATE]
                   [--credit display|decision] [--workspace DIR] [--json]

What became of an activity: visitors, displays, clicks and goals of each
experience and day, counted from the event log. Works whether the server runs or
not. Days are those of the org's time zone, by when things occurred.

  --activity A       the activity's id; of offers <decision>~<placement>
  --data DIR         the server's data folder
  --org O            where several orgs have an activity of that id
  --from DATE        first day, such as 2026-11-28
  --to DATE          last day
  --credit BASIS     from when on visitors and their goals count, in every arm:
                     display (default), or decision, which compares with the
                     held out
  --workspace DIR    count by the goals in this workspace, not by those that the
                     server used last
  --json             one JSON object, for programs
`;

export const report: Command = { help, run };

async function run(args: string[], io: Io): Promise<number> {
  const { values } = readArgs({
    args,
    options: {
      activity: { type: 'string' },
      data: { type: 'string' },
      org: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      credit: { type: 'string' },
      workspace: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  const { activity, data, org = null, workspace = null } = values;
  if (activity === undefined) throw new UsageError('--activity is missing.');
  if (data === undefined) throw new UsageError('--data is missing.');
  const range = { from: dayOf('from', values.from), to: dayOf('to', values.to) };
  if (range.from !== null && range.to !== null && range.from > range.to) {
    throw new UsageError(`--from ${values.from} is after --to ${values.to}.`);
  }
  let isDamaged = false;
  const made = await reportActivity({
    ...{ data, workspace, range, activityId: activity, orgId: org, credit: creditOf(values.credit) },
    report(message) {
      isDamaged = true;
      io.stderr.write(`weir report: ${message}\n`);
    },
    signal: new AbortController().signal,
  });
  io.stdout.write(values.json === true ? `${JSON.stringify(made.json())}\n` : made.table());
  return isDamaged ? 1 : 0;
}

function creditOf(text: string | undefined): Credit {
  if (text === undefined) return CREDIT_DEFAULT;
  const credit = CREDITS.find((one) => one === text);
  if (credit === undefined) throw new UsageError(`--credit is '${text}'; it takes ${CREDITS.join(' or ')}.`);
  return credit;
}

function dayOf(name: string, text: string | undefined): Day | null {
  if (text === undefined) return null;
  const day = parseDay(text);
  if (day === null) throw new UsageError(`--${name} is '${text}'; it takes a day such as 2026-11-28.`);
  return day;
}
