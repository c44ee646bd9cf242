import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { LogUnavailable } from '../../src/model/parts.ts';
import { personKey } from '../../src/model/person.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { ABORTED, type Outcomes, UNKNOWN_DATASTREAM } from '../../src/telemetry/ledger.ts';
import { datastreamOf, ECID_A, ECID_B, ORG, workspaceOf } from '../support/exchanges.ts';
import { type GatewayServer, startGateway } from '../support/gateway-server.ts';
import { HeldLog } from '../support/held-log.ts';
import { open, readAnswer, requestBytes, send } from '../support/raw-http.ts';

/**
 * The ingress ledger over random traffic through the whole request path, against what the clients saw and what the log
 * holds: nothing is missing, nothing counted twice.
 */

/** Long enough to break off before it on a busy machine. */
const DEADLINE_MS = 800;
const CONSENTED_OUT = ECID_B;
const DATASTREAMS = [
  datastreamOf({ id: 'shop' }),
  datastreamOf({ id: 'other' }),
  datastreamOf({ id: 'disabled', enabled: false }),
  datastreamOf({ id: 'closed', access: 'authenticated' }),
  datastreamOf({ id: 'listed', origins: new Set(['https://shop.test']) }),
];

interface EventSpec {
  /** Events with the same key are copies of each other. */
  readonly key: number | null;
  readonly visitor: 'in' | 'out' | 'malformed';
}
interface RequestSpec {
  readonly datastream: string;
  readonly endpoint: '/v2/collect' | '/v1/collect' | '/v1/interact' | '/v1/identity/acquire';
  readonly events: readonly EventSpec[];
  /** What is wrong with the request, if anything. */
  readonly fault: 'none' | 'no JSON' | 'wrong shape' | 'empty' | 'GET' | 'broken off' | 'never ends' | 'no datastream';
}

const eventSpec: fc.Arbitrary<EventSpec> = fc.record({
  key: fc.option(fc.nat(2)),
  visitor: fc.oneof(
    { weight: 6, arbitrary: fc.constant('in' as const) },
    { weight: 3, arbitrary: fc.constant('out' as const) },
    fc.constant('malformed' as const),
  ),
});
const requestSpec: fc.Arbitrary<RequestSpec> = fc.record({
  datastream: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('shop', 'other') },
    fc.constantFrom('disabled', 'closed', 'listed', 'nobodys', '__proto__'),
  ),
  endpoint: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('/v2/collect', '/v1/collect', '/v1/interact') },
    fc.constant('/v1/identity/acquire'),
  ),
  events: fc.array(eventSpec, { minLength: 1, maxLength: 4 }),
  fault: fc.oneof(
    { weight: 12, arbitrary: fc.constant('none' as const) },
    fc.constantFrom('no JSON', 'wrong shape', 'empty', 'GET', 'broken off', 'never ends', 'no datastream'),
  ),
}) as fc.Arbitrary<RequestSpec>;
/** What the disk does next. 'on': it syncs each append at once from here on. */
const disk = fc.array(
  fc.oneof({ weight: 20, arbitrary: fc.constantFrom('sync', 'sync', 'refuse', 'wait') }, fc.constant('on')),
  { maxLength: 20 },
);

/** What chance may leave out: a disk that does its work, one that stands still, and bodies that do not come whole. */
function plain(...events: EventSpec[]): RequestSpec {
  return { datastream: 'shop', endpoint: '/v2/collect', events, fault: 'none' };
}
const IN: EventSpec = { key: 0, visitor: 'in' };
const EXAMPLES: [RequestSpec[], string[]][] = [
  [[plain(IN, IN), plain({ key: null, visitor: 'out' }), plain({ key: null, visitor: 'malformed' })], ['on']],
  [[plain(IN)], []],
  [(['broken off', 'never ends', 'no datastream'] as const).map((fault) => ({ ...plain(IN), fault })), ['on']],
];
/** So each of these is seen. */
const OUTCOMES = [
  'stored',
  'withheld',
  'duplicate',
  'refused EXEG-0000-503',
  'rejected EXEG-0305-400',
  `rejected ${ABORTED}`,
];

test('what was received is what was stored, withheld, known before, rejected and refused', async () => {
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(requestSpec, { minLength: 5, maxLength: 30 }), disk, async (requests, turns) => {
      const log = new HeldLog();
      const server = await startGateway({
        eventLog: log,
        state: await stateWithConsent(),
        workspace: () => workspaceOf(DATASTREAMS),
        deadlineMs: DEADLINE_MS,
      });
      try {
        const seen = await traffic(server, log, requests, turns);
        const expected = expectedOf(seen, log);
        for (const counts of Object.values(expected)) for (const outcome of Object.keys(counts)) outcomes.add(outcome);
        await expect.poll(() => countsOf(server), { timeout: 30_000 }).toEqual(expected);
      } finally {
        await server.stop();
      }
    }),
    { numRuns: Number(process.env['WEIR_RUNS'] ?? 8) + EXAMPLES.length, examples: EXAMPLES },
  );
  for (const outcome of OUTCOMES) expect(outcomes).toContain(outcome);
}, 120_000);

test('what is stored of a request that fails counts as stored', async () => {
  const log = new HeldLog();
  const server = await startGateway({ eventLog: log });
  try {
    const copied: EventSpec = { key: 0, visitor: 'in' };
    const first = sendOne(server.edge, plain(copied), 'first');
    await expect.poll(() => log.held.length).toBe(1);
    // Its copy waits for the first one, and its other event does not.
    const second = sendOne(server.edge, plain(copied, { key: null, visitor: 'in' }), 'second');
    await expect.poll(() => log.held.length).toBe(2);
    log.refuse(new LogUnavailable('disk-full', 'The disk is full.'));
    log.sync();
    expect([(await first).status, (await second).status]).toEqual([503, 503]);
    await expect.poll(() => countsOf(server)).toEqual({ shop: { stored: 1, 'refused EXEG-0000-503': 2 } });
  } finally {
    await server.stop();
  }
});

/** What one client saw. Null: it broke off, or had no answer to wait for. */
interface Seen {
  readonly spec: RequestSpec;
  readonly name: string;
  readonly status: number | null;
  /** Of a problem. */
  readonly code: string;
}

/** Everything at once; the disk goes its own way, then stands still past the deadline, then does all that is left. */
async function traffic(
  server: GatewayServer,
  log: HeldLog,
  requests: readonly RequestSpec[],
  turns: readonly string[],
) {
  const seen = Promise.all(requests.map((spec, index) => sendOne(server.edge, spec, `r${index}`)));
  for (const turn of turns) {
    await sleep(3);
    if (turn === 'on') syncFromNowOn(log);
    if (log.held.length === 0 || turn === 'wait') continue;
    if (turn === 'sync') log.sync();
    else log.refuse(new LogUnavailable('disk-full', 'The disk is full.'));
  }
  await sleep(DEADLINE_MS + 50);
  syncFromNowOn(log);
  return await seen;
}

function syncFromNowOn(log: HeldLog): void {
  log.automatic = true;
  while (log.held.length > 0) log.sync();
}

async function sendOne(edge: string, spec: RequestSpec, name: string): Promise<Seen> {
  const { endpoint, datastream, fault } = spec;
  const parameter = endpoint.startsWith('/v2') ? 'datastreamId' : 'configId';
  const named = fault === 'no datastream' ? '' : `${parameter}=${datastream}&`;
  const sent = {
    method: fault === 'GET' ? 'GET' : 'POST',
    path: `/ee${endpoint}?${named}requestId=${name}`,
    headers: [['origin', 'https://other.test']] as const,
    body: fault === 'GET' ? '' : bodyOf(spec),
  };
  if (fault !== 'broken off' && fault !== 'never ends') return seenOf(spec, name, await send(edge, sent));
  const socket = await open(edge);
  await new Promise((resolve) => socket.write(requestBytes(edge, sent).subarray(0, -1), resolve));
  if (fault === 'never ends') return seenOf(spec, name, await readAnswer(socket));
  await sleep(5);
  socket.destroy();
  return { spec, name, status: null, code: '' };
}

function seenOf(spec: RequestSpec, name: string, answer: { status: number; text: string }): Seen {
  const type = answer.status < 300 || answer.text === '' ? '' : String(JSON.parse(answer.text)['type']);
  const code = type.startsWith('https:') ? type.slice(type.lastIndexOf('/') + 1) : `http-${answer.status}`;
  return { spec, name, status: answer.status, code };
}

function bodyOf({ endpoint, events, fault }: RequestSpec): string {
  if (fault === 'no JSON') return '{"events":';
  if (fault === 'wrong shape') return '{"events":"none"}';
  if (fault === 'empty') return '  ';
  if (endpoint === '/v1/identity/acquire') return '{"query":{"identity":{"fetch":["ECID"]}}}';
  return JSON.stringify({ events: events.map((event) => ({ xdm: xdmOf(event) })) });
}

const ECIDS = { in: ECID_A, out: CONSENTED_OUT, malformed: '123' };
function xdmOf({ key, visitor }: EventSpec): JsonObject {
  return {
    ...(key === null ? {} : { _id: `k${key}` }),
    identityMap: { ECID: [{ id: ECIDS[visitor], primary: true }] },
  };
}

/** By datastream: outcome → events; codes of rejected and refused as "rejected <code>". */
type Counts = Record<string, Record<string, number>>;

/** By datastream: what is known to be wrong before a body has come. */
const REFUSED_EARLY: Readonly<Record<string, string>> = {
  closed: 'EXEG-0500-401',
  [UNKNOWN_DATASTREAM]: 'EXEG-0003-400',
};

function expectedOf(seen: readonly Seen[], log: HeldLog): Counts {
  const counts: Counts = {};
  for (const one of seen) {
    const { spec, name, status, code } = one;
    if (spec.endpoint === '/v1/identity/acquire' || spec.fault === 'GET') continue;
    const isKnown = spec.fault !== 'no datastream' && DATASTREAMS.some(({ id }) => id === spec.datastream);
    const datastream = isKnown ? spec.datastream : UNKNOWN_DATASTREAM;
    const count = (outcome: string, events: number): void => {
      if (events === 0) return;
      counts[datastream] ??= {};
      counts[datastream][outcome] = (counts[datastream][outcome] ?? 0) + events;
    };
    // Refused before its end came: the client that breaks off does not see it.
    if (status === null) count(`rejected ${REFUSED_EARLY[datastream] ?? ABORTED}`, 1);
    else if (!wasRead(one)) count(status >= 500 ? `refused ${code}` : `rejected ${code}`, 1);
    else {
      const stored = log.stored
        .filter(({ requestId }) => requestId.startsWith(`${name}-`))
        .flatMap(({ events }) => events);
      const rest = spec.events.length - stored.length;
      const withheld = withheldOf(spec);
      count('stored', stored.length);
      if (status >= 300) count(status >= 500 ? `refused ${code}` : `rejected ${code}`, rest);
      else {
        count('withheld', withheld);
        count('duplicate', rest - withheld);
      }
    }
  }
  return counts;
}

/** Its events were known: it went well, or failed behind that. */
function wasRead({ spec, status, code }: Seen): boolean {
  if (spec.fault !== 'none') return false;
  return status! < 300 || code === 'EXEG-0305-400' || code === 'EXEG-0000-503';
}

/** Of an event that stands in a request twice, the second is a copy of the first. */
function withheldOf({ events }: RequestSpec): number {
  const out = events.filter(({ visitor }) => visitor === 'out');
  return new Set(out.map(({ key }, index) => (key === null ? `index ${index}` : `key ${key}`))).size;
}

function countsOf({ counters }: GatewayServer): Counts {
  const counts: Counts = {};
  for (const [datastream, outcomes] of counters.ledger.totals) counts[datastream] = outcomesOf(outcomes);
  return counts;
}

function outcomesOf({ stored, withheld, duplicate, rejected, refused }: Outcomes): Record<string, number> {
  const all: (readonly [string, number])[] = [
    ['stored', stored],
    ['withheld', withheld],
    ['duplicate', duplicate],
    ...[...(rejected ?? [])].map(([code, count]) => [`rejected ${code}`, count] as const),
    ...[...(refused ?? [])].map(([code, count]) => [`refused ${code}`, count] as const),
  ];
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

async function stateWithConsent(): Promise<MemoryState> {
  const state = new MemoryState();
  const key = personKey(ORG, 'ECID', CONSENTED_OUT);
  const body = { operation: 'replace', value: { collect: { val: 'n' } } };
  const changes = [{ kind: 'consent' as const, key, time: '2026-11-23T09:30:00.000Z-0000', body }];
  state.apply([{ position: { partition: 0, offset: 0 }, changes }]);
  return state;
}
