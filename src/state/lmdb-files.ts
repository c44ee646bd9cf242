import { existsSync } from 'node:fs';
import { link, mkdir, open, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';

/**
 * The files of the state database in its folder, outside the simulated disk: LMDB does its own input and output.
 *
 *     state.mdb, state.mdb-lock     the database
 *     restoring.mdb                 a restored database before it takes the other's place
 *     suspect                       the last process died while opening the database, or met damage in it
 *     set-aside-<n>.mdb             a database that was not to be trusted; kept for whoever wants to look at it
 */
export class StateFiles {
  readonly directory: string;
  readonly database: string;
  readonly restoring: string;
  readonly suspect: string;
  readonly #report: (message: string) => void;

  constructor(directory: string, report: (message: string) => void) {
    this.directory = directory;
    this.#report = report;
    this.database = join(directory, 'state.mdb');
    this.restoring = join(directory, 'restoring.mdb');
    this.suspect = join(directory, 'suspect');
  }

  /** Makes the folder and removes what a crash left of a restore: it was never the state. */
  async prepare(): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    await this.discardRestoring();
  }

  async discardRestoring(): Promise<void> {
    for (const path of [this.restoring, `${this.restoring}-lock`]) await rm(path, { force: true });
  }

  /** Why the database is not to be opened; null if nothing speaks against it. */
  async distrust(): Promise<string | null> {
    // Killed before it was made, or behind its being set aside: there is nothing to distrust, and nothing to rename.
    if (!existsSync(this.database)) return null;
    if (existsSync(this.suspect)) return 'the last process died while opening it, or met damage in it';
    return headerFault(this.database);
  }

  /** An empty file: a full disk still has a name for it. */
  async markSuspect(): Promise<void> {
    await writeFile(this.suspect, '');
  }

  async clearSuspect(): Promise<void> {
    await rm(this.suspect, { force: true });
  }

  /** Gives the database another name, so that a new one can be made, and reports it. */
  async setAside(why: string): Promise<void> {
    const kept = await this.#asideName();
    await rename(this.database, kept);
    await this.syncDirectory();
    this.#report(`The state database was set aside as ${kept} and is rebuilt from the snapshots and the log: ${why}.`);
  }

  /** Whether a write failed for want of space. LMDB calls a write that a full disk cut short EIO. */
  async isFull(error: unknown): Promise<boolean> {
    const { code } = error as { code?: unknown };
    if (code === constants.errno.ENOSPC || code === constants.errno.EDQUOT) return true;
    if (code !== constants.errno.EIO) return false;
    const { bavail, bsize } = await statfs(this.directory);
    return bavail * bsize < FULL_BYTES;
  }

  /**
   * Puts the restored database, closed, in the other's place. After a crash it is the one or the other; the other keeps
   * its bytes under the name that is returned.
   */
  async replace(): Promise<string> {
    await syncFile(this.restoring);
    const kept = await this.#asideName();
    await link(this.database, kept);
    await rename(this.restoring, this.database);
    await this.syncDirectory();
    await this.discardRestoring();
    return kept;
  }

  /** Puts the restored database in the other's place, of which nothing is kept. Durable with the folder's next sync. */
  async replaceForGood(): Promise<void> {
    await syncFile(this.restoring);
    await rename(this.restoring, this.database);
  }

  /** Removes the databases that were set aside. Durable when it resolves. */
  async discardSetAside(): Promise<void> {
    for (const name of await readdir(this.directory)) {
      if (/^set-aside-\d+\.mdb(-lock)?$/.test(name)) await rm(join(this.directory, name), { force: true });
    }
    await this.syncDirectory();
  }

  /** A name that is free. The oldest database set aside makes room for it: a server that restarts for ever is not to fill the disk. */
  async #asideName(): Promise<string> {
    const numbers: number[] = [];
    for (const name of await readdir(this.directory)) {
      const match = /^set-aside-(\d+)\.mdb$/.exec(name);
      if (match !== null) numbers.push(Number(match[1]));
    }
    numbers.sort((a, b) => a - b);
    const next = (numbers.at(-1) ?? 0) + 1;
    for (const number of numbers.slice(0, Math.max(0, numbers.length + 1 - SET_ASIDE_MAX))) {
      await rm(this.#aside(number), { force: true });
      this.#report(
        `${this.#aside(number)} was removed: of the databases set aside the last ${SET_ASIDE_MAX} are kept.`,
      );
    }
    return this.#aside(next);
  }

  #aside(number: number): string {
    return join(this.directory, `set-aside-${number}.mdb`);
  }

  async syncDirectory(): Promise<void> {
    await syncFile(this.directory);
  }
}

export const SET_ASIDE_MAX = 3;
/** A disk with less than this is taken for full: some transactions of state need as much. */
const FULL_BYTES = 16 * 1024 * 1024;

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** As in LMDB's `mdb.c` (struct MDB_page_header, struct MDB_meta) with 64-bit pages: bytes from the start of a meta page. */
const META = { magic: 24, version: 28, pageSize: 48, lastPage: 144, transaction: 152, bytes: 160 } as const;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;

/**
 * What is wrong with the first two pages or the length of a database; null if nothing is, or if there is no file or an
 * empty one. lmdb-js ends the process (segmentation fault, seen with 3.5.6) when it is given a file that is no database,
 * and reading behind the end of a shortened one ends it too (SIGBUS): so both are looked for first.
 */
export async function headerFault(path: string): Promise<string | null> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === null || found.size === 0) return null;
  const file = await open(path, 'r');
  try {
    const pageSize = (await metaAt(file, 0))?.pageSize ?? 0;
    const metas = pageSize < 512 ? [] : [await metaAt(file, 0), await metaAt(file, pageSize)];
    const [first, second] = metas;
    if (first === undefined || second === undefined || first === null || second === null) {
      return 'its first pages are not those of a database';
    }
    const { lastPage } = first.transaction > second.transaction ? first : second;
    return found.size < (lastPage + 1n) * BigInt(pageSize) ? 'its end is missing' : null;
  } finally {
    await file.close();
  }
}

interface Meta {
  readonly pageSize: number;
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

async function metaAt(file: Awaited<ReturnType<typeof open>>, position: number): Promise<Meta | null> {
  const page = Buffer.alloc(META.bytes);
  const { bytesRead } = await file.read(page, 0, META.bytes, position);
  if (bytesRead < META.bytes) return null;
  if (page.readUInt32LE(META.magic) !== MAGIC || page.readUInt32LE(META.version) !== DATA_VERSION) return null;
  return {
    pageSize: page.readUInt32LE(META.pageSize),
    lastPage: page.readBigUInt64LE(META.lastPage),
    transaction: page.readBigUInt64LE(META.transaction),
  };
}
