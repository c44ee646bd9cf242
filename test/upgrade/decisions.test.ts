import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { weir } from '../support/command.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { workspaceFolder } from '../support/workspace-folder.ts';
import { ask, contentsOf, type DecidedBefore, REPORTED, SHOP, STEADY, VISITORS } from './decided.ts';
import { startOn } from './visitors.ts';

/** Decisions that earlier versions made: this one makes them again to the letter, tells why, counts them, and goes on alike. */

const FIXTURES = new URL('decisions/', import.meta.url).pathname;

describe.each(readdirSync(FIXTURES))('decisions of version %s', (version) => {
  const expected = JSON.parse(readFileSync(join(FIXTURES, version, 'expected.json'), 'utf8')) as DecidedBefore;
  const copy = (): string => {
    const data = join(tempFolder(), 'data');
    cpSync(join(FIXTURES, version, 'data'), data, { recursive: true });
    return data;
  };

  test('are replayed without a difference', async () => {
    const { code, out, err } = await weir('replay', '--data', copy());
    expect([code, err]).toEqual([0, '']);
    const { decisions } = expected;
    expect(out).toBe(`${decisions} decisions by their own definitions: ${decisions} the same, 0 different.\n`);
  });

  test('are explained: nothing of what they were made of is lacking', async () => {
    const data = copy();
    for (const { ecid } of VISITORS) {
      const { code, out, err } = await weir('explain', '--ecid', ecid, '--data', data);
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain("\n'hero'\n  ");
      expect(out).not.toMatch(/is not known|not in the data folder/);
    }
  });

  test('are counted as they were', async () => {
    const data = copy();
    for (const activity of REPORTED) {
      const { code, out } = await weir('report', '--activity', activity, '--data', data, '--json');
      expect(code).toBe(0);
      // A later version may say more of an arm, and has those that nobody had.
      const arms = JSON.parse(out).arms.filter(({ days }: { days: unknown[] }) => days.length > 0);
      expect(arms).toMatchObject(expected.arms[activity] as object);
    }
  });

  test('bind: visitors go on seeing what they saw', async () => {
    const data = copy();
    const running = await startOn(workspaceFolder(SHOP), data);
    try {
      for (const visitor of VISITORS) {
        expect(contentsOf(await ask(running, visitor), STEADY)).toEqual(expected.shown[visitor.ecid]);
      }
    } finally {
      await running.stop();
    }
    const { code, out } = await weir('replay', '--data', data);
    expect([code, out]).toEqual([0, expect.stringContaining(' 0 different.')]);
  });
});
