import type { EdgeEvent, Exchange } from '../model/exchange.ts';
import { type EventLog, LogUnavailable, type Stage } from '../model/parts.ts';
import { problem } from '../model/problem.ts';
import type { LogRecord, Position } from '../model/record.ts';
import type { ChoicesUnderWay } from './choices-under-way.ts';
import type { DuplicateWindow } from './duplicates.ts';

/**
 * Sends the request to disk: its events and changes are one record. It does not wait there: `x.awaiting` resolves when
 * the record is durable, and the first copies of its duplicates are; the answer is put together meanwhile, and leaves
 * then. What cannot be stored now is a 503, and nothing has changed.
 */
export class Append implements Stage {
  readonly name = 'append';
  readonly service = null;
  readonly #log: EventLog;
  readonly #duplicates: DuplicateWindow;
  readonly #choices: ChoicesUnderWay;

  constructor(log: EventLog, duplicates: DuplicateWindow, choices: ChoicesUnderWay) {
    this.#log = log;
    this.#duplicates = duplicates;
    this.#choices = choices;
  }

  run(x: Exchange): undefined {
    const toStore = x.events.filter((event) => event.fate === 'store');
    if (toStore.length === 0 && x.changes.length === 0) {
      this.#remember(x);
      return;
    }
    const appended = this.#append(x, toStore);
    if (x.changes.length > 0) this.#choices.add(x.changes, appended);
    const first = x.awaiting;
    x.appended = appended;
    x.awaiting = first === null ? appended : Promise.all([appended, first]).then(([position]) => position);
  }

  #append(x: Exchange, toStore: readonly EdgeEvent[]): Promise<Position> {
    const copies: number[] = [];
    const durable: Promise<Position> = this.#log.append(recordOf(x, toStore)).then(
      (position) => {
        for (let i = 0; i < copies.length; i++) this.#duplicates.stored(copies[i]!, durable, position);
        return position;
      },
      (error: unknown) => {
        for (const copy of copies) this.#duplicates.forget(copy, durable);
        throw refusalOf(error);
      },
    );
    for (const { dedupKey, payloadHash, ecid } of toStore) {
      if (payloadHash === '') continue;
      copies.push(this.#duplicates.add(x.datastream.id, dedupKey, payloadHash, ecid, x.nowMs, durable));
    }
    if (x.retryKey !== null) {
      const { dedupKey, payloadHash } = x.retryKey;
      copies.push(this.#duplicates.add(x.datastream.id, dedupKey, payloadHash, x.ecid, x.nowMs, durable));
    }
    return durable;
  }

  /** A request that leaves nothing in the log (acquire): its ECID is for its retry too, as long as the process lives. */
  #remember({ datastream, retryKey, isRetry, ecid, nowMs }: Exchange): void {
    if (retryKey === null || isRetry || ecid === null) return;
    this.#duplicates.add(datastream.id, retryKey.dedupKey, retryKey.payloadHash, ecid, nowMs, null);
  }
}

function refusalOf(cause: unknown): unknown {
  if (!(cause instanceof LogUnavailable)) return cause;
  return problem(
    'EXEG-0000-503',
    `Nothing of this request was stored: ${REASONS[cause.reason]} Send it again.`,
    {},
    { cause },
  );
}

const REASONS: Readonly<Record<LogUnavailable['reason'], string>> = {
  'disk-full': 'the disk is full.',
  'queue-full': 'too many requests wait for the disk.',
  'too-slow': 'the disk is too slow.',
  failed: 'the event log has failed and restarts.',
  closed: 'the server is stopping.',
};

function recordOf(x: Exchange, events: readonly EdgeEvent[]): LogRecord {
  return {
    requestId: x.requestId,
    atMs: x.nowMs,
    orgId: x.datastream.orgId,
    datastreamId: x.datastream.id,
    path: x.path,
    ecid: x.ecid,
    meta: x.received.meta,
    events,
    raw: isWhole(x) ? x.raw : null,
    changes: x.changes,
    retryKey: x.retryKey,
    decisions: x.decisions,
    notices: x.notices,
  };
}

/**
 * Nothing in the body has to be kept out of the log. A duplicate has not, unless its visitor is out by now: it is there
 * already, and only the events that the head lists are read. (Written out one by one, events that share 40 KB make 20 MB of
 * a body of 60 KB.)
 */
function isWhole({ events }: Exchange): boolean {
  return events.every(({ fate, consent }) => fate === 'store' || (fate === 'duplicate' && consent.collect === 'in'));
}
