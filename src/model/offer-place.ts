/** How a placement of an offer decision is named in verdicts, propositions, tokens and reports: no id has the mark between the two. */

const MARK = '~';
/** Between the ids of the offers that were shown, in place of an experience. */
export const OFFERS_JOINED_BY = ',';

export function offerPlaceId(decisionId: string, placementId: string): string {
  return `${decisionId}${MARK}${placementId}`;
}

/** What a display of a proposition is one of: its activity; or of an offer decision, the placement and each offer. */
export function displayedIds(activityId: string, experienceId: string): readonly string[] {
  return activityId.includes(MARK) ? [activityId, ...experienceId.split(OFFERS_JOINED_BY)] : [activityId];
}

/** In `because` of offers: what stands there is the fallback. */
export const FALLBACK = 'fallback';
export const NO_OFFER_LEFT = `${FALLBACK}: no offer is left`;
