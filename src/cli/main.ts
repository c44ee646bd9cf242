import { readFileSync } from 'node:fs';
import { meant } from '../model/did-you-mean.ts';
import { unsupportedNode } from './node-version.ts';
import { type Command, type Io, UsageError } from './usage.ts';

/** Loaded when called: `weir events` does not pay for the server. */
const COMMANDS: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Command> }>> = {
  serve: { about: 'run the server', load: async () => (await import('./serve.ts')).serve },
  events: {
    about: 'print what the log holds, one JSON object a line',
    load: async () => (await import('./events.ts')).events,
  },
  consent: {
    about: "print a visitor's choices and what each came to",
    load: async () => (await import('./consent.ts')).consent,
  },
  report: {
    about: 'what became of an activity, counted from the log',
    load: async () => (await import('./report.ts')).report,
  },
  explain: {
    about: 'why somebody was shown something, rule by rule',
    load: async () => (await import('./explain.ts')).explain,
  },
  replay: {
    about: 'make recorded decisions again, by their own definitions or others',
    load: async () => (await import('./replay.ts')).replay,
  },
  preview: {
    about: 'make a link that shows an experience before anybody sees it',
    load: async () => (await import('./preview.ts')).preview,
  },
  'admin-token': {
    about: 'make, list and revoke tokens for the admin listener',
    load: async () => (await import('./admin-token.ts')).adminToken,
  },
  token: {
    about: 'mint an access token for development',
    load: async () => (await import('./token.ts')).token,
  },
  import: {
    about: 'bring identities or consent of another system into the log',
    load: async () => (await import('./import.ts')).importCommand,
  },
  erase: {
    about: 'erase a person, or check a receipt of an erasure',
    load: async () => (await import('./erase.ts')).erase,
  },
  export: {
    about: 'print everything that is known of a person',
    load: async () => (await import('./export.ts')).exportCommand,
  },
  check: { about: 'validate a workspace', load: async () => (await import('./check.ts')).check },
};

const PACKAGE = new URL('../../package.json', import.meta.url);

/** Runs one command and resolves to the exit code: 0 done, 1 failed, 2 called wrongly. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const refusal = unsupportedNode(process.version);
  if (refusal !== null) {
    io.stderr.write(`weir: ${refusal}\n`);
    return 1;
  }
  const [name, ...rest] = args;
  if (name === 'help' && rest.length > 0) return main([rest[0]!, '--help'], io);
  if (name === '--version') {
    io.stdout.write(`${JSON.parse(readFileSync(PACKAGE, 'utf8')).version}\n`);
    return 0;
  }
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    (name === undefined ? io.stderr : io.stdout).write(usage());
    return name === undefined ? 2 : 0;
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    io.stderr.write(`weir: there is no command '${name}'.${meantOf(name)}\n\n${usage()}`);
    return 2;
  }
  const command = await COMMANDS[name]!.load();
  try {
    return await command.run(rest, io);
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr.write(`weir ${name}: ${error.message}\n\n${command.help}`);
      return 2;
    }
    io.stderr.write(`weir ${name}: ${sentenceOf(error)}\n`);
    return 1;
  }
}

function meantOf(name: string): string {
  const known = meant(name, Object.keys(COMMANDS));
  return known === null ? '' : ` Did you mean '${known}'?`;
}

/** Why the system refused a path; its own words are for programmers. */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOENT: 'It does not exist.',
  ENOTDIR: 'It, or a folder above it, is a file.',
  EEXIST: 'It is a file.',
  EACCES: 'This user may not use it.',
};

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = '', path, message } = error as NodeJS.ErrnoException;
  const why = Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined;
  return why === undefined || path === undefined ? message : `'${path}' cannot be used. ${why}`;
}

const HINT = "'weir <command> --help' lists a command's options.\n'weir --version' prints the version.\n";

function usage(): string {
  const commands = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`);
  return `Usage: weir <command> [options]\n\n${commands.join('\n')}\n\n${HINT}`;
}
