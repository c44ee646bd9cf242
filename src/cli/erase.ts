import { eraseInFolder, eraseOnServer, receiptProblem } from '../person-tools.ts';
import { PERSON_HELP, PERSON_OPTIONS, personOf, placeOf } from './person.ts';
import { type Command, type Io, readArgs, UsageError } from './usage.ts';

const help = `Usage: weir erase --org ORG --namespace N --id ID --data DIR [--workspace DIR]
                  [--now]
       weir erase --org ORG --namespace N --id ID --admin-url URL --token TOKEN
                  [--now]
       weir erase --verify RECEIPT (--data DIR | --public-key KEY)
                  [--org ORG --namespace N --id ID]

Erases a person: nobody is shown them any more from the moment at which this
returns. A running server removes them from the disk within a day; with --now it
is done before this returns, and the signed receipt is printed.

${PERSON_HELP}  --now              remove the person from the disk at once
  --verify RECEIPT   say whether a receipt is genuine, and with --org,
                     --namespace and --id, of that person
  --public-key KEY   to check it by; a receipt holds it too, which proves
                     nothing
`;

export const erase: Command = { help, run };

async function run(args: string[], io: Io): Promise<number> {
  const options = {
    ...PERSON_OPTIONS,
    now: { type: 'boolean' },
    verify: { type: 'string' },
    'public-key': { type: 'string' },
  } as const;
  const { values } = readArgs({ args, options });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  if (values.verify !== undefined) return await verify(values.verify, values, io);
  const person = personOf(values);
  const place = placeOf('erase', values, io);
  const isNow = values.now === true;
  const done = await ('adminUrl' in place ? eraseOnServer(place, person, isNow) : eraseInFolder(place, person, isNow));
  io.stdout.write(`${JSON.stringify(done, null, 2)}\n`);
  if (!isNow) io.stderr.write('The person is hidden. A running server removes them from the disk within a day.\n');
  return 0;
}

async function verify(
  file: string,
  values: Parameters<typeof personOf>[0] & { readonly 'public-key'?: string },
  io: Io,
): Promise<number> {
  const { data, 'public-key': publicKey, org, namespace, id } = values;
  if (data === undefined && publicKey === undefined) throw new UsageError('--data or --public-key is missing.');
  const isOfPerson = [org, namespace, id].some((value) => value !== undefined);
  if (isOfPerson && data === undefined) throw new UsageError('Whom a receipt is about can only be told with --data.');
  const by = data !== undefined ? { data } : { publicKey: publicKey! };
  const fault = await receiptProblem(file, by, isOfPerson ? personOf(values) : null);
  if (fault === null) io.stdout.write('The receipt is genuine.\n');
  else io.stderr.write(`weir erase: ${file} does not hold: ${fault}.\n`);
  return fault === null ? 0 : 1;
}
