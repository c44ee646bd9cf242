import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startProxy } from './proxy-process.ts';
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
  const stop = await startNginxWith(options.folder, port, `  access_log off;\n${serverBlock(options, port)}`);
  return { address: `127.0.0.1:${port}`, stop };
}

/** nginx with these lines in its `http` block, which listen on `port`. `folder`: for its configuration, logs and files. */
export async function startNginxWith(folder: string, port: number, http: string): Promise<() => Promise<void>> {
  mkdirSync(join(folder, 'logs'), { recursive: true });
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, http));
  const { stop } = await startProxy('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'logs/error.log'], port);
  return stop;
}

function configuration(folder: string, http: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  // As root, nginx would hand its requests to a user who may not write below the test's folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `daemon off;
${user}
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 64; }
http {
${temporary.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}
${http}}
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
