import { once } from 'node:events';
import { expect } from 'vitest';
import { Random } from '../sim/random.ts';
import { Ledger } from '../support/ledger.ts';
import { readEvents, type Server, startServer } from '../support/server.ts';
import { tempFolder } from '../support/temp-folder.ts';

const CLIENTS = 8;
const KILL_AFTER_MS = [20, 500] as const;
/** Acknowledged requests of each round that are sent again after the restart: their answers might have been lost. */
const RESENT = 5;
/** What a round may take on a machine that is busy with other things. */
export const ROUND_MS_MAX = 15_000;

const WORKSPACE = { 'weir.yaml': '{}\n', 'datastreams/shop.yaml': 'id: shop\norg: KILL@AdobeOrg\nname: Shop\n' };

/**
 * A real server under load is killed with SIGKILL at a random moment, again and again on the same data: what was
 * acknowledged is read back exactly once, nothing is read that was not sent, and consent that was acknowledged holds.
 * The seed decides what is sent and when it is killed.
 */
export async function killAgainAndAgain(rounds: number, seed: number): Promise<void> {
  const data = tempFolder();
  const random = new Random(seed);
  const ledger = new Ledger();
  let again: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const server = await startServer({ workspace: WORKSPACE, data });
    await sendAgain(server, ledger, again);
    const unanswered = await loadUntilKilled(server, ledger, random);
    again = [...unanswered, ...[...ledger.acknowledged].slice(-RESENT)];
  }
  const server = await startServer({ workspace: WORKSPACE, data });
  try {
    await sendAgain(server, ledger, again);
    ledger.verify(await readEvents(data));
    await verifyConsent(server, ledger);
    expect(ledger.acknowledged.size).toBeGreaterThan(rounds * CLIENTS);
  } finally {
    await server.stop();
  }
}

/** Every client sends one request after the other until the server is gone; returns the requests that got no answer. */
async function loadUntilKilled(server: Server, ledger: Ledger, random: Random): Promise<string[]> {
  const [least, most] = KILL_AFTER_MS;
  const unanswered: string[] = [];
  let killed = false;
  const client = async (): Promise<void> => {
    while (!killed) {
      const requestId = ledger.plan(random);
      if (!(await send(server, requestId, ledger))) unanswered.push(requestId);
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  await new Promise((resolve) => setTimeout(resolve, least + random.below(most - least)));
  const gone = once(server.process, 'exit');
  server.process.kill('SIGKILL');
  killed = true;
  await gone;
  await Promise.all(clients);
  await server.stop();
  return unanswered;
}

/** Whether the request was acknowledged. A connection that broke, and a 503 of a server that is short of time, are not. */
async function send(server: Server, requestId: string, ledger: Ledger): Promise<boolean> {
  const { path, body } = ledger.sent.get(requestId)!;
  try {
    const url = `${server.urls.edge}${path}?configId=shop&requestId=${requestId}`;
    const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'text/plain' } });
    await response.arrayBuffer();
    if (response.status === 503) return false;
    expect([200, 204]).toContain(response.status);
    expect(response.headers.get('x-weir-ack')).toBe('local-fsync');
  } catch (error) {
    if (error instanceof TypeError) return false; // fetch's word for a connection that broke.
    throw error;
  }
  ledger.acknowledge(requestId);
  return true;
}

/** As a client does: the same body under the same request id. For those without an answer, nobody knows whether they were stored. */
async function sendAgain(server: Server, ledger: Ledger, requestIds: readonly string[]): Promise<void> {
  for (const requestId of requestIds) {
    await expect.poll(() => send(server, requestId, ledger), { message: `${requestId} sent again` }).toBe(true);
  }
}

async function verifyConsent(server: Server, ledger: Ledger): Promise<void> {
  expect(ledger.optedOut.size).toBeGreaterThan(0);
  for (const ecid of ledger.optedOut) {
    const body = JSON.stringify({ event: { xdm: { identityMap: { ECID: [{ id: ecid }] } } } });
    const response = await fetch(`${server.urls.edge}/ee/v2/interact?datastreamId=shop`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    const answer = (await response.json()) as { warnings?: { type: string }[] };
    expect(answer.warnings?.[0]?.type, `visitor ${ecid} opted out`).toBe(
      'https://ns.adobe.com/aep/errors/EXEG-0301-200',
    );
  }
}
