import { type Loaded, loadWorkspace } from '../config/workspace.ts';
import { type Command, type Io, readArgs, UsageError } from './usage.ts';

const help = `Usage: weir check --workspace DIR

Validates every file of a workspace. Prints file:line:column and what is wrong;
exits with 1 where there is an error.

  --workspace DIR    the folder with weir.yaml and datastreams/
`;

export const check: Command = { help, run };

async function run(args: string[], io: Io): Promise<number> {
  const { values } = readArgs({
    args,
    options: { workspace: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  if (values.workspace === undefined) throw new UsageError('--workspace is missing.');
  const loaded = await loadWorkspace(values.workspace);
  for (const finding of loaded.ok ? loaded.warnings : loaded.findings) {
    io.stdout.write(`${finding.under(values.workspace)}\n`);
  }
  io.stdout.write(`${summary(loaded)}\n`);
  return loaded.ok ? 0 : 1;
}

function summary(loaded: Loaded): string {
  const findings = loaded.ok ? loaded.warnings : loaded.findings;
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = count(findings.length - errors, 'warning');
  if (!loaded.ok) return `${count(errors, 'error')}, ${warnings}. The server would not take this workspace.`;
  const { datastreams, decisions, pages } = loaded.workspace;
  const all = [...decisions.values()];
  const counts = [
    count(datastreams.size, 'datastream'),
    count(all.flatMap(({ activities }) => activities).length, 'activity', 'activities'),
    count(all.flatMap(({ offers }) => offers.offers).length, 'offer'),
    count(all.flatMap(({ audiences }) => audiences).length, 'audience'),
    `${count(pages.size, 'path')} of pages`,
  ];
  return `No error, ${warnings}: ${counts.join(', ')}.`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
