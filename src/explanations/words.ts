import type { Outcome, StoredInputs } from '../model/decision.ts';
import type { ActivityDefinition, DecisionDefinitions } from '../model/decision-definitions.ts';
import { FALLBACK, NO_OFFER_LEFT, offerPlaceId } from '../model/offer-place.ts';

/** Plain words for what became of an activity. */

/** "hero" or "hero (Hero of the home page)". */
export function named(id: string, name: string | undefined): string {
  return name === undefined || name === id ? `'${id}'` : `'${id}' (${name})`;
}

export function activityWords({ activities, offers }: DecisionDefinitions, id: string): string {
  const activity = activities.find((one) => one.id === id);
  if (activity !== undefined) return named(id, activity.name);
  const decision = offers.decisions.find((one) =>
    one.placements.some(({ placementId }) => offerPlaceId(one.id, placementId) === id),
  );
  return named(id, decision?.name);
}

/** Of a placement of an offer decision, the offers, with commas. */
export function experienceWords({ activities, offers }: DecisionDefinitions, activityId: string, id: string): string {
  const activity = activities.find((one) => one.id === activityId);
  if (activity !== undefined) return named(id, activity.experiences.find((one) => one.id === id)?.name);
  return id
    .split(',')
    .map((offer) => named(offer, offers.offers.find((one) => one.id === offer)?.name))
    .join(', ');
}

/** A sentence. `because`: of the verdict. `previews`: what the decision was a preview of. */
export function outcomeWords(
  definitions: DecisionDefinitions,
  activityId: string,
  outcome: Outcome,
  experienceId: string | null,
  because: string | null,
  previews: StoredInputs['preview'] = {},
): string {
  const experience = experienceId === null ? '' : experienceWords(definitions, activityId, experienceId);
  const activity = definitions.activities.find(({ id }) => id === activityId);
  switch (outcome) {
    case 'shown':
      return `Shown: ${experience}${fallbackWords(because)}.`;
    case 'preview':
      return `Shown as a preview, which counts nowhere: ${experience}.`;
    case 'nothing-here':
      return `Not shown: ${experience === '' ? 'it' : experience} has nothing for what was asked.`;
    case 'not-started':
      return `Not shown: it had not begun${at(activity?.startMs, ', it begins at')}.`;
    case 'ended':
      return `Not shown: it had ended${at(activity?.endMs, ', at')}.`;
    case 'property-token':
      return 'Not shown: it is for requests with another property token.';
    case 'no-consent':
      return `Not shown: the visitor’s consent was missing${because === null ? '' : ` (${because})`}.`;
    case 'audience':
      return 'Not shown: the visitor is not in its audience.';
    case 'no-experience':
      if (because !== null) return `Not shown: ${because}.`;
      return activity === undefined
        ? 'Not shown: no offer is left by dates, conditions and caps, and it has no fallback.'
        : 'Not shown: none of its experiences is for this visitor.';
    case 'traffic':
      return `Not shown: of those who qualify ${percent(activity?.trafficPercent)} take part, and this visitor is not among them.`;
    case 'holdout':
      return `Not shown: ${percent(activity?.holdoutPercent)} of those who take part are held out to compare with, and this visitor is among them.`;
    case 'global-holdout':
      return `Not shown: ${percent(definitions.holdoutPercent)} of all visitors are held out of everything, and this one is among them${because === null ? '' : `; the ${because} stands there`}.`;
    case 'capped':
      return `Not shown: it was displayed to this visitor as often as its caps allow${capsOf(activity)}.`;
    case 'excluded':
      return because === null
        ? `Not shown: another activity of its exclusion group '${activity?.exclusionGroup ?? ''}' has this visitor.`
        : `Not shown: of its exclusion group '${activity?.exclusionGroup ?? ''}' the visitor is in ${activityWords(definitions, because)}.`;
    case 'outranked':
      return because === null
        ? 'Not shown: another activity outranked it.'
        : `Not shown: ${activityWords(definitions, because)} outranked it${Object.hasOwn(previews, because) ? ' (a preview comes before all others)' : prioritiesOf(definitions, activity, because)}.`;
    case 'broken':
      return `Not shown: it is broken${because === null ? '' : `: ${because.replace(/\.$/, '')}`}.`;
    case 'out-of-time':
      return 'Not shown: the time for decisions had run out before it was its turn.';
  }
}

/** `because` of offers that are shown: what the fallback stands there for. */
function fallbackWords(because: string | null): string {
  if (because === null) return '';
  if (because === NO_OFFER_LEFT) return ', the fallback: no offer is left by dates, conditions and caps';
  return `, the fallback: the visitor’s consent was missing (${because.slice(`${FALLBACK}: `.length)})`;
}

/** "shown b", "not shown (audience)". */
export function briefly(outcome: Outcome, experience: string | null): string {
  return outcome === 'shown' || outcome === 'preview' ? `${outcome}: ${experience}` : `not shown (${outcome})`;
}

function percent(value: number | undefined): string {
  return value === undefined ? 'some' : `${value} %`;
}

function at(timeMs: number | null | undefined, before: string): string {
  return timeMs === null || timeMs === undefined ? '' : `${before} ${new Date(timeMs).toISOString()}`;
}

const HOUR_MS = 3_600_000;

function capsOf(activity: ActivityDefinition | undefined): string {
  if (activity === undefined || activity.caps.length === 0) return '';
  const caps = activity.caps.map(({ max, periodMs }) =>
    periodMs === null ? `${max} in all` : `${max} in ${periodMs / HOUR_MS} hour${periodMs === HOUR_MS ? '' : 's'}`,
  );
  return ` (${caps.join(', ')})`;
}

function prioritiesOf(
  { activities }: DecisionDefinitions,
  activity: ActivityDefinition | undefined,
  winnerId: string,
): string {
  const winner = activities.find(({ id }) => id === winnerId);
  if (winner === undefined || activity === undefined) return '';
  return winner.priority === activity.priority
    ? ` (both have priority ${winner.priority}: the smaller id wins)`
    : ` (priority ${winner.priority} against ${activity.priority})`;
}
