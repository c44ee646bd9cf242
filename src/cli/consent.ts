import { type ConsentChoice, ConsentHistory } from '../model/consent-history.ts';
import { isEcid } from '../model/identity.ts';
import { isObject, type Json } from '../model/json.ts';
import { readLogWithProofs } from '../server.ts';
import { type Command, type Io, readArgs, UsageError } from './usage.ts';

const help = `Usage: weir consent --ecid ECID --data DIR [--org ORG | --datastream ID]
                    [--json]

Prints what a visitor chose, oldest first: every choice that the log holds, as
it was sent, and what it came to. Works whether the server runs or not.

  --ecid ECID        the visitor's 38 digits
  --data DIR         the server's data folder
  --org ORG          only this org's choices; else those of every org that knows
                     the ECID
  --datastream ID    only those of the org that this datastream belongs to
  --json             one JSON object a line
`;

export const consent: Command = { help, run };

async function run(args: string[], io: Io): Promise<number> {
  const { values } = readArgs({
    args,
    options: {
      ecid: { type: 'string' },
      data: { type: 'string' },
      org: { type: 'string' },
      datastream: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  const { ecid, data, org, datastream } = values;
  if (ecid === undefined) throw new UsageError('--ecid is missing.');
  if (!isEcid(ecid)) throw new UsageError('--ecid takes an ECID: 38 digits.');
  if (data === undefined) throw new UsageError('--data is missing.');
  if (org !== undefined && datastream !== undefined) throw new UsageError('Say --org or --datastream, not both.');
  let isDamaged = false;
  const history = new ConsentHistory(ecid);
  const orgsOfDatastream = new Set<string>();
  const report = (message: string): void => {
    isDamaged = true;
    io.stderr.write(`weir consent: ${message}\n`);
  };
  for await (const stored of readLogWithProofs(data, new AbortController().signal, report)) {
    if (stored.record.datastreamId === datastream) orgsOfDatastream.add(stored.record.orgId);
    history.add(stored);
  }
  if (datastream !== undefined && orgsOfDatastream.size === 0) {
    throw new Error(`The log has nothing of a datastream '${datastream}', so its org is not known. Say --org.`);
  }
  const isAsked = (orgId: string): boolean =>
    org === undefined ? datastream === undefined || orgsOfDatastream.has(orgId) : orgId === org;
  const choices = history.choices.filter((choice) => isAsked(choice.orgId));
  io.stdout.write(values.json === true ? choices.map(lineOf).join('') : textOf(ecid, choices));
  return isDamaged ? 1 : 0;
}

function lineOf({ atMs, ...choice }: ConsentChoice): string {
  return `${JSON.stringify({ receivedAt: new Date(atMs).toISOString(), ...choice })}\n`;
}

function textOf(ecid: string, choices: readonly ConsentChoice[]): string {
  if (choices.length === 0) return `ECID ${ecid}: the log holds no choice.\n`;
  const orgs = [...new Set(choices.map(({ orgId }) => orgId))];
  const parts = orgs.map((orgId) => {
    const own = choices.filter((choice) => choice.orgId === orgId);
    const count = own.length === 1 ? '1 choice' : `${own.length} choices`;
    return `ECID ${ecid}, org ${orgId}: ${count}\n\n${own.map(paragraphOf).join('\n')}`;
  });
  return parts.join('\n');
}

function paragraphOf(choice: ConsentChoice): string {
  const by = choice.by === 'event' ? 'consentStrings of an event' : 'set-consent';
  const what = choice.operation === 'update' ? 'changes what it names' : 'replaces everything';
  const lines = [
    `${new Date(choice.atMs).toISOString()}  record ${choice.position}`,
    `  ${by}, datastream ${choice.datastreamId}, request ${choice.requestId}`,
    `  ${what}; the choice before: ${choice.previous ?? 'none'}`,
    ...choice.given.map((entry) => `  given: ${givenText(entry)}`),
    `  holds: ${JSON.stringify(choice.holds)}`,
  ];
  if (choice.isFragment)
    lines.push('  the choice before is not in the log any more: what it left as it was is not shown');
  if (choice.isOutdated) lines.push('  a newer choice was there already: this one changed nothing');
  lines.push(`  collection: ${choice.collect ?? 'not noted with this record'}`);
  return `${lines.join('\n')}\n`;
}

function givenText(entry: Json): string {
  if (!isObject(entry)) return JSON.stringify(entry);
  const { standard, version, value, ...rest } = entry;
  const more = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`;
  return `${String(standard)} ${String(version)} ${typeof value === 'string' ? value : JSON.stringify(value)}${more}`;
}
