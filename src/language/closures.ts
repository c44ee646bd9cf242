import { type Facts, MARKS } from '../model/condition.ts';
import type { Json } from '../model/json.ts';
import { STEPS_MAX } from './limits.ts';

/** What compiled conditions are made of. Nothing here is allocated while a condition is tested. */

/** In place of a value whose parts are of the wrong types, or too much. */
export const WRONG = Symbol('wrong');
/** What is missing is null. */
export type Value = Json | typeof WRONG;

/** `item`: what a predicate of `some`, `all` or `none` is tried on; null outside of one. */
export type Read = (facts: Facts, marks: Uint8Array, item: Json) => Value;
export type Test = (facts: Facts, marks: Uint8Array, item: Json) => boolean;
/** A comparison, before it is a leaf: `error` is not false yet. */
export type Compare = (facts: Facts, marks: Uint8Array, item: Json) => Mark;
export type Mark = typeof NO | typeof YES | typeof ERROR;

export const NO = MARKS.no;
export const YES = MARKS.yes;
export const ERROR = MARKS.error;

export function markOf(holds: boolean): Mark {
  return holds ? YES : NO;
}

export const NEVER: Test = () => false;
export const ALWAYS: Test = () => true;

/** What a test has left to spend on lists and long texts. One for each condition: a condition is never within itself. */
export class Budget {
  #left = STEPS_MAX;

  reset(): void {
    this.#left = STEPS_MAX;
  }

  /** False where it is not enough; then nothing is enough any more. */
  take(steps: number): boolean {
    this.#left -= steps;
    return this.#left >= 0;
  }
}

/** An argument of an operator. */
export interface Operand {
  readonly read: Read;
  /** The value, where it is written in the condition; else undefined. */
  readonly constant: Json | undefined;
  /** In plain words. */
  readonly text: string;
  readonly path: readonly (string | number)[];
}
