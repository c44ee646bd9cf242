// npm start and npm run -s weir -- COMMAND …: set-up where something is missing or old, then the command.
// package.json says `exec`, so that no shell stands between npm and this process: who stops npm stops the server.

import { fileURLToPath } from 'node:url';
import { ensureBuild } from './lib/build.mjs';
import { ensureModules } from './lib/modules.mjs';
import { checkNode } from './lib/node-version.mjs';
import { run } from './lib/say.mjs';

await run(async () => {
  checkNode();
  ensureModules();
  ensureBuild();
  const main = new URL('../dist/main.js', import.meta.url);
  process.argv = [process.execPath, fileURLToPath(main), ...process.argv.slice(2)];
  // In this process: signals, stdout and the exit code are the command's own.
  await import(main);
});
