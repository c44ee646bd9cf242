import type { Json } from '../../model/json.ts';
import { type Budget, type Operand, type Read, type Value, WRONG } from '../closures.ts';
import type { Kind } from '../kinds.ts';
import { LIST, NUMBER, SCALAR, TEXT } from '../kinds.ts';
import { TEXT_CHARACTERS_MAX } from '../limits.ts';
import { caseSteps, textSteps } from './comparison.ts';

/** An operator that makes a value. What is missing makes it missing; what is of another kind makes it wrong. */
export interface ValueOperator {
  readonly kinds: readonly Kind<unknown>[];
  readonly min: number;
  readonly max: number;
  readonly use: string;
  make(operands: readonly Operand[], budget: Budget): Read;
  text(...texts: readonly string[]): string;
  /** What it is with one argument, where that is another operator. */
  readonly alone?: Omit<ValueOperator, 'use'>;
}
const MANY = Number.POSITIVE_INFINITY;

/** Numbers put together from the left. A sum that is no finite number is wrong. */
function folded(sign: string, min: number, max: number, two: (a: number, b: number) => number): ValueOperator {
  return {
    kinds: [NUMBER],
    min,
    max,
    use: '[number, number]',
    make: (operands) => {
      const reads = operands.map(({ read }) => read);
      return (facts, marks, item) => {
        let sum = 0;
        for (let i = 0; i < reads.length; i++) {
          const value = reads[i]!(facts, marks, item);
          if (value === null) return null;
          if (typeof value !== 'number') return WRONG;
          sum = i === 0 ? value : two(sum, value);
        }
        return Number.isFinite(sum) ? sum : WRONG;
      };
    },
    text: (...texts) => (/^\w/.test(sign) ? `${sign}(${texts.join(', ')})` : `(${texts.join(` ${sign} `)})`),
  };
}

/** Of one value. */
function mapped(
  kind: Kind<unknown>,
  map: (value: Json, budget: Budget) => Value,
  text: (value: string) => string,
): Omit<ValueOperator, 'use'> {
  return {
    kinds: [kind],
    min: 1,
    max: 1,
    make: ([operand], budget) => {
      const read = operand!.read;
      return (facts, marks, item) => {
        const value = read(facts, marks, item);
        return value === null || value === WRONG ? value : map(value, budget);
      };
    },
    text: (value) => text(value!),
  };
}

/** The number that a text is, the whole of it and in decimal; `{"+": "3.5"}`, as JSON Logic has it. */
function numberOf(value: Json): Value {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.length > NUMBER_CHARACTERS_MAX || !DECIMAL.test(value)) return WRONG;
  return Number(value);
}
const NUMBER_CHARACTERS_MAX = 32;
const DECIMAL = /^[+-]?\d+(?:\.\d+)?$/;

/** One operator where it has one argument, another where it has more. */
function unaryOr(unary: Omit<ValueOperator, 'use'>, other: ValueOperator): ValueOperator {
  return { ...other, min: 1, alone: unary };
}

/** Texts, numbers, true and false one after the other; what is missing is nothing. */
const cat: ValueOperator = {
  kinds: [SCALAR],
  min: 1,
  max: MANY,
  use: '[value, value, …]',
  make: (operands, budget) => {
    const reads = operands.map(({ read }) => read);
    return (facts, marks, item) => {
      let text = '';
      for (let i = 0; i < reads.length; i++) {
        const value = reads[i]!(facts, marks, item);
        if (value === WRONG || (typeof value === 'object' && value !== null)) return WRONG;
        if (value !== null) text += value;
        if (text.length > TEXT_CHARACTERS_MAX) return WRONG;
      }
      return budget.take(textSteps(text)) ? text : WRONG;
    };
  },
  text: (...texts) => texts.join(' with '),
};

/** `{"substr": [text, start, count]}`: counts from the end where negative, as JSON Logic has it. */
const substr: ValueOperator = {
  kinds: [TEXT, NUMBER, NUMBER],
  min: 2,
  max: 3,
  use: '[text, start] or [text, start, count]',
  make: ([text, start, count]) => {
    const readCount = count?.read ?? null;
    return (facts, marks, item) => {
      const value = text!.read(facts, marks, item);
      const from = start!.read(facts, marks, item);
      const length = readCount === null ? MANY : readCount(facts, marks, item);
      if (value === null || from === null || length === null) return null;
      if (
        typeof value !== 'string' ||
        value.length > TEXT_CHARACTERS_MAX ||
        typeof from !== 'number' ||
        typeof length !== 'number'
      )
        return WRONG;
      const tail = value.slice(from);
      return length === MANY ? tail : length < 0 ? tail.slice(0, length) : tail.slice(0, length);
    };
  },
  text: (value, start, count) => `${value} from ${start}${count === undefined ? '' : ` (${count} characters)`}`,
};

function lowerCase(value: Json, budget: Budget): Value {
  const text = TEXT.of(value);
  return text !== undefined && budget.take(caseSteps(text)) ? text.toLowerCase() : WRONG;
}

const negative = mapped(
  NUMBER,
  (value) => (typeof value === 'number' ? -value : WRONG),
  (value) => `-${value}`,
);
const number = mapped(SCALAR, numberOf, (value) => `${value} as a number`);

export const VALUES: Readonly<Record<string, ValueOperator>> = {
  '+': unaryOr(
    number,
    folded('+', 1, MANY, (a, b) => a + b),
  ),
  '-': unaryOr(
    negative,
    folded('-', 1, 2, (a, b) => a - b),
  ),
  '*': folded('*', 2, MANY, (a, b) => a * b),
  '/': folded('/', 2, 2, (a, b) => a / b),
  '%': folded('%', 2, 2, (a, b) => a % b),
  min: folded('min', 1, MANY, Math.min),
  max: folded('max', 1, MANY, Math.max),
  cat,
  substr,
  lower: {
    ...mapped(TEXT, lowerCase, (value) => `${value} in lower case`),
    use: 'text',
  },
  length: {
    ...mapped(
      { name: 'a text or a list', of: (value) => TEXT.of(value) ?? LIST.of(value) },
      (value) => (typeof value === 'string' || Array.isArray(value) ? value.length : WRONG),
      (value) => `the length of ${value}`,
    ),
    use: 'text or list',
  },
};
