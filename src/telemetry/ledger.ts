import type { Datastream } from '../model/datastream.ts';
import type { EdgeEvent } from '../model/exchange.ts';
import type { Fates } from './counters.ts';

/**
 * What became of every event that was received, by datastream and minute:
 *
 *     received = stored + withheld + duplicate + rejected (by code) + refused (by code)
 *
 * Exact by construction: a request is entered once, when it is known what became of it, and `received` is the sum. Rules
 * (*chosen*):
 *
 * 1. Counted are POST requests to endpoints that take events, in events. A request whose events could not be read (no
 *    body, no JSON, no access, an unknown datastream) counts as one.
 * 2. `stored`: durable in the log, whether or not the client waited for the answer. `withheld`: for lack of consent.
 *    `duplicate`: stored before. `rejected`: the request's own fault (4xx, or broken off by the client: `aborted`).
 *    `refused`: ours (429 and 5xx); the client is to send it again. A request that failed counts with all its events,
 *    but for those that were stored.
 * 3. The minute is that of the request's arrival by the wall clock, as in the log's `receivedAt`; of a request whose
 *    events could not be read, the minute of the refusal.
 * 4. Requests that name no datastream, or none that exists, stand under `(unknown)`: a client cannot make rows.
 * 5. The ledger begins with the process and says so (`sinceMs`). What earlier processes stored is in the log; what they
 *    turned away is not kept anywhere, so nothing is said of it. A row of an earlier process would not be exact.
 */

/** A day of minutes with traffic: what happened last night can still be looked up tomorrow. */
export const MINUTES_KEPT = 24 * 60;
/** With many datastreams fewer minutes are kept: a row is at most some 2 KB, and most are 100 bytes. */
export const ROWS_MAX = 20_000;
/** Datastreams come and go with reloads, totals stay: those beyond this share a row. */
export const DATASTREAMS_MAX = 10_000;
export const UNKNOWN_DATASTREAM = '(unknown)';
const OTHER_DATASTREAMS = '(other)';
/** The code of requests that the client broke off before they were read. */
export const ABORTED = 'aborted';
const MINUTE_MS = 60_000;

/** Counts of one datastream, in events. */
export class Outcomes {
  stored = 0;
  withheld = 0;
  duplicate = 0;
  rejected: Map<string, number> | null = null;
  refused: Map<string, number> | null = null;

  get received(): number {
    return this.stored + this.withheld + this.duplicate + this.rejectedTotal + this.refusedTotal;
  }
  get rejectedTotal(): number {
    return sum(this.rejected);
  }
  get refusedTotal(): number {
    return sum(this.refused);
  }
}

function sum(counts: Map<string, number> | null): number {
  let total = 0;
  for (const count of counts?.values() ?? []) total += count;
  return total;
}

/** Why a request failed: a problem's code (`http-<status>` where the catalogue has none) and its status. */
export interface Failure {
  readonly code: string;
  readonly status: number;
}

export interface LedgerRow {
  /** Start of the minute, Unix epoch, milliseconds. */
  readonly minuteMs: number;
  readonly datastreamId: string;
  /** Of the datastream when it was counted; '' for unknown ones. */
  readonly orgId: string;
  readonly outcomes: Outcomes;
}

type Named = Pick<Datastream, 'id' | 'orgId'>;
const UNKNOWN: Named = { id: UNKNOWN_DATASTREAM, orgId: '' };
const OTHERS: Named = { id: OTHER_DATASTREAMS, orgId: '' };

export class IngressLedger {
  readonly sinceMs: number;
  /** Since the start, by datastream. */
  readonly totals = new Map<string, Outcomes>();
  /** By minute, oldest first; then by datastream. */
  readonly #minutes = new Map<number, Map<string, LedgerRow>>();
  #rows = 0;
  #droppedMinute = Number.NEGATIVE_INFINITY;

  constructor(sinceMs: number) {
    this.sinceMs = sinceMs;
  }

  /** A request whose events could not be read: one is entered. */
  unread(datastream: Named | null, atMs: number, failure: Failure): void {
    const named = this.#named(datastream ?? UNKNOWN);
    fail(this.totals.get(named.id)!, 1, failure);
    const row = this.#rowAt(atMs, named);
    if (row !== null) fail(row, 1, failure);
  }

  /**
   * A request whose events are known. `isStored`: those with the fate `store` are durable. `failure`: why the others
   * came to nothing; null where the request went well.
   */
  settle(datastream: Named, atMs: number, fates: Fates, isStored: boolean, failure: Failure | null): void {
    const named = this.#named(datastream);
    add(this.totals.get(named.id)!, fates, isStored, failure);
    const row = this.#rowAt(atMs, named);
    if (row !== null) add(row, fates, isStored, failure);
  }

  /** All datastreams together, since the start. */
  sinceStart(): Readonly<Record<EdgeEvent['fate'] | 'refused', number>> {
    const sum = { store: 0, withheld: 0, duplicate: 0, rejected: 0, refused: 0 };
    for (const outcomes of this.totals.values()) {
      sum.store += outcomes.stored;
      sum.withheld += outcomes.withheld;
      sum.duplicate += outcomes.duplicate;
      sum.rejected += outcomes.rejectedTotal;
      sum.refused += outcomes.refusedTotal;
    }
    return sum;
  }

  /** Rows of [fromMs, toMs), by minute and then by datastream. */
  *rows(fromMs = 0, toMs = Number.POSITIVE_INFINITY): Iterable<LedgerRow> {
    const minutes = [...this.#minutes].filter(([minute]) => minute * MINUTE_MS >= fromMs && minute * MINUTE_MS < toMs);
    for (const [, rows] of minutes.sort(([a], [b]) => a - b)) {
      yield* [...rows.values()].sort((a, b) => (a.datastreamId < b.datastreamId ? -1 : 1));
    }
  }

  /** From here on rows are whole: earlier ones were dropped, or belong to an earlier process. Unix epoch, milliseconds. */
  get completeFromMs(): number {
    return Math.max(this.sinceMs, (this.#droppedMinute + 1) * MINUTE_MS);
  }

  #named(datastream: Named): Named {
    if (this.totals.has(datastream.id)) return datastream;
    const named = this.totals.size < DATASTREAMS_MAX ? datastream : OTHERS;
    if (!this.totals.has(named.id)) this.totals.set(named.id, new Outcomes());
    return named;
  }

  /** Null for a minute that was dropped: a clock that was set back does not bring it again. */
  #rowAt(atMs: number, { id, orgId }: Named): Outcomes | null {
    const minute = Math.floor(atMs / MINUTE_MS);
    if (minute <= this.#droppedMinute) return null;
    let rows = this.#minutes.get(minute);
    if (rows === undefined) {
      rows = new Map();
      this.#minutes.set(minute, rows);
    }
    let row = rows.get(id);
    if (row === undefined) {
      row = { minuteMs: minute * MINUTE_MS, datastreamId: id, orgId, outcomes: new Outcomes() };
      rows.set(id, row);
      this.#rows += 1;
      this.#drop(minute);
    }
    return row.outcomes;
  }

  /** Drops whole minutes, the oldest first, never the one that is being written. */
  #drop(current: number): void {
    while (this.#minutes.size > MINUTES_KEPT || this.#rows > ROWS_MAX) {
      let oldest = current;
      for (const minute of this.#minutes.keys()) oldest = Math.min(oldest, minute);
      if (oldest === current) return;
      this.#rows -= this.#minutes.get(oldest)!.size;
      this.#minutes.delete(oldest);
      this.#droppedMinute = oldest;
    }
  }
}

/** An event of a request that otherwise went well: the answer names it. */
const PART_OF_REQUEST: Failure = { code: 'event', status: 400 };

function add(to: Outcomes, fates: Fates, isStored: boolean, failure: Failure | null): void {
  const { store, withheld, duplicate, rejected } = fates;
  if (isStored) to.stored += store;
  if (failure !== null) {
    fail(to, (isStored ? 0 : store) + withheld + duplicate + rejected, failure);
    return;
  }
  to.withheld += withheld;
  to.duplicate += duplicate;
  fail(to, rejected, PART_OF_REQUEST);
}

const TOO_MANY_REQUESTS = 429;
const SERVER_ERRORS = 500;

function fail(to: Outcomes, count: number, { code, status }: Failure): void {
  if (count === 0) return;
  const isOurs = status === TOO_MANY_REQUESTS || status >= SERVER_ERRORS;
  if (isOurs) to.refused ??= new Map();
  else to.rejected ??= new Map();
  const codes = (isOurs ? to.refused : to.rejected)!;
  codes.set(code, (codes.get(code) ?? 0) + count);
}
