import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, unlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

interface Holder {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  readonly token: string;
}

/**
 * One server per data folder. The lock is a file with the writer's boot id, process id and that process's start time, so
 * that a lock which a killed process or a machine that stopped left behind does not hold, even where another process has
 * got the id since. Returns how to release it; throws, naming the holder, where there is one. Processes in containers
 * that share a folder do not see each other: give each its own folder.
 */
export async function acquireLock(path: string): Promise<() => void> {
  const { pid } = process;
  const mine = JSON.stringify({ pid, startTime: startTimeOf(pid) ?? '', bootId: bootId(), token: randomUUID() });
  let looks = 0;
  while (!(await created(path, mine))) {
    const text = contentOf(path);
    if (text === null) continue;
    // Made, but not written yet: its holder needs a moment, unless it died in between.
    if (text === '' && looks++ < UNWRITTEN_LOOKS_MAX) {
      await sleep(UNWRITTEN_LOOK_MS);
      continue;
    }
    const holder = holderIn(text);
    if (holder !== null && isAlive(holder)) {
      throw new Error(
        `The data folder is in use by process ${holder.pid} (${path}). Stop that server, or choose another --data folder.`,
      );
    }
    takeAway(path, text, `${path}.left-${pid}`);
  }
  return () => {
    if (contentOf(path) === mine) unlinkSync(path);
  };
}

const UNWRITTEN_LOOKS_MAX = 20;
const UNWRITTEN_LOOK_MS = 5;

/** Names the time since the machine was started, where it tells (Linux); empty elsewhere. */
export function bootId(): string {
  return contentOf('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

async function created(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(content);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock that was judged, and no newer one: what was taken away in error is put back. */
function takeAway(path: string, judged: string, aside: string): void {
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (contentOf(aside) === judged) unlinkSync(aside);
  else renameSync(aside, path);
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Null for a lock that its writer did not live to finish. */
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
