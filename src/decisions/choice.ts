import type { Activity, Experience } from './activities.ts';
import { bucketOf, draw, ringsAfter, targetBucket } from './draws.ts';
import type { Sitting } from './sitting.ts';

export interface Choice {
  readonly experience: Experience;
  /** Null where nothing was drawn. */
  readonly bucket: number | null;
}

/** The experience of a visitor; null where none is for them. `kept`: of an earlier visit. */
export function chooseExperience(activity: Activity, kept: string | null, sitting: Sitting): Choice | null {
  const { definition, experiences } = activity;
  if (definition.kind === 'targeted') return firstThatHolds(experiences, sitting);
  if (kept !== null) return { experience: activity.experienceById.get(kept)!, bucket: null };
  return definition.bucketing === 'target' ? byInterval(activity, sitting) : byAlarms(activity, sitting);
}

function firstThatHolds(experiences: readonly Experience[], { input, marks }: Sitting): Choice | null {
  for (const experience of experiences) {
    if (experience.when === null || experience.when.test(input.facts, marks)) return { experience, bucket: null };
  }
  return null;
}

/**
 * Each experience has an alarm, set by the visitor's id and going off the sooner the higher its weight; the first one wins.
 * So each gets the share of its weight, and where weights change, nobody moves to an experience but from one whose weight
 * grew less: docs/decisions.md says how many move.
 */
function byAlarms({ definition, experiences, isEven }: Activity, { visitor }: Sitting): Choice | null {
  const id = visitor.hashOf(definition.bucketBy);
  let winner: Experience | null = null;
  let won = 0;
  let soonest = Number.POSITIVE_INFINITY;
  for (const experience of experiences) {
    if (!(experience.weight > 0)) continue;
    const drawn = draw(id, experience.share);
    // The higher what is drawn, the sooner: among equal weights there is no need for the time.
    const after = isEven ? -drawn : ringsAfter(drawn, experience.weight);
    if (after >= soonest) continue;
    winner = experience;
    won = drawn;
    soonest = after;
  }
  return winner === null ? null : { experience: winner, bucket: bucketOf(won) };
}

/** As Adobe Target's on-device engine: intervals of ten thousand buckets, in the order of the file. */
function byInterval({ definition, experiences }: Activity, { visitor, targetClient }: Sitting): Choice | null {
  const bucket = targetBucket(targetClient, definition.id, visitor.idOf(definition.bucketBy));
  for (const experience of experiences) {
    if (experience.weight > 0 && bucket <= experience.lastBucket) return { experience, bucket };
  }
  return null;
}
