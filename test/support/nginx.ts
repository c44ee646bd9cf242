import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { pathOf } from '../../scripts/lib/tools.mjs';
import { textOf } from './sources.ts';

/** nginx before Weir, configured as the README says. */
export interface Nginx {
  /** "127.0.0.1:4431". */
  readonly address: string;
  stop(): Promise<void>;
}

export interface NginxOptions {
  /** For its configuration, logs and temporary files. */
  readonly folder: string;
  readonly cert: string;
  readonly key: string;
  /** Where Weir's edge listener is: "http://127.0.0.1:8080". */
  readonly edge: string;
}

export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const port = await freePort();
  mkdirSync(join(options.folder, 'logs'), { recursive: true });
  writeFileSync(join(options.folder, 'nginx.conf'), configuration(options, port));
  const args = ['-p', options.folder, '-c', 'nginx.conf', '-e', 'logs/error.log'];
  const child = spawn(pathOf('nginx'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await answers(child, port, () => said);
  return { address: `127.0.0.1:${port}`, stop: () => stop(child) };
}

function configuration(options: NginxOptions, port: number): string {
  const { folder } = options;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  // As root, nginx would hand its requests to a user who may not write below the test's folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `daemon off;
${user}
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 64; }
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}
${serverBlock(options, port)}}
`;
}

/** The README's own server block, with the test's port, names, files and server in place of its examples. */
function serverBlock({ cert, key, edge }: NginxOptions, port: number): string {
  const block = /^server \{\n[^`]*?^\}\n/m.exec(textOf('README.md'))?.[0];
  if (block === undefined) throw new Error('README.md has no nginx server block any more');
  const places: readonly (readonly [example: string, ours: string])[] = [
    ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
    ['server_name data.example.com', 'server_name www.shop.test data.shop.test'],
    ['/etc/ssl/data.example.com.pem', cert],
    ['/etc/ssl/data.example.com.key', key],
    ['http://127.0.0.1:8080', edge],
  ];
  return places.reduce((text, [example, ours]) => {
    if (!text.includes(example)) throw new Error(`README.md's nginx server block does not say '${example}' any more`);
    return text.replace(example, ours);
  }, block);
}

/** nginx cannot pick a port by itself. Another process may take this one in between; then nginx says so. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

async function answers(child: ChildProcess, port: number, said: () => string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (child.exitCode !== null) throw new Error(`nginx ended with exit code ${child.exitCode}:\n${said()}`);
    const socket = createConnection(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGKILL');
  throw new Error(`nginx did not listen within 10 s:\n${said()}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
