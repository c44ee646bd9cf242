import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MUTANTS } from '../test/sim/mutants.ts';
import { plant, startSim } from '../test/sim/plant.ts';
import { simulate } from '../test/sim/simulate.ts';
import { THEMES, type Theme } from '../test/sim/themes.ts';

/**
 * The event log on a simulated disk:
 * npm run sim -- --schedules N --seed S [--theme T] [--workers K] [--first] [--mutant NAME]
 *
 * Runs the schedules S to S + N - 1; a schedule is a pure function of its number and theme (test/sim/themes.ts). Prints
 * each that broke a promise, with what was wrong, then one line that sums up, and exits with 1 if there was one.
 * `--first` stops at the first; one schedule prints its steps too. `--mutant` plants a bug of test/sim/mutants.ts first.
 */
const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    theme: { type: 'string', default: 'mixed' },
    workers: { type: 'string', default: String(availableParallelism()) },
    first: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    // One of the processes that this command starts: it leaves the summing up to that.
    part: { type: 'boolean', default: false },
  },
});
const schedules = whole('schedules', values.schedules);
const seed = whole('seed', values.seed);
const theme = themeNamed(values.theme);
const workers = Math.min(whole('workers', values.workers), schedules);

function whole(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`--${name} is '${text}'; it takes a whole number.`);
  return Number(text);
}

function themeNamed(text: string): Theme {
  const found = THEMES.find((one) => one === text);
  if (found === undefined) throw new Error(`--theme is '${text}'; there are ${THEMES.join(', ')}.`);
  return found;
}

/** Returns whether a promise was broken. */
async function runHere(): Promise<boolean> {
  let isBroken = false;
  for (let number = seed; number < seed + schedules; number++) {
    const { wrongs, steps } = await simulate(number, theme);
    if (wrongs.length === 0) continue;
    isBroken = true;
    console.log(`Schedule ${number} broke a promise:\n  ${wrongs.join('\n  ')}`);
    if (schedules === 1) console.log(`Steps:\n  ${steps.join('\n  ')}`);
    if (values.first) break;
  }
  return isBroken;
}

/** Each process takes a share of the numbers, one after the other, with the sources in `folder`. */
async function runInProcesses(folder: string): Promise<boolean> {
  const share = Math.ceil(schedules / workers);
  const ends: Promise<unknown[]>[] = [];
  for (let from = seed; from < seed + schedules; from += share) {
    const count = Math.min(share, seed + schedules - from);
    const args = ['--schedules', String(count), '--seed', String(from), '--theme', theme, '--workers', '1', '--part'];
    ends.push(once(startSim(folder, values.first ? [...args, '--first'] : args, 'inherit'), 'exit'));
  }
  return (await Promise.all(ends)).some(([code]) => code !== 0);
}

async function runMutant(name: string): Promise<boolean> {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant === undefined) {
    throw new Error(`There is no bug '${name}'; there are:\n  ${MUTANTS.map((one) => one.name).join('\n  ')}`);
  }
  const planted = plant(mutant);
  try {
    return await runInProcesses(planted.folder);
  } finally {
    planted.remove();
  }
}

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const startMs = performance.now();
const isBroken =
  values.mutant !== undefined
    ? await runMutant(values.mutant)
    : workers > 1
      ? await runInProcesses(ROOT)
      : await runHere();
if (!values.part) {
  const seconds = Math.round((performance.now() - startMs) / 1000);
  const result = isBroken ? 'promises were broken' : 'every promise was kept';
  console.log(`${schedules} schedules from ${seed} (${theme}): ${result} (${seconds} s)`);
}
process.exitCode = isBroken ? 1 : 0;
