import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Server, startServer } from '../support/server.ts';

/**
 * The promise as the kernel sees it: strace writes down the server's system calls, and for each kind of request the
 * record's write and the sync that follows it have returned before the first byte of the answer is sent.
 */

const WORKSPACE = { 'weir.yaml': '{}\n', 'datastreams/shop.yaml': 'id: shop\norg: TRACE@AdobeOrg\nname: Shop\n' };
const folder = mkdtempSync(join(tmpdir(), 'weir-trace-'));
const output = join(folder, 'calls');
let server: Server;

beforeAll(async () => {
  server = await startServer({ workspace: WORKSPACE });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const event = (mark: string) => ({ xdm: { eventType: 'trace.test', mark } });
const REQUESTS = [
  ['interact', '/ee/v2/interact?datastreamId=shop', { event: event('mark-interact') }, 'mark-interact'],
  ['collect', '/ee/v2/collect?datastreamId=shop', { events: [event('mark-collect')] }, 'mark-collect'],
  [
    'set-consent',
    '/ee/v1/privacy/set-consent?configId=shop',
    {
      consent: [
        { standard: 'Adobe', version: '2.0', value: { collect: { val: 'n' }, metadata: { time: 'mark-consent' } } },
      ],
    },
    'mark-consent',
  ],
] as const;

test('each record is written and synced before its answer leaves', async () => {
  const calls = 'trace=openat,close,pwrite64,pwritev,write,writev,sendto,sendmsg,fdatasync,fsync';
  const strace = spawn(
    'strace',
    ['-f', '-y', '-qq', '-s', '4096', '-e', calls, '-o', output, '-p', String(server.process.pid)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  strace.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await isTracing();
  for (const [, path, body, mark] of REQUESTS) {
    const headers = { 'content-type': 'application/json', 'x-request-id': `answer-to-${mark}` };
    const response = await fetch(server.urls.edge + path, { method: 'POST', body: JSON.stringify(body), headers });
    expect(response.headers.get('x-weir-ack')).toBe('local-fsync');
    await response.arrayBuffer();
  }
  const ended = once(strace, 'exit');
  strace.kill('SIGINT');
  await ended;
  const lines = finished(readFileSync(output, 'utf8').split('\n'));
  for (const [name, , , mark] of REQUESTS) {
    const written = lines.findIndex(
      (line) => /pwrite(64|v)\(/.test(line) && line.includes('.segment>') && line.includes(mark),
    );
    expect(written, `${name}: its record is written to a segment\n${said}`).toBeGreaterThan(-1);
    const segment = /\(\d+<([^>]+)>/.exec(lines[written]!)![1]!;
    const synced = lines.findIndex(
      (line, at) => at > written && line.includes('fdatasync(') && line.includes(segment) && line.endsWith('= 0'),
    );
    const answered = lines.findIndex(
      (line) =>
        /(write|writev|sendto|sendmsg)\(/.test(line) &&
        line.includes('HTTP/1.1 2') &&
        line.includes(`answer-to-${mark}`),
    );
    expect(synced, `${name}: its segment is synced after the write`).toBeGreaterThan(written);
    expect(answered, `${name}: answered after the sync`).toBeGreaterThan(synced);
  }
});

/** strace is attached once it has seen a call: requests for health make some. */
async function isTracing(): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    await (await fetch(`${server.urls.admin}/health`)).arrayBuffer();
    if (sizeOf(output) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('strace saw no system call of the server. May this user trace processes (ptrace)?');
}

function sizeOf(path: string): number {
  try {
    return readFileSync(path).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/**
 * Calls in the order in which they returned. strace splits a call that another thread interrupts ("<unfinished ...>",
 * "<... fdatasync resumed>"): the parts are put together where it returned. An answer counts from where it began.
 */
function finished(lines: readonly string[]): string[] {
  const begun = new Map<string, string>();
  const done: string[] = [];
  for (const line of lines) {
    const [pid = '', call = ''] = line.split(/\s+(.*)/s);
    if (call.endsWith('<unfinished ...>')) {
      const start = call.slice(0, -'<unfinished ...>'.length);
      if (/^(write|writev|sendto|sendmsg)\(/.test(start)) done.push(start);
      else begun.set(pid, start);
    } else if (call.startsWith('<... ')) {
      const start = begun.get(pid);
      if (start !== undefined) done.push(start + call.replace(/^<\.\.\. \w+ resumed>/, ''));
      begun.delete(pid);
    } else done.push(call);
  }
  return done.map((line) => line.trimEnd());
}
