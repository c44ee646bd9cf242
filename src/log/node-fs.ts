import * as callbacks from 'node:fs';
import { mkdir, readdir, rename, statfs, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { FileHandle, Fs } from '../model/fs.ts';

/** The real file system. Short writes are passed on as they are: whoever writes decides what they mean. */
export const nodeFs: Fs = {
  async open(path, mode) {
    return new NodeFile(await opened(path, mode === 'read' ? 'r' : mode === 'write' ? 'r+' : 'wx+'));
  },
  readdir: (path) => readdir(path),
  async mkdir(path) {
    const first = await mkdir(path, { recursive: true });
    // Also where it was there already: whoever made it may have been killed before this.
    const parents = [dirname(resolve(path))];
    while (first !== undefined && parents.at(-1)!.length > dirname(first).length)
      parents.push(dirname(parents.at(-1)!));
    for (const parent of parents) await nodeFs.syncDirectory(parent);
  },
  rename,
  unlink,
  async syncDirectory(path) {
    const fd = await opened(path, 'r');
    try {
      await done((end) => callbacks.fsync(fd, end));
    } finally {
      await done((end) => callbacks.close(fd, end));
    }
  },
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};

/** By descriptor and callback: node:fs/promises makes more objects per call, and this runs for every batch. */
class NodeFile implements FileHandle {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      callbacks.read(this.#fd, buffer, offset, length, position, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  write(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      callbacks.write(this.#fd, buffer, offset, length, position, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  datasync(): Promise<void> {
    return done((end) => callbacks.fdatasync(this.#fd, end));
  }

  truncate(size: number): Promise<void> {
    return done((end) => callbacks.ftruncate(this.#fd, size, end));
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      callbacks.fstat(this.#fd, (error, stats) => {
        if (error === null) resolve(stats.size);
        else reject(error);
      });
    });
  }

  close(): Promise<void> {
    return done((end) => callbacks.close(this.#fd, end));
  }
}

function opened(path: string, flags: string): Promise<number> {
  return new Promise((resolve, reject) => {
    callbacks.open(path, flags, (error, fd) => {
      if (error === null) resolve(fd);
      else reject(error);
    });
  });
}

function done(call: (end: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}
