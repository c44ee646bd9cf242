import type { Json } from '../../model/json.ts';
import { type Budget, type Compare, ERROR, type Mark, markOf, NO, type Operand, WRONG } from '../closures.ts';
import { HOLDER, LIST, SCALAR, TEXT } from '../kinds.ts';
import { type Comparison, searchSteps } from './comparison.ts';

/** Whether a list or a text holds something. Items are the same where type and value are; items that are lists or objects are none. */

/** `{"in": [needle, list or text]}`, and `contains` with the two in the other order. */
function membership(needle: Operand, holder: Operand, budget: Budget): Compare {
  const read = needle.read;
  if (Array.isArray(holder.constant)) {
    const known = new Set(holder.constant);
    return (facts, marks, item) => {
      const value = read(facts, marks, item);
      if (value === null) return NO;
      return value === WRONG || SCALAR.of(value) === undefined ? ERROR : markOf(known.has(value));
    };
  }
  const readHolder = holder.read;
  return (facts, marks, item) => {
    const value = read(facts, marks, item);
    const within = readHolder(facts, marks, item);
    if (value === WRONG || within === WRONG) return ERROR;
    if (value === null || within === null) return NO;
    const plain = SCALAR.of(value);
    return plain === undefined ? ERROR : holds(within, plain, budget);
  };
}

function holds(within: Json, value: string | number | boolean, budget: Budget): Mark {
  if (Array.isArray(within)) return budget.take(listSteps(within, value)) ? markOf(within.includes(value)) : ERROR;
  const text = TEXT.of(within);
  if (text === undefined || typeof value !== 'string' || !budget.take(searchSteps(text, value))) return ERROR;
  return markOf(text.includes(value));
}

/** An item costs 2 ns; a text as long as the one that is looked for, each of its characters. */
function listSteps(list: readonly Json[], value: string | number | boolean): number {
  const each = typeof value === 'string' ? 1 + (value.length >> 4) : 1;
  return 1 + ((list.length * each) >> 3);
}

/** Any or all of a list in a list or a text. */
function containing(isAll: boolean): Comparison {
  return {
    kinds: [HOLDER, LIST],
    min: 2,
    max: 2,
    use: '[list or text, list]',
    make: ([holder, wanted], { budget }) => {
      const readHolder = holder!.read;
      const readWanted = wanted!.read;
      const known = Array.isArray(wanted!.constant) ? new Set(wanted!.constant) : null;
      return (facts, marks, item) => {
        const within = readHolder(facts, marks, item);
        const list = readWanted(facts, marks, item);
        if (within === WRONG || list === WRONG) return ERROR;
        if (within === null || list === null) return NO;
        if (!Array.isArray(list)) return ERROR;
        if (Array.isArray(within)) return ofList(within, list, known, isAll, budget);
        return ofText(within, list, isAll, budget);
      };
    },
    text: (a, b) => `${a} contains ${isAll ? 'all' : 'any'} of ${b}`,
  };
}

function ofList(
  within: readonly Json[],
  list: readonly Json[],
  known: ReadonlySet<Json> | null,
  isAll: boolean,
  budget: Budget,
): Mark {
  if (!budget.take(1 + SET_STEPS * (within.length + list.length))) return ERROR;
  if (!isAll) {
    const wanted = known ?? new Set(list);
    return markOf(within.some((item) => SCALAR.of(item) !== undefined && wanted.has(item)));
  }
  const there = new Set(within);
  return markOf(list.every((item) => SCALAR.of(item) !== undefined && there.has(item)));
}

function ofText(within: Json, list: readonly Json[], isAll: boolean, budget: Budget): Mark {
  const text = TEXT.of(within);
  if (text === undefined) return ERROR;
  let found = isAll;
  for (const part of list) {
    if (typeof part !== 'string' || !budget.take(searchSteps(text, part))) return ERROR;
    if (text.includes(part) !== isAll) found = !isAll;
  }
  return markOf(found);
}
/** Of an item that is put into a set or looked up in one: measured, 300 ns at the worst. */
const SET_STEPS = 5;

export const SETS: Readonly<Record<string, Comparison>> = {
  in: {
    kinds: [SCALAR, HOLDER],
    min: 2,
    max: 2,
    use: '[value, list or text]',
    make: ([needle, holder], { budget }) => membership(needle!, holder!, budget),
    text: (a, b) => (b.startsWith('[') ? `${a} is one of ${b}` : `${b} contains ${a}`),
  },
  contains: {
    kinds: [HOLDER, SCALAR],
    min: 2,
    max: 2,
    use: '[list or text, value]',
    make: ([holder, needle], { budget }) => membership(needle!, holder!, budget),
    text: (a, b) => `${a} contains ${b}`,
  },
  containsAny: containing(false),
  containsAll: containing(true),
};
