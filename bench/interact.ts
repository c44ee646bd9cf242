import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild } from '../scripts/lib/build.mjs';
import { baselineOf, type Figures, machine, storeBaseline } from './baseline.ts';
import { HOLDS_EVERY, writeActivities, writeInputs } from './inputs.ts';
import { cpuMicroseconds, type Load, send, startBase, startWeir, type Target } from './targets.ts';

/**
 * interact against the base, side by side: `npm run bench [-- CONNECTIONS … --first-visits --activities N --store]`. Each server is pinned
 * to core 0, wrk to core 1; both are up all the time and take turns, so that a noisy machine is noisy to both. Prints
 * requests a second, CPU µs a request, the median of the rounds' ratios, and what baseline.json holds for this machine;
 * a request that fails ends the run. All visitors are known; with `--first-visits` every fifth request is a visitor's
 * first. With `--activities`, a second Weir has so many about the page: every request of the last row asks for them, and the
 * rows before it say what requests pay that do not ask, there and where there is none. `--store` keeps the figures in baseline.json; WEIR_BENCH_DIR says on which disk the data lie.
 */
const ROUNDS = Number(process.env['WEIR_BENCH_ROUNDS'] ?? 5);
const SECONDS = Number(process.env['WEIR_BENCH_SECONDS'] ?? 5);
const WARM_UP_SECONDS = 3;
const CONNECTIONS = [256, 64, 8];
const BARS: Readonly<Record<number, number>> = { 64: 0.55, 256: 0.75 };
/** Where every request asks for content. */
const DECIDING_BARS: Readonly<Record<number, number>> = { 256: 0.7 };
/** With `--first-visits`, one request in so many. */
const FIRST_VISIT_EVERY = 5;

interface Round {
  readonly requestsPerSecond: number;
  readonly cpuMicroseconds: number;
}
/** What is held against the base: a row of the output. */
interface Subject {
  readonly name: string;
  readonly target: Target;
  /** Folder of what is sent to it. */
  readonly inputs: string;
  readonly bars: Readonly<Record<number, number>>;
}

const { values, positionals } = parseArgs({
  options: {
    'first-visits': { type: 'boolean', default: false },
    activities: { type: 'string', default: '0' },
    store: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const folder = mkdtempSync(join(process.env['WEIR_BENCH_DIR'] ?? tmpdir(), 'weir-bench-'));

async function main(): Promise<void> {
  const counts = positionals.length > 0 ? positionals.map(Number) : CONNECTIONS;
  const firstVisitEvery = values['first-visits'] ? FIRST_VISIT_EVERY : 0;
  const targets: Target[] = [];
  const start = async (target: Promise<Target>): Promise<Target> => {
    targets.push(await target);
    return target;
  };
  try {
    ensureBuild();
    writeInputs(folder);
    const base = await start(startBase());
    const weir = await start(startWeir(folder));
    const subjects: Subject[] = [{ name: '', target: weir, inputs: folder, bars: BARS }];
    const activities = Number(values.activities);
    if (activities > 0) {
      const unasked = join(folder, 'unasked');
      writeInputs(unasked, false);
      writeActivities(unasked, activities);
      const deciding = await start(startWeir(unasked));
      await checkDecisions(deciding, activities);
      subjects.push(
        { name: ', no query, no activities', target: weir, inputs: unasked, bars: {} },
        { name: `, no query, ${activities} activities`, target: deciding, inputs: unasked, bars: {} },
        { name: `, ${activities} activities asked for`, target: deciding, inputs: folder, bars: DECIDING_BARS },
      );
    }
    console.log(`${machine()}, ${ROUNDS} rounds of ${SECONDS} s, load average ${loadavg()[0]!.toFixed(1)}`);
    for (const connections of counts) compare(base, subjects, { connections, firstVisitEvery });
  } finally {
    for (const target of targets) await target.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** That what is measured is what happens. */
async function checkDecisions({ port }: Target, activities: number): Promise<void> {
  const body = readFileSync(join(folder, 'body-first'), 'utf8');
  const answer = await fetch(`http://127.0.0.1:${port}/ee/v1/interact?configId=bench`, { method: 'POST', body });
  const text = await answer.text();
  const { handle = [] } = JSON.parse(text) as { handle?: { type: string; payload: unknown[] }[] };
  const shown = handle.find(({ type }) => type === 'personalization:decisions')?.payload.length;
  const wanted = Math.ceil(activities / HOLDS_EVERY);
  if (shown === wanted) return;
  throw new Error(`The page view is shown ${shown ?? 'none'} of ${activities} activities, not ${wanted}: ${text}`);
}

/** All take turns, the base first in each round. */
function compare(base: Target, subjects: readonly Subject[], one: Load): void {
  load(base, folder, one, WARM_UP_SECONDS);
  for (const { target, inputs } of subjects) load(target, inputs, one, WARM_UP_SECONDS);
  const rounds = Array.from({ length: ROUNDS }, () => ({
    ofBase: load(base, folder, one, SECONDS),
    ofSubjects: subjects.map(({ target, inputs }) => load(target, inputs, one, SECONDS)),
  }));
  subjects.forEach(({ name, bars }, index) => {
    const of = `${one.connections} connections${one.firstVisitEvery > 0 ? ', every fifth a first visit' : ''}${name}`;
    const pairs = rounds.map(({ ofBase, ofSubjects }) => [ofBase, ofSubjects[index]!] as const);
    const figures = judge(of, pairs, bars[one.connections]);
    if (values.store) storeBaseline(of, figures);
  });
}

function judge(
  name: string,
  pairs: readonly (readonly [base: Round, weir: Round])[],
  bar: number | undefined,
): Figures {
  const ratios = pairs.map(([b, w]) => w.requestsPerSecond / b.requestsPerSecond);
  const ofBase = pairs.map(([b]) => b);
  const ofWeir = pairs.map(([, w]) => w);
  const figures = {
    measuredOn: new Date().toISOString().slice(0, 10),
    ratio: Number(median(ratios).toFixed(2)),
    baseCpuMicroseconds: Math.round(median(ofBase.map((round) => round.cpuMicroseconds))),
    weirCpuMicroseconds: Math.round(median(ofWeir.map((round) => round.cpuMicroseconds))),
  };
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

function load(target: Target, inputs: string, one: Load, seconds: number): Round {
  const before = cpuMicroseconds(target.pid);
  const { requests, perSecond } = send(target, inputs, one, seconds);
  return { requestsPerSecond: perSecond, cpuMicroseconds: (cpuMicroseconds(target.pid) - before) / requests };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

await main();
