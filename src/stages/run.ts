import type { Exchange } from '../model/exchange.ts';
import type { Stage } from '../model/parts.ts';

/**
 * The way of a request: its endpoint's stages, one after the other. A stage of a service that is off for this
 * datastream does not run; nothing runs once the deadline has passed. Awaits only promises: a request whose stages are
 * all synchronous costs no microtask.
 */
export async function runStages(stages: readonly Stage[], x: Exchange): Promise<void> {
  for (let i = 0; i < stages.length; i++) {
    if (x.expired) return;
    const stage = stages[i]!;
    if (stage.service !== null && !x.datastream.services.has(stage.service)) continue;
    const pending = stage.run(x);
    if (pending !== undefined) await pending;
  }
}
