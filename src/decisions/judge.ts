import { HOLDS, MARKS } from '../model/condition.ts';
import { HELD_OUT, type Outcome, type Verdict } from '../model/decision.ts';
import { DEVICE } from '../model/decision-history.ts';
import type { Activity, Experience } from './activities.ts';
import { isCapped } from './caps.ts';
import { chooseExperience } from './choice.ts';
import { contentFor } from './content.ts';
import { isWithin } from './draws.ts';
import { keeperIn } from './exclusion.ts';
import { marksText } from './marks.ts';
import type { Asked } from './place-index.ts';
import type { Sitting } from './sitting.ts';
import { MadeVerdict } from './verdicts.ts';

/**
 * Judges one activity. The order of the checks is what explanations tell, the cheap and common ones first: property token,
 * schedule, consent, audience, exclusion group, caps, traffic, experience, content for what was asked, rank, global holdout,
 * holdout. Chance is asked only where all before it is passed. (An activity of another datastream is not asked for.)
 *
 * Holdouts come last, so that those who are held out are of the same kind as those who are shown something: they would have been.
 * So who is held out of everything gets nothing, but a place is taken for them as it would have been: whom a first activity would
 * have had there, a second one does not count among those whom it would have shown something.
 *
 * A preview forces the experience: only content and rank are left to be judged.
 *
 * Throws what a template or a fact throws.
 */
export function judge(activity: Activity, asked: readonly Asked[], sitting: Sitting): Verdict {
  const { marks, input } = sitting;
  for (let i = activity.marksFrom; i < activity.marksTo; i++) marks[i] = 0;
  if (activity.problem !== null) return refused(activity, sitting, 'broken', activity.problem);
  const forced = input.preview === null ? undefined : input.preview.get(activity.id);
  if (forced !== undefined) return previewed(activity, forced, asked, sitting);
  const refusal = refusalOf(activity, sitting);
  if (refusal !== null) return refusal;
  const kept = keptOf(activity, sitting);
  if (kept === null && !takesPart(activity, sitting)) return refused(activity, sitting, 'traffic', null);
  const choice = chooseExperience(activity, kept === HELD_OUT ? null : kept, sitting);
  if (choice === null) return refused(activity, sitting, 'no-experience', null);
  const { experience, bucket } = choice;
  const content = contentFor(activity, experience, asked, false, sitting);
  if ('outcome' in content) return verdictOf(activity, sitting, content.outcome, experience, bucket, content.because);
  const isHeldOut = isHeldOutHere(activity, kept, sitting);
  // Those who are held out of everything first, so that what an activity holds out is a part of those whom it would show something.
  if (sitting.isHeldOut()) {
    if (!isHeldOut) sitting.take(content);
    return refused(activity, sitting, 'global-holdout', null);
  }
  if (isHeldOut) {
    keep(activity, HELD_OUT, sitting);
    return refused(activity, sitting, 'holdout', null);
  }
  sitting.place(content);
  keep(activity, experience.id, sitting);
  return verdictOf(activity, sitting, 'shown', experience, bucket, null);
}

function previewed(activity: Activity, forced: string, asked: readonly Asked[], sitting: Sitting): Verdict {
  const experience = activity.experienceById.get(forced);
  if (experience === undefined) return refused(activity, sitting, 'no-experience', `it has no experience '${forced}'`);
  const content = contentFor(activity, experience, asked, true, sitting);
  if ('outcome' in content) return verdictOf(activity, sitting, content.outcome, experience, null, content.because);
  sitting.place(content);
  return verdictOf(activity, sitting, 'preview', experience, null, null);
}

function takesPart({ definition: { trafficPercent, bucketBy }, traffic }: Activity, { visitor }: Sitting): boolean {
  return trafficPercent >= 100 || isWithin(trafficPercent, visitor.hashOf(bucketBy), traffic);
}

function isHeldOutHere({ definition, holdout }: Activity, kept: string | null, { visitor }: Sitting): boolean {
  if (kept !== null) return kept === HELD_OUT;
  const { holdoutPercent, bucketBy } = definition;
  return holdoutPercent > 0 && isWithin(holdoutPercent, visitor.hashOf(bucketBy), holdout);
}

/** The checks up to those that chance decides; null: passed. */
function refusalOf(activity: Activity, sitting: Sitting): Verdict | null {
  const { isPlain, when, conjunction } = activity;
  const { input, marks } = sitting;
  const early = isPlain ? null : tokenAndSchedule(activity, sitting);
  if (early !== null) return early;
  const missing = sitting.missingConsent(activity.requirement);
  if (missing !== null) return refused(activity, sitting, 'no-consent', missing);
  if (conjunction !== null) {
    const code = conjunction.refusal(input.facts, marks);
    if (code !== HOLDS) return activity.refusals.of(code);
    for (let i = 0; i < when!.leaves.length; i++) marks[activity.marksFrom + i] = MARKS.yes;
  } else if (when !== null && !when.test(input.facts, marks)) return refused(activity, sitting, 'audience', null);
  return isPlain ? null : groupAndCaps(activity, sitting);
}

function tokenAndSchedule(activity: Activity, sitting: Sitting): Verdict | null {
  const { propertyToken, startMs, endMs } = activity.definition;
  const { input } = sitting;
  if (propertyToken !== null && propertyToken !== input.propertyToken) {
    return refused(activity, sitting, 'property-token', null);
  }
  if (startMs !== null && input.nowMs < startMs) return refused(activity, sitting, 'not-started', null);
  return endMs !== null && input.nowMs >= endMs ? refused(activity, sitting, 'ended', null) : null;
}

function groupAndCaps(activity: Activity, sitting: Sitting): Verdict | null {
  const { group, id, definition } = activity;
  if (group !== null) {
    const member = sitting.memberFor(group);
    if (member !== id) return refused(activity, sitting, 'excluded', member);
  }
  const { caps, bucketBy } = definition;
  if (caps.length === 0 || !isCapped(caps, sitting.visitor.shownOf(id, bucketBy), sitting.input.nowMs)) return null;
  return refused(activity, sitting, 'capped', null);
}

/**
 * Of an activity that is not bucketed by device: what the device has seen of it, else the person. The device comes first, so that a
 * login changes nothing.
 */
function keptOf(activity: Activity, sitting: Sitting): string | null {
  const { bucketBy } = activity.definition;
  return bucketBy === DEVICE ? null : (keptBy(DEVICE, activity, sitting) ?? keptBy(bucketBy, activity, sitting));
}

/** Null for an experience that is gone, or has no weight any more. */
function keptBy(namespace: string, { id, definition, experienceById }: Activity, { visitor }: Sitting): string | null {
  const kept = visitor.keptBy(namespace, id);
  if (kept === null || kept === HELD_OUT) return kept;
  const experience = experienceById.get(kept);
  return experience === undefined || (definition.kind === 'ab' && experience.weight <= 0) ? null : kept;
}

/** Whoever keeps something already goes on with that: a person with what their first device decided. */
function keep(activity: Activity, experience: string, sitting: Sitting): void {
  const { id, group, definition } = activity;
  const { visitor, input } = sitting;
  if (definition.bucketBy === DEVICE) return;
  const lacks = (namespace: string): boolean =>
    visitor.names(namespace) && keptBy(namespace, activity, sitting) === null;
  const member = group === null ? id : (keeperIn(group, definition.bucketBy, visitor, input.nowMs) ?? id);
  if (!lacks(DEVICE) && (member !== id || !lacks(definition.bucketBy))) return;
  sitting.assigned ??= {};
  sitting.assigned[id] = experience;
}

function refused(activity: Activity, sitting: Sitting, outcome: Outcome, because: string | null): Verdict {
  return verdictOf(activity, sitting, outcome, null, null, because);
}

function verdictOf(
  { id, leafIndexes }: Activity,
  { marks }: Sitting,
  outcome: Outcome,
  experience: Experience | null,
  bucket: number | null,
  because: string | null,
): Verdict {
  const text = leafIndexes.length === 0 ? '' : marksText(leafIndexes, marks);
  return new MadeVerdict(id, outcome, experience === null ? null : experience.id, bucket, text, because);
}
