import { type ParseArgsConfig, parseArgs } from 'node:util';
import { meant } from '../model/did-you-mean.ts';

/** A command was called wrongly. `main` says why, shows the command's help, and the exit code is 2. */
export class UsageError extends Error {}

/** What a command may touch of the process. */
export interface Io {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream;
}

export interface Command {
  readonly help: string;
  /** Resolves to the exit code. Throws UsageError for arguments that it cannot take. */
  run(args: string[], io: Io): Promise<number>;
}

/**
 * `parseArgs`, with every mistake as a UsageError that names the option. An empty value is one: it comes from a shell
 * variable that is not set, and an empty `--host` would mean every address.
 */
export function readArgs<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  const parsed = parse(config);
  for (const [name, value] of Object.entries(parsed.values)) {
    if ([value].flat().includes('')) throw new UsageError(`--${name} is empty.`);
  }
  return parsed;
}

function parse<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('ERR_PARSE_ARGS') !== true) throw error;
    const unknown = code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? /'(-+([^'\s]+))'/.exec(message) : null;
    if (unknown === null) throw new UsageError(message, { cause: error });
    const [, option, name] = unknown;
    const known = meant(name!, Object.keys(config.options ?? {}));
    throw new UsageError(`There is no option '${option}'.${known === null ? '' : ` Did you mean '--${known}'?`}`);
  }
}

export function isWebAddress(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}
