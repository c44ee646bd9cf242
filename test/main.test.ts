import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { freePort } from './support/proxy-process.ts';
import { ROOT } from './support/sources.ts';
import { tempFolder } from './support/temp-folder.ts';
import { LEAST_FILES, writeFile } from './support/workspace-folder.ts';

/** The program, with nobody there to read what it prints. */
function unread(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [join(ROOT, 'dist/main.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout!.destroy();
  return child;
}

test('a command ends without a word when nobody reads what it prints any more', async () => {
  const child = unread('help');
  const [told, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
  expect([told, code]).toEqual(['', 0]);
});

test('a server goes on', async () => {
  const workspace = tempFolder();
  for (const [name, content] of Object.entries(LEAST_FILES)) writeFile(workspace, name, content);
  const port = await freePort();
  const ports = ['--edge-port', '0', '--server-port', '0', '--admin-port', String(port)];
  const child = unread('serve', '--workspace', workspace, '--data', join(tempFolder(), 'data'), ...ports);
  const exit = once(child, 'exit');
  const isHealthy = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(isHealthy, { timeout: 30_000 }).toBe(true);
  // Its line was written before it is told to stop.
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
});
