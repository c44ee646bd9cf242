import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { pathOf } from '../../scripts/lib/tools.mjs';

/** A proxy of Debian's that runs beside the tests, in the foreground. */
export interface ProxyProcess {
  stop(): Promise<void>;
}

/**
 * Starts a program of `scripts/lib/tools.mjs`, and waits until it listens on `port`. `output`: the file for its stdout; a
 * proxy does not wait for a pipe that is full, and leaves out lines.
 */
export async function startProxy(
  tool: string,
  args: readonly string[],
  port: number,
  output: string | null = null,
): Promise<ProxyProcess> {
  const stdout = output === null ? 'ignore' : openSync(output, 'w');
  const child = spawn(pathOf(tool), args, { stdio: ['ignore', stdout, 'pipe'] });
  if (stdout !== 'ignore') closeSync(stdout);
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await listens(tool, child, port, () => said);
  return { stop: () => stop(child) };
}

/** These proxies cannot pick a port by themselves. Another process may take this one in between; then they say so. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

async function listens(tool: string, child: ChildProcess, port: number, said: () => string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (child.exitCode !== null) throw new Error(`${tool} ended with exit code ${child.exitCode}:\n${said()}`);
    const socket = createConnection(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGKILL');
  throw new Error(`${tool} did not listen within 10 s:\n${said()}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
}
