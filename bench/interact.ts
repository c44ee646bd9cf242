import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ensureBuild } from '../scripts/lib/build.mjs';
import { mintEcid } from '../src/model/identity.ts';
import { encodeIdentityCookie } from '../src/model/identity-cookie.ts';

/**
 * interact against the base, side by side: `npm run bench [-- CONNECTIONS …]`. Each server is pinned to core 0, wrk to
 * core 1; both are up all the time and take turns, so that a noisy machine is noisy to both. Prints requests a second,
 * CPU µs a request and the median of the rounds' ratios; a request that fails ends the run.
 */
const ROUNDS = Number(process.env['WEIR_BENCH_ROUNDS'] ?? 5);
const SECONDS = Number(process.env['WEIR_BENCH_SECONDS'] ?? 5);
const WARM_UP_SECONDS = 3;
const BARS: Readonly<Record<number, number>> = { 64: 0.55, 256: 0.75 };
const ORG = 'BENCH@AdobeOrg';
const VISITORS = 5000;
/** The kernel counts a process's CPU time in these. */
const TICK_MICROSECONDS = 10_000;

interface Target {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}
interface Round {
  readonly requestsPerSecond: number;
  readonly cpuMicroseconds: number;
}

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(process.env['WEIR_BENCH_DIR'] ?? tmpdir(), 'weir-bench-'));

async function main(): Promise<void> {
  ensureBuild();
  writeInputs();
  const connections = process.argv.slice(2).map(Number);
  const targets = [await startBase(), await startWeir()];
  try {
    console.log(`${cpus()[0]?.model}, Node ${process.version}, ${ROUNDS} rounds of ${SECONDS} s`);
    for (const count of connections.length > 0 ? connections : [256, 64, 8]) compare(targets, count);
  } finally {
    for (const target of targets) await target.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function compare([base, weir]: readonly Target[], connections: number): void {
  for (const target of [base!, weir!]) load(target, connections, WARM_UP_SECONDS);
  const ratios: number[] = [];
  const rounds: [Round, Round][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const pair: [Round, Round] = [load(base!, connections, SECONDS), load(weir!, connections, SECONDS)];
    rounds.push(pair);
    ratios.push(pair[1].requestsPerSecond / pair[0].requestsPerSecond);
  }
  const of = (index: 0 | 1, key: keyof Round): number => Math.round(median(rounds.map((pair) => pair[index][key])));
  const bar = BARS[connections];
  console.log(
    `${connections} connections: base ${of(0, 'requestsPerSecond')} requests/s, ${of(0, 'cpuMicroseconds')} µs CPU; ` +
      `weir ${of(1, 'requestsPerSecond')} requests/s, ${of(1, 'cpuMicroseconds')} µs CPU; ` +
      `ratio ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})` +
      (bar === undefined ? '' : `, bar ${bar}: ${median(ratios) >= bar ? 'met' : 'missed'}`),
  );
}

function load(target: Target, connections: number, seconds: number): Round {
  const before = cpuTicks(target.pid);
  const url = `http://127.0.0.1:${target.port}`;
  const args = ['-c', '1', 'wrk', '-t1', `-c${connections}`, `-d${seconds}`, '-s', join(here, 'requests.lua'), url];
  const env = { ...process.env, WEIR_BENCH_BODY: join(folder, 'body'), WEIR_BENCH_COOKIES: join(folder, 'cookies') };
  const report = execFileSync('taskset', args, { env, encoding: 'utf8' });
  if (/Non-2xx|Socket errors/.test(report)) throw new Error(`Requests to ${target.name} failed:\n${report}`);
  const requests = Number(/(\d+) requests in/.exec(report)![1]);
  const requestsPerSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(report)![1]);
  return { requestsPerSecond, cpuMicroseconds: ((cpuTicks(target.pid) - before) * TICK_MICROSECONDS) / requests };
}

/** User and system time of all threads: fields 14 and 15 of /proc/<pid>/stat. */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function startBase(): Promise<Target> {
  const port = await freePort();
  return start('base', port, [join(here, 'base-server.mjs'), String(port)]);
}

async function startWeir(): Promise<Target> {
  const port = await freePort();
  const ports = ['--edge-port', String(port), '--server-port', '0', '--admin-port', '0'];
  const main = join(here, '../dist/main.js');
  return start('weir', port, [
    main,
    'serve',
    '--workspace',
    join(folder, 'workspace'),
    '--data',
    join(folder, 'data'),
    ...ports,
  ]);
}

async function start(name: string, port: number, args: readonly string[]): Promise<Target> {
  const child = spawn('taskset', ['-c', '0', process.execPath, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  if (!line.includes('"ready":true')) throw new Error(`${name} did not start: ${line}`);
  const stop = async (): Promise<void> => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  return { name, port, pid: child.pid!, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** A page view as the Web SDK sends it, with the visitor's cookies as state entries, and 5000 visitors to draw from. */
function writeInputs(): void {
  const personalization = {
    schemas: ['default-content', 'html-content', 'json-content', 'redirect', 'ruleset', 'dom-action'].map(
      (one) => `https://ns.adobe.com/personalization/${one}-item`,
    ),
    decisionScopes: ['__view__'],
    surfaces: ['web://www.shop.test/p.html'],
  };
  const xdm = {
    eventType: 'web.webpagedetails.pageViews',
    web: {
      webPageDetails: { URL: 'https://www.shop.test/p.html?x=1', name: 'home' },
      webReferrer: { URL: 'https://www.shop.test/' },
    },
    device: { screenHeight: 720, screenWidth: 1280, screenOrientation: 'landscape' },
    environment: { type: 'browser', browserDetails: { viewportWidth: 1280, viewportHeight: 720 } },
    placeContext: { localTimezoneOffset: 0, localTime: new Date().toISOString(), ianaTimezone: 'UTC' },
    timestamp: new Date().toISOString(),
    implementationDetails: { name: 'https://ns.adobe.com/experience/alloy', version: '2.33.1', environment: 'browser' },
    productListItems: [1, 2, 3].map((n) => ({
      SKU: `sku-${n}`,
      name: `Product number ${n}`,
      quantity: n,
      priceTotal: 19.99 * n,
      currencyCode: 'EUR',
    })),
  };
  const prefix = `kndctr_${ORG.replace('@', '_')}_`;
  const entries = [
    { key: `${prefix}cluster`, value: 'or2' },
    { key: `${prefix}identity`, value: '@COOKIE@' },
  ];
  const body = {
    meta: { queueTimeMillis: 25, state: { domain: 'shop.test', cookiesEnabled: true, entries } },
    query: { identity: { fetch: ['ECID'] } },
    events: [{ query: { personalization }, data: { __adobe: { target: { mark: 'bench' } } }, xdm }],
  };
  writeFileSync(join(folder, 'body'), JSON.stringify(body));
  const cookies = Array.from({ length: VISITORS }, (_, visitor) => {
    const seed = visitor.toString(16).padStart(16, '7').repeat(2);
    return encodeIdentityCookie(
      { ecid: mintEcid(seed), createdAtMs: Date.now(), isNew: false, writtenAtMs: Date.now() },
      'or2',
    );
  });
  writeFileSync(join(folder, 'cookies'), `${cookies.join('\n')}\n`);
  mkdirSync(join(folder, 'workspace/datastreams'), { recursive: true });
  writeFileSync(join(folder, 'workspace/weir.yaml'), '{}\n');
  writeFileSync(join(folder, 'workspace/datastreams/bench.yaml'), `id: bench\norg: ${ORG}\nname: Benchmark\n`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

await main();
