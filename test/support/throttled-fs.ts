import type { FileHandle, Fs } from '../../src/model/fs.ts';

/** The disk has a cache: it works on for so long while nobody asks it to. Bridges timers that are late on a busy machine. */
const CACHE_MS = 100;

/**
 * A file system over another one whose disk takes so many bytes a second, all files together: a write returns when the
 * disk has come to its end. Everything else goes at the speed of the other one.
 */
export class ThrottledFs implements Fs {
  /** Bytes a second; may be changed at any time. */
  rate: number;
  readonly #fs: Fs;
  #busyUntilMs = 0;

  constructor(fs: Fs, rate: number) {
    this.#fs = fs;
    this.rate = rate;
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle> {
    const file = await this.#fs.open(path, mode);
    return {
      read: (...args) => file.read(...args),
      write: async (buffer, offset, length, position) => {
        const written = await file.write(buffer, offset, length, position);
        await this.#take(written);
        return written;
      },
      datasync: () => file.datasync(),
      truncate: (size) => file.truncate(size),
      size: () => file.size(),
      close: () => file.close(),
    };
  }

  async #take(bytes: number): Promise<void> {
    const nowMs = performance.now();
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs - CACHE_MS) + (bytes / this.rate) * 1000;
    const leftMs = this.#busyUntilMs - nowMs;
    if (leftMs >= 1) await new Promise((resolve) => setTimeout(resolve, leftMs));
  }

  readdir(path: string): Promise<string[]> {
    return this.#fs.readdir(path);
  }
  mkdir(path: string): Promise<void> {
    return this.#fs.mkdir(path);
  }
  rename(from: string, to: string): Promise<void> {
    return this.#fs.rename(from, to);
  }
  unlink(path: string): Promise<void> {
    return this.#fs.unlink(path);
  }
  syncDirectory(path: string): Promise<void> {
    return this.#fs.syncDirectory(path);
  }
  freeBytes(path: string): Promise<number> {
    return this.#fs.freeBytes(path);
  }
}
