import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { adminTokens } from '../../src/server.ts';
import { Metrics } from '../support/metrics.ts';
import { type Server, startServer } from '../support/server.ts';
import { tempFolder } from '../support/temp-folder.ts';

/**
 * A real server counts what it stores: as many events as were acknowledged, and as the log holds. Killed under load, it
 * begins its ledger anew and says so; what the log holds is then what all clients were told, the retried ones included.
 */
const WORKSPACE = { 'weir.yaml': '{}\n', 'datastreams/shop.yaml': 'id: shop\norg: KILL@AdobeOrg\nname: Shop\n' };
const CLIENTS = 6;
const REQUESTS_BEFORE = 20;
const KILL_AFTER_MS = 300;

interface Sent {
  readonly requestId: string;
  readonly events: number;
}

const requestOf = (index: number): Sent => ({ requestId: randomUUID(), events: 1 + (index % 3) });

/** Whether it was acknowledged. */
async function send(server: Server, { requestId, events }: Sent): Promise<boolean> {
  const body = JSON.stringify({
    events: Array.from({ length: events }, (_, index) => ({ xdm: { mark: `${requestId}#${index}` } })),
  });
  const url = `${server.urls.edge}/ee/v2/collect?datastreamId=shop&requestId=${requestId}`;
  try {
    const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    await response.arrayBuffer();
    return response.status === 202;
  } catch (error) {
    if (error instanceof TypeError) return false; // fetch's word for a connection that broke.
    throw error;
  }
}

async function ledgerOf(server: Server): Promise<Record<string, number>> {
  const metrics = new Metrics(await (await fetch(`${server.urls.admin}/metrics`)).text());
  const of = (outcome: string) => metrics.value(`weir_ingress_events_total{datastream="shop",outcome="${outcome}"}`);
  const counts = ['stored', 'withheld', 'duplicate', 'rejected', 'refused'].map(
    (outcome) => [outcome, of(outcome)] as const,
  );
  return { ...Object.fromEntries(counts), records: metrics.value('weir_log_appends_total') };
}

const eventsIn = (requests: readonly Sent[]): number => requests.reduce((sum, { events }) => sum + events, 0);
const nothing = { withheld: 0, rejected: 0, refused: 0 };

test('what the ledger says was stored is what was acknowledged, and what the log holds, through a SIGKILL', async () => {
  const data = tempFolder();
  const first = await startServer({ workspace: WORKSPACE, data });
  const calm = Array.from({ length: REQUESTS_BEFORE }, (_, index) => requestOf(index));
  for (const request of calm) expect(await send(first, request)).toBe(true);
  expect(await ledgerOf(first)).toEqual({ ...nothing, stored: eventsIn(calm), duplicate: 0, records: calm.length });
  expect(await first.events()).toHaveLength(eventsIn(calm));

  const acknowledged: Sent[] = [...calm];
  const unanswered: Sent[] = [];
  let isKilled = false;
  const clients = Array.from({ length: CLIENTS }, async () => {
    for (let index = 0; !isKilled; index++) {
      const request = requestOf(index);
      ((await send(first, request)) ? acknowledged : unanswered).push(request);
    }
  });
  // Under load only once there are answers: on a busy machine the first ones take their time.
  await expect.poll(() => acknowledged.length, { interval: 1 }).toBeGreaterThan(calm.length);
  await new Promise((resolve) => setTimeout(resolve, KILL_AFTER_MS));
  const gone = once(first.process, 'exit');
  first.process.kill('SIGKILL');
  isKilled = true;
  await Promise.all([gone, ...clients]);
  // One more: on a busy machine every answer may have been on its way when the signal came, and the new ledger be empty.
  unanswered.push(requestOf(0));

  const killedMs = Date.now();
  const second = await startServer({ workspace: WORKSPACE, data });
  try {
    const before = (await second.events()).length;
    for (const request of unanswered) expect(await send(second, request)).toBe(true);
    const after = (await second.events()).length;
    expect(after).toBe(eventsIn(acknowledged) + eventsIn(unanswered));
    const { records: _records, ...counts } = await ledgerOf(second);
    const stored = after - before;
    expect(counts).toEqual({ ...nothing, stored, duplicate: eventsIn(unanswered) - stored });
    expect(await ledgerSince(second, data)).toBeGreaterThanOrEqual(killedMs);
  } finally {
    await second.stop();
  }
  expect(acknowledged.length).toBeGreaterThan(calm.length);
});

async function ledgerSince(server: Server, data: string): Promise<number> {
  const scope = { orgId: null, role: 'read', datastreams: null } as const;
  const { text } = await (await adminTokens(data)).create(scope, 3_600_000, { kind: 'test' });
  const headers = { authorization: `Bearer ${text}` };
  const response = await fetch(`${server.urls.admin}/api/v1/ledger?datastream=shop`, { headers });
  const { since, items } = (await response.json()) as { since: string; items: { received: number }[] };
  expect(items.length).toBeGreaterThan(0);
  return Date.parse(since);
}
