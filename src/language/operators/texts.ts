import { type Compare, ERROR, markOf, NO, type Operand, WRONG } from '../closures.ts';
import { TEXT } from '../kinds.ts';
import { PATTERN_TEXT_CHARACTERS_MAX } from '../limits.ts';
import { compilePattern, type Pattern } from '../patterns.ts';
import { type Comparison, caseSteps, equalitySteps, type Kit, ofTwo } from './comparison.ts';

function texts(
  word: string,
  second: string,
  steps: (a: string, b: string) => number,
  holds: (a: string, b: string) => boolean,
): Comparison {
  return {
    kinds: [TEXT],
    min: 2,
    max: 2,
    use: `[text, ${second}]`,
    make: (operands, { budget }) =>
      ofTwo(TEXT, TEXT, (a, b) => (budget.take(steps(a, b)) ? markOf(holds(a, b)) : ERROR))(operands),
    text: (a, b) => `${a} ${word} ${b}`,
  };
}

/** A pattern of RE2 finds a place in the text, whatever the two are, in time that grows with the text alone. */
const matches: Comparison = {
  kinds: [TEXT],
  min: 2,
  max: 2,
  use: '[text, "pattern"]',
  make: ([text, pattern], kit) => {
    const compiled = compiledPattern(pattern!, kit);
    return compiled === null ? () => NO : matcher(text!, compiled, kit);
  },
  text: (a, b) => `${a} matches ${b}`,
};

function matcher(text: Operand, pattern: Pattern, { budget }: Kit): Compare {
  const { read } = text;
  const { instructions } = pattern;
  return (facts, marks, item) => {
    const value = read(facts, marks, item);
    if (value === null) return NO;
    if (value === WRONG || typeof value !== 'string' || value.length > PATTERN_TEXT_CHARACTERS_MAX) return ERROR;
    return budget.take(1 + value.length * instructions) ? markOf(pattern.test(value)) : ERROR;
  };
}

function compiledPattern({ constant, path }: Operand, kit: Kit): Pattern | null {
  const compiled =
    typeof constant === 'string'
      ? compilePattern(constant)
      : "The pattern of 'matches' has to be a text that is written out, because it is compiled at load.";
  if (typeof compiled !== 'string') return compiled;
  kit.problem(path, compiled);
  return null;
}

export const TEXTS: Readonly<Record<string, Comparison>> = {
  startsWith: texts('starts with', 'beginning', equalitySteps, (a, b) => a.startsWith(b)),
  endsWith: texts('ends with', 'end', equalitySteps, (a, b) => a.endsWith(b)),
  equalsIgnoreCase: texts(
    'is, in upper or lower case,',
    'text',
    (a, b) => caseSteps(a) + caseSteps(b),
    (a, b) => a.toLowerCase() === b.toLowerCase(),
  ),
  matches,
};
