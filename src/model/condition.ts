import type { JsonObject } from './json.ts';

/**
 * What conditions and templates may look at, by the first name of a path ("profile.tier"). Parts that cost something
 * (client, page, time) are made when they are first read.
 */
export interface Facts {
  readonly xdm: JsonObject;
  readonly data: JsonObject;
  /** Attributes that are kept on the person, with those that this event brings (`data.__adobe.target`, `profile.*`). */
  readonly profile: JsonObject;
  /** `collect` (in, out, pending), `gpc`, and every choice that holds, in the shape of Adobe 2.0. */
  readonly consent: JsonObject;
  /** `browser {name, version}`, `os {name, version}`, `deviceType` (desktop, mobile, tablet, …), `isBot`, `hints`. */
  readonly client: JsonObject;
  /** Of the page that the event names: `url`, `scheme`, `host`, `path`, `query {…}`, `fragment`, `referrer {…}`. */
  readonly page: JsonObject;
  /** `now` (ms), `date` (2026-11-28), `hour`, `minute`, `weekday` (1 Monday to 7), in the org's time zone. */
  readonly time: JsonObject;
}
export const FACTS = [
  'xdm',
  'data',
  'profile',
  'consent',
  'client',
  'page',
  'time',
] as const satisfies readonly (keyof Facts)[];

/** What is known of one leaf after a test, in `marks`. */
export const MARKS = { unseen: 0, no: 1, yes: 2, error: 3 } as const;

/** A condition, compiled: made at load, tested for every request. */
export interface Condition {
  /** Never throws, never stalls. Sets `marks[index]` of each leaf that it looks at; a leaf of wrong types is `error`, and false. */
  test(facts: Facts, marks: Uint8Array): boolean;
  /** The comparisons that it is made of, in the order of the text; `and`, `or`, `!` and `if` join them. */
  readonly leaves: readonly Leaf[];
  /** Dotted paths into the facts that it may read, each once: "profile.tier", "xdm.commerce.order.priceTotal". */
  readonly reads: readonly string[];
  /** Of one that is nothing but comparisons with `and` between them, shared with other conditions; else null. */
  readonly conjunction: Conjunction | null;
}

/** Says what `test` would, without marking leaves. */
export interface Conjunction {
  /**
   * `HOLDS`; else the marks of all leaves after the test as one number: two bits each, the first leaf's in front. Of `marks`
   * it uses, and leaves in disorder, only places of its own leaves.
   */
  refusal(facts: Facts, marks: Uint8Array): number;
}
export const HOLDS = -1;

export interface Leaf {
  /** Place in `marks`. */
  readonly index: number;
  /** For people: "profile.tier is 'gold'". */
  readonly text: string;
  /** The same for the same comparison, whoever makes it. */
  readonly comparison: string;
}

/** What is wrong with a condition's text: where in it, and a sentence that says what and how to mend it. */
export interface ConditionProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What a condition is compiled with. */
export interface ConditionContext {
  /** By id, those that it may name: compiled before it, with leaves of their own. */
  readonly audiences: ReadonlyMap<string, Condition>;
  /** Place in `marks` of its first leaf. */
  readonly firstLeaf: number;
  /**
   * To explain: what each of its own leaves is taken for, asked after the leaf is known and before its mark is set.
   * Left out where requests are served: nothing is asked then.
   */
  readonly judge?: (comparison: string, holds: boolean) => boolean;
  /** Comparisons that several conditions make are then made once, until the facts are others. Not beside a judge. */
  readonly shared?: SharedComparisons;
}

/** What is known of comparisons, by slot: `epoch` and the mark, where it was found out in this epoch. */
export interface SharedComparisons {
  readonly epoch: number;
  readonly known: Int32Array;
  /** The slot of a comparison, by its text. At load. */
  slotOf(comparison: string): number;
}
