import type { FileHandle, Fs } from '../model/fs.ts';

/** Writes all of `bytes` from `from` to `to`: a write may be short, and then the rest is written. */
export async function writeFully(
  file: FileHandle,
  bytes: Uint8Array,
  from: number,
  to: number,
  position: number,
): Promise<void> {
  let at = from;
  while (at < to) {
    const written = await file.write(bytes, at, to - at, position + at - from);
    if (written === 0) throw Object.assign(new Error('The disk took no bytes of a write.'), { code: 'EIO' });
    at += written;
  }
}

/** Reads up to `length` bytes; fewer only at the end of the file. */
export async function readFully(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  while (at < length) {
    const read = await file.read(bytes, at, length - at, position + at);
    if (read === 0) break;
    at += read;
  }
  return at === length ? bytes : bytes.subarray(0, at);
}

/**
 * A sync that failed is final, even one that failed for lack of space: the kernel calls the pages clean, and what became
 * of them nobody knows. So its error never has a code that stands for a failure that passes.
 */
export class SyncFailed extends Error {}

export async function syncFinally(file: FileHandle): Promise<void> {
  try {
    await file.datasync();
  } catch (error) {
    throw new SyncFailed(`A sync failed: ${(error as Error).message}`, { cause: error });
  }
}

export async function syncDirectoryFinally(fs: Fs, directory: string): Promise<void> {
  try {
    await fs.syncDirectory(directory);
  } catch (error) {
    throw new SyncFailed(`A sync of ${directory} failed: ${(error as Error).message}`, { cause: error });
  }
}

/** Replaces a file as a whole: after a crash it is the old one or the new one. `directory` must exist. */
export async function replaceFile(fs: Fs, directory: string, name: string, content: Uint8Array): Promise<void> {
  const temporary = `${directory}/${name}.new`;
  await unlinkIfThere(fs, temporary);
  const file = await fs.open(temporary, 'create');
  try {
    await writeFully(file, content, 0, content.length, 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await fs.rename(temporary, `${directory}/${name}`);
  await fs.syncDirectory(directory);
}

/** The whole of a small file; null where there is none. */
export async function readFile(fs: Fs, path: string): Promise<Buffer | null> {
  const file = await openIfThere(fs, path, 'read');
  if (file === null) return null;
  try {
    return await readFully(file, 0, await file.size());
  } finally {
    await file.close();
  }
}

/** Null where there is no such file. */
export async function openIfThere(fs: Fs, path: string, mode: 'read' | 'write'): Promise<FileHandle | null> {
  try {
    return await fs.open(path, mode);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Null where there is no such folder. */
export async function readdirIfThere(fs: Fs, path: string): Promise<string[] | null> {
  try {
    return await fs.readdir(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

export async function unlinkIfThere(fs: Fs, path: string): Promise<void> {
  try {
    await fs.unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** The disk, or this user's share of it, is full: the one failure of a write that passes. */
export function isOutOfSpace(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
