import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readEvents, startServer } from '../support/server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { writeFile } from '../support/workspace-folder.ts';

/** The workspace is rewritten under load, again and again: no request fails, and each new state is soon in force. */
const RELOADS = 12;
const CLIENTS = 16;
/** Every so many reloads the files have mistakes first. */
const BROKEN_EVERY = 4;
const IN_FORCE_MS_MAX = 5_000;
const OVERRIDES = 'overrides: {registered: {com_adobe_analytics: {reportSuites: [a, b]}}}\n';

test(`${RELOADS} reloads under load fail no request, and later requests are judged by the new files`, async () => {
  const workspace = tempFolder();
  const data = tempFolder();
  const write = (reload: number): void => {
    // The datastream under load changes too, and so do the paths, by a region more or less.
    const changing = reload % 2 === 0 ? OVERRIDES : '';
    writeFile(workspace, 'datastreams/shop.yaml', `id: shop\norg: RELOAD@AdobeOrg\nname: Shop ${reload}\n${changing}`);
    writeFile(workspace, 'datastreams/next.yaml', `id: next-${reload}\norg: RELOAD@AdobeOrg\nname: Next\n`);
    writeFile(workspace, 'weir.yaml', `region: eu1\nregions: [${region('eu1', 1)}, ${region(hintOf(reload), 2)}]\n`);
  };
  write(0);
  const server = await startServer({ workspace, data });
  const send = async (id: string, base = 'ee'): Promise<number> => {
    const body = JSON.stringify({ event: { xdm: { eventType: 'reload.test', mark: `${id} ${sent++}` } } });
    const answer = await fetch(`${server.urls.edge}/${base}/v2/interact?datastreamId=${id}`, { method: 'POST', body });
    await answer.arrayBuffer();
    return answer.status;
  };
  let sent = 0;
  let isOver = false;
  const answered: number[] = [];
  const client = async (): Promise<void> => {
    while (!isOver) answered.push(await send('shop'));
  };
  try {
    const clients = Promise.all(Array.from({ length: CLIENTS }, client));
    for (let reload = 1; reload <= RELOADS; reload++) {
      if (reload % BROKEN_EVERY === 0) {
        writeFile(workspace, 'datastreams/next.yaml', 'id: [broken\n');
        server.process.kill('SIGHUP');
        expect(await send(`next-${reload - 1}`)).toBe(200);
      }
      write(reload);
      // The other half is found by the server itself.
      if (reload % 2 === 0) server.process.kill('SIGHUP');
      await inForce(() => send(`next-${reload}`));
      expect(await send(`next-${reload - 1}`)).toBe(400);
      expect(await send(`next-${reload}`, `ee/${hintOf(reload)}`)).toBe(200);
      expect(await send(`next-${reload}`, `ee/${hintOf(reload - 1)}`)).toBe(404);
    }
    isOver = true;
    await clients;
  } finally {
    isOver = true;
    await server.stop();
  }
  expect(answered.filter((status) => status !== 200)).toEqual([]);
  const stored = (await readEvents(data, '--datastream', 'shop')).length;
  expect(stored).toBe(answered.length);
  expect(stored).toBeGreaterThan(RELOADS * CLIENTS);
});

/** Of the region that there is in one state of the files, and not in the next. */
function hintOf(reload: number): string {
  return reload % 2 === 0 ? 'aa1' : 'bb1';
}

function region(hint: string, targetId: number): string {
  return `{hint: ${hint}, targetId: ${targetId}, audienceManagerId: ${targetId}}`;
}

/** Until then the datastream is one that does not exist. */
async function inForce(send: () => Promise<number>): Promise<void> {
  const endMs = performance.now() + IN_FORCE_MS_MAX;
  for (let status = 0; status !== 200; await sleep(20)) {
    status = await send();
    if (status !== 200) expect(status).toBe(400);
    expect(performance.now(), 'the new files are not in force').toBeLessThan(endMs);
  }
}
