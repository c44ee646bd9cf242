import type { Exchange } from '../model/exchange.ts';
import type { Stage, Waited } from '../model/parts.ts';

/**
 * The way of a request: its endpoint's stages, one after the other. A stage of a service that is off for this
 * datastream does not run; nothing runs once the deadline has passed. Waits only for promises: where all stages are
 * synchronous it returns undefined, and the request has cost no microtask. A stage whose promise says `again` is run once more,
 * and where it then returns nothing, those behind it follow in the same turn.
 */
export function runStages(stages: readonly Stage[], x: Exchange): undefined | Promise<void> {
  for (let i = 0; i < stages.length; i++) {
    const pending = runOne(stages[i]!, x);
    if (pending !== undefined) return goOn(pending, stages, i, x);
  }
  return undefined;
}

async function goOn(first: Promise<Waited>, stages: readonly Stage[], at: number, x: Exchange): Promise<void> {
  let next = (await first) === 'again' ? at : at + 1;
  while (next < stages.length) {
    const pending = runOne(stages[next]!, x);
    if (pending === undefined || (await pending) !== 'again') next += 1;
  }
}

function runOne(stage: Stage, x: Exchange): undefined | Promise<Waited> {
  if (x.expired || (stage.service !== null && !x.datastream.services.has(stage.service))) return undefined;
  return stage.run(x);
}
