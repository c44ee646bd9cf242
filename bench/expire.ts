import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuild } from '../scripts/lib/build.mjs';
import { systemHost } from '../src/log/host.ts';
import { machine } from './baseline.ts';
import { writeInputs } from './inputs.ts';
import { fillLog, openLog, pageViews, storePageViews } from './large-log.ts';

/**
 * How fast a pass goes through a log for events that have expired: `npm run bench:expire [-- GIGABYTES]`. A pass that finds
 * none reads every segment, the next one none, and one for which all have expired writes every segment anew. What requests
 * notice of a pass is measured with erasures (erase.ts), which rest as long between records.
 */
const GIGABYTES = Number(process.argv[2] ?? 0.5);
const MEGABYTE = 1e6;
const VISITORS = 100;
const DAY_MS = 24 * 60 * 60 * 1000;

const folder = mkdtempSync(join(process.env['WEIR_BENCH_DIR'] ?? tmpdir(), 'weir-bench-'));
try {
  ensureBuild();
  writeInputs(folder);
  await main(join(folder, 'data'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(data: string): Promise<void> {
  await storePageViews(folder, pageViews(folder, VISITORS));
  console.log(`${machine()}, ${GIGABYTES} GB of log: ${await fillLog(data, GIGABYTES)} records`);
  // Two days later.
  const log = await openLog(data, { host: { ...systemHost, nowMs: () => Date.now() + 2 * DAY_MS } });
  const pass = async (what: string, maxAgeMs: number | null): Promise<void> => {
    const eventTypes = new Map([['one that nobody sends', DAY_MS]]);
    await log.setRules([{ datastreamId: 'bench', sinceMs: 0, maxAgeMs, eventTypes }]);
    const bytes = await log.segmentBytes();
    const startMs = performance.now();
    await log.expire();
    const seconds = (performance.now() - startMs) / 1_000;
    const left = (await log.segmentBytes()) / MEGABYTE;
    const removed = log.expired.get('bench') ?? 0;
    // Of a pass that reads nothing it says nothing.
    const speed = seconds < 0.1 ? '' : `, ${(bytes / MEGABYTE / seconds).toFixed(0)} MB/s`;
    console.log(`${what}: ${seconds.toFixed(2)} s${speed}; ${removed} events removed, ${left.toFixed(0)} MB left`);
  };
  await pass('nothing has expired', null);
  await pass('nor since', null);
  await pass('everything has', DAY_MS);
  await log.close();
}
