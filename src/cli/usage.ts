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
    throw new UsageError(mistakeOf(code, message, Object.keys(config.options ?? {})) ?? message, { cause: error });
  }
}

/** Null: words of Node's that are not known. */
function mistakeOf(code: string, message: string, options: readonly string[]): string | null {
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') {
    const word = /^Unexpected argument '(.*?)'\. This/s.exec(message)?.[1];
    return word === undefined ? null : `'${word}' follows no option that takes a value.`;
  }
  const [, option, name] = /'(?:-\w, )?(-+([^'\s]+))/.exec(message) ?? [];
  if (name === undefined) return null;
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const known = meant(name, options);
    return `There is no option '${option}'.${known === null ? '' : ` Did you mean '--${known}'?`}`;
  }
  if (message.includes('does not take an argument')) return `${option} takes no value.`;
  if (message.includes('argument missing')) return `${option} takes a value, and none follows.`;
  if (!message.includes('ambiguous')) return null;
  return `${option} takes a value, and an option follows. A value that begins with a dash is written ${option}=-x.`;
}

export function isWebAddress(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}
