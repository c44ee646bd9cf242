import type { Demand } from './demand.ts';
import type { Exchange, Handle, Received } from './exchange.ts';
import type { Json } from './json.ts';
import type { Change, PersonState } from './person.ts';
import type { LogRecord, Position, Stored } from './record.ts';
import type { ServiceName } from './services.ts';

/** The interfaces of every part that can be added or replaced. One new part is one file and one line in components.ts. */

/** Wire parsing of one endpoint. Which stages it runs is said in components.ts. */
export interface Endpoint {
  readonly name: string;
  /** As on the wire, base path and region hint stripped: "/v1/interact". A trailing "/*" takes one more segment. */
  readonly paths: readonly string[];
  /** Whether a visitor without an ECID gets a new one. */
  readonly mintsEcid: boolean;
  /** Whether its requests hold events: only these stand in the ingress ledger. */
  readonly takesEvents: boolean;
  readonly demand: Demand;
  /** Shape-checks one body. Throws a `Problem` (0102, 0103) that names the field's path. Pure: also used to read the log. */
  parse(path: string, body: Json): Received;
  /** The status of a complete success: `handles` bodies are sent with 200, a bare request id with 202, nothing with 204. */
  success(x: Exchange): 200 | 202 | 204;
}

/** What comes of a stage that had to wait: `again` where it is to be run once more before the next one. */
// biome-ignore lint/suspicious/noConfusingVoidType: stages that return nothing are async functions.
export type Waited = void | 'again';

/** One step. Returns undefined when it finished synchronously: no promise, no microtask. */
export interface Stage {
  readonly name: string;
  /** The datastream service that this stage belongs to; null = always runs. */
  readonly service: ServiceName | null;
  run(x: Exchange): undefined | Promise<Waited>;
}

/** Adds something to a request's events, in the stage `enrich`. List order in components.ts is the order in which they run. */
export interface Enrichment {
  readonly name: string;
  enrich(x: Exchange): void;
}

/** Which stages run for which endpoint, in order. */
export type Matrix = readonly (readonly [Endpoint, readonly Stage[]])[];

/** Produces one handle type, in the answer stage. List order in components.ts is the order in the answer. */
export interface HandleSource {
  readonly type: string;
  /** The datastream service that must be on for this type to appear; null = always. */
  readonly service: ServiceName | null;
  wanted(x: Exchange): boolean;
  produce(x: Exchange): readonly Handle[];
}

/** One partition of an append-only, at-least-once log. Engines: file (one process); others later. */
export interface EventLog {
  /**
   * Resolves only when the record is durable; rejects with `LogUnavailable` when it is not and the caller may try again
   * (disk full, queue full or too old, log failed, closing). Appends become durable and resolve in call order.
   */
  append(record: LogRecord): Promise<Position>;
  /** Durable records only, oldest first. With `follow`, waits for more until `signal` aborts; else ends at the durable end. */
  read(
    from: Position | { readonly timeMs: number } | 'start',
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<Stored>;
  /** Batches in order, from this consumer's last commit (from the start where there is none). */
  consume(consumer: string, signal: AbortSignal): AsyncIterable<Batch>;
  /** Moves a consumer's next read. Durable when it resolves. */
  seek(consumer: string, to: Position | { readonly timeMs: number }): Promise<void>;
  close(): Promise<void>;
}
export interface Batch {
  readonly stored: readonly Stored[];
  /** Durable when it resolves: the consumer restarts behind this batch. */
  commit(): Promise<void>;
}

/** An append was not made durable, and nothing of it was answered. `retryAfterSeconds` is a hint for the client. */
export class LogUnavailable extends Error {
  readonly reason: 'disk-full' | 'queue-full' | 'too-slow' | 'failed' | 'closed';
  constructor(reason: LogUnavailable['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LogUnavailable';
    this.reason = reason;
  }
}

/** What one log record says about persons, with its position: input of `StateStore.apply`. */
export interface Applied {
  readonly position: Position;
  readonly changes: readonly Change[];
}

/** Persons' state, derived from the log: consent, identity, profile … Synchronous where the engine is. */
export interface StateStore {
  get(key: string): PersonState | null | Promise<PersonState | null>;
  getMany(keys: readonly string[]): readonly (PersonState | null)[] | Promise<readonly (PersonState | null)[]>;
  /**
   * Applies records' changes in log order, atomically with the checkpoint (the last record's position). Records at or
   * below the checkpoint are skipped, so applying twice is harmless. Visible to `get` when it returns (or resolves).
   */
  apply(records: readonly Applied[]): undefined | Promise<void>;
  /** Offset of the last applied record of a partition; -1 if none. */
  appliedUpTo(partition: number): number | Promise<number>;
  /** A consistent view of everything with its checkpoint, for snapshots; stays consistent while `apply` goes on. */
  dump(): { readonly position: Position; readonly persons: Iterable<PersonState>; end(): void };
  /**
   * Removes for good what belongs to persons who are erased: they are known to nobody from the moment at which a change of
   * kind `erasure` was applied, but their bytes may still lie where they were written. Reads and `apply` go on meanwhile.
   */
  purge(): Promise<void>;
  /** Replaces everything by a dump's content. */
  restore(position: Position, persons: AsyncIterable<PersonState>): Promise<void>;
  close(): Promise<void>;
}
