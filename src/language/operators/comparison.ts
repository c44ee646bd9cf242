import type { Json } from '../../model/json.ts';
import { type Budget, type Compare, ERROR, type Mark, NO, type Operand, WRONG } from '../closures.ts';
import type { Kind } from '../kinds.ts';

/** An operator that is a comparison: a leaf. What it is given was counted and checked against `kinds`. */
export interface Comparison {
  /** Of each argument; the last one is that of all that follow. */
  readonly kinds: readonly Kind<unknown>[];
  readonly min: number;
  readonly max: number;
  /** How it is used, for problems: `{"startsWith": [text, beginning]}`. */
  readonly use: string;
  make(operands: readonly Operand[], kit: Kit): Compare;
  /** In plain words, from those of the arguments. */
  text(...texts: readonly string[]): string;
}

export interface Kit {
  readonly budget: Budget;
  problem(path: readonly (string | number)[], message: string): void;
}

/** A comparison of two values of known kinds: what is missing is no match, what is of another kind an error. */
export function ofTwo<A, B>(kindA: Kind<A>, kindB: Kind<B>, compare: (a: A, b: B) => Mark) {
  return ([first, second]: readonly Operand[]): Compare => {
    const a = first!.read;
    const b = second!.read;
    if (second!.constant !== undefined && second!.constant !== null) {
      const known = kindB.of(second!.constant);
      if (known === undefined) return () => ERROR;
      return (facts, marks, item) => {
        const left = a(facts, marks, item);
        if (left === null) return NO;
        const leftKind = left === WRONG ? undefined : kindA.of(left);
        return leftKind === undefined ? ERROR : compare(leftKind, known);
      };
    }
    return (facts, marks, item) => {
      const left = a(facts, marks, item);
      const right = b(facts, marks, item);
      if (left === WRONG || right === WRONG) return ERROR;
      if (left === null || right === null) return NO;
      const leftKind = kindA.of(left);
      const rightKind = kindB.of(right);
      return leftKind === undefined || rightKind === undefined ? ERROR : compare(leftKind, rightKind);
    };
  };
}

/** Steps of making a text, or of a comparison that looks at each character once: measured, 8 ns each at the worst. */
export function textSteps(text: string): number {
  return 1 + (text.length >> 3);
}

/** Steps of looking for one text in another: at the worst the engine compares all of it at every place, 0.5 ns each. */
export function searchSteps(text: string, part: string): number {
  return textSteps(text) + ((text.length * part.length) >> 7);
}

/** Steps of making a text lower case: measured, 25 ns a character where a language has its own rules. */
export function caseSteps(text: string): number {
  return 1 + (text.length >> 1);
}

/** Steps of comparing two texts from their beginnings: 0.5 ns a character. None where they are short, as most are, or no texts. */
export function equalitySteps(a: Json, b: Json): number {
  return typeof a === 'string' && typeof b === 'string' ? Math.min(a.length, b.length) >> 7 : 0;
}
