import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditLog } from './audit-log.ts';
import { type Exclusively, TokenStore } from './token-store.ts';

/** Takes a lock file and returns how to release it; throws where another process holds it. */
export type Lock = (path: string) => Promise<() => void>;

/** Changes take milliseconds: whoever waits longer waits for something else. */
const LOCK_PATIENCE_MS = 5_000;
const LOCK_RETRY_MS = 20;

/** What the admin plane keeps in DATA/admin, shared by the server and the command line. */
export interface AdminStore {
  readonly audit: AuditLog;
  readonly tokens: TokenStore;
  readonly exclusively: Exclusively;
}

/** Opens nothing yet: files are made when there is something to write. */
export function adminStore(data: string, lock: Lock): AdminStore {
  const directory = join(data, 'admin');
  const audit = new AuditLog(directory);
  const exclusively = oneAtATime(directory, lock);
  return { audit, exclusively, tokens: new TokenStore({ directory, audit, exclusively }) };
}

function oneAtATime(directory: string, lock: Lock): Exclusively {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const done = last.then(() => locked(directory, lock, run));
    // The next one runs whatever became of this one, whose caller is told.
    last = done.catch(() => {});
    return done;
  };
}

async function locked<T>(directory: string, lock: Lock, run: () => Promise<T>): Promise<T> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const release = await acquired(join(directory, 'LOCK'), lock);
  try {
    return await run();
  } finally {
    release();
  }
}

async function acquired(path: string, lock: Lock): Promise<() => void> {
  for (const endMs = Date.now() + LOCK_PATIENCE_MS; ; ) {
    try {
      return await lock(path);
    } catch (cause) {
      const isFailure = (cause as NodeJS.ErrnoException).code !== undefined;
      if (isFailure) throw cause;
      if (Date.now() > endMs) {
        throw new Error(`Another process has been changing ${path} for ${LOCK_PATIENCE_MS / 1000} s. Try again.`, {
          cause,
        });
      }
      await sleep(LOCK_RETRY_MS);
    }
  }
}
