import { RE2JS } from 're2js';
import { type Compare, ERROR, markOf, NO, type Operand, WRONG } from '../closures.ts';
import { TEXT } from '../kinds.ts';
import { PATTERN_CHARACTERS_MAX, PATTERN_INSTRUCTIONS_MAX, PATTERN_TEXT_CHARACTERS_MAX } from '../limits.ts';
import { type Comparison, type Kit, ofTexts } from './comparison.ts';

function texts(word: string, second: string, holds: (a: string, b: string) => boolean): Comparison {
  return {
    kinds: [TEXT],
    min: 2,
    max: 2,
    use: `[text, ${second}]`,
    make: (operands, { budget }) => ofTexts(TEXT, budget, holds)(operands),
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

function matcher(text: Operand, pattern: RE2JS, { budget }: Kit): Compare {
  const { read } = text;
  const instructions = pattern.programSize();
  return (facts, marks, item) => {
    const value = read(facts, marks, item);
    if (value === null) return NO;
    if (value === WRONG || typeof value !== 'string' || value.length > PATTERN_TEXT_CHARACTERS_MAX) return ERROR;
    return budget.take(patternSteps(value.length, instructions)) ? markOf(pattern.test(value)) : ERROR;
  };
}

/** Each character may be held against each instruction, several to a step. */
export function patternSteps(characters: number, instructions: number): number {
  return 1 + ((characters * instructions) >> 2);
}

function compiledPattern({ constant, path }: Operand, { problem }: Kit): RE2JS | null {
  if (typeof constant !== 'string') {
    problem(path, "The pattern of 'matches' has to be a text that is written out, because it is compiled at load.");
    return null;
  }
  if (constant.length > PATTERN_CHARACTERS_MAX) {
    problem(path, `The pattern has ${constant.length} characters; at most ${PATTERN_CHARACTERS_MAX} are taken.`);
    return null;
  }
  try {
    const compiled = RE2JS.compile(constant);
    const size = compiled.programSize();
    if (size <= PATTERN_INSTRUCTIONS_MAX) return compiled;
    problem(
      path,
      `The pattern compiles to ${size} instructions; at most ${PATTERN_INSTRUCTIONS_MAX} are taken. Repeat less: {n,m} writes its part out m times.`,
    );
  } catch (error) {
    problem(
      path,
      `The pattern '${constant}' is none of RE2: ${(error as Error).message}. Look-arounds and back-references are not part of it.`,
    );
  }
  return null;
}

export const TEXTS: Readonly<Record<string, Comparison>> = {
  startsWith: texts('starts with', 'beginning', (a, b) => a.startsWith(b)),
  endsWith: texts('ends with', 'end', (a, b) => a.endsWith(b)),
  equalsIgnoreCase: texts('is, in any case,', 'text', (a, b) => a.toLowerCase() === b.toLowerCase()),
  matches,
};
