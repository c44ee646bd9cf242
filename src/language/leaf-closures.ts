import { type ConditionContext, type Leaf, MARKS, type SharedComparisons } from '../model/condition.ts';
import { type Compare, ERROR, markOf, type Test, YES } from './closures.ts';

/** From a comparison to a leaf, which has its place in `marks`. */

export function marking(compare: Compare, index: number): Test {
  return (facts, marks, item) => {
    const mark = compare(facts, marks, item);
    marks[index] = mark;
    return mark === YES;
  };
}

/** A comparison that others make too. An error is found out by each, because what is left of a budget may be behind it. */
export function markingOnce(compare: Compare, index: number, shared: SharedComparisons, slot: number): Test {
  return (facts, marks, item) => {
    const known = shared.known[slot]! - shared.epoch;
    if (known > 0) {
      marks[index] = known;
      return known === YES;
    }
    const mark = compare(facts, marks, item);
    if (mark !== ERROR) shared.known[slot] = shared.epoch + mark;
    marks[index] = mark;
    return mark === YES;
  };
}

/** A leaf that holds conditions: an error of theirs, in its mark, is its own. */
export function withErrorsInside(compare: Compare, index: number): Compare {
  return (facts, marks, item) => {
    marks[index] = MARKS.unseen;
    const mark = compare(facts, marks, item);
    return marks[index] === ERROR ? ERROR : mark;
  };
}

export function judged(
  compare: Compare,
  { index, comparison }: Leaf,
  judge: NonNullable<ConditionContext['judge']>,
): Test {
  return (facts, marks, item) => {
    const mark = compare(facts, marks, item);
    const holds = judge(comparison, mark === YES);
    marks[index] = holds === (mark === YES) ? mark : markOf(holds);
    return holds;
  };
}
