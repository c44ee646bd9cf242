import type { Missing } from '../../src/log/cursor.ts';
import { FileLog, type FileLogOptions } from '../../src/log/file.ts';
import type { LogHost } from '../../src/log/host.ts';
import type { Applied, Batch } from '../../src/model/parts.ts';
import type { LogRecord, ParseBody, Stored } from '../../src/model/record.ts';
import { MemoryFs } from './memory-fs.ts';

export const FOLDER = '/log';
/** Bodies are compared as bytes. */
export const parseBody: ParseBody = () => ({ events: [], identityMap: null, consent: null, query: {}, meta: {} });
const NEVER = new AbortController().signal;

/** A record that can be told from others by its number, with a body of so many bytes. */
export function recordOf(
  number: number,
  fields: { bytes?: number; atMs?: number; changes?: LogRecord['changes'] } = {},
): LogRecord {
  const { bytes = 0, atMs = 1000 + number, changes = [] } = fields;
  return {
    requestId: `r${number}`,
    atMs,
    orgId: 'org',
    datastreamId: 'site',
    path: '/v2/interact',
    ecid: null,
    meta: {},
    events: [],
    raw: bytes === 0 ? null : Buffer.alloc(bytes, number + 1),
    changes,
  };
}

/** A clock that goes when it is told to, timers that run then, and epochs that are the same in every run. */
export class TestHost implements LogHost {
  ms = 1_700_000_000_000;
  boot = 'boot 1';
  readonly #timers = new Set<() => void>();
  #random = 1;

  nowMs(): number {
    return this.ms;
  }
  monotonicMs(): number {
    return this.ms;
  }
  defer(start: () => void): void {
    setImmediate(start);
  }
  every(_ms: number, run: () => void): () => void {
    this.#timers.add(run);
    return () => this.#timers.delete(run);
  }
  /** A poll is one turn of the event loop. */
  sleep(): Promise<void> {
    return turn();
  }
  random(limit: number): number {
    this.#random += 1_000_003;
    return this.#random % limit;
  }
  bootId(): string {
    return this.boot;
  }

  /** Time passes, and every timer runs once. */
  async pass(ms: number): Promise<void> {
    this.ms += ms;
    for (const run of [...this.#timers]) run();
    await turns(5);
  }
}

export interface OpenedLog {
  readonly log: FileLog;
  readonly fs: MemoryFs;
  readonly host: TestHost;
  readonly messages: string[];
  readonly missing: Missing[];
  readonly applied: Applied[];
  readonly fatal: Error[];
}

export type LogSettings = Partial<Omit<FileLogOptions, 'fs' | 'host'>> & { readonly host?: TestHost };

/** A log with limits that nothing reaches but what the test sets. */
export async function openLog(fs: MemoryFs = new MemoryFs(), options: LogSettings = {}): Promise<OpenedLog> {
  const { host = new TestHost() } = options;
  const messages: string[] = [];
  const missing: Missing[] = [];
  const applied: Applied[] = [];
  const fatal: Error[] = [];
  const log = await FileLog.open({
    fs,
    directory: FOLDER,
    partition: 0,
    segmentBytes: 1024 * 1024,
    queueBytesMax: 16 * 1024 * 1024,
    queueAgeMsMax: 2000,
    lowWaterBytes: 0,
    reservedBytes: 0,
    preallocateBytes: 0,
    retention: { maxAgeMs: null, maxBytes: null },
    parseBody,
    onSynced: (some) => void applied.push(...some),
    mayDropBefore: () => Number.POSITIVE_INFINITY,
    onFatal: (error) => fatal.push(error),
    report: (message, what) => {
      messages.push(message);
      if (what !== undefined) missing.push(what);
    },
    ...options,
    host,
  });
  return { log, fs, host, messages, missing, applied, fatal };
}

/** Each in a batch of its own. */
export async function appendEach(log: FileLog, from: number, to: number, bytes = 0): Promise<void> {
  for (let number = from; number < to; number++) await log.append(recordOf(number, { bytes }));
}

export async function readAll(
  log: Pick<FileLog, 'read'>,
  from: Parameters<FileLog['read']>[0] = 'start',
): Promise<Stored[]> {
  const all: Stored[] = [];
  for await (const stored of log.read(from, false, NEVER)) all.push(stored);
  return all;
}

/** "0:r0 1:r1": offsets and what stands there. */
export function told(stored: readonly Stored[]): string {
  return stored.map(({ position, record }) => `${position.offset}:${record.requestId}`).join(' ');
}

/** The first batch of a new reader of this consumer. */
export async function firstBatch(log: FileLog, consumer: string): Promise<Batch> {
  for await (const batch of log.consume(consumer, NEVER)) return batch;
  throw new Error(`The consumer '${consumer}' was given nothing.`);
}

/** Paths of the segments, oldest first. */
export function segmentsOf(fs: MemoryFs): string[] {
  return fs.contents.map(([path]) => path).filter((path) => path.endsWith('.segment'));
}

export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Enough of these, and everything that waits for nothing but the event loop has happened. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}
