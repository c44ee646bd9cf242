import type { Credit } from '../model/credit.ts';
import type { ActivityDefinition, DecisionDefinitions } from '../model/decision-definitions.ts';
import { offerPlaceId } from '../model/offer-place.ts';
import type { ArmKey } from './arms.ts';
import { Calendar } from './calendar.ts';
import type { Subject } from './describe.ts';
import { compileGoals } from './goals.ts';
import type { Counted } from './tally.ts';

/** What is counted of an activity, and what the report says of it. `definitions`: those of `findActivity`. */
export function subjectOf(
  definitions: DecisionDefinitions,
  activityId: string,
  credit: Credit,
): { subject: Subject; counted: Counted } {
  const { orgId, timeZone, hash } = definitions;
  const activity = definitions.activities.find(({ id }) => id === activityId);
  const { goals, warnings } = compileGoals(definitions, activity?.goals ?? []);
  const bucketBy = activity?.bucketBy ?? 'ECID';
  return {
    counted: { orgId, activityId, bucketBy, credit, goals, calendar: new Calendar(timeZone) },
    subject: {
      ...{ orgId, timeZone, hash, credit, warnings },
      activity: activity ?? offerDecision(definitions, activityId),
      arms: armsOf(activity, definitions),
    },
  };
}

function armsOf(activity: ActivityDefinition | undefined, { holdoutPercent }: DecisionDefinitions): readonly ArmKey[] {
  const heldOut = (kind: ArmKey['kind'], percent: number): readonly ArmKey[] =>
    percent > 0 ? [{ kind, experienceId: '', isBot: false }] : [];
  return [
    ...(activity?.experiences ?? []).map(({ id }) => ({ kind: 'experience' as const, experienceId: id, isBot: false })),
    ...heldOut('holdout', activity?.holdoutPercent ?? 0),
    ...heldOut('global-holdout', holdoutPercent),
  ];
}

function offerDecision({ offers }: DecisionDefinitions, id: string): Subject['activity'] {
  const decision = offers.decisions.find((one) =>
    one.placements.some(({ placementId }) => offerPlaceId(one.id, placementId) === id),
  );
  return { id, name: decision?.name ?? id, kind: 'offers', experiences: offers.offers };
}
