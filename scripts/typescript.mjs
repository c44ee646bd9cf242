// Runs a TypeScript script with all set-up: node scripts/typescript.mjs FILE [ARGUMENTS]. Node 20 cannot by itself.

import { spawnSync } from 'node:child_process';
import { ensureModules } from './lib/modules.mjs';
import { checkNode } from './lib/node-version.mjs';
import { run } from './lib/say.mjs';

await run(() => {
  checkNode();
  ensureModules();
  const done = spawnSync(process.execPath, ['--import', 'tsx', ...process.argv.slice(2)], { stdio: 'inherit' });
  if (done.error !== undefined) throw done.error;
  process.exitCode = done.status ?? 1;
});
