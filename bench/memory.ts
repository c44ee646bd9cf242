import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuild } from '../scripts/lib/build.mjs';
import { machine } from './baseline.ts';
import { writeInputs } from './inputs.ts';
import { type Load, send, startWeir, type Target } from './targets.ts';

/**
 * Whether memory grows with what was served: `npm run bench:memory`. Page views over 64 connections, every fifth a visitor's
 * first; after each turn all garbage is collected, and the process's own memory read (RssAnon). Prints it after each turn, and
 * how much it grew from the first turn behind `FROM_EVENTS` to the first behind `TO_EVENTS`.
 */
const FROM_EVENTS = 200_000;
const TO_EVENTS = 1_000_000;
const TURN_SECONDS = 5;
const LOAD: Load = { connections: 64, firstVisitEvery: 5 };
const BAR_MEGABYTES = 20;
/** Several, since what one finds to be garbage may hold what the next one frees; and for the kernel to get it back. */
const COLLECTIONS = 4;
const SETTLE_MS = 1_500;

const folder = mkdtempSync(join(process.env['WEIR_BENCH_DIR'] ?? tmpdir(), 'weir-bench-'));
try {
  ensureBuild();
  writeInputs(folder);
  const onSignal = `process.on('SIGUSR2', () => { for (let i = 0; i < ${COLLECTIONS}; i++) gc(); })`;
  const weir = await startWeir(folder, ['--expose-gc', '--import', `data:text/javascript,${onSignal}`]);
  try {
    await main(weir);
  } finally {
    await weir.stop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(weir: Target): Promise<void> {
  console.log(`${machine()}, turns of ${TURN_SECONDS} s, ${LOAD.connections} connections`);
  let events = 0;
  let before: number | null = null;
  while (events < TO_EVENTS) {
    events += send(weir, folder, LOAD, TURN_SECONDS).requests;
    process.kill(weir.pid, 'SIGUSR2');
    await sleep(SETTLE_MS);
    const megabytes = anonymousMegabytes(weir.pid);
    console.log(`${events} events: ${megabytes.toFixed(0)} MB`);
    if (before === null && events >= FROM_EVENTS) before = megabytes;
    if (events < TO_EVENTS) continue;
    const growth = megabytes - before!;
    console.log(`grew by ${growth.toFixed(0)} MB, bar ${BAR_MEGABYTES}: ${growth <= BAR_MEGABYTES ? 'met' : 'missed'}`);
  }
}

function anonymousMegabytes(pid: number): number {
  return Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1_000;
}
