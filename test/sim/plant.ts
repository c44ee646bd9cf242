import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutant.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What a schedule is made of, and what runs it. */
const PARTS = [
  'src/erasing',
  'src/erasures.ts',
  'src/expiry.ts',
  'src/log',
  'src/model',
  'src/state',
  'src/telemetry',
  'test/sim',
  'scripts/sim.ts',
  'package.json',
];

/** A copy of the sources with a bug in it. Throws where the text to be replaced does not stand there exactly once. */
export function plant(mutant: Mutant): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'weir-mutant-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (const part of PARTS) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    for (const { file, find, replace } of mutant.edits) {
      const pieces = readFileSync(join(folder, file), 'utf8').split(find);
      if (pieces.length !== 2) {
        throw new Error(`The bug '${mutant.name}' finds its text ${pieces.length - 1} times in ${file}: ${find}`);
      }
      writeFileSync(join(folder, file), pieces.join(replace));
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { folder, remove };
}

/** `npm run sim` on the sources in a folder. */
export function startSim(folder: string, args: readonly string[], stdio: 'inherit' | 'pipe'): ChildProcess {
  const all = ['--import', 'tsx', join(folder, 'scripts/sim.ts'), ...args];
  return spawn(process.execPath, all, { cwd: ROOT, stdio: ['ignore', stdio, stdio] });
}
