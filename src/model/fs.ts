/**
 * The file operations that Weir's storage uses, and no others. Everything durable goes through this interface, so that
 * the tests can run the same code on a simulated disk that loses, reorders, tears and refuses writes.
 *
 * Errors are Node's `SystemError`s: `code` is `ENOSPC`, `EDQUOT`, `EIO`, `ENOENT`, …
 */
export interface Fs {
  /**
   * `read`: the file must exist. `write`: read and write, the file must exist. `create`: read and write, the file must
   * not exist. A created file is durable only after `syncDirectory` of its folder.
   */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle>;
  /** Names in a folder, in no order. */
  readdir(path: string): Promise<string[]>;
  /** Creates the folder and its parents, durably; an existing one is no error. */
  mkdir(path: string): Promise<void>;
  /** Atomic replacement; durable only after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes creations, renames and removals in this folder durable. */
  syncDirectory(path: string): Promise<void>;
  /** Bytes that this process may still write on the file system of `path`. */
  freeBytes(path: string): Promise<number>;
}

export interface FileHandle {
  /** Reads up to `length` bytes into `buffer` at `offset`; returns how many, 0 at the end of the file. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  /** May write fewer bytes than asked (a short write): returns how many. */
  write(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  /** Returns when the file's data and size are on stable storage. After a failure nothing may be assumed of unsynced data. */
  datasync(): Promise<void>;
  truncate(size: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}
