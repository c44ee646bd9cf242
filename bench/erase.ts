import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuild } from '../scripts/lib/build.mjs';
import { endpointAt } from '../src/components.ts';
import { FileLog } from '../src/log/file.ts';
import { nodeFs } from '../src/log/node-fs.ts';
import { decodeIdentityCookie } from '../src/model/identity-cookie.ts';
import type { LogRecord, ParseBody } from '../src/model/record.ts';
import { eraseOnServer } from '../src/person-tools.ts';
import { adminTokens, readLog } from '../src/server.ts';
import { machine } from './baseline.ts';
import { writeInputs } from './inputs.ts';
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
/** Older than what retries are known for, so that a start reads little. */
const AGE_MS = 60 * 60 * 1000;
const ORG = 'BENCH@AdobeOrg';
const GIGABYTE = 1e9;
const SEGMENT_BYTES = 128 * 1024 * 1024;
const APPENDS = 512;
interface Erased {
  readonly receipt: { readonly rewritten: { readonly records: number; readonly segments: number } };
}
const parseBody: ParseBody = (path, body) => endpointAt(path).parse(path, body);

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
  const bodies = bodiesOf();
  const first = await startWeir(folder);
  for (const body of bodies) await send(first.port, new Agent(), body);
  await first.stop();
  console.log(`${machine()}, ${GIGABYTES} GB of log: ${await fill(data)} records`);
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

function bodiesOf(): readonly Buffer[] {
  const cookies = readFileSync(join(folder, 'cookies'), 'utf8').split('\n').slice(0, VISITORS);
  const text = readFileSync(join(folder, 'body-known'), 'utf8');
  return cookies.map((cookie) => Buffer.from(text.replace('@COOKIE@', cookie)));
}

function ecidOf(body: Buffer): string {
  const { meta } = JSON.parse(body.toString());
  const { value } = meta.state.entries.find(({ key }: { key: string }) => key.endsWith('_identity'));
  return decodeIdentityCookie(value)!.ecid;
}

/** Appends what the server wrote, over and over, as visits of an hour ago. Returns how many records. */
async function fill(data: string): Promise<number> {
  const report = (message: string): never => {
    throw new Error(message);
  };
  const seen: LogRecord[] = [];
  for await (const { record } of readLog(data, false, new AbortController().signal, report)) {
    const { requestId, orgId, datastreamId, path, ecid, meta, events, raw, changes } = record;
    const atMs = record.atMs - AGE_MS;
    seen.push({ requestId, atMs, orgId, datastreamId, path, ecid, meta, events, raw, changes });
  }
  const log = await FileLog.open({
    ...{ fs: nodeFs, directory: join(data, 'log'), partition: 0, parseBody, segmentBytes: SEGMENT_BYTES },
    ...{ queueBytesMax: GIGABYTE, queueAgeMsMax: 60_000, lowWaterBytes: 0, mayDropBefore: () => 0 },
    ...{ retention: { maxAgeMs: null, maxBytes: null }, onSynced: () => undefined, report },
    onFatal: ({ message }) => report(message),
  });
  while (log.writtenBytes < GIGABYTES * GIGABYTE) {
    await Promise.all(Array.from({ length: APPENDS }, (_, i) => log.append(seen[i % seen.length]!)));
  }
  await log.close();
  return log.nextOffset;
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
    await send(port, agent, body);
    times.push(performance.now() - startMs);
  }
  agent.destroy();
  return times.sort((a, b) => a - b);
}

async function send(port: number, agent: Agent, body: Buffer): Promise<void> {
  const headers = { 'content-type': 'text/plain; charset=UTF-8', 'content-length': body.length };
  const sent = request({ method: 'POST', path: '/ee/v1/interact?configId=bench', port, agent, headers });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  if (answer.statusCode !== 200) throw new Error(`A page view was answered with ${answer.statusCode}.`);
}

function say(what: string, times: readonly number[]): void {
  const at = (share: number): string => times[Math.floor((times.length - 1) * share)]!.toFixed(2);
  console.log(
    `  ${what}: ${times.length} requests; ms: p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, max ${at(1)}`,
  );
}
