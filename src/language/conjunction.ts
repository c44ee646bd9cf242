import { type Conjunction, type Facts, HOLDS, type SharedComparisons } from '../model/condition.ts';
import { type Budget, type Compare, ERROR, type Test, YES } from './closures.ts';

/** A comparison that others make too. */
interface SharedLeaf {
  readonly compare: Compare;
  readonly slot: number;
}

/** Of one condition on its way to closures, the tests that are nothing but shared comparisons with `and` between them. */
export class Conjuncts {
  readonly #leaves = new Map<Test, readonly SharedLeaf[]>();

  /** `test` is this comparison. */
  alone(test: Test, leaf: SharedLeaf): Test {
    this.#leaves.set(test, [leaf]);
    return test;
  }

  /** `test` is all of these, from left to right. */
  all(test: Test, tests: readonly Test[]): void {
    const parts = tests.map((one) => this.#leaves.get(one));
    if (parts.every((leaves) => leaves !== undefined)) this.#leaves.set(test, parts.flat());
  }

  /** Of the whole condition; null where it is something else, or has too many comparisons. */
  of(whole: Test, shared: SharedComparisons | undefined, budget: Budget): Conjunction | null {
    const leaves = this.#leaves.get(whole);
    if (leaves === undefined || shared === undefined || leaves.length > CONJUNCTION_LEAVES_MAX) return null;
    return new SharedConjunction(leaves, shared, budget);
  }
}

/** Two bits for each mark: V8 keeps integers of up to 31 bits without an object. */
export const CONJUNCTION_LEAVES_MAX = 15;

/**
 * A condition that is nothing but shared comparisons with `and` between them, as most are: in one loop, since a call for each
 * comparison takes several times as long as looking up what is known of it.
 */
class SharedConjunction implements Conjunction {
  readonly #slots: readonly number[];
  readonly #shared: SharedComparisons;
  readonly #compares: readonly Compare[];
  readonly #budget: Budget;

  constructor(leaves: readonly SharedLeaf[], shared: SharedComparisons, budget: Budget) {
    this.#slots = leaves.map(({ slot }) => slot);
    this.#shared = shared;
    this.#compares = leaves.map(({ compare }) => compare);
    this.#budget = budget;
  }

  refusal(facts: Facts, marks: Uint8Array): number {
    const slots = this.#slots;
    const { known, epoch } = this.#shared;
    let isBegun = false;
    let code = 0;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      let mark = known[slot]! - epoch;
      if (mark <= 0) {
        if (!isBegun) this.#budget.reset();
        isBegun = true;
        mark = this.#compares[i]!(facts, marks, null);
        if (mark !== ERROR) known[slot] = epoch + mark;
      }
      code = (code << 2) | mark;
      if (mark !== YES) return code << (2 * (slots.length - 1 - i));
    }
    return HOLDS;
  }
}
