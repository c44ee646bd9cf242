import { Writable } from 'node:stream';
import { main } from '../../src/cli/main.ts';

/** What a command printed, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A stream that keeps what is written to it. */
export class Kept extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Runs `weir …args` in this process. */
export async function weir(...args: string[]): Promise<Ran> {
  const stdout = new Kept();
  const stderr = new Kept();
  const code = await main(args, { stdout, stderr });
  return { code, out: stdout.text, err: stderr.text };
}
