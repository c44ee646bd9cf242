import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** How far a file was imported: everything up to `line` is durable in the log. */
export interface Progress {
  readonly line: number;
  /** Rows up to there, in all runs. */
  readonly imported: number;
  readonly refused: number;
  readonly isDone: boolean;
}
export const NO_PROGRESS: Progress = { line: 0, imported: 0, refused: 0, isDone: false };

/** What tells two files apart, whatever their names: 32 hexadecimal digits; and how many lines there are. */
export async function fingerprintOf(path: string): Promise<{ readonly digest: string; readonly lines: number }> {
  const hash = createHash('sha256');
  let lines = 0;
  let last = NEWLINE;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1;
    last = chunk.at(-1) ?? last;
  }
  return { digest: hash.digest('hex').slice(0, 32), lines: lines + (last === NEWLINE ? 0 : 1) };
}
const NEWLINE = 0x0a;

export async function readProgress(path: string): Promise<Progress> {
  try {
    const progress = JSON.parse(await readFile(path, 'utf8')) as Pick<Progress, 'line' | 'isDone'>;
    // What was written before rows were counted has no counts.
    return { imported: progress.line, refused: 0, ...progress };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NO_PROGRESS;
    throw new Error(`${path} does not say how far the import got. Remove it to start over: nothing is stored twice.`, {
      cause: error,
    });
  }
}

/** Whole or not at all. Lost by a power cut, it makes the next run do a part again, and no more. */
export async function writeProgress(path: string, progress: Progress): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(progress));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
