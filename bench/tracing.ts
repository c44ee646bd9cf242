import * as api from '@opentelemetry/api';
import { AlwaysOffSampler, BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { matrix } from '../src/components.ts';
import type { Exchange } from '../src/model/exchange.ts';
import type { Stage } from '../src/model/parts.ts';
import { DuplicateWindow } from '../src/stages/duplicates.ts';
import { runStages } from '../src/stages/run.ts';
import { MemoryState } from '../src/state/memory.ts';
import { Tracing } from '../src/telemetry/tracing.ts';
import { decisionTools, eventOf, exchangeOf, identityTools } from '../test/support/exchanges.ts';
import { HeldLog } from '../test/support/held-log.ts';
import { machine } from './baseline.ts';

/**
 * What traces cost: CPU of interact's stages before the log, without traces, with a sampler that leaves the request out, and
 * recorded and batched, but sent nowhere (`npm run bench:tracing`). The best of nine rounds; the first and the last are the
 * same, so that their difference says what the measurement is worth.
 */
const ROUNDS = 9;
const CALLS = 10_000;

const nowhere = {
  export: (_spans: unknown, done: (result: { code: number }) => void) => done({ code: 0 }),
  shutdown: async () => {},
};
const left = new Tracing(api, new NodeTracerProvider({ sampler: new AlwaysOffSampler() }).getTracer('weir'));
const recorded = new Tracing(
  api,
  new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(nowhere)] }).getTracer('weir'),
);
const stages = stagesBeforeLog();

console.log(machine());
for (const [name, tracing] of [
  ['without traces', null],
  ['left out by the sampler', left],
  ['recorded', recorded],
  ['without traces', null],
] as const) {
  console.log(`${(await microseconds(tracing)).toFixed(2).padStart(7)} µs  ${name}`);
}

function stagesBeforeLog(): readonly Stage[] {
  const tools = { identity: identityTools(), decisions: decisionTools(), deciding: null };
  const deps = { log: new HeldLog(), state: new MemoryState(), duplicates: new DuplicateWindow(), ...tools };
  const [, all] = matrix(deps).find(([{ name }]) => name === 'interact')!;
  return all.slice(
    0,
    all.findIndex(({ name }) => name === 'append'),
  );
}

/** Rounds with a pause between, in which what was recorded is thrown away. */
async function microseconds(tracing: Tracing | null): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const requests = Array.from({ length: CALLS }, () => exchangeOf({ events: [eventOf({}, { payloadHash: '' })] }));
    const before = process.cpuUsage();
    for (const x of requests) run(x, tracing);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / CALLS);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return best;
}

/** As the gateway does it. */
function run(x: Exchange, tracing: Tracing | null): void {
  const { role, requestId } = x;
  const trace =
    tracing === null
      ? null
      : tracing.request({ role, method: 'POST', path: '/v1/interact', requestId, traceparent: undefined });
  runStages(trace === null ? stages : trace.stages(stages), x);
  trace?.end(200, null);
}
