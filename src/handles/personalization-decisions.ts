import type { Proposition } from '../model/decision.ts';
import type { EventDecision, Handle } from '../model/exchange.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { HandleSource } from '../model/parts.ts';
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
    produce: (x) => x.personalization!.flatMap((one) => handlesOf(one, provider, isAlways)),
  };
}

export const targetDecisions = source('decisions', 'TGT', true);
export const offerDecisions = source('offers', 'ODE', false);
export const messageDecisions = source('messages', 'AJO', false);

function handlesOf(
  { isAsked, decision, tokens, eventIndex }: EventDecision,
  provider: string,
  isAlways: boolean,
): Handle[] {
  if (!isAsked) return [];
  const payload: JsonObject[] = [];
  decision.propositions.forEach((proposition, index) => {
    if (proposition.scopeDetails['decisionProvider'] === provider) payload.push(onWire(proposition, tokens[index]!));
  });
  return payload.length === 0 && !isAlways ? [] : [{ type: TYPE, payload, eventIndex }];
}

function onWire({ id, scope, scopeDetails, offer, items }: Proposition, eventToken: string): JsonObject {
  const { characteristics } = scopeDetails;
  return {
    id,
    scope,
    scopeDetails: {
      ...scopeDetails,
      characteristics: { ...(isObject(characteristics) ? characteristics : {}), eventToken },
    },
    ...offer,
    items: [...items],
  };
}
