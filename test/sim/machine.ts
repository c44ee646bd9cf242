import { type EndMark, readEndMark } from '../../src/log/end-mark.ts';
import {
  ALIGN_BYTES,
  decodeFrame,
  type Frame,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  type SegmentRef,
} from '../../src/log/segment.ts';
import { Random } from './random.ts';
import { SimDisk, type SimFile } from './sim-disk.ts';
import { NO_FAULTS, SimFs } from './sim-fs.ts';
import type { SimClock } from './sim-host.ts';
import { StateDisk } from './sim-state.ts';
import { Turns } from './turns.ts';

/** What outlives a process: the disks, the clock, chance. */
export class Machine {
  readonly random: Random;
  readonly turns: Turns;
  readonly disk: SimDisk;
  readonly stateDisk = new StateDisk();
  readonly clock: SimClock = { ms: 1_700_000_000_000, jumpedMs: 0 };
  readonly boot = { count: 1 };

  constructor(seed: number) {
    this.random = new Random(seed);
    this.turns = new Turns(this.random);
    this.disk = new SimDisk(this.random, 64 << this.random.below(4), ROOMY_BYTES);
  }

  /** The process is gone; what it wrote is in the page cache. */
  kill(): void {
    this.turns.clear();
    this.stateDisk.crash(this.random);
    // Whoever comes next judges by what is there, and writes elsewhere.
    for (const file of this.disk.names.values()) file.fragment = 'none';
    if (this.random.oneIn(2)) this.disk.evict();
  }

  cutPower(): void {
    this.turns.clear();
    this.stateDisk.crash(this.random);
    this.disk.cutPower();
    this.boot.count += 1;
  }
}

/** More than any schedule writes. */
export const ROOMY_BYTES = 1_000_000;

export interface FrameOnDisk {
  readonly file: SimFile;
  readonly frame: Frame;
}

export interface SegmentOnDisk {
  readonly ref: SegmentRef;
  readonly file: SimFile;
}

/** In the order in which they were begun. */
export function segmentsOn(disk: SimDisk): SegmentOnDisk[] {
  const segments: SegmentOnDisk[] = [];
  for (const [path, file] of disk.names) {
    const ref = parseSegmentName(path.slice(path.lastIndexOf('/') + 1));
    if (ref !== null) segments.push({ ref, file });
  }
  return segments.sort((a, b) => a.ref.number - b.ref.number);
}

/**
 * The whole frames that the disk has, and the offset before which a later batch or segment proves all of them durable.
 * Those whose offsets the next segment has again are leftovers: they are no record any more.
 */
export function framesOn(disk: SimDisk): { readonly frames: readonly FrameOnDisk[]; readonly provenEnd: number } {
  const frames: FrameOnDisk[] = [];
  let provenEnd = 0;
  const segments = segmentsOn(disk);
  segments.forEach(({ ref, file }, i) => {
    const limit = segments[i + 1]?.ref.firstOffset ?? Number.POSITIVE_INFINITY;
    provenEnd = Math.max(provenEnd, ref.firstOffset);
    for (let at = SEGMENT_HEADER_BYTES; at < file.disk.length; ) {
      const frame = decodeFrame(file.disk, at, 0, ref.epoch);
      at = frame?.end ?? at + ALIGN_BYTES;
      if (frame === null || frame.offset >= limit) continue;
      frames.push({ file, frame });
      provenEnd = Math.max(provenEnd, frame.batch);
    }
  });
  return { frames, provenEnd };
}

/**
 * Offsets that a start has to miss: of the last segment, behind the place that the mark names, before a whole frame of a
 * later batch, and without a whole frame of their own.
 */
export async function missingAtStart(disk: SimDisk, folder: string): Promise<number[]> {
  const last = segmentsOn(disk).at(-1);
  if (last === undefined) return [];
  const { epoch, firstOffset } = last.ref;
  const mark = await markOn(disk, folder);
  const from = mark?.epoch === epoch ? mark.offset : firstOffset;
  const { seen } = last.file;
  const whole = new Set<number>();
  let proven = from;
  for (let at = SEGMENT_HEADER_BYTES; at < seen.length; ) {
    const frame = decodeFrame(seen, at, 0, epoch);
    if (frame !== null) whole.add(frame.offset);
    if (frame !== null) proven = Math.max(proven, frame.batch);
    at = frame?.end ?? at + ALIGN_BYTES;
  }
  return Array.from({ length: proven - from }, (_, i) => from + i).filter((offset) => !whole.has(offset));
}

/** The simulation's own look at the mark: with turns and chance of its own, so that the schedule stays what it is. */
async function markOn(disk: SimDisk, folder: string): Promise<EndMark | null> {
  const random = new Random(0);
  const turns = new Turns(random);
  const mark = readEndMark(new SimFs(disk, turns, random, NO_FAULTS), folder);
  await turns.run(() => false);
  return mark;
}
