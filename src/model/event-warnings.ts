import { Problem } from './problem.ts';

/**
 * So many events of one request are warned of one by one; the rest together. A batch of thousands would otherwise be
 * answered with twenty times its size, and take longer to answer than to store. Chosen.
 */
export const EVENT_WARNINGS_MAX = 20;

/** Pushes a warning for each of these events (their indexes in the request), and one that counts those left over. */
export function warnOfEvents(
  warnings: Problem[],
  indexes: readonly number[],
  warningOf: (index: number) => Problem,
): void {
  for (let i = 0; i < indexes.length && i < EVENT_WARNINGS_MAX; i++) warnings.push(warningOf(indexes[i]!));
  const left = indexes.length - EVENT_WARNINGS_MAX;
  if (left <= 0) return;
  const next = indexes[EVENT_WARNINGS_MAX]!;
  warnings.push(
    new Problem(
      warningOf(next).spec,
      `The same holds for ${left} more of this request's events, from index ${next} on; they are not listed one by one.`,
    ),
  );
}
