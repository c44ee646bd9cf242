import { endpointAt } from '../../src/components.ts';
import { canonicalJson, isObject, type Json, mergeJson } from '../../src/model/json.ts';
import type { Batch, EventLog, StateStore } from '../../src/model/parts.ts';
import {
  decodeRecord,
  type LogRecord,
  type Position,
  recordBytesMax,
  recordHead,
  type Stored,
  writeRecord,
} from '../../src/model/record.ts';

/**
 * A log that keeps nothing: each record is written to bytes, read back, held against what was sent, and applied to the
 * state. `append` rejects where they differ, which a client sees as a 500.
 */
export class CheckedLog implements EventLog {
  readonly #state: StateStore;
  /** The body of the request that is being worked at. */
  sent: Buffer = Buffer.alloc(0);
  records = 0;
  /** What was wrong, and has not been asked for. */
  fault: Error | null = null;

  constructor(state: StateStore) {
    this.#state = state;
  }

  async append(record: LogRecord): Promise<Position> {
    const position = { partition: 0, offset: this.records++ };
    try {
      const read = readBack(record);
      compare(record, read, this.sent);
      await this.#state.apply([{ position, changes: read.changes }]);
    } catch (error) {
      this.fault = error as Error;
      throw error;
    }
    return position;
  }

  read(): AsyncIterable<Stored> {
    throw new Error('This log keeps nothing.');
  }
  consume(): AsyncIterable<Batch> {
    throw new Error('This log keeps nothing.');
  }
  seek(): Promise<void> {
    throw new Error('This log keeps nothing.');
  }
  async close(): Promise<void> {}
}

function readBack(record: LogRecord): LogRecord {
  const head = recordHead(record);
  const bytes = Buffer.alloc(recordBytesMax(head, record));
  const length = writeRecord(head, record, bytes, 0);
  return decodeRecord(bytes.subarray(0, length), (path, body) => endpointAt(path).parse(path, body));
}

/** Against the body parsed by the platform alone, without `__proto__`, which nobody's data has. */
function compare(written: LogRecord, read: LogRecord, sent: Buffer): void {
  const body = withoutProto(JSON.parse(sent.toString()) as Json);
  const { events } = endpointAt(written.path).parse(written.path, body);
  equal(read.changes as unknown as Json, written.changes as unknown as Json, 'changes');
  equal(read.meta, written.meta, 'meta');
  equal(read.events.length, written.events.length, 'number of events');
  for (const { index, id, xdm, data, query, meta, added } of read.events) {
    const original = events[index]!;
    equal(id, `${written.requestId}/${index}`, 'id');
    equal(xdm, added === null ? original.xdm : mergeJson(original.xdm, added), `events[${index}].xdm`);
    equal(data, original.data, `events[${index}].data`);
    equal(query, original.query, `events[${index}].query`);
    equal(meta, original.meta, `events[${index}].meta`);
  }
}

/** Only of what was stored, which is not deep. Not by a reviver: that looks at what equal keys replaced, however deep. */
function withoutProto(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutProto);
  if (!isObject(value)) return value;
  const own = Object.entries(value).filter(([key]) => key !== '__proto__');
  return Object.fromEntries(own.map(([key, one]) => [key, withoutProto(one)]));
}

function equal(got: Json, wanted: Json, what: string): void {
  if (canonicalJson(got) === canonicalJson(wanted)) return;
  throw new Error(
    `What was stored differs from what was sent: ${what} is ${canonicalJson(got)}, not ${canonicalJson(wanted)}`,
  );
}
