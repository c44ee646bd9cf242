import { closeSync, cpSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Ledger } from '../support/ledger.ts';
import { post } from '../support/raw-http.ts';
import { readEvents, type Server, startServer } from '../support/server.ts';
import { tempFolder } from '../support/temp-folder.ts';

/**
 * A disk that is really full: the server's data lie on a small file system of its own, in a mount namespace that is gone
 * with the process. Without root this needs a user namespace.
 */
const MIB = 1024 * 1024;
const DISK_BYTES = 24 * MIB;
/** The promise: appends are taken again so soon after space returns. */
const RESUMED_MS_MAX = 5_000;
const BURST_CHARACTERS = 60_000;
const PIECE_BYTES = 256 * 1024;
const WORKSPACE = {
  'weir.yaml': `log: { segmentBytes: ${MIB}, lowWaterBytes: ${MIB}, reservedBytes: ${MIB} }\n`,
  'datastreams/shop.yaml': 'id: shop\norg: FULL@AdobeOrg\nname: Shop\n',
};
const USER = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
const MOUNT = `mount -t tmpfs -o size=${DISK_BYTES} tmpfs "$0" && exec "$@"`;
const onSmallDisk = (folder: string): string[] => ['unshare', ...USER, '--mount', 'sh', '-c', MOUNT, folder];

test.each([
  ['below the low water', MIB / 2, 0],
  // More at once than the zeros that are written ahead have room for: the writes themselves are refused.
  ['without a byte left', 0, 60],
] as const)(
  'a disk %s refuses events with 503, and takes them again when there is space',
  async (_, leftBytes, burst) => {
    const folder = tempFolder();
    const data = join(folder, 'data');
    const server = await startServer({ workspace: WORKSPACE, data, within: onSmallDisk(folder) });
    /** The server's folder as this process reaches it. */
    const disk = `/proc/${server.process.pid}/root${folder}`;
    const ledger = new Ledger();
    try {
      for (let i = 0; i < 50; i++) expect(await store(server, ledger)).toBe(200);
      fill(disk, leftBytes);
      await Promise.all(Array.from({ length: burst }, () => store(server, ledger, BURST_CHARACTERS)));
      await expect.poll(() => store(server, ledger)).toBe(503);
      for (let i = 0; i < 20; i++) expect(await store(server, ledger)).toBe(503);
      expect(await health(server)).toMatchObject({ status: 'degraded', log: { refusing: 'disk-full' } });
      ledger.verify(await readEvents(join(disk, 'data')));

      rmSync(join(disk, 'filler'));
      const freedAtMs = performance.now();
      await expect.poll(() => store(server, ledger), { interval: 20 }).toBe(200);
      expect(performance.now() - freedAtMs).toBeLessThan(RESUMED_MS_MAX);
      for (let i = 0; i < 50; i++) expect(await store(server, ledger)).toBe(200);
      expect(await health(server)).toMatchObject({ status: 'ok', log: { refusing: null } });
      ledger.verify(await readEvents(join(disk, 'data')));
      await verifyRestart(disk, ledger);
    } finally {
      await server.stop();
    }
  },
);

let count = 0;
/** One event of about this size; the status of its answer. What is refused says when to come back, in whole seconds. */
async function store(server: Server, ledger: Ledger, characters = 8_000): Promise<number> {
  const requestId = `full-${count++}`;
  const mark = `${requestId}#0`;
  const body = JSON.stringify({ events: [{ xdm: { mark, filler: 'x'.repeat(characters) } }] });
  ledger.sent.set(requestId, { path: '/ee/v1/interact', body, marks: [mark] });
  const answer = await post(server.urls.edge, `/ee/v1/interact?configId=shop&requestId=${requestId}`, body);
  if (answer.status === 503) expect(answer.header('retry-after')).toMatch(/^([2-9]|10)$/);
  if (answer.status === 200) ledger.acknowledge(requestId);
  return answer.status;
}

/** Writes a file that leaves only so many bytes, a piece at a time: the server may be writing too. */
function fill(disk: string, leftBytes: number): void {
  const freeBytes = (): number => statfsSync(disk).bavail * statfsSync(disk).bsize;
  const filler = openSync(join(disk, 'filler'), 'w');
  try {
    while (freeBytes() > leftBytes) writeSync(filler, Buffer.alloc(Math.min(freeBytes() - leftBytes, PIECE_BYTES)));
  } catch (error) {
    // The server was faster with the last of it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(filler);
  }
  expect(freeBytes()).toBeLessThanOrEqual(leftBytes);
}

async function health(server: Server): Promise<unknown> {
  return (await fetch(`${server.urls.admin}/health`)).json();
}

/** What the disk holds now, as a server finds it that starts after a power cut. */
async function verifyRestart(disk: string, ledger: Ledger): Promise<void> {
  const data = tempFolder();
  cpSync(join(disk, 'data/log'), join(data, 'log'), { recursive: true });
  const server = await startServer({ workspace: WORKSPACE, data });
  try {
    ledger.verify(await server.events());
    expect(await health(server)).toMatchObject({ log: { damage: [] } });
  } finally {
    await server.stop();
  }
}
