import { createHash, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

interface Holder {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  readonly token: string;
}

/** Another process holds the lock; the message names it. */
export class LockHeld extends Error {}

/** While another process takes a dead one's lock away, which is a matter of microseconds. */
const RETRY_MS = 1;

/**
 * One server per data folder. The lock is a file with the writer's boot id, process id and that process's start time, so
 * that a lock which a killed process or a machine that stopped left behind does not hold, even where another process has
 * got the id since. Returns how to release it; throws, naming the holder, where there is one. Processes in containers
 * that share a folder do not see each other: give each its own folder.
 *
 * Invariants: 1. The file is there only with its whole content, which no other lock ever has. 2. It is removed by its
 * holder, or, when that is dead, by whoever holds the lock for removing this very one. So of many that find a dead
 * holder's lock, one removes it, and nobody removes the lock of the next.
 */
export async function acquireLock(path: string): Promise<() => void> {
  for (;;) {
    const got = tryLock(path);
    if (got === 'busy') await sleep(RETRY_MS);
    else if (typeof got === 'function') return got;
    else {
      throw new LockHeld(
        `The data folder is in use by process ${got.pid} (${path}). Stop that server, or choose another --data folder.`,
      );
    }
  }
}

/** How to release it, or the process that has it; `busy`: neither can be said yet. */
function tryLock(path: string): (() => void) | Holder | 'busy' {
  const { pid } = process;
  const mine = JSON.stringify({ pid, startTime: startTimeOf(pid) ?? '', bootId: bootId(), token: randomUUID() });
  if (created(path, mine)) {
    return () => {
      if (contentOf(path) === mine) unlinkSync(path);
    };
  }
  const text = contentOf(path);
  if (text === null) return 'busy';
  const holder = holderIn(text);
  if (holder !== null && isAlive(holder)) return holder;
  const release = tryLock(`${path}.remove-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`);
  if (typeof release !== 'function') return 'busy';
  if (contentOf(path) === text) unlinkSync(path);
  release();
  return 'busy';
}

/** Names the time since the machine was started, where it tells (Linux); empty elsewhere. */
export function bootId(): string {
  return contentOf('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

/** Whole or not at all: a link to a file that is written already. False where there is a lock. */
function created(path: string, content: string): boolean {
  // Of this process alone, and gone before anything else of it runs.
  const written = `${path}.new-${process.pid}`;
  writeFileSync(written, content);
  try {
    linkSync(written, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(written);
  }
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Null for what is no lock of ours. */
function holderIn(text: string): Holder | null {
  try {
    const { pid, startTime, bootId, token } = JSON.parse(text) as Holder;
    return { pid, startTime, bootId, token };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.bootId !== bootId()) return false;
  const startTime = startTimeOf(holder.pid);
  if (startTime !== null) return holder.startTime === startTime;
  if (process.platform === 'linux') return false;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat, behind the name in parentheses; null where there is no such process, or no /proc. */
function startTimeOf(pid: number): string | null {
  const stat = contentOf(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}
