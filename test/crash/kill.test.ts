import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Random } from '../sim/random.ts';
import { type EventLine, readEvents, type Server, startServer } from '../support/server.ts';

/**
 * A real server under load is killed with SIGKILL at a random moment, again and again on the same data: what was
 * acknowledged is read back exactly once, nothing is read that was not sent, and consent that was acknowledged holds.
 * WEIR_KILLS sets the rounds, WEIR_SEED repeats them.
 */
const ROUNDS = Number(process.env['WEIR_KILLS'] ?? 20);
const SEED = Number(process.env['WEIR_SEED'] ?? randomInt(2 ** 31));
const CLIENTS = 8;
const KILL_AFTER_MS = [20, 500] as const;
const ROUND_MS_MAX = 15_000;

const WORKSPACE = { 'weir.yaml': '{}\n', 'datastreams/shop.yaml': 'id: shop\norg: KILL@AdobeOrg\nname: Shop\n' };
const data = mkdtempSync(join(tmpdir(), 'weir-kill-'));
afterAll(() => rmSync(data, { recursive: true, force: true }));

interface Ledger {
  /** Requests by id: what was sent, and how many events. */
  readonly sent: Map<string, { readonly marks: readonly string[]; readonly path: string; readonly body: string }>;
  readonly acknowledged: Set<string>;
  /** Visitors whose `out` was acknowledged. */
  readonly optedOut: Set<string>;
}

test(
  `${ROUNDS} kills under load lose nothing, double nothing and make nothing up (seed ${SEED})`,
  async () => {
    const random = new Random(SEED);
    const ledger: Ledger = { sent: new Map(), acknowledged: new Set(), optedOut: new Set() };
    let unanswered: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const server = await startServer({ workspace: WORKSPACE, data });
      await retryUnanswered(server, ledger, unanswered);
      unanswered = await loadUntilKilled(server, ledger, random);
    }
    const server = await startServer({ workspace: WORKSPACE, data });
    try {
      await retryUnanswered(server, ledger, unanswered);
      verify(await readEvents(data), ledger);
      await verifyConsent(server, ledger);
      expect(ledger.acknowledged.size).toBeGreaterThan(ROUNDS * CLIENTS);
    } finally {
      await server.stop();
    }
  },
  ROUNDS * ROUND_MS_MAX,
);

/** Every client sends one request after the other until the server is gone; returns the requests that got no answer. */
async function loadUntilKilled(server: Server, ledger: Ledger, random: Random): Promise<string[]> {
  const [least, most] = KILL_AFTER_MS;
  const unanswered: string[] = [];
  let killed = false;
  const client = async (): Promise<void> => {
    while (!killed) {
      const requestId = makeRequest(ledger, random);
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
  return unanswered;
}

function makeRequest(ledger: Ledger, random: Random): string {
  const requestId = randomUUID();
  const mark = (index: number): string => `${requestId}#${index}`;
  const xdm = (index: number) => ({
    eventType: 'kill.test',
    mark: mark(index),
    filler: 'x'.repeat(random.below(1500)),
  });
  const kind = random.below(10);
  if (kind < 6) {
    const body = JSON.stringify({ events: [{ xdm: xdm(0) }], query: { identity: { fetch: ['ECID'] } } });
    ledger.sent.set(requestId, { marks: [mark(0)], path: '/ee/v1/interact', body });
  } else if (kind < 9) {
    const count = 1 + random.below(5);
    const marks = Array.from({ length: count }, (_, index) => mark(index));
    ledger.sent.set(requestId, {
      marks,
      path: '/ee/v1/collect',
      body: JSON.stringify({ events: marks.map((_, index) => ({ xdm: xdm(index) })) }),
    });
  } else {
    const ecid = String(random.below(2 ** 31)).padStart(38, '1');
    const body = JSON.stringify({
      identityMap: { ECID: [{ id: ecid }] },
      consent: [{ standard: 'Adobe', version: '2.0', value: { collect: { val: 'n' } } }],
    });
    ledger.sent.set(requestId, { marks: [], path: '/ee/v1/privacy/set-consent', body });
  }
  return requestId;
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
  ledger.acknowledged.add(requestId);
  if (path.endsWith('set-consent')) ledger.optedOut.add(JSON.parse(body).identityMap.ECID[0].id);
  return true;
}

/** As a client does: the same body under the same request id. Nobody knows whether the first try was stored. */
async function retryUnanswered(server: Server, ledger: Ledger, requestIds: readonly string[]): Promise<void> {
  for (const requestId of requestIds) expect(await send(server, requestId, ledger)).toBe(true);
}

function verify(events: readonly EventLine[], ledger: Ledger): void {
  const read = new Map<string, number>();
  for (const event of events) {
    const mark = String(event.xdm['mark']);
    const requestId = mark.slice(0, mark.indexOf('#'));
    const sent = ledger.sent.get(requestId);
    expect(sent?.marks, `an event that nobody sent: ${mark}`).toContain(mark);
    expect(sent!.body).toContain(`"filler":"${String(event.xdm['filler'])}"`);
    read.set(mark, (read.get(mark) ?? 0) + 1);
  }
  const expected = [...ledger.acknowledged].flatMap((requestId) => ledger.sent.get(requestId)!.marks);
  expect(expected.filter((mark) => read.get(mark) !== 1)).toEqual([]);
  expect(read.size).toBe(expected.length);
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
