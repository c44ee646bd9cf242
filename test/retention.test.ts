import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { Erasures } from '../src/erasures.ts';
import { CLOCK_STEADY_MS } from '../src/expiry.ts';
import { FileLog } from '../src/log/file.ts';
import { RULE_SETTLES_MS } from '../src/log/hidden.ts';
import { systemHost } from '../src/log/host.ts';
import { StateKeeper } from '../src/state/keeper.ts';
import { weir as command } from './support/command.ts';
import { writeLog } from './support/data-folder.ts';
import { markOf, type Request, requestRecord } from './support/expiring.ts';
import { send } from './support/raw-http.ts';
import { filesWith } from './support/scan.ts';
import { startWeir, type Weir } from './support/weir.ts';
import { writeFile } from './support/workspace-folder.ts';

/** How long events are kept, by the whole server: what its files say is what readers see, and then what its disk holds. */

const DAY_MS = RULE_SETTLES_MS;
const MINUTE_MS = 60_000;
const SHOP = 'id: shop\norg: TEST@AdobeOrg\nname: Shop\n';
const RULE = 'retention: { maxAgeDays: 10, eventTypes: { short: { maxAgeDays: 2 } } }\n';

let server: Weir | null = null;
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await server?.stop();
  server = null;
});

/** A server on a log with an event of each type that came days ago. */
async function startOn(daysAgo: readonly number[], files: Record<string, string>): Promise<Weir> {
  const started = await startWeir(files);
  await started.halt();
  const requests = daysAgo.map(
    (days, number): Request => ({
      ...{ number, atMs: Date.now() - days * DAY_MS, datastreamId: 'shop', isWhole: true },
      sent: [{ type: 'short' }, { type: null }],
    }),
  );
  await writeLog(started.data, requests.map(requestRecord), requests[0]!.atMs);
  await started.restart();
  server = started;
  return started;
}

async function marks({ data }: Weir): Promise<string[]> {
  const { code, out, err } = await command('events', '--data', data);
  expect([code, err]).toEqual([0, '']);
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).xdm.mark);
}
const get = async ({ running }: Weir, path: string) => (await send(running.urls.admin, { method: 'GET', path })).json;
const until = (condition: () => Promise<boolean>) => expect.poll(condition, { interval: 20, timeout: 5000 }).toBe(true);

test('a rule is in force from the start, within a second of a change, and when the server is away', async () => {
  const weir = await startOn([20, 5, 1], { 'datastreams/shop.yaml': SHOP + RULE });
  const byRule = [markOf(1, 1), markOf(2, 0), markOf(2, 1)];
  expect(await marks(weir)).toEqual(byRule);
  await weir.halt();
  expect(await marks(weir)).toEqual(byRule);
  await weir.restart();
  writeFile(weir.workspace, 'datastreams/shop.yaml', SHOP);
  const all = [0, 1, 2].flatMap((number) => [markOf(number, 0), markOf(number, 1)]);
  await until(async () => (await marks(weir)).length === all.length);
  expect(await marks(weir)).toEqual(all);
});

/** Time goes when the test says so, for everything in the server that goes by it. */
function holdClocks(): void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  vi.spyOn(systemHost, 'nowMs').mockImplementation(() => Date.now());
  vi.spyOn(process.hrtime, 'bigint').mockImplementation(() => BigInt(Date.now()) * 1_000_000n);
}

test('files of the log are dropped by age when the clock has run evenly for an hour, and by size at once', async () => {
  server = await startWeir({ 'datastreams/shop.yaml': SHOP });
  holdClocks();
  const retain = vi.spyOn(FileLog.prototype, 'retain');
  await server.halt();
  await server.restart();
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  await until(async () => retain.mock.calls.length > 0);
  expect(retain.mock.lastCall).toEqual([{ byAge: false }]);
  await vi.advanceTimersByTimeAsync(CLOCK_STEADY_MS);
  await until(async () => retain.mock.lastCall?.[0]?.byAge === true);
});

test('expired events are removed where snapshots, the dropping of files and erasures fail', async () => {
  server = await startWeir({ 'datastreams/shop.yaml': SHOP + RULE });
  holdClocks();
  vi.spyOn(StateKeeper.prototype, 'sinceSnapshot').mockRejectedValue(new Error('EIO: snapshot'));
  vi.spyOn(FileLog.prototype, 'retain').mockRejectedValue(new Error('EIO: segment'));
  const expire = vi.spyOn(FileLog.prototype, 'expire');
  vi.spyOn(Erasures.prototype, 'isDue', 'get').mockReturnValue(true);
  vi.spyOn(Erasures.prototype, 'carryOut').mockRejectedValue(new Error('EIO: erasure'));
  await server.halt();
  await server.restart();
  await vi.advanceTimersByTimeAsync(CLOCK_STEADY_MS + 2 * MINUTE_MS);
  await until(async () => expire.mock.calls.length > 0);
});

test('what it says is seen, and in time the disk holds it no more', async () => {
  const weir = await startOn([20, 5], { 'datastreams/shop.yaml': SHOP + RULE });
  holdClocks();
  await weir.halt();
  await weir.restart();
  expect(await get(weir, '/health')).toMatchObject({ status: 'ok', retention: { waitsForClock: true } });
  vi.setSystemTime(Date.now() + DAY_MS);
  expect(await get(weir, '/health')).toMatchObject({
    status: 'ok',
    retention: { lastPassAt: null, failure: null, removedSinceStart: 0 },
  });
  await vi.advanceTimersByTimeAsync(CLOCK_STEADY_MS + 2 * MINUTE_MS);
  const lastPassAt = async (): Promise<string | null> =>
    ((await get(weir, '/health')) as { retention: { lastPassAt: string | null } }).retention.lastPassAt;
  await until(async () => (await lastPassAt()) !== null);
  expect(await get(weir, '/health')).toMatchObject({
    retention: { waitsForClock: false, failure: null, removedSinceStart: 3 },
  });
  const { body } = await send(weir.running.urls.admin, { method: 'GET', path: '/metrics' });
  expect(body.toString()).toContain('weir_log_expired_events_total{datastream="shop"} 3\n');
  expect(body.toString()).toContain('weir_log_expiry_failed 0\n');
  expect(body.toString()).toContain('weir_log_expiry_waits_for_clock 0\n');
  expect(filesWith(weir.data, [markOf(0, 0), markOf(0, 1), markOf(1, 0)])).toEqual([]);
  expect(filesWith(weir.data, [markOf(1, 1)])).toHaveLength(1);
  const seen = String(await lastPassAt());
  const remembered = join(weir.data, 'expiry.json');
  await until(async () => readFileSync(remembered, 'utf8').includes(`"lastPassMs":${Date.parse(seen)}`));
  await weir.halt();
  await weir.restart();
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  await until(async () => (await lastPassAt()) === seen);
});
