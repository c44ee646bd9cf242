import { type Compare, ERROR, type Mark, markOf, type Read, type Value, WRONG } from './closures.ts';

/** What counts as something where a condition is wanted: all but null, false, 0, '' and the empty list. As JSON Logic has it. */
export function truthOf(value: Value): Mark {
  if (value === WRONG) return ERROR;
  if (Array.isArray(value)) return markOf(value.length > 0);
  return markOf(value !== null && value !== false && value !== 0 && value !== '');
}

export function truthTest(read: Read): Compare {
  return (facts, marks, item) => truthOf(read(facts, marks, item));
}
