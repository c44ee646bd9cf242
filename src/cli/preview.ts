import { PREVIEW_DAYS_DEFAULT, PREVIEW_DAYS_MAX, previewExpiresAt } from '../model/preview-days.ts';
import { previewLink } from '../previewing.ts';
import { type Command, type Io, isWebAddress, readArgs, UsageError } from './usage.ts';

const help = `Usage: weir preview --activity A --experience E --workspace DIR --data DIR
                    [--org O] [--url URL] [--days N]

Prints a link that shows an experience to whoever opens it, also of an activity
that is not enabled; or offers at a placement, whatever their dates, conditions
and caps. What is shown so counts nowhere. Works whether the server runs or not;
the server must have run with the data folder once, and have the activity in its
workspace when the link is opened.

  --activity A       the activity's id; of offers <decision>~<placement>
  --experience E     the experience's id; of offers theirs, with commas between
  --workspace DIR    where both are written
  --data DIR         the server's data folder, with the keys that sign (or
                     WEIR_EVENT_TOKEN_KEYS, as the server has it)
  --org O            where several orgs have an activity of that id
  --url URL          the page; without it the parameter alone is printed.
                     Previews that it has already stay
  --days N           how long the link works: 1 to ${PREVIEW_DAYS_MAX} (default: ${PREVIEW_DAYS_DEFAULT})
`;

export const preview: Command = { help, run };

async function run(args: string[], io: Io): Promise<number> {
  const { values } = readArgs({
    args,
    options: {
      activity: { type: 'string' },
      experience: { type: 'string' },
      workspace: { type: 'string' },
      data: { type: 'string' },
      org: { type: 'string' },
      url: { type: 'string' },
      days: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  const { activity, experience, workspace, data, org = null } = values;
  if (activity === undefined) throw new UsageError('--activity is missing.');
  if (experience === undefined) throw new UsageError('--experience is missing.');
  if (workspace === undefined) throw new UsageError('--workspace is missing.');
  if (data === undefined) throw new UsageError('--data is missing.');
  const url = values.url === undefined ? null : urlOf(values.url);
  const days = values.days === undefined ? PREVIEW_DAYS_DEFAULT : daysOf(values.days);
  const link = await previewLink({
    ...{ workspace, data, url, activityId: activity, experienceId: experience, orgId: org },
    expiresAtSeconds: previewExpiresAt(Date.now(), days),
  });
  io.stdout.write(`${link}\n`);
  return 0;
}

function urlOf(text: string): URL {
  if (isWebAddress(text)) return new URL(text);
  throw new UsageError(`--url is '${text}'; it takes the address of a page such as https://shop.example/cart.`);
}

function daysOf(text: string): number {
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= PREVIEW_DAYS_MAX) return days;
  throw new UsageError(`--days is '${text}'; it takes a whole number from 1 to ${PREVIEW_DAYS_MAX}.`);
}
