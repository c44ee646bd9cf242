import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { ROOT } from '../support/sources.ts';

/** The commands that the README gives to newcomers. */

const folder = mkdtempSync(join(tmpdir(), 'weir-npm-'));
const data = join(folder, 'data');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The first line of stdout that is JSON. */
async function readyLine(child: ChildProcess): Promise<{ ready: boolean; edge: string; admin: string }> {
  for await (const line of createInterface(child.stdout!)) if (line.startsWith('{')) return JSON.parse(line);
  throw new Error('npm start ended before it was ready');
}

it('npm start serves the demo shop with the Web SDK, and npm run weir shows what it was sent', async () => {
  const ports = ['--edge-port', '0', '--server-port', '0', '--admin-port', '0'];
  const child = spawn('npm', ['start', '--', ...ports, '--data', data], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  try {
    const { ready, edge, admin } = await readyLine(child);
    expect(ready).toBe(true);
    const page = await fetch(edge);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('<script src="/alloy.js"');
    expect((await (await fetch(`${edge}/alloy.js`)).text()).length).toBeGreaterThan(100_000);
    expect(await (await fetch(`${admin}/health`)).json()).toMatchObject({ status: 'ok' });
    const body = JSON.stringify({ events: [{ xdm: { eventType: 'by hand' } }] });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${edge}/ee/v1/interact?configId=demo-shop`, { method: 'POST', body, headers });
    expect(answer.status).toBe(200);

    const weir = ['run', '-s', 'weir', '--', 'events', '--data', data];
    const { stdout } = await promisify(execFile)('npm', weir, { cwd: ROOT });
    expect(JSON.parse(stdout)).toMatchObject({ datastreamId: 'demo-shop', xdm: { eventType: 'by hand' } });

    // Whoever stops npm stops the server: it answers no more once npm has ended.
    child.kill('SIGTERM');
    await ended;
    await expect(fetch(`${admin}/health`)).rejects.toThrow('fetch failed');
  } finally {
    child.kill('SIGKILL');
  }
});

it('npm run weir ends with the exit code of its command', async () => {
  const failed = await promisify(execFile)('npm', ['run', '-s', 'weir', '--', 'check', '--workspace', folder], {
    cwd: ROOT,
  }).then(
    () => null,
    (error: { code: number; stdout: string }) => error,
  );
  expect(failed?.code).toBe(1);
});
