import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuild } from '../scripts/lib/build.mjs';
import { decodeIdentityCookie } from '../src/model/identity-cookie.ts';
import { eraseOnServer } from '../src/person-tools.ts';
import { adminTokens } from '../src/server.ts';
import { machine } from './baseline.ts';
import { writeInputs } from './inputs.ts';
import { fillLog, pageViews, sendPageView, storePageViews } from './large-log.ts';
import { startWeir, type Target } from './targets.ts';

/**
 * What removing a person from a large log takes, and what others notice of it: `npm run bench:erase [-- GIGABYTES]`. The log
 * holds page views of 100 visitors in turn, so that each of its segments has to be written anew for one of them; a second pass,
 * for somebody who is nowhere, only reads. One client sends page views one after the other, alone, beside each pass, and
 * alone again. Weir is pinned to core 0, the client to core 1.
 */
const GIGABYTES = Number(process.argv[2] ?? 2);
const VISITORS = 100;
const ALONE_SECONDS = 5;
const ORG = 'BENCH@AdobeOrg';
interface Erased {
  readonly receipt: { readonly rewritten: { readonly records: number; readonly segments: number } };
}

const folder = mkdtempSync(join(process.env['WEIR_BENCH_DIR'] ?? tmpdir(), 'weir-bench-'));
execFileSync('taskset', ['-a', '-c', '-p', '1', String(process.pid)], { stdio: 'ignore' });
try {
  ensureBuild();
  writeInputs(folder);
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const data = join(folder, 'data');
  const bodies = pageViews(folder, VISITORS);
  await storePageViews(folder, bodies);
  console.log(`${machine()}, ${GIGABYTES} GB of log: ${await fillLog(data, GIGABYTES)} records`);
  const weir = await startWeir(folder);
  try {
    const scope = { orgId: ORG, role: 'admin' as const, datastreams: null };
    const token = (await (await adminTokens(data)).create(scope, 3_600_000, {})).text;
    const body = bodies.at(-1)!;
    await latencies(weir.port, body, sleep(5_000));
    say('alone', await latencies(weir.port, body, sleep(ALONE_SECONDS * 1_000)));
    await pass(weir, token, body, ecidOf(bodies[0]!), 'every segment written anew');
    say('alone', await latencies(weir.port, body, sleep(ALONE_SECONDS * 1_000)));
    await pass(weir, token, body, '9'.repeat(38), 'read only');
  } finally {
    await weir.stop();
  }
}

function ecidOf(body: Buffer): string {
  const { meta } = JSON.parse(body.toString());
  const { value } = meta.state.entries.find(({ key }: { key: string }) => key.endsWith('_identity'));
  return decodeIdentityCookie(value)!.ecid;
}

async function pass(weir: Target, token: string, body: Buffer, ecid: string, what: string): Promise<void> {
  const startMs = performance.now();
  const person = { orgId: ORG, namespace: 'ECID', id: ecid };
  // What `weir erase --admin-url … --now` does: it asks again until the pass is over.
  const erased = eraseOnServer({ adminUrl: weir.adminUrl, token }, person, true);
  erased.catch(() => {}); // It is waited for below.
  const spread = await latencies(weir.port, body, erased);
  const seconds = (performance.now() - startMs) / 1_000;
  const { receipt } = (await erased) as unknown as Erased;
  const { records, segments } = receipt.rewritten;
  const speed = (GIGABYTES * 1_000) / seconds;
  console.log(
    `a pass, ${what}: ${seconds.toFixed(0)} s, ${speed.toFixed(0)} MB/s; ${records} records in ${segments} segments`,
  );
  say('beside it', spread);
}

/** In milliseconds, sorted, of the requests that were sent until `end`. */
async function latencies(port: number, body: Buffer, end: Promise<unknown>): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  end.then(over, over);
  while (!isOver) {
    const startMs = performance.now();
    await sendPageView(port, agent, body);
    times.push(performance.now() - startMs);
  }
  agent.destroy();
  return times.sort((a, b) => a - b);
}

function say(what: string, times: readonly number[]): void {
  const at = (share: number): string => times[Math.floor((times.length - 1) * share)]!.toFixed(2);
  console.log(
    `  ${what}: ${times.length} requests; ms: p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, max ${at(1)}`,
  );
}
