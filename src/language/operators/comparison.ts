import type { Json } from '../../model/json.ts';
import { type Budget, type Compare, ERROR, type Mark, markOf, NO, type Operand, WRONG } from '../closures.ts';
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

/** A comparison of two texts; a step for each 64 characters looked through. */
export function ofTexts(kind: Kind<string>, budget: Budget, holds: (a: string, b: string) => boolean) {
  return ofTwo(kind, kind, (a, b) => (budget.take(textSteps(a)) ? markOf(holds(a, b)) : ERROR));
}

export function textSteps(text: string): number {
  return 1 + (text.length >> 6);
}

/** Plain values are the same where type and value are. */
export function isScalar(value: Json): value is string | number | boolean {
  return typeof value !== 'object';
}
