import { BUCKETS, targetBounds } from '../decisions/draws.ts';
import type { ActivityDefinition, DecisionDefinitions } from '../model/decision-definitions.ts';
import { experienceWords } from './words.ts';

/** How chance came to an experience: the bucket, and what each experience has of them. A line each. */
export function bucketLines(
  definitions: DecisionDefinitions,
  activity: ActivityDefinition,
  experienceId: string | null,
  bucket: number,
): readonly string[] {
  const words = (id: string): string => experienceWords(definitions, activity.id, id);
  const by = activity.bucketBy === 'ECID' ? 'the device' : `the id in ${activity.bucketBy}, else the device`;
  if (activity.bucketing === 'target') {
    const ends = targetBounds(activity.experiences.map(({ weight }) => weight));
    let start = 0;
    const intervals = activity.experiences.flatMap(({ id, weight }, index) => {
      if (!(weight > 0)) return [];
      const from = start;
      const to = Math.min(ends[index]!, BUCKETS - 1);
      start = to + 1;
      return [`${id === experienceId ? '* ' : '  '}${from} to ${to}: ${words(id)}`];
    });
    return [`Bucket ${bucket} of ${BUCKETS} (by ${by}), as Adobe Target counts them:`, ...intervals];
  }
  const sum = activity.experiences.reduce((all, { weight }) => all + Math.max(0, weight), 0);
  const shares = activity.experiences.flatMap(({ id, weight }) =>
    weight > 0
      ? [`${id === experienceId ? '* ' : '  '}${Number(((weight / sum) * 100).toFixed(2))} %: ${words(id)}`]
      : [],
  );
  return [
    `Drawn by weight (by ${by}); each experience draws for itself, and the winner drew ${bucket} of ${BUCKETS}:`,
    ...shares,
  ];
}
