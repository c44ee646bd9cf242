import type { Fs } from '../model/fs.ts';
import { openIfThere, unlinkIfThere } from './io.ts';
import { createdAtMs } from './recovery.ts';
import type { SegmentRef } from './segment.ts';

export interface Retention {
  /** Segments whose newest record is older are dropped; null keeps them. */
  readonly maxAgeMs: number | null;
  /** The oldest segments are dropped while the log is larger; null keeps them. */
  readonly maxBytes: number | null;
}

/**
 * How many of the oldest sealed segments are too old or too many, never one with a record that no synced snapshot of
 * state covers (`mayDropBefore`: the first offset that is not). `segments` are in order; the last one is kept always.
 */
export async function countDroppable(
  fs: Fs,
  directory: string,
  segments: readonly SegmentRef[],
  retention: Retention,
  mayDropBefore: number,
  nowMs: number,
): Promise<number> {
  const { maxAgeMs, maxBytes } = retention;
  let excess = maxBytes === null ? Number.NEGATIVE_INFINITY : (await totalBytes(fs, directory, segments)) - maxBytes;
  let count = 0;
  for (; count < segments.length - 1; count++) {
    const ref = segments[count]!;
    const next = segments[count + 1]!;
    if (next.firstOffset > mayDropBefore) break;
    if (excess <= 0 && !(await isOlder(fs, directory, next, maxAgeMs, nowMs))) break;
    excess -= await bytesOf(fs, directory, ref);
  }
  return count;
}

/** The next segment was begun when this one was full: nothing in this one is newer. */
async function isOlder(
  fs: Fs,
  directory: string,
  next: SegmentRef,
  maxAgeMs: number | null,
  nowMs: number,
): Promise<boolean> {
  if (maxAgeMs === null) return false;
  const newestMs = await createdAtMs(fs, directory, next);
  return newestMs !== null && newestMs < nowMs - maxAgeMs;
}

/** Size of these segments together, as files. */
export async function totalBytes(fs: Fs, directory: string, segments: readonly SegmentRef[]): Promise<number> {
  let total = 0;
  for (const ref of segments) total += await bytesOf(fs, directory, ref);
  return total;
}

async function bytesOf(fs: Fs, directory: string, ref: SegmentRef): Promise<number> {
  const file = await openIfThere(fs, `${directory}/${ref.name}`, 'read');
  if (file === null) return 0;
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}

/** Removes the oldest segment: one at a time, so that what is left after a crash has no hole. Durable when it resolves. */
export async function dropSegment(fs: Fs, directory: string, { name }: SegmentRef): Promise<void> {
  await unlinkIfThere(fs, `${directory}/${name}`);
  await fs.syncDirectory(directory);
}
