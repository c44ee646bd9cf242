import { type BigIntStats, type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { errorAt, FILE_START, type Finding } from './finding.ts';

/** Many large datastreams fit; a mistaken folder (a home, a checkout) is refused before it is read. */
export const FOLDER_ENTRIES_MAX = 2000;

/**
 * A workspace folder while it is read. Remembers every path that was looked at, found or not: a change to any of them,
 * and to no other, can change what the folder means. Reads synchronously: the files are few and small, and the thread
 * pool belongs to the event log.
 */
export class Folder {
  readonly root: string;
  readonly #looked = new Set<string>();

  /** `root`: absolute. */
  constructor(root: string) {
    this.root = root;
  }

  get looked(): readonly string[] {
    return [...this.#looked];
  }

  /** A file's bytes, or why there are none. `name`: relative to the folder, as findings say it. */
  read(name: string, bytesMax: number): Buffer | Unread {
    const path = this.#look(name);
    try {
      const stats = statSync(path);
      if (!stats.isFile())
        return { why: 'not-file', message: stats.isDirectory() ? 'It is a folder.' : 'It is no regular file.' };
      if (stats.size > bytesMax) {
        return { why: 'too-large', message: `It has ${stats.size} bytes; at most ${bytesMax} are read.` };
      }
      return readFileSync(path);
    } catch (error) {
      return unread(error);
    }
  }

  /** What a folder holds, in order of name; names that begin with a dot (editors' and mounts' own) are left out. */
  list(name: string): Dirent[] | Unread {
    const path = this.#look(name);
    try {
      const entries = readdirSync(path, { withFileTypes: true }).filter((entry) => !entry.name.startsWith('.'));
      if (entries.length > FOLDER_ENTRIES_MAX) {
        return {
          why: 'too-large',
          message: `It holds ${entries.length} files; at most ${FOLDER_ENTRIES_MAX} are read.`,
        };
      }
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      return unread(error);
    }
  }

  /** Where a file is in truth, links followed; null where there is none. */
  real(name: string): string | null {
    try {
      return realpathSync(resolve(this.root, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return null;
    }
  }

  #look(name: string): string {
    const path = resolve(this.root, name);
    this.#looked.add(path);
    return path;
  }
}

/** Whether a path is a folder, or lies in it. Both absolute, without links. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

export interface Unread {
  readonly why: 'missing' | 'not-file' | 'too-large' | 'unreadable';
  readonly message: string;
}

export function isUnread(result: object): result is Unread {
  return 'why' in result;
}

export function unreadFinding(file: string, { message }: Unread, remedy: string): Finding {
  return errorAt(file, FILE_START, `'${file}' cannot be read. ${message} ${remedy}`);
}

function unread(error: unknown): Unread {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  if (code === 'ENOENT') return { why: 'missing', message: 'It does not exist.' };
  if (code === 'EACCES' || code === 'EPERM') return { why: 'unreadable', message: 'This user may not read it.' };
  if (code === 'ENOTDIR') return { why: 'not-file', message: 'It, or a folder above it, is a file.' };
  return { why: 'unreadable', message: `The system says: ${message}.` };
}

/** Changes whenever one of the paths is written, replaced, added or removed; symbolic links are followed. Cheap: no file is read. */
export function fingerprint(paths: readonly string[]): string {
  return paths.map((path) => mark(path)).join('\n');
}

function mark(path: string): string {
  try {
    const stats: BigIntStats = statSync(path, { bigint: true });
    return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return code;
  }
}
