import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ensureBuild } from '../scripts/lib/build.mjs';

/** Time from starting `node dist/main.js serve` on the demo workspace to its ready line: `npm run bench:ready`. */
const RUNS = 10;
const root = fileURLToPath(new URL('..', import.meta.url));

ensureBuild();
const times: number[] = [];
for (let run = 0; run < RUNS; run++) {
  const data = mkdtempSync(join(tmpdir(), 'weir-ready-'));
  const startMs = performance.now();
  const ports = ['--edge-port', '0', '--server-port', '0', '--admin-port', '0'];
  const child = spawn(
    process.execPath,
    ['dist/main.js', 'serve', '--workspace', 'examples/demo-shop', '--data', data, ...ports],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(createInterface(child.stdout), 'line');
  times.push(performance.now() - startMs);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  rmSync(data, { recursive: true, force: true });
}
times.sort((a, b) => a - b);
console.log(
  `ready after ${Math.round(times[RUNS >> 1]!)} ms (median of ${RUNS}; ${Math.round(times[0]!)} to ${Math.round(times.at(-1)!)}); bar 500 ms`,
);
