import { nodeFs } from '../../src/log/node-fs.ts';
import type { FileHandle, Fs } from '../../src/model/fs.ts';

/** The real file system, of which one call fails. Counts calls, so that every one can be the one. */
export class FaultyFs implements Fs {
  calls: string[] = [];
  /** Index of the call that fails; every call from it on if `forGood`. */
  failAt = Number.POSITIVE_INFINITY;
  forGood = false;
  code = 'EIO';
  /** Writes and reads take at most this many bytes. */
  bytesMax = Number.POSITIVE_INFINITY;

  async #call<T>(what: string, run: () => Promise<T>): Promise<T> {
    const index = this.calls.push(what) - 1;
    if (index === this.failAt || (this.forGood && index > this.failAt)) {
      throw Object.assign(new Error(`${this.code}: ${what}`), { code: this.code });
    }
    return run();
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle> {
    const file = await this.#call(`open ${mode}`, () => nodeFs.open(path, mode));
    const clip = (length: number): number => Math.min(length, this.bytesMax);
    return {
      read: (buffer, offset, length, position) =>
        this.#call('read', () => file.read(buffer, offset, clip(length), position)),
      write: (buffer, offset, length, position) =>
        this.#call('write', () => file.write(buffer, offset, clip(length), position)),
      datasync: () => this.#call('datasync', () => file.datasync()),
      truncate: (size) => this.#call('truncate', () => file.truncate(size)),
      size: () => this.#call('size', () => file.size()),
      close: () => file.close(),
    };
  }
  readdir(path: string): Promise<string[]> {
    return this.#call('readdir', () => nodeFs.readdir(path));
  }
  mkdir(path: string): Promise<void> {
    return this.#call('mkdir', () => nodeFs.mkdir(path));
  }
  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', () => nodeFs.rename(from, to));
  }
  unlink(path: string): Promise<void> {
    return this.#call('unlink', () => nodeFs.unlink(path));
  }
  syncDirectory(path: string): Promise<void> {
    return this.#call('syncDirectory', () => nodeFs.syncDirectory(path));
  }
  freeBytes(path: string): Promise<number> {
    return this.#call('freeBytes', () => nodeFs.freeBytes(path));
  }
}
