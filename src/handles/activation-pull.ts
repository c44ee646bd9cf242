import type { DecisionDefinitions } from '../model/decision-definitions.ts';
import type { EventDecision } from '../model/exchange.ts';
import { type Json, type JsonObject, own } from '../model/json.ts';
import type { HandleSource } from '../model/parts.ts';

/**
 * `activation:pull`: the audiences that an event's visitor belongs to, by destination; attributes to authenticated callers
 * alone. Documented.
 */
export const activationPull: HandleSource = {
  type: 'activation:pull',
  service: 'activation',
  wanted: (x) => x.personalization?.some(({ decision }) => decision.segments.length > 0) === true,
  produce: (x) =>
    x
      .personalization!.filter(({ decision }) => decision.segments.length > 0)
      .map((one) => ({
        type: 'activation:pull',
        payload: lookups(x.datastream.decisions!, one),
        eventIndex: one.eventIndex,
      })),
};

interface Lookup {
  readonly destinationId: string;
  readonly alias: string;
  readonly attributes: Record<string, { value: Json }>;
  readonly segments: { id: string }[];
}

function lookups({ audiences }: DecisionDefinitions, { decision, profile }: EventDecision): JsonObject[] {
  const found = new Map<string, Lookup>();
  for (const id of decision.segments) {
    const segment = audiences.find((audience) => audience.id === id)?.segment;
    if (segment === null || segment === undefined) continue;
    const { destinationId, alias } = segment;
    const key = JSON.stringify([destinationId, alias]);
    const lookup = found.get(key) ?? { destinationId, alias, attributes: {}, segments: [] };
    found.set(key, lookup);
    lookup.segments.push({ id });
    for (const name of segment.attributes) {
      const value = profile === null ? undefined : own(profile, name);
      if (value !== undefined && value !== null) lookup.attributes[name] = { value };
    }
  }
  return [...found.values()].map(({ attributes, ...lookup }): JsonObject => {
    const told = { type: 'profileLookup', ...lookup };
    return Object.keys(attributes).length === 0 ? told : { ...told, attributes };
  });
}
