import type { Exchange } from '../model/exchange.ts';
import type { Stage } from '../model/parts.ts';

/**
 * The way of a request: its endpoint's stages, one after the other. A stage of a service that is off for this
 * datastream does not run; nothing runs once the deadline has passed. Waits only for promises: where all stages are
 * synchronous it returns undefined, and the request has cost no microtask.
 */
export function runStages(stages: readonly Stage[], x: Exchange): undefined | Promise<void> {
  for (let i = 0; i < stages.length; i++) {
    const pending = runOne(stages[i]!, x);
    if (pending !== undefined) return goOn(pending, stages, i + 1, x);
  }
  return undefined;
}

async function goOn(pending: Promise<void>, stages: readonly Stage[], next: number, x: Exchange): Promise<void> {
  await pending;
  for (let i = next; i < stages.length; i++) await runOne(stages[i]!, x);
}

function runOne(stage: Stage, x: Exchange): undefined | Promise<void> {
  if (x.expired || (stage.service !== null && !x.datastream.services.has(stage.service))) return undefined;
  return stage.run(x);
}
