import { readFileSync, unlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * One server per data folder. The lock is a file with the writer's process id and that process's start time, so that a lock
 * which a killed process left behind, or whose id another process has got since, does not hold.
 */
export async function acquireLock(path: string): Promise<() => void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(`${process.pid} ${startTimeOf(process.pid) ?? ''}\n`);
      await file.close();
      return () => unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid, startTime] = holderOf(path);
    if (attempt > 0 || (pid !== null && isRunning(pid, startTime))) {
      throw new Error(
        `The data folder is in use by process ${pid ?? '?'} (${path}). Stop that server, or choose another --data folder.`,
      );
    }
    unlinkSync(path);
  }
}

function holderOf(path: string): [pid: number | null, startTime: string] {
  const [pid, startTime = ''] = readFileSync(path, 'utf8').trim().split(' ');
  return [pid === undefined || !/^\d+$/.test(pid) ? null : Number(pid), startTime];
}

function isRunning(pid: number, startTime: string): boolean {
  const now = startTimeOf(pid);
  if (now !== null) return startTime === '' || now === startTime;
  if (process.platform === 'linux') return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat, behind the name in parentheses; null where there is no such process, or no /proc. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null; // No such process, or another operating system: the caller decides by other means.
  }
}
