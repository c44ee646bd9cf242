import type { DigestKey } from '../../src/log/hidden.ts';
import type { Received } from '../../src/model/exchange.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { Applied, EventLog } from '../../src/model/parts.ts';
import type { LogRecord, ParseBody, Stored } from '../../src/model/record.ts';

/** What every engine is given when it is opened. */
export interface LogDeps {
  /** Called in log order with the changes of durable records, before their appends resolve. */
  readonly onSynced: (applied: readonly Applied[]) => undefined | Promise<void>;
  readonly parseBody: ParseBody;
  /** By which persons who are erased are told. */
  readonly erasureKey?: DigestKey;
}

/** How an engine is opened in these tests. */
export interface LogEngine {
  /** A log that holds nothing. */
  open(deps: LogDeps): Promise<EventLog>;
  /** Closes a log and opens it again with what it kept. */
  reopen(log: EventLog, deps: LogDeps): Promise<EventLog>;
  /** From now on nothing can be made durable any more. */
  breakDown(): void;
  /** Removes what `open` made. */
  dispose(): Promise<void>;
}

/** When record 0 was received; each of the others a second later. */
export const NOON_MS = 1_795_000_000_000;
const NEVER = new AbortController().signal;

/** Bodies of these tests: {meta, events: [{xdm, data, query, meta}]}. */
export const parseBody: ParseBody = (_path, body) => {
  const { meta, events } = body as JsonObject;
  return { identityMap: null, consent: null, query: {}, meta, events } as unknown as Received;
};

export function recordOf(number: number, fields: Partial<LogRecord> = {}): LogRecord {
  return {
    requestId: `r${number}`,
    atMs: NOON_MS + number * 1000,
    orgId: 'TEST@AdobeOrg',
    datastreamId: 'shop',
    path: '/v1/interact',
    ecid: null,
    meta: {},
    events: [],
    raw: null,
    changes: [],
    ...fields,
  };
}

export const idsOf = (stored: readonly Stored[]): string[] => stored.map(({ record }) => record.requestId);
/** "r<from>" to "r<to - 1>". */
export const ids = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `r${from + i}`);
export const at = (offset: number): { partition: number; offset: number } => ({ partition: 0, offset });

export async function appendAll(log: EventLog, from: number, to: number): Promise<void> {
  await Promise.all(ids(from, to).map((_, i) => log.append(recordOf(from + i))));
}

export async function readAll(log: EventLog, from: Parameters<EventLog['read']>[0] = 'start'): Promise<Stored[]> {
  const all: Stored[] = [];
  for await (const stored of log.read(from, false, NEVER)) all.push(stored);
  return all;
}

/** What one reader is given next; its wait ends with the test. */
export class Reading<T> {
  readonly #stop = new AbortController();
  readonly #items: AsyncIterator<T>;

  constructor(start: (signal: AbortSignal) => AsyncIterable<T>) {
    this.#items = start(this.#stop.signal)[Symbol.asyncIterator]();
  }

  /** Null where the reader's iteration has ended. */
  async next(): Promise<T | null> {
    const { done, value } = await this.#items.next();
    return done === true ? null : value;
  }

  /** As its owner does who has had enough. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#items.return?.();
  }

  abort(): void {
    this.#stop.abort();
  }
}
