import {
  encodeSegmentHeader,
  FRAME_HEADER_BYTES,
  frameBytes,
  SEGMENT_HEADER_BYTES,
  sealFrame,
} from '../../src/log/segment.ts';

export const EPOCH = 123_456_789;

/** What stands in a segment: a payload each, and whether a new batch begins with it. */
export interface Payload {
  readonly bytes: Buffer;
  readonly beginsBatch?: boolean;
}

export function payloadOf(number: number, bytes = 40): Payload {
  return { bytes: Buffer.alloc(bytes, `payload ${number} `) };
}

/** The bytes of a segment as the writer makes them, and where each frame starts; the end of the last one is the last. */
export function segmentBytes(
  payloads: readonly Payload[],
  { epoch = EPOCH, firstOffset = 0 } = {},
): { readonly bytes: Buffer; readonly starts: readonly number[] } {
  const pieces = [encodeSegmentHeader({ epoch, firstOffset, number: 1, createdAtMs: 5, partition: 0 })];
  const starts = [SEGMENT_HEADER_BYTES];
  let previousCrc = 0;
  let batch = firstOffset;
  payloads.forEach(({ bytes, beginsBatch = true }, index) => {
    const offset = firstOffset + index;
    if (beginsBatch) batch = offset;
    const frame = Buffer.alloc(frameBytes(bytes.length));
    bytes.copy(frame, FRAME_HEADER_BYTES);
    previousCrc = sealFrame(frame, 0, bytes.length, { epoch, batch, offset, atMs: 1000 + offset, previousCrc });
    pieces.push(frame);
    starts.push(starts.at(-1)! + frame.length);
  });
  return { bytes: Buffer.concat(pieces), starts };
}
