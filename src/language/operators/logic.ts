import { meant } from '../../model/did-you-mean.ts';
import type { Json } from '../../model/json.ts';
import { ERROR, type Mark, markOf, NO, type Test, WRONG, YES } from '../closures.ts';
import type { Call, TestForm } from '../compilation.ts';

/** What joins conditions, and conditions whose arguments are not plain values: on items of a list, on audiences, on being there. */

function joined(isAnd: boolean): TestForm {
  return {
    min: 1,
    max: Number.POSITIVE_INFINITY,
    use: '[condition, condition, …]',
    test: (call, compilation) => {
      const tests = call.args.map((arg, index) => compilation.test(arg, call.argument(index)));
      const test = joinedTest(tests, isAnd);
      if (isAnd) compilation.conjuncts.all(test, tests);
      return test;
    },
  };
}

/** Left to right, and no further than the answer needs. */
function joinedTest(tests: readonly Test[], isAnd: boolean): Test {
  const [first, second, third] = tests as [Test, Test?, Test?];
  if (second === undefined) return first;
  if (third === undefined) {
    return isAnd
      ? (facts, marks, item) => first(facts, marks, item) && second(facts, marks, item)
      : (facts, marks, item) => first(facts, marks, item) || second(facts, marks, item);
  }
  return (facts, marks, item) => {
    for (let i = 0; i < tests.length; i++) if (tests[i]!(facts, marks, item) !== isAnd) return !isAnd;
    return isAnd;
  };
}

const not: TestForm = {
  min: 1,
  max: 1,
  use: 'condition',
  test: (call, compilation) => {
    const inner = compilation.test(call.args[0]!, call.argument(0));
    return (facts, marks, item) => !inner(facts, marks, item);
  },
};

const truth: TestForm = {
  min: 1,
  max: 1,
  use: 'condition',
  test: (call, compilation) => compilation.test(call.args[0]!, call.argument(0)),
};

/** `[condition, then, condition, then, …, else]`; without an else, no. */
const choice: TestForm = {
  min: 2,
  max: Number.POSITIVE_INFINITY,
  use: '[condition, then, else]',
  test: (call, compilation) => {
    const tests = call.args.map((arg, index) => compilation.test(arg, call.argument(index)));
    return (facts, marks, item) => {
      let i = 0;
      for (; i + 1 < tests.length; i += 2) if (tests[i]!(facts, marks, item)) return tests[i + 1]!(facts, marks, item);
      return i < tests.length && tests[i]!(facts, marks, item);
    };
  },
};

/**
 * Whether a condition holds of items of a list. Inside, `var` reads from the item, and "" is the item. A missing list has no
 * items. An item that the condition cannot be tried on is an error, unless another one decides. As JSON Logic has it, `all`
 * of no items is no, `none` is yes.
 */
function quantifier(word: string, decidedBy: boolean, decided: Mark, undecided: Mark, empty: Mark): TestForm {
  return {
    min: 2,
    max: 2,
    use: '[list, condition]',
    test: (call, compilation) =>
      compilation.leaf(call.place, (inside) => {
        const list = compilation.value(call.args[0]!, { ...inside, ...pathOf(call, 0) });
        const before = compilation.nodes;
        const wordsBefore = compilation.inside.length;
        const predicate = compilation.test(call.args[1]!, { ...inside, ...pathOf(call, 1), scope: 'item' });
        const cost = compilation.nodes - before;
        const { budget } = compilation;
        const leaf = inside.leaf!;
        return {
          compare: (facts, marks, item) => {
            const items = list.read(facts, marks, item);
            if (items === null) return empty;
            if (items === WRONG || !Array.isArray(items) || !budget.take(items.length * cost)) return ERROR;
            const mark = marks[leaf]!;
            for (let i = 0; i < items.length; i++) {
              if (predicate(facts, marks, items[i]!) !== decidedBy) continue;
              if (decided === YES || word === 'none') marks[leaf] = mark;
              return decided;
            }
            return items.length === 0 ? empty : undecided;
          },
          text: `${word} of ${list.text}: ${compilation.inside.splice(wordsBefore).join(', ')}`,
        };
      }),
  };
}

function pathOf(call: Call, index: number): Pick<ReturnType<Call['argument']>, 'path' | 'depth'> {
  const { path, depth } = call.argument(index);
  return { path, depth };
}

/** `{"audience": "id"}`: a condition that has a name. */
const audience: TestForm = {
  min: 1,
  max: 1,
  use: '"id"',
  test: (call, compilation) =>
    compilation.leaf(call.place, () => {
      const id = call.args[0]!;
      const named = typeof id === 'string' ? compilation.audiences.get(id) : undefined;
      if (named === undefined) {
        compilation.problem(call.argument(0).path, unknownAudience(id, [...compilation.audiences.keys()]));
        return { compare: () => ERROR, text: '' };
      }
      for (const path of named.reads) compilation.reads.add(path);
      return {
        compare: (facts, marks) => markOf(named.test(facts, marks)),
        text: `the visitor is in the audience '${id}'`,
      };
    }),
};

function unknownAudience(id: Json, known: readonly string[]): string {
  if (typeof id !== 'string')
    return "The operator 'audience' takes the id of an audience, as a text that is written out.";
  const guess = meant(id, known);
  return `There is no audience '${id}'. ${guess === null ? `Known: ${known.length === 0 ? 'none' : known.join(', ')}.` : `Did you mean '${guess}'?`}`;
}

/** `{"exists": "profile.tier"}`: there, and not null. */
const exists: TestForm = {
  min: 1,
  max: 1,
  use: '"profile.tier"',
  test: (call, compilation) =>
    compilation.leaf(call.place, (inside) => {
      const arg = call.args[0]!;
      const node = typeof arg === 'string' ? { var: arg } : arg;
      const { read, text } = compilation.value(node, { ...inside, ...pathOf(call, 0) });
      return {
        compare: (facts, marks, item) => {
          const value = read(facts, marks, item);
          return value === WRONG ? ERROR : markOf(value !== null);
        },
        text: `${text} is there`,
      };
    }),
};

export const LOGIC: Readonly<Record<string, TestForm>> = {
  and: joined(true),
  or: joined(false),
  '!': not,
  '!!': truth,
  if: choice,
  '?:': choice,
  some: quantifier('some', true, YES, NO, NO),
  all: quantifier('all', false, NO, YES, NO),
  none: quantifier('none', true, NO, YES, YES),
  audience,
  exists,
};
