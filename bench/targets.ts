import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A server under load, pinned to core 0. */
export interface Target {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** Base URL of the admin listener; empty where there is none. */
  readonly adminUrl: string;
  stop(): Promise<void>;
}

const here = fileURLToPath(new URL('.', import.meta.url));
/** The kernel counts a process's CPU time in these. */
const TICK_MICROSECONDS = 10_000;

export async function startBase(): Promise<Target> {
  const port = await freePort();
  return start('base', port, [join(here, 'base-server.mjs'), String(port)]);
}

/** Takes connections and bytes, and nothing else. */
export async function startSink(): Promise<Target> {
  const port = await freePort();
  return start('sink', port, [join(here, 'sink-server.mjs'), String(port)]);
}

/** Weir from `dist`, with the workspace in `folder` and its data beside it. `flags`: for Node. */
export async function startWeir(folder: string, flags: readonly string[] = []): Promise<Target> {
  const port = await freePort();
  const folders = ['--workspace', join(folder, 'workspace'), '--data', join(folder, 'data')];
  const ports = ['--edge-port', String(port), '--server-port', '0', '--admin-port', '0'];
  return start('weir', port, [...flags, join(here, '../dist/main.js'), 'serve', ...folders, ...ports]);
}

async function start(name: string, port: number, args: readonly string[]): Promise<Target> {
  const child = spawn('taskset', ['-c', '0', process.execPath, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${name} ended with exit code ${code} before it was ready.`);
  });
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  ended.catch(() => {}); // From now on its end is `stop`'s to wait for.
  if (!String(line).includes('"ready":true')) {
    child.kill();
    throw new Error(`${name} did not start: ${line}`);
  }
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  };
  const { admin = '' } = JSON.parse(String(line)) as { readonly admin?: string };
  return { name, port, pid: child.pid!, adminUrl: admin, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** User and system time of all the process's threads so far: fields 14 and 15 of /proc/<pid>/stat. */
export function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS;
}

export interface Load {
  readonly connections: number;
  /** One request in so many is a visitor's first; 0 is none. */
  readonly firstVisitEvery: number;
}

/** wrk calls a request failed that takes longer. A machine that others use too stops a process for seconds. */
const PATIENCE = '10s';

/** Sends what `inputs` holds, from core 1, for so long. Throws where a request fails. */
export function send(
  target: Target,
  inputs: string,
  load: Load,
  seconds: number,
): { requests: number; perSecond: number } {
  const args = ['-c', '1', 'wrk', '-t1', `-c${load.connections}`, `-d${seconds}`, '--timeout', PATIENCE];
  const url = `http://127.0.0.1:${target.port}`;
  const env = { ...process.env, WEIR_BENCH_INPUTS: inputs, WEIR_BENCH_FIRST_EVERY: String(load.firstVisitEvery) };
  const report = execFileSync('taskset', [...args, '-s', join(here, 'requests.lua'), url], { env, encoding: 'utf8' });
  if (/Non-2xx|Socket errors/.test(report)) throw new Error(`Requests to ${target.name} failed:\n${report}`);
  return {
    requests: Number(/(\d+) requests in/.exec(report)![1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(report)![1]),
  };
}
