import type { EdgeEvent, Exchange } from '../model/exchange.ts';
import { type EventLog, LogUnavailable, type Stage } from '../model/parts.ts';
import { problem } from '../model/problem.ts';
import type { LogRecord, Position } from '../model/record.ts';
import type { DuplicateWindow } from './duplicates.ts';

/**
 * Makes the request durable: its events and changes are one record, and nothing is answered before it is on disk. A
 * duplicate waits for its first copy. What cannot be stored now is a 503, and nothing has changed.
 */
export class Append implements Stage {
  readonly name = 'append';
  readonly service = null;
  readonly #log: EventLog;
  readonly #duplicates: DuplicateWindow;

  constructor(log: EventLog, duplicates: DuplicateWindow) {
    this.#log = log;
    this.#duplicates = duplicates;
  }

  run(x: Exchange): undefined | Promise<void> {
    const toStore = x.events.filter((event) => event.fate === 'store');
    const first = x.awaiting;
    if (toStore.length === 0 && x.changes.length === 0) return first === null ? undefined : this.#wait(x, first);
    const appended = this.#append(x, toStore);
    x.appended = appended;
    // Both at once: a failure of the second that nobody listens to while the first is waited for would end the process.
    return this.#wait(x, first === null ? appended : Promise.all([appended, first]).then(([position]) => position));
  }

  #append(x: Exchange, toStore: readonly EdgeEvent[]): Promise<Position> {
    const appended = this.#log.append(recordOf(x, toStore));
    const copies: number[] = [];
    for (const { dedupKey, payloadHash, ecid } of toStore) {
      if (payloadHash === '') continue;
      copies.push(this.#duplicates.add(x.datastream.id, dedupKey, payloadHash, ecid, x.nowMs, appended));
    }
    if (copies.length === 0) return appended;
    return appended.then(
      (position) => {
        for (const copy of copies) this.#duplicates.stored(copy, appended, position);
        return position;
      },
      (error: unknown) => {
        for (const copy of copies) this.#duplicates.forget(copy, appended);
        throw error;
      },
    );
  }

  async #wait(x: Exchange, appended: Promise<Position>): Promise<void> {
    try {
      x.position = await appended;
    } catch (cause) {
      if (!(cause instanceof LogUnavailable)) throw cause;
      throw problem(
        'EXEG-0000-503',
        `Nothing of this request was stored: ${REASONS[cause.reason]} Send it again.`,
        {},
        { cause },
      );
    }
  }
}

const REASONS: Readonly<Record<LogUnavailable['reason'], string>> = {
  'disk-full': 'the disk is full.',
  'queue-full': 'too many requests wait for the disk.',
  'too-slow': 'the disk is too slow.',
  failed: 'the event log has failed and restarts.',
  closed: 'the server is stopping.',
};

function recordOf(x: Exchange, events: readonly EdgeEvent[]): LogRecord {
  const asSent = events.length === x.events.length && !events.some((event) => event.rewritten);
  return {
    requestId: x.requestId,
    atMs: x.nowMs,
    orgId: x.datastream.orgId,
    datastreamId: x.datastream.id,
    path: x.path,
    ecid: x.ecid,
    meta: x.received.meta,
    events,
    raw: asSent ? x.raw : null,
    changes: x.changes,
  };
}
