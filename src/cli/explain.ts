import { explainDecisions } from '../explaining.ts';
import { isEcid } from '../model/identity.ts';
import { type Command, type Io, readArgs, UsageError } from './usage.ts';

const help = `Usage: weir explain --request-id R | --ecid E [--activity A] [--org O]
                    --data DIR

In plain words, why somebody was shown what they were: what was asked, what was
shown, of each activity why or why not, rule by rule, and which one rule would
have changed it. Works whether the server runs or not, and after the workspace
changed.

  --request-id R     the request's id, as it was answered or as the client gave
                     it
  --ecid E           a visitor: the newest decision, and the ids of those before
  --activity A       only this activity
  --org O            where several orgs know a visitor of that ECID
  --data DIR         the server's data folder
`;

export const explain: Command = { help, run };

async function run(args: string[], io: Io): Promise<number> {
  const { values } = readArgs({
    args,
    options: {
      'request-id': { type: 'string' },
      ecid: { type: 'string' },
      activity: { type: 'string' },
      org: { type: 'string' },
      data: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  const { 'request-id': requestId, ecid, activity = null, org = null, data } = values;
  if (data === undefined) throw new UsageError('--data is missing.');
  if ((requestId === undefined) === (ecid === undefined))
    throw new UsageError('Say --request-id or --ecid, one of them.');
  if (ecid !== undefined && !isEcid(ecid)) throw new UsageError(`--ecid is '${ecid}'; an ECID has 38 digits.`);
  let isDamaged = false;
  const { isFound, text } = await explainDecisions({
    ...{ data, activityId: activity, orgId: org, of: requestId === undefined ? { ecid: ecid! } : { requestId } },
    report(message) {
      isDamaged = true;
      io.stderr.write(`weir explain: ${message}\n`);
    },
  });
  (isFound ? io.stdout : io.stderr).write(text);
  return isFound && !isDamaged ? 0 : 1;
}
