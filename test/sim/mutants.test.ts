import { once } from 'node:events';
import { expect, test } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { plant, startSim } from './plant.ts';
import { simulate } from './simulate.ts';

/** Each is to be found within this many schedules, always the same ones; most are within ten. */
const SCHEDULES_MAX = 5000;

test.each(MUTANTS)('$name: found', async (mutant) => {
  const planted = plant(mutant);
  try {
    const { theme, first = 1 } = mutant;
    const schedules = ['--schedules', `${SCHEDULES_MAX}`, '--seed', `${first}`];
    const args = [...schedules, '--theme', theme, '--workers', '1', '--first'];
    const child = startSim(planted.folder, args, 'pipe');
    let said = '';
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (piece: string) => {
        said += piece;
      });
    }
    await once(child, 'close');
    expect(said).toMatch(/^Schedule \d+ broke a promise/);
    const found = Number(/\d+/.exec(said)![0]);
    expect((await simulate(found, theme)).wrongs, 'without the bug').toEqual([]);
  } finally {
    planted.remove();
  }
});

test('a bug whose text is not there is none that was looked for', () => {
  const edits = [{ file: 'src/log/io.ts', find: 'this stands nowhere', replace: '' }];
  expect(() => plant({ name: 'lost', theme: 'mixed', edits })).toThrow(
    "The bug 'lost' finds its text 0 times in src/log/io.ts",
  );
});
