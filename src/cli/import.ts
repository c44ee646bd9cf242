import { type ImportResult, importFile } from '../importing.ts';
import { type Command, type Io, readArgs, UsageError } from './usage.ts';

const help = `Usage: weir import --kind identity --workspace DIR --data DIR [--org ORG]
                   [--dry-run] FILE
       weir import --kind consent --workspace DIR --data DIR [--datastream ID]
                   [--dry-run] FILE

Brings visitors of another system into the log. The server must not run
meanwhile. FILE is NDJSON (an object a line) or, where its name ends in .csv,
CSV with the names of the columns in its first line.

  identity    {"fpid":"<UUID>","ecid":"<38 digits>","org":"…"}: the device keeps
              this ECID
  consent     {"ecid":"<38 digits>","consent":[{"standard":"Adobe",
              "version":"2.0","value":{…}}],"datastream":"…"}, as in a
              set-consent; in CSV the columns ecid, standard, version, value
              and datastream

  --workspace DIR    the folder with weir.yaml and datastreams/
  --data DIR         the server's data folder
  --org ORG          of rows that name none
  --datastream ID    of rows that name none
  --dry-run          read and judge every row, and write nothing

An import that was interrupted goes on where it stopped when the same command is
run again. Rows that are refused are named by their line; the others are
imported, and the exit code is 1. A file is imported once: mend the refused rows
in another one.
`;

export const importCommand: Command = { help, run };

/** Refused rows that are named one by one: a file of the wrong kind has millions. */
export const SHOWN_MAX = 20;

async function run(args: string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: {
      kind: { type: 'string' },
      workspace: { type: 'string' },
      data: { type: 'string' },
      org: { type: 'string' },
      datastream: { type: 'string' },
      'dry-run': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  const { kind, workspace, data, org = null, datastream = null } = values;
  const [file, extra] = positionals;
  if (kind !== 'identity' && kind !== 'consent') {
    throw new UsageError(
      kind === undefined ? '--kind is missing.' : `--kind is '${kind}'; it takes identity or consent.`,
    );
  }
  if (workspace === undefined) throw new UsageError('--workspace is missing.');
  if (data === undefined) throw new UsageError('--data is missing.');
  if (file === undefined) throw new UsageError('Say which FILE.');
  if (extra !== undefined) throw new UsageError(`'${extra}' is one argument too many.`);
  if (kind === 'identity' && datastream !== null) throw new UsageError('--datastream belongs to --kind consent.');
  if (kind === 'consent' && org !== null) throw new UsageError('--org belongs to --kind identity.');
  const owner = kind === 'identity' ? org : datastream;
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  let refused = 0;
  try {
    const result = await importFile({
      ...{ workspace, data, kind, file, owner, dryRun: values['dry-run'] === true, signal: stop.signal },
      log: toldOn(io),
      onProgress: progressOn(io),
      onRefused(line, why) {
        refused += 1;
        if (refused <= SHOWN_MAX) io.stderr.write(`${file}:${line}: ${why}\n`);
      },
    });
    io.stdout.write(`${summary(result, values['dry-run'] === true)}\n`);
    return result.refused + result.refusedBefore === 0 && result.isDone ? 0 : 1;
  } finally {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
  }
}

function summary(result: ImportResult, dryRun: boolean): string {
  const { imported, refused, resumedBehind, refusedBefore, isDone } = result;
  if (isDone && resumedBehind > 0 && imported + refused === 0) {
    const left =
      refusedBefore === 0 ? '' : ` ${refusedBefore} refused then: mend them, and import them in another file.`;
    return `This file was imported before: nothing to do.${left}`;
  }
  const from = resumedBehind === 0 ? '' : ` (from line ${resumedBehind + 1} on, where it had stopped)`;
  const what = `${imported} ${dryRun ? 'good, nothing written' : 'imported'}, ${refused} refused${from}.`;
  return isDone ? what : `${what} Interrupted: run the same command again to go on.`;
}

/** Time between two lines of progress. */
const PROGRESS_MS = 2_000;

function progressOn(io: Io): (line: number, lines: number) => void {
  let nextMs = Date.now() + PROGRESS_MS;
  return (line, lines) => {
    if (Date.now() < nextMs) return;
    nextMs = Date.now() + PROGRESS_MS;
    io.stderr.write(`${line} of ${lines} lines\n`);
  };
}

function toldOn({ stderr }: Io) {
  const tell = (_what: unknown, message?: string): void => void stderr.write(`weir import: ${message ?? ''}\n`);
  return { info: tell, warn: tell, error: tell };
}
