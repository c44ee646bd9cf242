import type { FileHandle, Fs } from '../../src/model/fs.ts';

/** Lives on without its name while somebody has it open. */
interface MemoryFile {
  bytes: Buffer;
}

/** One call of the file system, before it is done. */
export interface FsCall {
  readonly what:
    | 'open'
    | 'create'
    | 'read'
    | 'write'
    | 'datasync'
    | 'truncate'
    | 'readdir'
    | 'rename'
    | 'unlink'
    | 'syncDirectory';
  readonly path: string;
  /** Of a read or write, else 0. */
  readonly position: number;
}

/**
 * A file system in memory, without a page cache: what is written is there. A test may look at each call first (`before`)
 * and hold it, refuse it, or let it be. A disk that loses and reorders is the simulator's (test/sim/sim-disk.ts).
 */
export class MemoryFs implements Fs {
  readonly #files: Map<string, MemoryFile>;
  readonly calls: FsCall[] = [];
  /** Runs before each call; what it throws the call throws, and what it waits for the call waits for. */
  before: ((call: FsCall) => undefined | Promise<void>) | null = null;
  /** All files together; a write beyond takes what fits, then throws ENOSPC. */
  capacityBytes = Number.POSITIVE_INFINITY;
  /** Removed, and the folder not synced since: a power cut may bring these back. */
  readonly #unsyncedRemovals = new Map<string, Buffer>();

  constructor(files: Iterable<readonly [string, Buffer]> = []) {
    this.#files = new Map([...files].map(([path, bytes]) => [path, { bytes: Buffer.from(bytes) }]));
  }

  /** Paths in order, with what the files hold; to be changed in place by tests that damage them. */
  get contents(): [string, Buffer][] {
    return [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, { bytes }]) => [path, bytes]);
  }

  content(path: string): Buffer {
    return this.#named(path).bytes;
  }

  put(path: string, bytes: Buffer): void {
    this.#files.set(path, { bytes: Buffer.from(bytes) });
  }

  /** What the next process finds when this one is killed now; calls of this one that are still under way change none of it. */
  killed(): MemoryFs {
    return new MemoryFs(this.contents);
  }

  /** What a power cut may leave: the same, with names that were removed and whose removal nobody synced. */
  powerCut(): MemoryFs {
    return new MemoryFs([...this.#unsyncedRemovals, ...this.contents]);
  }

  /** Holds the first call that is meant: `reached` resolves when it is there; after `release` it goes on, or fails with what that is given. */
  hold(isMeant: (call: FsCall) => boolean): {
    readonly reached: Promise<void>;
    readonly release: (error?: Error) => void;
  } {
    let release = (_error?: Error): void => {};
    const released = new Promise<void>((resolve, reject) => {
      release = (error) => (error === undefined ? resolve() : reject(error));
    });
    const next = this.before;
    const reached = new Promise<void>((resolve) => {
      let isHeld = false;
      this.before = (call) => {
        if (isHeld || !isMeant(call)) return next?.(call);
        isHeld = true;
        resolve();
        return released;
      };
    });
    return { reached, release };
  }

  async #call(what: FsCall['what'], path: string, position = 0): Promise<void> {
    const call = { what, path, position };
    this.calls.push(call);
    await this.before?.(call);
  }

  #named(path: string): MemoryFile {
    const file = this.#files.get(path);
    if (file === undefined) throw failure('ENOENT', path);
    return file;
  }

  #usedBytes(): number {
    let used = 0;
    for (const { bytes } of this.#files.values()) used += bytes.length;
    return used;
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle> {
    await this.#call(mode === 'create' ? 'create' : 'open', path);
    if (mode === 'create' && this.#files.has(path)) throw failure('EEXIST', path);
    if (mode === 'create') this.#files.set(path, { bytes: Buffer.alloc(0) });
    const file = this.#named(path);
    return {
      read: async (buffer, offset, length, position) => {
        await this.#call('read', path, position);
        return file.bytes.subarray(position, position + length).copy(buffer, offset);
      },
      write: async (buffer, offset, length, position) => {
        await this.#call('write', path, position);
        return this.#write(file, buffer.subarray(offset, offset + length), position, path);
      },
      datasync: () => this.#call('datasync', path),
      truncate: async (size) => {
        await this.#call('truncate', path);
        file.bytes = resized(file.bytes, size);
      },
      size: async () => file.bytes.length,
      close: async () => {},
    };
  }

  #write(file: MemoryFile, bytes: Uint8Array, position: number, path: string): number {
    const room = Math.max(0, file.bytes.length - position) + Math.max(0, this.capacityBytes - this.#usedBytes());
    const taken = bytes.subarray(0, Math.min(bytes.length, room));
    if (taken.length === 0 && bytes.length > 0) throw failure('ENOSPC', path);
    file.bytes = resized(file.bytes, Math.max(file.bytes.length, position + taken.length));
    file.bytes.set(taken, position);
    return taken.length;
  }

  async readdir(path: string): Promise<string[]> {
    await this.#call('readdir', path);
    return [...this.#files.keys()].filter((file) => folderOf(file) === path).map((file) => file.slice(path.length + 1));
  }

  /** Folders are where files are. */
  async mkdir(): Promise<void> {}

  async rename(from: string, to: string): Promise<void> {
    await this.#call('rename', to);
    this.#files.set(to, this.#named(from));
    this.#files.delete(from);
  }

  async unlink(path: string): Promise<void> {
    await this.#call('unlink', path);
    this.#unsyncedRemovals.set(path, this.#named(path).bytes);
    this.#files.delete(path);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#call('syncDirectory', path);
    for (const name of this.#unsyncedRemovals.keys()) if (folderOf(name) === path) this.#unsyncedRemovals.delete(name);
  }

  async freeBytes(): Promise<number> {
    return Math.max(0, this.capacityBytes - this.#usedBytes());
  }
}

/** As the kernel says it. */
export function failure(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}

function resized(bytes: Buffer, size: number): Buffer {
  if (size <= bytes.length) return bytes.subarray(0, size);
  return Buffer.concat([bytes], size);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
