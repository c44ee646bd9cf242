import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { matrix } from '../src/components.ts';
import type { Exchange } from '../src/model/exchange.ts';
import { mintEcid } from '../src/model/identity.ts';
import { encodeIdentityCookie } from '../src/model/identity-cookie.ts';
import type { JsonObject } from '../src/model/json.ts';
import type { Stage } from '../src/model/parts.ts';
import { personKey } from '../src/model/person.ts';
import { DuplicateWindow } from '../src/stages/duplicates.ts';
import { LmdbState } from '../src/state/lmdb.ts';
import {
  clientOf,
  decisionTools,
  eventOf,
  exchangeOf,
  identityTools,
  NOW_MS,
  ORG,
  PREFIX,
  SEAL,
} from '../test/support/exchanges.ts';
import { HeldLog } from '../test/support/held-log.ts';

/**
 * What it costs to know a visitor and keep to their consent: CPU of each stage before the log, per request, with known visitors
 * in an embedded state: such as were there lately, and such as have to be read from the database. The best of five rounds,
 * because whatever else runs on the machine only adds.
 */

/** As many as bench/interact has; every one of them was there a moment ago. */
const VISITORS = 5_000;
const ROUNDS = 5;
const CHUNK = 200;

const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
try {
  process.stdout.write(`For comparison, JSON.parse of 20 events in 2 KB: ${yardstick().toFixed(1)} µs\n`);
  const ecids = Array.from({ length: VISITORS }, () => mintEcid(randomBytes(16).toString('hex')));
  await fill(ecids);
  const cookies = ecids.map((ecid) =>
    encodeIdentityCookie(
      { ecid, createdAtMs: NOW_MS, isNew: true, source: 'random', writtenAtMs: NOW_MS },
      'or2',
      (message) => SEAL.sign(ORG, message),
    ),
  );
  for (const [name, limits] of [
    ['there lately', {}],
    ['from the database', { cacheBytesMax: 1 }],
  ] as const) {
    const state = await LmdbState.open(folder, { limits });
    measure(name, state, cookies);
    await state.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** How slow the machine is at the moment. */
function yardstick(): number {
  const body = JSON.stringify({
    events: Array.from({ length: 20 }, (_, n) => ({
      xdm: { name: `event ${n}`, n, list: [n, null, true], text: 'x'.repeat(20) },
    })),
  });
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < VISITORS; i++) JSON.parse(body);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / VISITORS);
  }
  return best;
}

async function fill(ecids: readonly string[]): Promise<void> {
  const state = await LmdbState.open(folder);
  for (const [offset, ecid] of ecids.entries()) {
    const body = { operation: 'replace', value: { collect: { val: 'y' } } };
    const change = { kind: 'consent', key: personKey(ORG, 'ECID', ecid), time: '000000000001-0000', body } as const;
    await state.apply([{ position: { partition: 0, offset }, changes: [change] }]);
  }
  await state.close();
}

function measure(where: string, state: LmdbState, cookies: readonly string[]): void {
  for (const requireSigned of [false, true]) {
    for (const ids of ['ECID', 'ECID and CRM id']) {
      const requestOf = (index: number): Exchange => {
        const cookie = [`${PREFIX}identity`, cookies[index]!] as const;
        const xdm: JsonObject = ids === 'ECID' ? {} : { identityMap: { CRM: [{ id: `u${index}` }] } };
        return exchangeOf({
          client: clientOf({ cookies: new Map([cookie]) }),
          events: [eventOf(xdm, { payloadHash: '' })],
        });
      };
      const costs = costsOf(stagesWith(state, requireSigned), requestOf);
      const sum = [...costs.values()].reduce((all, one) => all + one, 0);
      const parts = [...costs].map(([name, us]) => `${name} ${us.toFixed(2)}`).join(', ');
      const signed = requireSigned ? ', signatures required' : '';
      process.stdout.write(`${where}, ${ids}${signed}: ${sum.toFixed(1)} µs (${parts})\n`);
    }
  }
}

/** Those of interact, before the log. */
function stagesWith(state: LmdbState, requireSigned: boolean): readonly Stage[] {
  const identity = identityTools({ requireSigned });
  const deps = {
    log: new HeldLog(),
    state,
    duplicates: new DuplicateWindow(),
    identity,
    decisions: decisionTools(),
    deciding: null,
  };
  const [, stages] = matrix(deps).find(([{ name }]) => name === 'interact')!;
  return stages.slice(
    0,
    stages.findIndex(({ name }) => name === 'append'),
  );
}

/** µs of CPU by stage. Requests come and go in hundreds, as they do in a server: kept ones cost garbage collection more than they do. */
function costsOf(stages: readonly Stage[], requestOf: (index: number) => Exchange): ReadonlyMap<string, number> {
  const best = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const sums = new Map(stages.map(({ name }) => [name, 0]));
    for (let first = 0; first < VISITORS; first += CHUNK) {
      const requests = Array.from({ length: CHUNK }, (_, index) => requestOf(first + index));
      for (const stage of stages) {
        const before = process.cpuUsage();
        for (const x of requests) stage.run(x);
        const { user, system } = process.cpuUsage(before);
        sums.set(stage.name, sums.get(stage.name)! + user + system);
      }
    }
    for (const [name, sum] of sums) best.set(name, Math.min(sum / VISITORS, best.get(name) ?? sum));
  }
  return best;
}
