import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BATCH_ROWS } from '../../src/importing.ts';
import { readLog } from '../../src/server.ts';
import { ROOT } from '../support/sources.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { workspaceFolder } from '../support/workspace-folder.ts';

/** More than what a fast disk takes between the kills. */
const ROWS = 100 * BATCH_ROWS;
const KILLS = 6;

/** Runs `weir import`, and kills it some moments after it has got further; null lets it end. Resolves to what it said, and its exit code. */
async function run(args: readonly string[], data: string, killAfterMs: number | null) {
  const child = spawn(process.execPath, [join(ROOT, 'dist/main.js'), 'import', ...args], { stdio: 'pipe' });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    out += chunk;
  });
  const closed = once(child, 'close');
  if (killAfterMs !== null) {
    const before = lineOf(data);
    while (child.exitCode === null && lineOf(data) === before) await sleep(1);
    await Promise.race([sleep(killAfterMs), closed]);
    child.kill('SIGKILL');
  }
  const [code] = await closed;
  return { out, code };
}

/** How far the import says that it is. */
function lineOf(data: string): number {
  const folder = join(data, 'imports');
  const name = existsSync(folder) ? readdirSync(folder).find((one) => one.endsWith('.json')) : undefined;
  return name === undefined ? 0 : JSON.parse(readFileSync(join(folder, name), 'utf8')).line;
}

test('an import that is killed again and again ends with every row in the log, and little of it twice', async () => {
  const workspace = workspaceFolder();
  const data = join(tempFolder(), 'data');
  const file = join(tempFolder(), 'pairs.ndjson');
  const row = (n: number) => ({
    fpid: `8f1c0b6e-3d52-4c7a-9e41-${String(n).padStart(12, '0')}`,
    ecid: `9${String(n).padStart(37, '0')}`,
  });
  writeFileSync(file, Array.from({ length: ROWS }, (_, n) => `${JSON.stringify(row(n))}\n`).join(''));
  const args = ['--kind', 'identity', '--workspace', workspace, '--data', data, '--org', '0123@AdobeOrg', file];
  for (let kill = 0; kill < KILLS; kill++) await run(args, data, kill * 3);
  const { out, code } = await run(args, data, null);
  expect({ out, code }).toEqual({ out: expect.stringContaining('where it had stopped'), code: 0 });

  const ecids = new Map<string, number>();
  const report = (message: string): never => {
    throw new Error(message);
  };
  for await (const { record } of readLog(data, false, new AbortController().signal, report)) {
    for (const { body } of record.changes) ecids.set(String(body['ecid']), (ecids.get(String(body['ecid'])) ?? 0) + 1);
  }
  expect(ecids.size).toBe(ROWS);
  const twice = [...ecids.values()].reduce((sum, count) => sum + count - 1, 0);
  // A kill costs the batch that was durable when its progress was not, at most.
  expect(twice).toBeLessThanOrEqual(KILLS * BATCH_ROWS);
});
