import type { Fs } from '../model/fs.ts';
import type { Batch } from '../model/parts.ts';
import type { Position, Stored } from '../model/record.ts';
import { readFully, replaceFile } from './io.ts';

/** A consumer's name is a file's name. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
/** Records handed over at once, at most: what a consumer repeats after a crash. */
export const BATCH_RECORDS_MAX = 500;
/** How long a batch waits to be filled. */
const BATCH_WAIT_MS = 20;

/** Where each consumer stands: one small file each, replaced as a whole. */
export class Consumers {
  readonly #fs: Fs;
  readonly #directory: string;

  constructor(fs: Fs, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  /** The offset that this consumer reads next. */
  async committed(consumer: string): Promise<number> {
    check(consumer);
    const path = `${this.#directory}/${consumer}.json`;
    const file = await this.#fs.open(path, 'read').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null; // It never committed: it starts at the start.
      throw error;
    });
    if (file === null) return 0;
    try {
      const { next } = JSON.parse((await readFully(file, 0, await file.size())).toString('utf8')) as { next: number };
      return next;
    } finally {
      await file.close();
    }
  }

  async commit(consumer: string, next: number): Promise<void> {
    check(consumer);
    await replaceFile(this.#fs, this.#directory, `${consumer}.json`, Buffer.from(JSON.stringify({ next })));
  }

  async *consume(
    consumer: string,
    partition: number,
    read: (from: Position) => AsyncIterable<Stored>,
  ): AsyncGenerator<Batch> {
    const records = read({ partition, offset: await this.committed(consumer) })[Symbol.asyncIterator]();
    let pending = records.next();
    for (;;) {
      const first = await pending;
      if (first.done === true) return;
      const stored = [first.value];
      pending = records.next();
      while (stored.length < BATCH_RECORDS_MAX) {
        const more = await Promise.race([pending, afterMs(BATCH_WAIT_MS)]);
        if (more === null || more.done === true) break;
        stored.push(more.value);
        pending = records.next();
      }
      const next = stored.at(-1)!.position.offset + 1;
      yield { stored, commit: () => this.commit(consumer, next) };
    }
  }
}

function afterMs(ms: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), ms).unref());
}

function check(consumer: string): void {
  if (!NAME.test(consumer)) throw new Error(`'${consumer}' is no name for a consumer: use up to 64 of a-z 0-9 _ -.`);
}
