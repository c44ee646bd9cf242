import type { Condition, ConditionContext, ConditionProblem, Leaf } from '../model/condition.ts';
import { meant } from '../model/did-you-mean.ts';
import { isObject, type Json, quoted } from '../model/json.ts';
import {
  ALWAYS,
  Budget,
  type Compare,
  ERROR,
  NEVER,
  type Operand,
  type Read,
  type Test,
  WRONG,
  YES,
} from './closures.ts';
import { Conjuncts } from './conjunction.ts';
import { type Kind, kindProblem } from './kinds.ts';
import { judged, marking, markingOnce, withErrorsInside } from './leaf-closures.ts';
import { PROBLEMS_MAX, RULE_DEPTH_MAX, RULE_LIST_ITEMS_MAX, RULE_NODES_MAX } from './limits.ts';
import { COMPARISONS } from './operators/comparisons.ts';
import { LOGIC } from './operators/logic.ts';
import { READING } from './operators/reading.ts';
import { VALUES } from './operators/values.ts';
import { truthTest } from './truth.ts';
import { leafText, listText, textOf } from './words.ts';

/** Where a part of a condition stands. */
export interface Place {
  readonly path: readonly (string | number)[];
  /** Operators around it. */
  readonly depth: number;
  /** The leaf that it is a part of; null: comparisons are leaves of their own. */
  readonly leaf: number | null;
  /** What `var` reads from. */
  readonly scope: 'facts' | 'item';
}

/** An operator with its arguments: `{"<": [1, 2]}`, and `{"!": x}` for `{"!": [x]}`. */
export interface Call {
  readonly name: string;
  readonly args: readonly Json[];
  readonly place: Place;
  /** The arguments stand in a list. */
  readonly isList: boolean;
  /** Of each argument. */
  argument(index: number): Place;
}

/** Operators that see their arguments before they are compiled. */
export interface TestForm {
  readonly min: number;
  readonly max: number;
  readonly use: string;
  test(call: Call, compilation: Compilation): Test;
}
export interface ValueForm {
  readonly min: number;
  readonly max: number;
  readonly use: string;
  value(call: Call, compilation: Compilation): Pick<Operand, 'read' | 'text'>;
}

export const OPERATORS: readonly string[] = [
  ...new Set([LOGIC, READING, COMPARISONS, VALUES].flatMap((table) => Object.keys(table))),
];

/** One condition on its way to closures: what was found wrong, the leaves, and what is read. */
export class Compilation {
  readonly budget = new Budget();
  readonly problems: ConditionProblem[] = [];
  readonly leaves: Leaf[] = [];
  readonly reads = new Set<string>();
  readonly conjuncts = new Conjuncts();
  /** In plain words, the comparisons within leaves. */
  readonly inside: string[] = [];
  readonly audiences: ReadonlyMap<string, Condition>;
  readonly #firstLeaf: number;
  readonly #judge: ConditionContext['judge'];
  readonly #shared: ConditionContext['shared'];
  /** Leaves with conditions inside, which may find an error by themselves. */
  readonly #holdingTests = new Set<number>();
  #nodes = 0;

  constructor({ audiences, firstLeaf, judge, shared }: ConditionContext) {
    this.audiences = audiences;
    this.#firstLeaf = firstLeaf;
    this.#judge = judge;
    this.#shared = shared;
  }

  /** Nodes so far: what a part costs is the difference. */
  get nodes(): number {
    return this.#nodes;
  }

  problem(path: readonly (string | number)[], message: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push({ path, message });
  }

  /** A part where a condition belongs. A value there is one too: whether it is something, as JSON Logic has it. */
  test(node: Json, place: Place): Test {
    if (!this.#enter(place)) return NEVER;
    if (typeof node === 'boolean') return node ? ALWAYS : NEVER;
    if (!isObject(node)) {
      this.problem(
        place.path,
        `A condition belongs here, such as {"==": [{"var": "profile.tier"}, "gold"]}, not ${quoted(node)}.`,
      );
      return NEVER;
    }
    const call = this.#callOf(node, place);
    if (call === null) return NEVER;
    if (Object.hasOwn(LOGIC, call.name)) return LOGIC[call.name]!.test(call, this);
    if (Object.hasOwn(COMPARISONS, call.name)) return this.#comparison(call);
    return this.leaf(place, (inside) => {
      const { read, text } = this.#valueOf({
        ...call,
        place: inside,
        argument: (index) => argumentOf(call, inside, index),
      });
      return { compare: truthTest(read), text: `${text} is true or something` };
    });
  }

  /** A part where a value belongs. */
  value(node: Json, place: Place): Operand {
    const { path } = place;
    if (!this.#enter(place)) return { read: () => null, constant: undefined, text: '', path };
    if (Array.isArray(node)) return this.#list(node, place);
    if (!isObject(node)) return { read: () => node, constant: node, text: textOf(node), path };
    const call = this.#callOf(node, place);
    if (call === null) return { read: () => null, constant: undefined, text: '', path };
    return { ...this.#valueOf(call), constant: undefined, path };
  }

  /** A comparison of its own, or a part of the leaf around it. `comparison`: its text, where others may make it too. */
  leaf(
    place: Place,
    make: (inside: Place) => { readonly compare: Compare; readonly text: string },
    comparison: string | null = null,
  ): Test {
    if (place.leaf !== null) {
      const { compare, text } = make(place);
      this.inside.push(text);
      return this.#within(place.leaf, compare);
    }
    const index = this.#firstLeaf + this.leaves.length;
    const { compare, text } = make({ ...place, leaf: index });
    const leaf = { index, text: leafText(text), comparison: comparison ?? text };
    this.leaves.push(leaf);
    const whole = this.#holdingTests.has(index) ? withErrorsInside(compare, index) : compare;
    if (this.#judge !== undefined) return judged(whole, leaf, this.#judge);
    if (comparison === null || this.#shared === undefined) return marking(whole, index);
    const slot = this.#shared.slotOf(comparison);
    return this.conjuncts.alone(markingOnce(whole, index, this.#shared, slot), { compare: whole, slot });
  }

  #within(leaf: number, compare: Compare): Test {
    this.#holdingTests.add(leaf);
    return (facts, marks, item) => {
      const mark = compare(facts, marks, item);
      if (mark === ERROR) marks[leaf] = ERROR;
      return mark === YES;
    };
  }

  #comparison(call: Call): Test {
    const comparison = COMPARISONS[call.name]!;
    return this.leaf(
      call.place,
      (inside) => {
        const operands = this.#operands(call, inside, comparison.kinds);
        if (operands === null) return { compare: () => ERROR, text: '' };
        return { compare: comparison.make(operands, this), text: comparison.text(...operands.map(({ text }) => text)) };
      },
      JSON.stringify([call.name, call.args]),
    );
  }

  #valueOf(call: Call): Pick<Operand, 'read' | 'text'> {
    if (Object.hasOwn(READING, call.name)) return READING[call.name]!.value(call, this);
    if (Object.hasOwn(VALUES, call.name)) {
      const known = VALUES[call.name]!;
      const operator = call.args.length === 1 ? (known.alone ?? known) : known;
      const operands = this.#operands(call, call.place, operator.kinds);
      if (operands === null) return { read: () => null, text: '' };
      return { read: operator.make(operands, this.budget), text: operator.text(...operands.map(({ text }) => text)) };
    }
    const test = Object.hasOwn(LOGIC, call.name) ? LOGIC[call.name]!.test(call, this) : this.#comparison(call);
    return { read: test, text: `whether ${call.name} …` };
  }

  /** The arguments as values; null where one is written out and of a kind that the operator never takes. */
  #operands(call: Call, inside: Place, kinds: readonly Kind<unknown>[]): readonly Operand[] | null {
    const before = this.problems.length;
    const operands = call.args.map((arg, index) => this.value(arg, argumentOf(call, inside, index)));
    operands.forEach((operand, index) => {
      const wrong = kindProblem(call.name, operand, kinds[Math.min(index, kinds.length - 1)]!);
      if (wrong !== null) this.problem(operand.path, wrong);
    });
    return this.problems.length === before ? operands : null;
  }

  /** A list that is written out. Of plain values it is a constant; else its items are worked out. */
  #list(node: readonly Json[], place: Place): Operand {
    const { path } = place;
    if (node.length > RULE_LIST_ITEMS_MAX) {
      this.problem(path, `The list has ${node.length} items; at most ${RULE_LIST_ITEMS_MAX} are taken.`);
      return { read: () => null, constant: undefined, text: '', path };
    }
    if (node.every((item) => typeof item !== 'object')) {
      const list = [...node];
      return { read: () => list, constant: list, text: listText(node), path };
    }
    const operands = node.map((item, index) =>
      this.value(item, { ...place, path: [...path, index], depth: place.depth + 1 }),
    );
    return {
      read: listReader(operands.map(({ read }) => read)),
      constant: undefined,
      text: `[${operands.map(({ text }) => text).join(', ')}]`,
      path,
    };
  }

  /** Counts a part; false where it is one too many, or too deep. */
  #enter({ path, depth }: Place): boolean {
    this.#nodes += 1;
    if (this.#nodes === RULE_NODES_MAX + 1) {
      this.problem(
        path,
        `The condition has more than ${RULE_NODES_MAX} operators and values. Name a part of it as an audience.`,
      );
    }
    if (depth > RULE_DEPTH_MAX)
      this.problem(path, `The condition is nested more than ${RULE_DEPTH_MAX} deep. Name a part of it as an audience.`);
    return this.#nodes <= RULE_NODES_MAX && depth <= RULE_DEPTH_MAX;
  }

  #callOf(node: { [key: string]: Json }, place: Place): Call | null {
    const names = Object.keys(node);
    const name = names[0];
    if (name === undefined || names.length !== 1) {
      this.problem(
        place.path,
        `An operator is an object with one name; this one has ${names.length === 0 ? 'none' : names.map((one) => `'${one}'`).join(', ')}.`,
      );
      return null;
    }
    if (!OPERATORS.includes(name)) {
      const guess = meant(name, OPERATORS);
      this.problem(
        [...place.path, name],
        `The operator '${name}' is not known. ${guess === null ? `Known: ${OPERATORS.join(' ')}.` : `Did you mean '${guess}'?`}`,
      );
      return null;
    }
    const value = node[name]!;
    const args = Array.isArray(value) ? value : [value];
    const { min, max, use } = [LOGIC, READING, COMPARISONS, VALUES].find((table) => Object.hasOwn(table, name))![name]!;
    if (args.length < min || args.length > max) {
      this.problem(
        [...place.path, name],
        `The operator '${name}' has ${args.length} ${args.length === 1 ? 'argument' : 'arguments'}. Write {"${name}": ${use}}.`,
      );
      return null;
    }
    const call = { name, args, place, isList: Array.isArray(value) };
    return { ...call, argument: (index) => argumentOf(call, place, index) };
  }
}

function argumentOf({ name, isList }: Pick<Call, 'name' | 'isList'>, around: Place, index: number): Place {
  return { ...around, path: isList ? [...around.path, name, index] : [...around.path, name], depth: around.depth + 1 };
}

function listReader(reads: readonly Read[]): Read {
  return (facts, marks, item) => {
    const list: Json[] = [];
    for (let i = 0; i < reads.length; i++) {
      const value = reads[i]!(facts, marks, item);
      if (value === WRONG) return WRONG;
      list.push(value);
    }
    return list;
  };
}
