import type { Random } from './random.ts';

/**
 * A disk and the page cache in front of it.
 *
 * A file is two images: what processes see (`seen`) and what a power cut leaves (`disk`). A write changes the first and
 * makes its sectors dirty. Sectors reach the disk one by one: when they are synced, whenever the kernel likes, or, by
 * chance and in any order, at the power cut. A sector is written whole or not at all. Where writing back fails, the
 * sectors are called clean, the disk has some of them, and every open descriptor is told once (as Linux does).
 * Names are the same: made and moved at once for processes, durable when the folder is synced, in doubt before.
 */
export class SimFile {
  seen = Buffer.alloc(0);
  disk = Buffer.alloc(0);
  readonly dirty = new Set<number>();
  /** Sectors that are clean by name only. */
  readonly lost = new Set<number>();
  /** Failed write-backs so far: a descriptor that has seen fewer is told of it by its next sync. */
  failures = 0;
  /** Bytes of a refused write lie behind the good ones: they are to be cut off, and the cut synced, before a new write. */
  fragment: 'none' | 'there' | 'cut' = 'none';
}

interface NameChange {
  readonly folder: string;
  apply(names: Map<string, SimFile>): void;
}

export class SimDisk {
  readonly random: Random;
  readonly sectorBytes: number;
  capacityBytes: number;
  /** What processes see, by path. */
  names = new Map<string, SimFile>();
  #durableNames = new Map<string, SimFile>();
  #changes: NameChange[] = [];
  readonly folders = new Set<string>();

  constructor(random: Random, sectorBytes: number, capacityBytes: number) {
    this.random = random;
    this.sectorBytes = sectorBytes;
    this.capacityBytes = capacityBytes;
  }

  get usedBytes(): number {
    let used = 0;
    for (const { seen } of this.names.values()) used += seen.length;
    return used;
  }

  get freeBytes(): number {
    return Math.max(0, this.capacityBytes - this.usedBytes);
  }

  change(folder: string, apply: NameChange['apply']): void {
    apply(this.names);
    this.#changes.push({ folder, apply });
  }

  syncFolder(folder: string): void {
    this.#changes = this.#changes.filter((change) => {
      if (change.folder !== folder) return true;
      change.apply(this.#durableNames);
      return false;
    });
  }

  write(file: SimFile, bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > file.seen.length) this.#resize(file, end);
    file.seen.set(bytes, position);
    this.#touch(file, position, end);
  }

  /** Sectors that are cut off are dirty too: the disk may keep them or not until the cut is synced. */
  truncate(file: SimFile, size: number): void {
    this.#touch(file, size, Math.max(file.seen.length, file.disk.length));
    this.#resize(file, size);
  }

  #resize(file: SimFile, size: number): void {
    const resized = Buffer.alloc(size);
    file.seen.copy(resized, 0, 0, Math.min(size, file.seen.length));
    file.seen = resized;
  }

  #touch(file: SimFile, from: number, to: number): void {
    for (let sector = Math.floor(from / this.sectorBytes); sector * this.sectorBytes < to; sector++) {
      file.dirty.add(sector);
      file.lost.delete(sector);
    }
  }

  sync(file: SimFile): void {
    for (const sector of file.dirty) this.#writeBack(file, sector);
    file.dirty.clear();
    this.#setDiskSize(file, file.seen.length);
  }

  /** The disk takes some of the dirty sectors, and all are called clean. */
  failSync(file: SimFile): void {
    for (const sector of file.dirty) {
      if (this.random.oneIn(2)) this.#writeBack(file, sector);
      else file.lost.add(sector);
    }
    file.dirty.clear();
    file.failures += 1;
  }

  /** The kernel writes back what it likes. */
  trickle(): void {
    for (const file of this.names.values()) {
      for (const sector of file.dirty) {
        if (this.random.oneIn(2)) continue;
        this.#writeBack(file, sector);
        file.dirty.delete(sector);
      }
    }
  }

  /** The kernel drops clean pages: what it thinks is on the disk is read from there. */
  evict(): void {
    for (const file of this.names.values()) {
      for (const sector of file.lost) {
        const at = sector * this.sectorBytes;
        const end = Math.min(at + this.sectorBytes, file.seen.length);
        if (at < end) file.seen.fill(0, at, end);
        if (at < file.disk.length) file.disk.copy(file.seen, at, at, Math.min(end, file.disk.length));
      }
      file.lost.clear();
    }
  }

  #writeBack(file: SimFile, sector: number): void {
    const at = sector * this.sectorBytes;
    const end = Math.min(at + this.sectorBytes, file.seen.length);
    if (end > file.disk.length) this.#setDiskSize(file, end);
    if (at < end) file.seen.copy(file.disk, at, at, end);
  }

  #setDiskSize(file: SimFile, size: number): void {
    if (file.disk.length === size) return;
    const resized = Buffer.alloc(size);
    file.disk.copy(resized, 0, 0, Math.min(size, file.disk.length));
    file.disk = resized;
  }

  /** What was not synced is there or not, sector by sector, name by name. */
  cutPower(): void {
    const { random } = this;
    for (const file of new Set([...this.names.values(), ...this.#durableNames.values()])) {
      const odds = random.between(1, 4);
      for (const sector of file.dirty) if (!random.oneIn(odds)) this.#writeBack(file, sector);
      if (file.dirty.size > 0 && random.oneIn(2)) this.#setDiskSize(file, file.seen.length);
      file.dirty.clear();
      file.lost.clear();
      file.fragment = 'none';
      file.seen = Buffer.from(file.disk);
    }
    const isOrdered = random.oneIn(2);
    for (const { apply } of this.#changes) {
      if (random.oneIn(2)) apply(this.#durableNames);
      else if (isOrdered) break;
    }
    this.#changes = [];
    this.names = new Map(this.#durableNames);
  }
}
