import { ALIGN_BYTES, decodeFrame, type Frame, parseSegmentName, SEGMENT_HEADER_BYTES } from '../../src/log/segment.ts';
import { Random } from './random.ts';
import { SimDisk, type SimFile } from './sim-disk.ts';
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
