import { crc32 } from 'node:zlib';
import type { Fs } from '../model/fs.ts';
import type { Batch } from '../model/parts.ts';
import type { Cursor, Report, View } from './cursor.ts';
import type { DiskSpace } from './disk-space.ts';
import { readFile, replaceFile } from './io.ts';

/** A consumer's name is a file's name. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
/** Records handed over at once, at most: what a consumer repeats after a crash. */
export const BATCH_RECORDS_MAX = 500;

export interface ConsumersOptions {
  readonly fs: Fs;
  readonly directory: string;
  readonly report: Report;
  readonly space: DiskSpace;
}

interface Standing {
  /** Offset that is read next after a restart. */
  committed: number;
  /** Counts seeks: a batch that was handed out before one no longer moves the consumer. */
  seeks: number;
  isRead: boolean;
  /** Aborted by a seek and with the reader's own signal, so that one that waits at the end goes on at once. */
  moved: AbortController;
  /** The write under way; the next waits for it. */
  writing: Promise<void>;
}

/**
 * Where each consumer stands: a file each, `consumers/<name>.json`, replaced as a whole: `{"next":<offset>,"crc":<CRC-32
 * of the offset's digits>}`. A commit is durable when it resolves, and never moves a consumer back; only `seek` does.
 */
export class Consumers {
  readonly #options: ConsumersOptions;
  readonly #directory: string;
  readonly #standings: Map<string, Standing>;

  private constructor(options: ConsumersOptions, directory: string, standings: Map<string, Standing>) {
    this.#options = options;
    this.#directory = directory;
    this.#standings = standings;
  }

  /** Reads every consumer's place. A damaged one is reported, and that consumer begins anew: again rather than never. */
  static async open(options: ConsumersOptions): Promise<Consumers> {
    const { fs, report } = options;
    const directory = `${options.directory}/consumers`;
    await fs.mkdir(directory);
    const standings = new Map<string, Standing>();
    for (const file of await fs.readdir(directory)) {
      const name = file.endsWith('.json') ? file.slice(0, -'.json'.length) : '';
      if (!NAME.test(name)) continue;
      const committed = nextIn(await readFile(fs, `${directory}/${file}`));
      if (committed === null) {
        report(
          `${directory}/${file} is damaged: the consumer '${name}' begins at the oldest record and gets some again.`,
        );
      }
      standings.set(name, standing(committed ?? 0));
    }
    return new Consumers(options, directory, standings);
  }

  /** No record below this offset is unknown to every consumer: the log once ended here, or later. */
  get committedMax(): number {
    let max = 0;
    for (const { committed } of this.#standings.values()) max = Math.max(max, committed);
    return max;
  }

  /** Batches from the last commit on, until `signal` aborts or the log closes. One reader at a time. */
  async *consume(
    name: string,
    cursorAt: (offset: number) => Cursor,
    view: View,
    signal: AbortSignal,
  ): AsyncGenerator<Batch> {
    const at = this.#standing(name);
    if (at.isRead) throw new Error(`The consumer '${name}' is being read already; each has one reader.`);
    at.isRead = true;
    at.moved = new AbortController();
    // Not AbortSignal.any for each wait: on Node 20 the reader's signal would keep 60 bytes of each, for as long as it lives.
    const stop = (): void => at.moved.abort();
    signal.addEventListener('abort', stop, { once: true });
    let seeks = at.seeks;
    let cursor = cursorAt(at.committed);
    try {
      while (!signal.aborted) {
        if (seeks !== at.seeks) {
          await cursor.close();
          seeks = at.seeks;
          await at.writing;
          cursor = cursorAt(at.committed);
        }
        const stored = await cursor.take(BATCH_RECORDS_MAX);
        if (seeks !== at.seeks) continue;
        if (stored.length === 0) {
          const isMore = await view.wait(cursor.offset, at.moved.signal);
          if (!isMore && seeks === at.seeks) return;
          continue;
        }
        const next = cursor.offset;
        const handedAt = seeks;
        yield { stored, commit: () => (handedAt === at.seeks ? this.#commit(name, at, next) : Promise.resolve()) };
      }
    } finally {
      at.isRead = false;
      signal.removeEventListener('abort', stop);
      await cursor.close();
    }
  }

  /** Durable when it resolves. A reader under way goes on from there with its next batch. */
  async seek(name: string, offset: number): Promise<void> {
    const at = this.#standing(name);
    at.seeks += 1;
    at.moved.abort();
    at.moved = new AbortController();
    await this.#write(name, at, () => offset);
  }

  #commit(name: string, at: Standing, next: number): Promise<void> {
    return this.#write(name, at, () => Math.max(at.committed, next));
  }

  /** One write after the other: of two that are under way the later one stands. */
  #write(name: string, at: Standing, nextOf: () => number): Promise<void> {
    const written = at.writing.then(async () => {
      const next = nextOf();
      const content = Buffer.from(JSON.stringify({ next, crc: crc32(String(next)) }));
      const { fs, space } = this.#options;
      await space.withReserve(() => replaceFile(fs, this.#directory, `${name}.json`, content));
      at.committed = next;
    });
    // The caller is told of a failure; the write after it is tried all the same.
    at.writing = written.catch(() => {});
    return written;
  }

  #standing(name: string): Standing {
    if (!NAME.test(name)) throw new Error(`'${name}' is no name for a consumer: use up to 64 of a-z 0-9 _ -.`);
    let known = this.#standings.get(name);
    if (known === undefined) {
      known = standing(0);
      this.#standings.set(name, known);
    }
    return known;
  }
}

function standing(committed: number): Standing {
  return { committed, seeks: 0, isRead: false, moved: new AbortController(), writing: Promise.resolve() };
}

/** Null for bytes that are not what was written. */
function nextIn(bytes: Buffer | null): number | null {
  const parts = /^\{"next":(\d+),"crc":(\d+)\}$/.exec(bytes?.toString('latin1') ?? '');
  if (parts === null || crc32(parts[1]!) !== Number(parts[2])) return null;
  return Number(parts[1]);
}
