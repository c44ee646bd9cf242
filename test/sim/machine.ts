import { type EndMark, readEndMark } from '../../src/log/end-mark.ts';
import { ALIGN_BYTES, decodeFrame, type Frame, parseSegmentName, SEGMENT_HEADER_BYTES } from '../../src/log/segment.ts';
import { Random } from './random.ts';
import { SimDisk, type SimFile } from './sim-disk.ts';
import { NO_FAULTS, SimFs } from './sim-fs.ts';
import { StateDisk } from './sim-state.ts';
import { Turns } from './turns.ts';

/** What outlives a process: the disks, the clock, chance. */
export class Machine {
  readonly random: Random;
  readonly turns: Turns;
  readonly disk: SimDisk;
  readonly stateDisk = new StateDisk();
  readonly clock = { ms: 1_700_000_000_000 };
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

/** The whole frames that the disk has, and the offset before which a later batch or segment proves all of them durable. */
export function framesOn(disk: SimDisk): { readonly frames: readonly FrameOnDisk[]; readonly provenEnd: number } {
  const frames: FrameOnDisk[] = [];
  let provenEnd = 0;
  for (const [path, file] of disk.names) {
    const ref = parseSegmentName(path.slice(path.lastIndexOf('/') + 1));
    if (ref === null) continue;
    provenEnd = Math.max(provenEnd, ref.firstOffset);
    for (let at = SEGMENT_HEADER_BYTES; at < file.disk.length; ) {
      const frame = decodeFrame(file.disk, at, 0, ref.epoch);
      if (frame !== null) frames.push({ file, frame });
      if (frame !== null) provenEnd = Math.max(provenEnd, frame.batch);
      at = frame?.end ?? at + ALIGN_BYTES;
    }
  }
  return { frames, provenEnd };
}

/**
 * Offsets that a start has to miss: of the last segment, behind the place that the mark names, before a whole frame of a
 * later batch, and without a whole frame of their own.
 */
export async function missingAtStart(disk: SimDisk, folder: string): Promise<number[]> {
  const refs = [...disk.names.keys()].flatMap((path) => parseSegmentName(path.slice(path.lastIndexOf('/') + 1)) ?? []);
  const last = refs.sort((a, b) => a.number - b.number).at(-1);
  if (last === undefined) return [];
  const mark = await markOn(disk, folder);
  const from = mark?.epoch === last.epoch ? mark.offset : last.firstOffset;
  const { seen } = disk.names.get(`${folder}/${last.name}`)!;
  const whole = new Set<number>();
  let proven = from;
  for (let at = SEGMENT_HEADER_BYTES; at < seen.length; ) {
    const frame = decodeFrame(seen, at, 0, last.epoch);
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
