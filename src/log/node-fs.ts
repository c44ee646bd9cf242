import { mkdir, open, readdir, rename, statfs, unlink } from 'node:fs/promises';
import type { FileHandle, Fs } from '../model/fs.ts';

/** The real file system. Short writes are passed on as they are: whoever writes decides what they mean. */
export const nodeFs: Fs = {
  async open(path, mode): Promise<FileHandle> {
    const file = await open(path, mode === 'read' ? 'r' : mode === 'write' ? 'r+' : 'wx+');
    return {
      read: async (buffer, offset, length, position) => (await file.read(buffer, offset, length, position)).bytesRead,
      write: async (buffer, offset, length, position) =>
        (await file.write(buffer, offset, length, position)).bytesWritten,
      datasync: () => file.datasync(),
      truncate: (size) => file.truncate(size),
      size: async () => (await file.stat()).size,
      close: () => file.close(),
    };
  },
  readdir: (path) => readdir(path),
  async mkdir(path) {
    await mkdir(path, { recursive: true });
  },
  rename,
  unlink,
  async syncDirectory(path) {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};
