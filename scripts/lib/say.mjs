/** Progress and failures go to stderr: stdout belongs to the command that the set-up was for. */
export function say(message) {
  process.stderr.write(`${message}\n`);
}

/** A failure that the reader can mend: printed without a stack. */
export class SetupError extends Error {}

/** Runs a script's body. A SetupError ends it with its message and exit code 1; anything else is our mistake and keeps its stack. */
export async function run(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
