import type { FileHandle, Fs } from '../../src/model/fs.ts';
import type { Random } from './random.ts';
import { type SimDisk, SimFile } from './sim-disk.ts';
import type { Turns } from './turns.ts';

/** What goes wrong, and when. Counts down with each call of its kind; null does not happen. */
export interface Faults {
  /** The n-th call from now, of whatever kind, fails with this code. */
  call: { after: number; readonly code: 'EIO' | 'ENOSPC' } | null;
  /** The n-th write, sync or read of a file from now fails with EIO. */
  write: number | null;
  sync: number | null;
  read: number | null;
  /** The n-th file that is made from now on gets a name, and no space for what is written to it. */
  newFile: number | null;
  /** The process stops at the n-th call from now: that call and all later ones never return. */
  stop: number | null;
  /** No segment is removed: each try fails with EIO. */
  stuck: boolean;
  /** One write or read in so many moves fewer bytes than asked. */
  short: number;
}

export const NO_FAULTS: Faults = {
  call: null,
  write: null,
  sync: null,
  read: null,
  newFile: null,
  stop: null,
  stuck: false,
  short: 0,
};

/** Calls that a full disk refuses. */
const NEEDS_SPACE: readonly string[] = ['write', 'create', 'rename'];

/**
 * The file system as one process sees it, on a simulated disk. Calls take effect one at a time, in an order that `turns`
 * chooses, as with a pool of threads. A process that was stopped gets no answer any more.
 */
export class SimFs implements Fs {
  readonly #disk: SimDisk;
  readonly #turns: Turns;
  readonly #random: Random;
  faults: Faults;
  /** Set when the process met its end. */
  hasStopped = false;
  /** Calls made so far. */
  calls = 0;
  /** Promises of the log about its own calls that it broke. */
  readonly breaches: string[] = [];
  /** A write or sync of a segment failed for another reason than space: the log must not acknowledge any more. */
  hasFailed = false;
  /** Some call failed for another reason than space. */
  hasBeenDisturbed = false;
  /** Somebody ran out of space. */
  hasRunOut = false;
  #isOutOfSpace = false;
  readonly #spaceless = new WeakSet<SimFile>();

  constructor(disk: SimDisk, turns: Turns, random: Random, faults: Faults) {
    this.#disk = disk;
    this.#turns = turns;
    this.#random = random;
    this.faults = faults;
  }

  stop(): void {
    this.hasStopped = true;
  }

  #call<T>(what: string, path: string, run: () => T): Promise<T> {
    this.calls += 1;
    if (this.#countDown('stop')) this.hasStopped = true;
    if (this.hasStopped) return new Promise(() => {});
    return this.#turns.take(() => {
      const { call } = this.faults;
      if (call === null || (call.code === 'ENOSPC' && !NEEDS_SPACE.includes(what))) return run();
      call.after -= 1;
      if (call.after > 0) return run();
      this.faults = { ...this.faults, call: null };
      if (call.code === 'ENOSPC' && what === 'write') return this.#withoutSpace(run);
      this.hasBeenDisturbed = true;
      if (what === 'write') this.#noteFailure(path);
      throw error(call.code, `${what} ${path}`);
    });
  }

  #withoutSpace<T>(run: () => T): T {
    this.#isOutOfSpace = true;
    try {
      return run();
    } finally {
      this.#isOutOfSpace = false;
    }
  }

  #countDown(kind: 'write' | 'sync' | 'read' | 'newFile' | 'stop'): boolean {
    const left = this.faults[kind];
    if (left === null) return false;
    this.faults = { ...this.faults, [kind]: left <= 1 ? null : left - 1 };
    return left <= 1;
  }

  #noteFailure(path: string): void {
    this.hasBeenDisturbed = true;
    if (path.endsWith('.segment')) this.hasFailed = true;
  }

  open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle> {
    return this.#call(mode === 'create' ? 'create' : 'open', path, () => {
      const { names } = this.#disk;
      let file = names.get(path);
      if (mode === 'create') {
        if (file !== undefined) throw error('EEXIST', path);
        if (!this.#disk.folders.has(folderOf(path))) throw error('ENOENT', path);
        file = new SimFile();
        const made = file;
        if (this.#countDown('newFile')) this.#spaceless.add(made);
        this.#disk.change(folderOf(path), (all) => all.set(path, made));
      }
      if (file === undefined) throw error('ENOENT', path);
      return this.#handle(path, file);
    });
  }

  #handle(path: string, file: SimFile): FileHandle {
    let told = file.failures;
    return {
      read: (buffer, offset, length, position) =>
        this.#call('read', path, () => this.#read(path, file, buffer.subarray(offset, offset + length), position)),
      write: (buffer, offset, length, position) =>
        this.#call('write', path, () => this.#write(path, file, buffer.subarray(offset, offset + length), position)),
      datasync: () =>
        this.#call('sync', path, () => {
          if (this.#countDown('sync')) this.#disk.failSync(file);
          if (told === file.failures) return this.#sync(file);
          told = file.failures;
          this.#noteFailure(path);
          throw error(this.#random.oneIn(3) ? 'ENOSPC' : 'EIO', `sync ${path}`);
        }),
      truncate: (size) =>
        this.#call('truncate', path, () => {
          this.#disk.truncate(file, size);
          if (file.fragment === 'there') file.fragment = 'cut';
        }),
      size: () => this.#call('size', path, () => file.seen.length),
      close: () => this.#call('close', path, () => undefined),
    };
  }

  #sync(file: SimFile): void {
    this.#disk.sync(file);
    if (file.fragment === 'cut') file.fragment = 'none';
  }

  #read(path: string, file: SimFile, into: Uint8Array, position: number): number {
    if (this.#countDown('read')) {
      this.hasBeenDisturbed = true;
      throw error('EIO', `read ${path}`);
    }
    const there = Math.max(0, Math.min(into.length, file.seen.length - position));
    const length = this.#shortened(there);
    into.set(file.seen.subarray(position, position + length));
    return length;
  }

  #write(path: string, file: SimFile, bytes: Uint8Array, position: number): number {
    const isData = path.endsWith('.segment') && bytes.some((byte) => byte !== 0);
    if (isData && file.fragment !== 'none') {
      this.breaches.push(`${path} was written at ${position} before the fragment of a refused write was cut for good`);
    }
    const disk = this.#disk;
    if (this.#countDown('write')) {
      disk.write(file, bytes.subarray(0, this.#random.below(bytes.length + 1)), position);
      this.#noteFailure(path);
      throw error('EIO', `write ${path}`);
    }
    const room =
      this.#isOutOfSpace || this.#spaceless.has(file) ? 0 : Math.max(file.seen.length - position, 0) + disk.freeBytes;
    if (room === 0) {
      this.hasRunOut = true;
      // Recovery writes again what is there; nothing of that is new.
      const isNew = Buffer.compare(bytes, file.seen.subarray(position, position + bytes.length)) !== 0;
      if (isData && isNew && file.seen.length > 0) file.fragment = 'there';
      throw error('ENOSPC', `write ${path}`);
    }
    const length = Math.min(room, this.#shortened(bytes.length));
    disk.write(file, bytes.subarray(0, length), position);
    return length;
  }

  #shortened(length: number): number {
    const { short } = this.faults;
    return length > 1 && short > 0 && this.#random.oneIn(short) ? this.#random.between(1, length - 1) : length;
  }

  readdir(path: string): Promise<string[]> {
    return this.#call('readdir', path, () => {
      if (!this.#disk.folders.has(path)) throw error('ENOENT', path);
      const found: string[] = [];
      for (const name of this.#disk.names.keys()) if (folderOf(name) === path) found.push(name.slice(path.length + 1));
      return found;
    });
  }

  mkdir(path: string): Promise<void> {
    return this.#call('mkdir', path, () => void this.#disk.folders.add(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', from, () => {
      const file = this.#disk.names.get(from);
      if (file === undefined) throw error('ENOENT', from);
      this.#disk.change(folderOf(to), (all) => {
        all.delete(from);
        all.set(to, file);
      });
    });
  }

  unlink(path: string): Promise<void> {
    return this.#call('unlink', path, () => {
      if (!this.#disk.names.has(path)) throw error('ENOENT', path);
      if (this.faults.stuck && path.endsWith('.segment')) {
        this.hasBeenDisturbed = true;
        throw error('EIO', `unlink ${path}`);
      }
      this.#disk.change(folderOf(path), (all) => all.delete(path));
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.#call('sync', path, () => this.#disk.syncFolder(path));
  }

  freeBytes(path: string): Promise<number> {
    return this.#call('free', path, () => this.#disk.freeBytes);
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function error(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
