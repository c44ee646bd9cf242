import { RE2JS } from 're2js';
import { PATTERN_CHARACTERS_MAX, PATTERN_INSTRUCTIONS_MAX } from './limits.ts';

/** A regular expression of RE2, compiled. */
export interface Pattern {
  /** Whether it is found anywhere in the text. */
  test(text: string): boolean;
  /** What a test costs is this times the characters of the text, at most some 65 ns each. */
  readonly instructions: number;
}

/** A pattern, or a sentence that says what is wrong with it. */
export function compilePattern(text: string): Pattern | string {
  if (text.length > PATTERN_CHARACTERS_MAX) {
    return `The pattern has ${text.length} characters; at most ${PATTERN_CHARACTERS_MAX} are taken.`;
  }
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(text);
  } catch (error) {
    return `The pattern '${text}' is none of RE2: ${(error as Error).message}. Look-arounds and back-references are not part of it.`;
  }
  const instructions = compiled.programSize();
  if (instructions > PATTERN_INSTRUCTIONS_MAX) {
    return `The pattern compiles to ${instructions} instructions; at most ${PATTERN_INSTRUCTIONS_MAX} are taken. Repeat less: {n,m} writes its part out m times.`;
  }
  boundStates(compiled, instructions);
  return { test: (value) => compiled.test(value), instructions };
}

/**
 * States that are kept of one pattern, times its instructions: what building them costs, 0.4 µs each. Chosen. Most patterns
 * have as many states as instructions.
 */
const STATES_TIMES_INSTRUCTIONS = 1_500;
const STATES_MIN = 4;

/**
 * The engine makes its states while it reads, and keeps 8 MB of them: of a pattern such as `([ab]*a[ab]{60})$` each character
 * can need a new one, 24 ms for a thousand. With fewer it soon goes over to the slower way, which needs none. Sizes of a
 * state: the package's own account.
 */
function boundStates(compiled: RE2JS, instructions: number): void {
  const { dfa } = compiled.re2();
  const states = Math.max(STATES_MIN, Math.floor(STATES_TIMES_INSTRUCTIONS / instructions));
  const bytes = states * (200 + 8 * instructions + 8 * (dfa.numClasses + 2));
  dfa.stateBudget = bytes;
  dfa.memBudget = bytes;
}
