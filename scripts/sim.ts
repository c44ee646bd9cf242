import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { simulate } from '../test/sim/simulate.ts';

/**
 * The event log on a simulated disk: npm run sim -- --schedules N --seed S [--workers K] [--first]
 *
 * Runs the schedules S to S + N - 1; a schedule is a pure function of its number. Prints each that broke a promise, with
 * what was wrong, and exits with 1 if there was one. `--first` stops at the first; one schedule prints its steps too.
 */
const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    first: { type: 'boolean', default: false },
  },
});
const schedules = whole('schedules', values.schedules);
const seed = whole('seed', values.seed);
const workers = Math.min(whole('workers', values.workers), schedules);

function whole(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`--${name} is '${text}'; it takes a whole number.`);
  return Number(text);
}

async function runHere(): Promise<number> {
  let broken = 0;
  for (let number = seed; number < seed + schedules; number++) {
    const { wrongs, steps } = await simulate(number);
    if (wrongs.length === 0) continue;
    broken += 1;
    console.log(`Schedule ${number} broke a promise:\n  ${wrongs.join('\n  ')}`);
    if (schedules === 1) console.log(`Steps:\n  ${steps.join('\n  ')}`);
    if (values.first) break;
  }
  return broken;
}

/** Each process takes a share of the numbers, one after the other. */
async function runInProcesses(): Promise<number> {
  const share = Math.ceil(schedules / workers);
  const processes: ChildProcess[] = [];
  for (let from = seed; from < seed + schedules; from += share) {
    const count = Math.min(share, seed + schedules - from);
    const args = [
      '--schedules',
      String(count),
      '--seed',
      String(from),
      '--workers',
      '1',
      ...(values.first ? ['--first'] : []),
    ];
    processes.push(
      spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...args], { stdio: 'inherit' }),
    );
  }
  const codes = await Promise.all(processes.map(async (one) => Number((await once(one, 'exit'))[0] ?? 1)));
  return codes.filter((code) => code !== 0).length;
}

const startMs = performance.now();
const broken = workers > 1 ? await runInProcesses() : await runHere();
if (workers > 1 || broken === 0) {
  console.log(
    `${schedules} schedules from ${seed}: ${broken === 0 ? 'every promise was kept' : 'promises were broken'} (${Math.round((performance.now() - startMs) / 1000)} s)`,
  );
}
process.exitCode = broken === 0 ? 0 : 1;
