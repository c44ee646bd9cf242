import { once } from 'node:events';
import { exportFromFolder, exportFromServer, type Write } from '../person-tools.ts';
import { PERSON_HELP, PERSON_OPTIONS, personOf, placeOf } from './person.ts';
import { type Command, type Io, readArgs } from './usage.ts';

const help = `Usage: weir export --org ORG --namespace N --id ID --data DIR [--workspace DIR]
       weir export --org ORG --namespace N --id ID --admin-url URL --token TOKEN

Prints everything that is known of a person, as JSON: their ids, what is known
of each (links, consent …), and every event, choice and link in the log, oldest
first. What is theirs is what 'weir erase' would take.

${PERSON_HELP}`;

export const exportCommand: Command = { help, run };

async function run(args: string[], io: Io): Promise<number> {
  const { values } = readArgs({ args, options: PERSON_OPTIONS });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  const person = personOf(values);
  const place = placeOf('export', values, io);
  const write: Write = async (piece) => {
    if (!io.stdout.write(piece)) await once(io.stdout, 'drain');
  };
  if ('adminUrl' in place) await exportFromServer(place, person, write);
  else await exportFromFolder(place, person, write);
  return 0;
}
