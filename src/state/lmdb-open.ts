import { type Opened, openTrusted } from './lmdb-database.ts';
import type { StateFiles } from './lmdb-files.ts';

/** Opens or makes the database. One that cannot be trusted is set aside, and a new one made. */
export async function openFiles(files: StateFiles): Promise<Opened> {
  await files.prepare();
  const fault = await files.distrust();
  if (fault !== null) await files.setAside(fault);
  // If the process dies before this is taken back, the next one does not try the same file again.
  await files.markSuspect();
  try {
    const opened = openTrusted(files.database);
    if (opened !== null) return opened;
    await files.setAside('its checkpoint cannot be read');
    return openTrusted(files.database)!;
  } finally {
    await files.clearSuspect();
  }
}
