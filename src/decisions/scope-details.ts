import type { ActivityDefinition } from '../model/decision-definitions.ts';
import type { JsonObject } from '../model/json.ts';
import { uuidOf } from './proposition-ids.ts';

/** `scopeDetails` of propositions, which clients send back as they are. Documented; `characteristics` get the token later. */

/** Of Adobe Target: page, scopes and, with `view`, views of single-page applications. */
export function targetDetails(activityId: string, experienceId: string, isView: boolean): JsonObject {
  return {
    decisionProvider: 'TGT',
    activity: { id: activityId },
    experience: { id: experienceId },
    strategies: [{ step: 'entry', trafficType: '0' }],
    characteristics: isView ? { scopeType: 'view' } : {},
    correlationID: `${activityId}:${experienceId}:0`,
  };
}

/** Of surfaces: messages, cards and code-based content. `matched`: patterns of the author that the surface fits. */
export function surfaceDetails(
  { id, priority }: ActivityDefinition,
  experienceId: string,
  matched: readonly string[],
  rank: number,
): JsonObject {
  return {
    decisionProvider: 'AJO',
    correlationID: uuidOf(`${id}\n${experienceId}`),
    characteristics: {},
    rank,
    activity: { id, priority, matchedSurfaces: [...matched] },
    experience: { id: experienceId },
  };
}

/** Smaller ranks come first, and clients put those without any before all others, so that each has one (chosen: by priority). */
export function rankOf(ranks: readonly (number | null)[], priority: number): number {
  const given = ranks.filter((rank) => rank !== null);
  return given.length === 0 ? PRIORITIES - priority : Math.min(...given);
}
/** One more than the highest priority. */
const PRIORITIES = 1_000;

/** Of offers, which beside it have `activity` and `placement`. */
export function offerDetails(decisionId: string): JsonObject {
  return { decisionProvider: 'ODE', activity: { id: decisionId }, characteristics: {} };
}
