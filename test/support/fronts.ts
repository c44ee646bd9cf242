import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNginxWith } from './nginx.ts';
import { freePort, startProxy } from './proxy-process.ts';

/** A proxy in front of Weir's edge listener, that keeps account of what it forwards. */
export interface Front {
  /** "http://127.0.0.1:4431" */
  readonly url: string;
  /** Ends it, and returns what it says of every request that it understood, in the order in which they ended. */
  stop(): Promise<readonly Forwarded[]>;
}

export interface Forwarded {
  readonly method: string;
  /** Path and query, as the client sent them. */
  readonly target: string;
  /** What the client got; 0 or -1 where it was gone. */
  readonly status: number;
  /** It was sent to Weir, whole or not. */
  readonly isForwarded: boolean;
}

export interface FrontOptions {
  /** Its own, for its configuration and logs. */
  readonly folder: string;
  /** Where Weir listens: "http://127.0.0.1:8080". */
  readonly edge: string;
}

/** Clients that do not go on are given up after this: long beside a round trip, short beside a test. */
const PATIENCE = '2s';

/** `server`: lines of the server block; `upstream`: of the block with Weir's address. */
export async function nginxFront(options: FrontOptions, server: string, upstream: string): Promise<Front> {
  const { folder, edge } = options;
  const port = await freePort();
  const log = join(folder, 'logs/access.log');
  const stop = await startNginxWith(
    folder,
    port,
    `  log_format account '$request_method|$status|$upstream_addr|$request_uri';
  access_log ${log} account;
  client_header_timeout ${PATIENCE};
  client_body_timeout ${PATIENCE};
  keepalive_timeout ${PATIENCE};
  upstream weir { server ${new URL(edge).host}; ${upstream} }
  server {
    listen 127.0.0.1:${port};
    ${server}
    location / {
      proxy_pass http://weir;
      proxy_next_upstream off;
      proxy_set_header Host $http_host;
    }
  }
`,
  );
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      await stop();
      return accountOf(readFileSync(log, 'utf8'), (upstream) => upstream !== '-' && upstream !== '');
    },
  };
}

/** `frontend`: further lines of that section. */
export async function haproxyFront({ folder, edge }: FrontOptions, frontend: string): Promise<Front> {
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    // One thread: of two that log at the same time, one leaves its line out.
    `global
  nbthread 1
  log stdout len 65535 format raw local0
defaults
  mode http
  log global
  timeout connect 5s
  timeout server 15s
  timeout client ${PATIENCE}
  timeout http-request ${PATIENCE}
  timeout http-keep-alive ${PATIENCE}
  retries 0
frontend clients
  bind 127.0.0.1:${port}
  log-format %HM|%ST|%s|%HU
  ${frontend}
  default_backend weir
backend weir
  http-reuse always
  server weir ${new URL(edge).host}
`,
  );
  const log = join(folder, 'account.log');
  const { stop } = await startProxy('HAProxy', ['-db', '-f', file], port, log);
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      await stop();
      return accountOf(readFileSync(log, 'utf8'), (server) => server !== '<NOSRV>');
    },
  };
}

function accountOf(lines: string, isForwarded: (sentTo: string) => boolean): Forwarded[] {
  return lines.split('\n').flatMap((line) => {
    const fields = /^([^|]*)\|(-?\d+)\|([^|]*)\|(.*)$/.exec(line);
    if (fields === null) return [];
    const [, method, status, sentTo, target] = fields;
    return [{ method: method!, status: Number(status), isForwarded: isForwarded(sentTo!), target: target! }];
  });
}
