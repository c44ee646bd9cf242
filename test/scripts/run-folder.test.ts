import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ABANDONED_MS, withRunFolder } from '../../scripts/lib/run-folder.mjs';
import { tempFolder } from '../support/temp-folder.ts';

test('the folder is there during the run, and gone with all that lies in it', () => {
  const base = tempFolder();
  const result = withRunFolder((folder: string) => {
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    writeFileSync(join(folder, 'a/b/c'), '');
    return readdirSync(base).length;
  }, base);
  expect([result, readdirSync(base)]).toEqual([1, []]);
});

test('gone also where the run throws', () => {
  const base = tempFolder();
  const failing = () =>
    withRunFolder(() => {
      throw new Error('no report');
    }, base);
  expect(failing).toThrow('no report');
  expect(readdirSync(base)).toEqual([]);
});

test('a killed run’s is removed by the next one; one that may still run, and what is not ours, stays', () => {
  const base = tempFolder();
  const nowMs = Date.now();
  const ages = { 'weir-tests-old': ABANDONED_MS + 1_000, 'weir-tests-young': ABANDONED_MS - 1_000, other: 1e10 };
  for (const [name, ageMs] of Object.entries(ages)) {
    mkdirSync(join(base, name));
    utimesSync(join(base, name), new Date(nowMs - ageMs), new Date(nowMs - ageMs));
  }
  withRunFolder(() => expect(existsSync(join(base, 'weir-tests-old'))).toBe(false), base, nowMs);
  expect(readdirSync(base).sort()).toEqual(['other', 'weir-tests-young']);
});
