import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuild } from '../scripts/lib/build.mjs';
import { baselineOf, type Figures, machine, storeBaseline } from './baseline.ts';
import { writeInputs } from './inputs.ts';
import { cpuMicroseconds, startBase, startWeir, type Target } from './targets.ts';

/**
 * interact against the base, side by side: `npm run bench [-- CONNECTIONS … --first-visits --store]`. Each server is pinned
 * to core 0, wrk to core 1; both are up all the time and take turns, so that a noisy machine is noisy to both. Prints
 * requests a second, CPU µs a request, the median of the rounds' ratios, and what baseline.json holds for this machine;
 * a request that fails ends the run. All visitors are known; with `--first-visits` every fifth request is a visitor's
 * first. `--store` keeps the figures in baseline.json; WEIR_BENCH_DIR says on which disk the data lie.
 */
const ROUNDS = Number(process.env['WEIR_BENCH_ROUNDS'] ?? 5);
const SECONDS = Number(process.env['WEIR_BENCH_SECONDS'] ?? 5);
const WARM_UP_SECONDS = 3;
const CONNECTIONS = [256, 64, 8];
const BARS: Readonly<Record<number, number>> = { 64: 0.55, 256: 0.75 };
/** With `--first-visits`, one request in so many. */
const FIRST_VISIT_EVERY = 5;

interface Round {
  readonly requestsPerSecond: number;
  readonly cpuMicroseconds: number;
}
interface Case {
  readonly connections: number;
  /** One request in so many is a visitor's first; 0 is none. */
  readonly firstVisitEvery: number;
}

const { values, positionals } = parseArgs({
  options: { 'first-visits': { type: 'boolean', default: false }, store: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const folder = mkdtempSync(join(process.env['WEIR_BENCH_DIR'] ?? tmpdir(), 'weir-bench-'));
const script = fileURLToPath(new URL('./requests.lua', import.meta.url));

async function main(): Promise<void> {
  const counts = positionals.length > 0 ? positionals.map(Number) : CONNECTIONS;
  const firstVisitEvery = values['first-visits'] ? FIRST_VISIT_EVERY : 0;
  const targets: Target[] = [];
  try {
    ensureBuild();
    writeInputs(folder);
    const base = await startBase();
    targets.push(base);
    const weir = await startWeir(folder);
    targets.push(weir);
    console.log(`${machine()}, ${ROUNDS} rounds of ${SECONDS} s`);
    for (const connections of counts) {
      const name = `${connections} connections${values['first-visits'] ? ', every fifth a first visit' : ''}`;
      const figures = compare(name, base, weir, { connections, firstVisitEvery });
      if (values.store) storeBaseline(name, figures);
    }
  } finally {
    for (const target of targets) await target.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function compare(name: string, base: Target, weir: Target, one: Case): Figures {
  for (const target of [base, weir]) load(target, one, WARM_UP_SECONDS);
  const pairs = Array.from({ length: ROUNDS }, () => [load(base, one, SECONDS), load(weir, one, SECONDS)] as const);
  const ratios = pairs.map(([b, w]) => w.requestsPerSecond / b.requestsPerSecond);
  const ofBase = pairs.map(([b]) => b);
  const ofWeir = pairs.map(([, w]) => w);
  const figures = {
    measuredOn: new Date().toISOString().slice(0, 10),
    ratio: Number(median(ratios).toFixed(2)),
    baseCpuMicroseconds: Math.round(median(ofBase.map((round) => round.cpuMicroseconds))),
    weirCpuMicroseconds: Math.round(median(ofWeir.map((round) => round.cpuMicroseconds))),
  };
  const bar = BARS[one.connections];
  const before = baselineOf(name);
  console.log(
    `${name}: base ${shown(ofBase)}; weir ${shown(ofWeir)}; ` +
      `ratio ${figures.ratio} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})` +
      (bar === undefined ? '' : `, bar ${bar}: ${median(ratios) >= bar ? 'met' : 'missed'}`) +
      (before === null ? '' : `; ${before.measuredOn}: ratio ${before.ratio}, weir ${before.weirCpuMicroseconds} µs`),
  );
  return figures;
}

function shown(rounds: readonly Round[]): string {
  const of = (key: keyof Round): number => Math.round(median(rounds.map((round) => round[key])));
  return `${of('requestsPerSecond')} requests/s, ${of('cpuMicroseconds')} µs CPU`;
}

function load(target: Target, { connections, firstVisitEvery }: Case, seconds: number): Round {
  const before = cpuMicroseconds(target.pid);
  const url = `http://127.0.0.1:${target.port}`;
  const args = ['-c', '1', 'wrk', '-t1', `-c${connections}`, `-d${seconds}`, '-s', script, url];
  const env = { ...process.env, WEIR_BENCH_INPUTS: folder, WEIR_BENCH_FIRST_EVERY: String(firstVisitEvery) };
  const report = execFileSync('taskset', args, { env, encoding: 'utf8' });
  if (/Non-2xx|Socket errors/.test(report)) throw new Error(`Requests to ${target.name} failed:\n${report}`);
  const requests = Number(/(\d+) requests in/.exec(report)![1]);
  const requestsPerSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(report)![1]);
  return { requestsPerSecond, cpuMicroseconds: (cpuMicroseconds(target.pid) - before) / requests };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

await main();
