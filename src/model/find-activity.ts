import type { DecisionDefinitions } from './decision-definitions.ts';
import { guess } from './did-you-mean.ts';
import { OFFERS_JOINED_BY, offerPlaceId } from './offer-place.ts';

/** What can be reported and previewed: activities, and placements of offer decisions, whose experiences are offers. */
export function activityIds({ activities, offers }: DecisionDefinitions): readonly string[] {
  const places = offers.decisions.flatMap(({ id, placements }) =>
    placements.map(({ placementId }) => offerPlaceId(id, placementId)),
  );
  return [...activities.map(({ id }) => id), ...places];
}

/** The org whose activity it is. Throws an error that says what to do where there is none, or more than one. */
export function findActivity(
  all: ReadonlyMap<string, DecisionDefinitions>,
  activityId: string,
  orgId: string | null,
): DecisionDefinitions {
  if (orgId !== null && !all.has(orgId)) {
    throw new Error(`The org '${orgId}' has no activities.${guess(orgId, [...all.keys()])}`);
  }
  const asked = [...all.values()].filter((one) => orgId === null || one.orgId === orgId);
  const having = asked.filter((one) => activityIds(one).includes(activityId));
  if (having.length === 1) return having[0]!;
  if (having.length === 0) {
    const where = orgId === null ? '' : ` of '${orgId}'`;
    throw new Error(
      `There is no activity '${activityId}'${where}.${guess(activityId, [...new Set(asked.flatMap(activityIds))])}`,
    );
  }
  const orgs = having.map((one) => `'${one.orgId}'`).join(', ');
  throw new Error(`Several orgs have an activity '${activityId}': ${orgs}. Say which with --org.`);
}

/** What an activity lacks of an experience, or a placement of an offer decision of offers: a sentence; null: nothing. */
export function missingExperience(
  definitions: DecisionDefinitions,
  activityId: string,
  experienceId: string,
): string | null {
  const activity = definitions.activities.find(({ id }) => id === activityId);
  if (activity !== undefined) {
    const known = activity.experiences.map(({ id }) => id);
    return missing(`The activity '${activityId}' has no experience`, experienceId, known);
  }
  const known = offersAt(definitions, activityId);
  for (const offer of experienceId.split(OFFERS_JOINED_BY)) {
    const sentence = missing(`The placement '${activityId}' has no offer`, offer, known);
    if (sentence !== null) return sentence;
  }
  return null;
}

function missing(what: string, id: string, known: readonly string[]): string | null {
  return known.includes(id) ? null : `${what} '${id}'.${guess(id, known)}`;
}

/** Those that are listed there, and the fallback: each has content for it, or the workspace has errors. */
function offersAt({ offers }: DecisionDefinitions, placeId: string): readonly string[] {
  return offers.decisions.flatMap((decision) =>
    decision.placements
      .filter(({ placementId }) => offerPlaceId(decision.id, placementId) === placeId)
      .flatMap(({ offers: listed, fallback }) => (fallback === null ? listed : [...listed, fallback])),
  );
}
