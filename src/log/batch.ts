import type { Change } from '../model/person.ts';
import type { LogRecord, Position } from '../model/record.ts';
import { recordBytesMax, recordHead, writeRecord } from '../model/record.ts';
import { FRAME_HEADER_BYTES, frameBytes, PAYLOAD_BYTES_MAX, sealFrame } from './segment.ts';

/** Not the record itself: it is encoded, and what hangs on it would only live longer. */
interface Waiting {
  readonly start: number;
  readonly payloadBytes: number;
  readonly atMs: number;
  readonly changes: readonly Change[];
  readonly resolve: (position: Position) => void;
  readonly reject: (error: unknown) => void;
}

/** Enough for a few tens of requests; grows to what arrives during one sync, and stays. */
const FIRST_BYTES = 64 * 1024;

/**
 * The records that go to disk together. They are encoded into one buffer as they arrive, so that a batch is one write;
 * what needs the place in the log (offsets, checksums) is filled in by `seal`.
 */
export class PendingBatch {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #bytes = 0;
  #waiting: Waiting[] = [];
  /** Monotonic milliseconds of the first record's arrival. */
  sinceMs = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get records(): readonly { readonly changes: readonly Change[] }[] {
    return this.#waiting;
  }

  /** The frames, after `seal`. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  add(record: LogRecord, resolve: Waiting['resolve'], reject: Waiting['reject']): void {
    const head = recordHead(record);
    const start = this.#bytes;
    this.#reserve(start + frameBytes(recordBytesMax(head, record)));
    const payloadBytes = writeRecord(head, record, this.#buffer, start + FRAME_HEADER_BYTES);
    if (payloadBytes > PAYLOAD_BYTES_MAX)
      throw new RangeError(`A record of ${payloadBytes} bytes is too large for the event log (${PAYLOAD_BYTES_MAX}).`);
    this.#bytes = start + frameBytes(payloadBytes);
    const { atMs, changes } = record;
    this.#waiting.push({ start, payloadBytes, atMs, changes, resolve, reject });
  }

  /** Completes every frame. Returns the CRC of the last one. */
  seal(epoch: number, firstOffset: number, previousCrc: number): number {
    let crc = previousCrc;
    for (let i = 0; i < this.#waiting.length; i++) {
      const { start, payloadBytes, atMs } = this.#waiting[i]!;
      crc = sealFrame(this.#buffer, start, payloadBytes, {
        epoch,
        batch: firstOffset,
        offset: firstOffset + i,
        atMs,
        previousCrc: crc,
      });
    }
    return crc;
  }

  resolve(partition: number, firstOffset: number): void {
    for (let i = 0; i < this.#waiting.length; i++) this.#waiting[i]!.resolve({ partition, offset: firstOffset + i });
    this.clear();
  }

  reject(error: unknown): void {
    for (const { reject } of this.#waiting) reject(error);
    this.clear();
  }

  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(bytes, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#bytes));
    this.#buffer = larger;
  }
}
