import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { Random } from '../sim/random.ts';
import { Ledger } from '../support/ledger.ts';
import { post } from '../support/raw-http.ts';
import { readEvents, type Server, startServer } from '../support/server.ts';
import { ROOT } from '../support/sources.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { workspaceFolder } from '../support/workspace-folder.ts';

/** Starts that go wrong, as processes: killed while they recover, beside another server, on a log of a newer version. */

const KILLS = 10;
const KILLED_AFTER_MS_MAX = 60;
const SEED = Number(process.env['WEIR_SEED'] ?? randomInt(2 ** 31));
const REQUESTS = 300;

test(`${KILLS} kills while a start recovers lose nothing (seed ${SEED})`, async () => {
  const data = tempFolder();
  const workspace = workspaceFolder();
  const random = new Random(SEED);
  const ledger = new Ledger();
  const first = await startServer({ workspace, data });
  for (let i = 0; i < REQUESTS; i++) await store(first, ledger, random);
  first.process.kill('SIGKILL');
  await once(first.process, 'exit');
  await first.stop();
  let recovering = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    // Without its state a start has everything to do again.
    rmSync(join(data, 'state'), { recursive: true, force: true });
    if (!(await killedWhileItStarts(workspace, data, random.below(KILLED_AFTER_MS_MAX)))) recovering += 1;
  }
  expect(recovering, 'kills before the server was ready').toBeGreaterThan(0);
  const last = await startServer({ workspace, data });
  try {
    ledger.verify(await readEvents(data));
    for (const ecid of ledger.optedOut) {
      const xdm = { identityMap: { ECID: [{ id: ecid }] } };
      const answer = await post(last.urls.edge, '/ee/v1/interact?configId=shop', { events: [{ xdm }] });
      expect(answer.text, `visitor ${ecid} opted out`).toContain('EXEG-0301-200');
    }
  } finally {
    await last.stop();
  }
});

async function store(server: Server, ledger: Ledger, random: Random): Promise<void> {
  const requestId = ledger.plan(random);
  const { path, body } = ledger.sent.get(requestId)!;
  const answer = await post(server.urls.edge, `${path}?configId=shop&requestId=${requestId}`, body);
  expect(answer.header('x-weir-ack')).toBe('local-fsync');
  ledger.acknowledge(requestId);
}

/**
 * SIGKILL so long after the data folder was locked, which is the first thing that recovery does: the lock of the one
 * killed before is still there. Whether it was ready by then.
 */
async function killedWhileItStarts(workspace: string, data: string, afterMs: number): Promise<boolean> {
  const ports = ['--edge-port', '0', '--server-port', '0', '--admin-port', '0'];
  const args = [join(ROOT, 'dist/main.js'), 'serve', '--workspace', workspace, '--data', data, ...ports];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let isReady = false;
  createInterface(child.stdout).once('line', () => {
    isReady = true;
  });
  const gone = once(child, 'exit');
  await expect.poll(() => isLockedBy(data, child.pid!), { interval: 1 }).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  const wasReady = isReady;
  child.kill('SIGKILL');
  expect(await gone).toEqual([null, 'SIGKILL']);
  return wasReady;
}

function isLockedBy(data: string, pid: number): boolean {
  const lock = join(data, 'LOCK');
  return existsSync(lock) && readFileSync(lock, 'utf8').includes(`"pid":${pid},`);
}

test('a second server on the same data does not start, says who holds them, and leaves the first alone', async () => {
  const data = tempFolder();
  const workspace = workspaceFolder();
  const first = await startServer({ workspace, data });
  try {
    const refusal = startServer({ workspace, data });
    await expect(refusal).rejects.toThrow(
      new RegExp(`exit code 1 [\\s\\S]*in use by process ${first.process.pid} [\\s\\S]*--data`),
    );
    const ledger = new Ledger();
    await store(first, ledger, new Random(1));
    ledger.verify(await readEvents(data));
  } finally {
    await first.stop();
  }
});

const VERSION_AT = 4;
const CRC_AT = 60;
const HEADER_BYTES = 64;

test('a log of a newer format is refused, and not a byte of it is touched', async () => {
  const data = tempFolder();
  const workspace = workspaceFolder();
  const server = await startServer({ workspace, data });
  await store(server, new Ledger(), new Random(1));
  await server.stop();
  const log = join(data, 'log');
  const segment = join(log, readdirSync(log).find((name) => name.endsWith('.segment'))!);
  const bytes = readFileSync(segment);
  bytes.writeUInt32LE(bytes.readUInt32LE(VERSION_AT) + 1, VERSION_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_AT)), CRC_AT);
  expect(bytes.length).toBeGreaterThan(HEADER_BYTES);
  writeFileSync(segment, bytes);
  const before = contentOf(log);
  await expect(startServer({ workspace, data })).rejects.toThrow(
    /exit code 1 [\s\S]*format 2[\s\S]*Nothing was changed/,
  );
  expect(contentOf(log)).toEqual(before);
});

/** Every file below a folder, by its name. */
function contentOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [
      join(parentPath, name),
      readFileSync(join(parentPath, name)).toString('base64'),
    ]),
  );
}
