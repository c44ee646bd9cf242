import { describe, expect, test } from 'vitest';
import { PendingBatch } from '../../src/log/batch.ts';
import { decodeFrame, type Frame, PAYLOAD_BYTES_MAX } from '../../src/log/segment.ts';
import type { Position } from '../../src/model/record.ts';
import { decodeRecord, recordBytesMax, recordHead, writeRecord } from '../../src/model/record.ts';
import { openLog, parseBody, readAll, recordOf, told } from './open-log.ts';
import { EPOCH } from './segment-bytes.ts';

/** What a batch holds when it is sealed. */
function framesOf(batch: PendingBatch): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < batch.bytes; ) {
    const frame = decodeFrame(batch.buffer.subarray(0, batch.bytes), at, 0, EPOCH)!;
    frames.push(frame);
    at = frame.end;
  }
  return frames;
}

function fill(batch: PendingBatch, numbers: readonly number[], bytes = 100): { outcomes: (Position | string)[] } {
  const outcomes: (Position | string)[] = [];
  for (const number of numbers) {
    batch.add(
      recordOf(number, { bytes }),
      (position) => outcomes.push(position),
      (error) => outcomes.push(String(error)),
    );
  }
  return { outcomes };
}

test('holds one frame after the other, of one batch, chained from the frame before it', () => {
  const batch = new PendingBatch();
  fill(batch, [0, 1, 2]);
  const crc = batch.seal(EPOCH, 40, 77);
  const frames = framesOf(batch);
  expect(frames.map(({ offset, batch: of, atMs }) => [offset, of, atMs])).toEqual([
    [40, 40, 1000],
    [41, 40, 1001],
    [42, 40, 1002],
  ]);
  expect(frames.map(({ previousCrc }) => previousCrc)).toEqual([77, frames[0]!.crc, frames[1]!.crc]);
  expect(crc).toBe(frames[2]!.crc);
  expect(frames.map(({ payload }) => decodeRecord(payload, parseBody).requestId)).toEqual(['r0', 'r1', 'r2']);
});

test('grows to what it is given, and is used again without a trace of it', () => {
  const batch = new PendingBatch();
  fill(batch, [0, 1, 2, 3], 300_000);
  batch.seal(EPOCH, 0, 0);
  expect(framesOf(batch)).toHaveLength(4);
  batch.clear();
  expect(batch.bytes).toBe(0);
  fill(batch, [4, 5]);
  batch.seal(EPOCH, 4, 0);
  const payloads = framesOf(batch).map(({ payload }) => decodeRecord(payload, parseBody));
  expect(payloads.map(({ requestId }) => requestId)).toEqual(['r4', 'r5']);
  expect(payloads[0]!.raw).toEqual(Buffer.alloc(100, 5));
});

test('tells everyone his own place, or the same refusal, once', () => {
  const batch = new PendingBatch();
  const { outcomes } = fill(batch, [0, 1]);
  batch.resolve(3, 7);
  expect(outcomes).toEqual([
    { partition: 3, offset: 7 },
    { partition: 3, offset: 8 },
  ]);
  batch.reject(new Error('late'));
  expect(outcomes).toHaveLength(2);
  const { outcomes: refused } = fill(batch, [2, 3]);
  batch.reject(new Error('full'));
  batch.resolve(0, 0);
  expect(refused).toEqual(['Error: full', 'Error: full']);
});

describe('the largest record', () => {
  /** Bytes of a record's body so that the record takes so many. */
  const bodyFor = (payloadBytes: number): number => {
    const record = recordOf(1, { bytes: 8 });
    const head = recordHead(record);
    const into = Buffer.alloc(recordBytesMax(head, record));
    return payloadBytes - (writeRecord(head, record, into, 0) - 8);
  };

  test('is stored, one byte more is refused by its size, and those beside it are stored', async () => {
    const { log } = await openLog(undefined, { segmentBytes: 64 * 1024 * 1024, queueBytesMax: 64 * 1024 * 1024 });
    const outcomes = await Promise.allSettled([
      log.append(recordOf(0)),
      log.append(recordOf(1, { bytes: bodyFor(PAYLOAD_BYTES_MAX) })),
      log.append(recordOf(1, { bytes: bodyFor(PAYLOAD_BYTES_MAX + 1) })),
      log.append(recordOf(3)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect((outcomes[2] as PromiseRejectedResult).reason).toEqual(
      new RangeError('A record of 8388609 bytes is too large for the event log (8388608).'),
    );
    expect(told(await readAll(log))).toBe('0:r0 1:r1 2:r3');
  });
});
