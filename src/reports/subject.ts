import type { DecisionDefinitions } from '../model/decision-definitions.ts';
import { guess } from '../model/did-you-mean.ts';
import { offerPlaceId } from '../model/offer-place.ts';
import { Calendar } from './calendar.ts';
import type { Subject } from './describe.ts';
import { compileGoals } from './goals.ts';
import type { Counted } from './tally.ts';

/** Ids of what can be reported: activities, and placements of offer decisions, whose experiences are offers. */
export function reportableIds({ activities, offers }: DecisionDefinitions): readonly string[] {
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
  const having = asked.filter((one) => reportableIds(one).includes(activityId));
  if (having.length === 1) return having[0]!;
  if (having.length === 0) {
    const where = orgId === null ? '' : ` of '${orgId}'`;
    throw new Error(
      `There is no activity '${activityId}'${where}.${guess(activityId, [...new Set(asked.flatMap(reportableIds))])}`,
    );
  }
  const orgs = having.map((one) => `'${one.orgId}'`).join(', ');
  throw new Error(`Several orgs have an activity '${activityId}': ${orgs}. Say which with --org.`);
}

/** What is counted of an activity, and what the report says of it. `definitions`: those of `findActivity`. */
export function subjectOf(
  definitions: DecisionDefinitions,
  activityId: string,
): { subject: Subject; counted: Counted } {
  const { orgId, timeZone, hash } = definitions;
  const activity = definitions.activities.find(({ id }) => id === activityId);
  const { goals, warnings } = compileGoals(definitions, activity?.goals ?? []);
  const bucketBy = activity?.bucketBy ?? 'ECID';
  return {
    counted: { orgId, activityId, bucketBy, goals, calendar: new Calendar(timeZone) },
    subject: { orgId, timeZone, hash, warnings, activity: activity ?? offerDecision(definitions, activityId) },
  };
}

function offerDecision({ offers }: DecisionDefinitions, id: string): Subject['activity'] {
  const decision = offers.decisions.find((one) =>
    one.placements.some(({ placementId }) => offerPlaceId(one.id, placementId) === id),
  );
  return { id, name: decision?.name ?? id, kind: 'offers', experiences: offers.offers };
}
