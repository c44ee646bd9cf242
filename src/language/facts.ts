import type { Facts } from '../model/condition.ts';
import type { Consent } from '../model/exchange.ts';
import type { JsonObject } from '../model/json.ts';
import { pageFacts } from './page.ts';
import type { ZoneTime } from './zone-time.ts';

export interface FactInputs {
  readonly xdm: JsonObject;
  readonly data: JsonObject | null;
  readonly profile: JsonObject;
  readonly consent: Consent;
  /** Asked at most once, when it is first read: `clientFacts`, or what a record keeps of them. */
  readonly client: () => JsonObject;
  /** Unix epoch, milliseconds. */
  readonly nowMs: number;
}

/** Facts about one event. Making them costs next to nothing: what is not read is not made. `zone`: of the org. */
export function makeFacts(inputs: FactInputs, zone: ZoneTime): Facts {
  return new EventFacts(inputs, zone);
}

const NONE: JsonObject = Object.freeze({});

class EventFacts implements Facts {
  readonly xdm: JsonObject;
  readonly data: JsonObject;
  readonly profile: JsonObject;
  readonly #inputs: FactInputs;
  readonly #zone: ZoneTime;
  #consent: JsonObject | null = null;
  #client: JsonObject | null = null;
  #page: JsonObject | null = null;
  #time: JsonObject | null = null;

  constructor(inputs: FactInputs, zone: ZoneTime) {
    this.xdm = inputs.xdm;
    this.data = inputs.data ?? NONE;
    this.profile = inputs.profile;
    this.#inputs = inputs;
    this.#zone = zone;
  }

  get consent(): JsonObject {
    const { value, collect, gpc } = this.#inputs.consent;
    this.#consent ??= { ...value, collect, gpc };
    return this.#consent;
  }

  get client(): JsonObject {
    this.#client ??= this.#inputs.client();
    return this.#client;
  }

  get page(): JsonObject {
    this.#page ??= pageFacts(this.xdm);
    return this.#page;
  }

  get time(): JsonObject {
    this.#time ??= this.#zone.at(this.#inputs.nowMs);
    return this.#time;
  }
}
