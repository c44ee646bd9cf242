import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'weir-tests-';
/** Nothing was made or removed in it for so long: its run was killed. The longest run takes 40 minutes. */
export const ABANDONED_MS = 2 * 60 * 60 * 1000;

/**
 * Calls `use` with a folder for everything that a run of the tests writes outside of the tree (its TMPDIR), and removes
 * it, however the run ends. Those of runs that were killed are removed by the next one.
 */
export function withRunFolder(use, base = tmpdir(), nowMs = Date.now()) {
  for (const name of readdirSync(base)) {
    if (name.startsWith(PREFIX) && isAbandoned(join(base, name), nowMs)) remove(join(base, name));
  }
  const folder = mkdtempSync(join(base, PREFIX));
  try {
    return use(folder);
  } finally {
    remove(folder);
  }
}

/** Another run may remove it at the same time. */
function isAbandoned(folder, nowMs) {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found !== undefined && nowMs - found.mtimeMs > ABANDONED_MS;
}

function remove(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
