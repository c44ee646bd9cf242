import {
  type Budget,
  type Compare,
  ERROR,
  type Mark,
  markOf,
  NO,
  type Operand,
  type Value,
  WRONG,
  YES,
} from '../closures.ts';
import { ORDERED, SCALAR } from '../kinds.ts';
import { type Comparison, equalitySteps, type Kit, ofTwo } from './comparison.ts';

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

/** Numbers by size, texts by code unit, which is right for dates and times of one form. Two kinds in one comparison are an error. */
function order(holds: (a: string | number, b: string | number) => boolean, word: string, backWord: string): Comparison {
  const two = (operands: readonly Operand[], budget: Budget): Compare =>
    ofTwo(
      ORDERED,
      ORDERED,
      (a: string | number, b: string | number): Mark =>
        typeof a === typeof b && budget.take(equalitySteps(a, b)) ? markOf(holds(a, b)) : ERROR,
    )(operands);
  return {
    kinds: [ORDERED],
    min: 2,
    max: 3,
    use: '[value, value], or [value, value, value] for a value between two others',
    make: (operands, { budget }) => {
      if (operands.length === 2) return two(operands, budget);
      const [low, middle, high] = operands;
      const first = two([low!, middle!], budget);
      const second = two([middle!, high!], budget);
      return (facts, marks, item) => {
        const one = first(facts, marks, item);
        const other = second(facts, marks, item);
        return one === ERROR || other === ERROR ? ERROR : one === YES ? other : NO;
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
