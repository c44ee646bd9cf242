import { parseArgs } from 'node:util';
import { type Loaded, loadWorkspace } from '../config/workspace.ts';
import type { Io } from './main.ts';

const HELP = `Usage: weir check --workspace DIR

Validates every file of a workspace. Prints file:line:column and what is wrong; exits with 1 where there is an error.

  --workspace DIR    the folder with weir.yaml and datastreams/
`;

export async function check(args: string[], io: Io): Promise<number> {
  const refuse = (why: string): number => {
    io.stderr.write(`weir check: ${why}\n\n${HELP}`);
    return 2;
  };
  const values = parsed(args);
  if (values instanceof Error) return refuse(values.message);
  if (values.help === true) {
    io.stdout.write(HELP);
    return 0;
  }
  if (values.workspace === undefined) return refuse('--workspace is missing.');
  const loaded = await loadWorkspace(values.workspace);
  for (const finding of loaded.ok ? loaded.warnings : loaded.findings) {
    io.stdout.write(`${finding.under(values.workspace)}\n`);
  }
  io.stdout.write(`${summary(loaded)}\n`);
  return loaded.ok ? 0 : 1;
}

/** The options, or the error of `parseArgs`, which names the argument that is wrong. */
function parsed(args: string[]): { workspace?: string; help?: boolean } | Error {
  try {
    return parseArgs({
      args,
      options: { workspace: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    }).values;
  } catch (error) {
    if (error instanceof TypeError) return error;
    throw error;
  }
}

function summary(loaded: Loaded): string {
  const findings = loaded.ok ? loaded.warnings : loaded.findings;
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = count(findings.length - errors, 'warning');
  if (!loaded.ok) return `${count(errors, 'error')}, ${warnings}. The server would not take this workspace.`;
  const { datastreams, pages } = loaded.workspace;
  return `No error, ${warnings}: ${count(datastreams.size, 'datastream')}, ${count(pages.size, 'path')} of pages.`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
