import type { Fs } from '../model/fs.ts';
import { readHeader, type SegmentRef } from './recovery.ts';

export interface Retention {
  /** Segments whose newest record is older are dropped; null keeps them. */
  readonly maxAgeMs: number | null;
  /** The oldest segments are dropped while the log is larger; null keeps them. */
  readonly maxBytes: number | null;
}

/**
 * Removes the oldest sealed segments that are too old or too many, in order, never one with a record that no synced
 * snapshot of state covers. `segments` are in order, the last one is being written. Returns how many are gone.
 */
export async function retain(
  fs: Fs,
  directory: string,
  segments: readonly SegmentRef[],
  retention: Retention,
  mayDropBefore: number,
  nowMs: number,
): Promise<number> {
  if (retention.maxAgeMs === null && retention.maxBytes === null) return 0;
  const sealed = await Promise.all(
    segments.slice(0, -1).map((ref, index) => about(fs, directory, ref, segments[index + 1]!)),
  );
  let total = sealed.reduce((sum, { bytes }) => sum + bytes, 0);
  let dropped = 0;
  for (const { ref, bytes, newestMs, nextOffset } of sealed) {
    const tooOld = retention.maxAgeMs !== null && newestMs < nowMs - retention.maxAgeMs;
    const tooMuch = retention.maxBytes !== null && total > retention.maxBytes;
    if (!(tooOld || tooMuch) || nextOffset > mayDropBefore) break;
    await fs.unlink(`${directory}/${ref.name}`);
    total -= bytes;
    dropped += 1;
  }
  if (dropped > 0) await fs.syncDirectory(directory);
  return dropped;
}

/** A segment's size and newest record, from the header of the one after it: that was created when this one was full. */
async function about(fs: Fs, directory: string, ref: SegmentRef, next: SegmentRef) {
  const file = await fs.open(`${directory}/${next.name}`, 'read');
  try {
    const header = await readHeader(file, next.name);
    return {
      ref,
      nextOffset: next.firstOffset,
      bytes: header?.previousEnd ?? 0,
      newestMs: header?.createdAtMs ?? Number.POSITIVE_INFINITY,
    };
  } finally {
    await file.close();
  }
}
