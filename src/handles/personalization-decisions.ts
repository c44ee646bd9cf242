import type { Proposition } from '../model/decision.ts';
import type { EventDecision, Handle } from '../model/exchange.ts';
import type { JsonObject } from '../model/json.ts';
import type { HandleSource } from '../model/parts.ts';
import { propositionJson } from '../model/proposition-json.ts';
import type { ServiceName } from '../model/services.ts';

const TYPE = 'personalization:decisions';

/**
 * `personalization:decisions`: content for one event, a handle for each service that makes some. An event that asked and gets
 * nothing has an empty one, so that clients know it was heard. Documented: several handles for an event, and empty ones.
 */
function source(service: ServiceName, provider: string, isAlways: boolean): HandleSource {
  return {
    type: TYPE,
    service,
    wanted: (x) => x.personalization !== null,
    produce(x) {
      const handles: Handle[] = [];
      for (const one of x.personalization!) addHandle(handles, one, provider, isAlways);
      return handles;
    },
  };
}

export const targetDecisions = source('decisions', 'TGT', true);
export const offerDecisions = source('offers', 'ODE', false);
export const messageDecisions = source('messages', 'AJO', false);

function addHandle(handles: Handle[], one: EventDecision, provider: string, isAlways: boolean): void {
  if (!one.isAsked) return;
  const told: Told[] = [];
  const { propositions } = one.decision;
  for (let i = 0; i < propositions.length; i++) {
    const proposition = propositions[i]!;
    if (proposition.scopeDetails['decisionProvider'] === provider) told.push({ proposition, token: one.tokens[i]! });
  }
  if (told.length > 0 || isAlways) handles.push(new Decisions(told, one.eventIndex));
}

interface Told {
  readonly proposition: Proposition;
  readonly token: string;
}

class Decisions implements Handle<typeof TYPE, JsonObject> {
  readonly type = TYPE;
  readonly eventIndex: number;
  readonly #told: readonly Told[];

  constructor(told: readonly Told[], eventIndex: number) {
    this.#told = told;
    this.eventIndex = eventIndex;
  }

  get payload(): readonly JsonObject[] {
    return (JSON.parse(this.json) as { payload: JsonObject[] }).payload;
  }

  get json(): string {
    let payload = '';
    for (let i = 0; i < this.#told.length; i++) {
      const { proposition, token } = this.#told[i]!;
      const { before, after } = propositionJson(proposition);
      if (i > 0) payload += ',';
      payload += before;
      payload += token;
      payload += after;
    }
    return `{"type":"${TYPE}","payload":[${payload}],"eventIndex":${this.eventIndex}}`;
  }
}
