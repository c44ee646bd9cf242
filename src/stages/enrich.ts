import type { Exchange } from '../model/exchange.ts';
import type { Enrichment, Stage } from '../model/parts.ts';

/** Adds to a request's events what the server knows of them, in the order of the list. */
export class Enrich implements Stage {
  readonly name = 'enrich';
  readonly service = null;
  readonly #enrichments: readonly Enrichment[];

  constructor(enrichments: readonly Enrichment[]) {
    this.#enrichments = enrichments;
  }

  run(x: Exchange): undefined {
    for (const enrichment of this.#enrichments) enrichment.enrich(x);
  }
}
