import { type Budget, type Compare, ERROR, type Mark, NO, type Operand, type Value, WRONG, YES } from '../closures.ts';
import { ORDERED, SCALAR, TEXT } from '../kinds.ts';
import { type Comparison, equalitySteps, type Kit } from './comparison.ts';

/** Equality and order. Typed: the number 1 and the text '1' are never the same. */

/** Different types are an error, because the rule is then likelier wrong than the visitor. Missing is null. */
function equal(a: Value, b: Value, budget: Budget): Mark {
  if (a === WRONG || b === WRONG) return ERROR;
  if (a === null || b === null) return a === b ? YES : NO;
  if (typeof a !== typeof b || typeof a === 'object') return ERROR;
  if (!budget.take(equalitySteps(a, b))) return ERROR;
  return a === b ? YES : NO;
}

/** Different types differ. Lists and objects are the same as nothing. */
function same(a: Value, b: Value, budget: Budget): Mark {
  if (a === WRONG || b === WRONG || !budget.take(equalitySteps(a, b))) return ERROR;
  return a === b && (typeof a !== 'object' || a === null) ? YES : NO;
}

function opposite(mark: Mark): Mark {
  return mark === ERROR ? ERROR : mark === YES ? NO : YES;
}

function equality(compare: (a: Value, b: Value, budget: Budget) => Mark, isNegative: boolean): Comparison {
  const make = ([first, second]: readonly Operand[], { budget }: Kit): Compare => {
    const a = first!.read;
    const b = second!.read;
    const { constant } = second!;
    if (isNegative)
      return (facts, marks, item) => opposite(compare(a(facts, marks, item), b(facts, marks, item), budget));
    if (constant !== undefined && constant !== null) {
      return (facts, marks, item) => {
        const value = a(facts, marks, item);
        return value === constant ? YES : compare(value, constant, budget);
      };
    }
    return (facts, marks, item) => compare(a(facts, marks, item), b(facts, marks, item), budget);
  };
  const word = isNegative ? 'is not' : 'is';
  return {
    kinds: [SCALAR],
    min: 2,
    max: 2,
    use: '[value, value]',
    make,
    text: (a, b) => (b === 'nothing' ? `${a} ${isNegative ? 'is there' : 'is missing'}` : `${a} ${word} ${b}`),
  };
}

type Holds = (a: string | number, b: string | number) => boolean;

/** Numbers by size, texts by code unit, which is right for dates and times of one form. Two kinds in one comparison are an error. */
function ordered(a: Value, b: Value, holds: Holds, budget: Budget): Mark {
  if (typeof a === 'number' && typeof b === 'number') return holds(a, b) ? YES : NO;
  if (a === WRONG || b === WRONG) return ERROR;
  if (a === null || b === null) return NO;
  const left = TEXT.of(a);
  const right = TEXT.of(b);
  if (left === undefined || right === undefined || !budget.take(equalitySteps(left, right))) return ERROR;
  return holds(left, right) ? YES : NO;
}

function order(holds: Holds, word: string, backWord: string): Comparison {
  return {
    kinds: [ORDERED],
    min: 2,
    max: 3,
    use: '[value, value], or [value, value, value] for a value between two others',
    make: ([first, second, third], { budget }) => {
      const a = first!.read;
      const b = second!.read;
      if (third === undefined) {
        return (facts, marks, item) => ordered(a(facts, marks, item), b(facts, marks, item), holds, budget);
      }
      const c = third.read;
      return (facts, marks, item) => {
        const middle = b(facts, marks, item);
        const low = ordered(a(facts, marks, item), middle, holds, budget);
        const high = ordered(middle, c(facts, marks, item), holds, budget);
        return low === ERROR || high === ERROR ? ERROR : low === YES ? high : NO;
      };
    },
    text: (a, b, c) => (c === undefined ? `${a} is ${word} ${b}` : `${b} is ${backWord} ${a} and ${word} ${c}`),
  };
}

export const VALUES_COMPARED: Readonly<Record<string, Comparison>> = {
  '==': equality(equal, false),
  '!=': equality(equal, true),
  '===': equality(same, false),
  '!==': equality(same, true),
  '<': order((a, b) => a < b, 'less than', 'more than'),
  '<=': order((a, b) => a <= b, 'at most', 'at least'),
  '>': order((a, b) => a > b, 'more than', 'less than'),
  '>=': order((a, b) => a >= b, 'at least', 'at most'),
};
