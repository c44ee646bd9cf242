import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { ROOT } from './sources.ts';
import { writeFile } from './workspace-folder.ts';

/** `node dist/main.js` as operators run it: a process of its own, on free ports, with data in a folder that goes with it. */

const MAIN = join(ROOT, 'dist/main.js');

export interface ServerOptions {
  /** A folder that exists, or the files of one that is made. */
  readonly workspace: string | Readonly<Record<string, string>>;
  /** Data to go on with; a new folder where none is given. */
  readonly data?: string;
  /** Further arguments of `weir serve`. */
  readonly args?: readonly string[];
  /** Beside the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that starts node, in front of it: it must become that process. */
  readonly within?: readonly string[];
}

export interface Server {
  readonly urls: { readonly edge: string; readonly server: string; readonly admin: string; readonly edgeTls?: string };
  readonly process: ChildProcess;
  readonly workspace: string;
  readonly data: string;
  /** The log as `weir events` prints it, oldest first. */
  events(): Promise<readonly EventLine[]>;
  /** SIGTERM, and the exit code. Removes what `startServer` made. */
  stop(): Promise<number | null>;
}

/** What tests read of a line of `weir events`. */
export interface EventLine {
  readonly position: string;
  readonly id: string;
  readonly datastreamId: string;
  readonly requestId: string;
  readonly ecid: string | null;
  readonly xdm: Record<string, unknown> & { readonly eventType?: string };
  readonly data: unknown;
}

export async function startServer(options: ServerOptions): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-server-'));
  const data = options.data ?? join(folder, 'data');
  const workspace = typeof options.workspace === 'string' ? options.workspace : join(folder, 'workspace');
  if (typeof options.workspace !== 'string') {
    for (const [name, content] of Object.entries(options.workspace)) writeFile(workspace, name, content);
  }
  const ports = ['--edge-port', '0', '--server-port', '0', '--admin-port', '0'];
  const args = ['serve', '--workspace', workspace, '--data', data, ...ports, ...(options.args ?? [])];
  const [command, ...rest] = [...(options.within ?? []), process.execPath, MAIN, ...args];
  const child = spawn(command!, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  try {
    const urls = await readyLine(child);
    return { urls, process: child, workspace, data, events: () => readEvents(data), stop: () => stop(child, folder) };
  } catch (error) {
    await stop(child, folder);
    throw error;
  }
}

/** Resolves to the addresses of the ready line. Rejects with what the process said where it ends before. */
async function readyLine(child: ChildProcess): Promise<Server['urls']> {
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close').then(([code]) => {
    throw new Error(`weir serve ended with exit code ${code} before it was ready:\n${said}`);
  });
  const line = once(createInterface(child.stdout!), 'line').then(([text]) => String(text));
  return JSON.parse(await Promise.race([line, ended]));
}

export async function readEvents(data: string, ...args: readonly string[]): Promise<readonly EventLine[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'events', '--data', data, ...args], {
    maxBuffer: 1 << 28,
  });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

async function stop(child: ChildProcess, folder: string): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
  return child.exitCode;
}
