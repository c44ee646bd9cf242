import { missingConsent } from '../model/consent-gate.ts';
import type { DecisionInput, Proposition } from '../model/decision.ts';
import { DEVICE } from '../model/decision-history.ts';
import type { Compiled } from './compile.ts';
import { isWithin } from './draws.ts';
import { type ExclusionGroup, memberFor } from './exclusion.ts';
import { Visitor } from './visitor.ts';

/** One decision in the making: what activities share, each worked out when it is first needed. */
export class Sitting {
  readonly input: DecisionInput;
  readonly visitor: Visitor;
  readonly marks: Uint8Array;
  readonly placements: Placement[] = [];
  assigned: Record<string, string> | null = null;
  /** Scopes and surfaces that have what only one can have, and the activity that has it. */
  #taken: Map<string, string> | null = null;
  readonly #compiled: Compiled;
  /** By requirement; undefined: not asked yet. */
  readonly #missing: (string | null | undefined)[];
  #isHeldOut: boolean | null = null;
  #members: Map<ExclusionGroup, string | null> | null = null;

  constructor(compiled: Compiled, input: DecisionInput, marks: Uint8Array) {
    this.#compiled = compiled;
    this.input = input;
    this.visitor = new Visitor(input);
    this.marks = marks;
    this.#missing = new Array(compiled.requirements.length);
  }

  get targetClient(): string {
    return this.#compiled.definitions.targetClient;
  }

  missingConsent(requirement: number): string | null {
    const known = this.#missing[requirement];
    if (known !== undefined) return known;
    const missing = missingConsent(this.#compiled.requirements[requirement]!, this.input.consent);
    this.#missing[requirement] = missing;
    return missing;
  }

  /** From everything that the org personalises. */
  isHeldOut(): boolean {
    if (this.#isHeldOut !== null) return this.#isHeldOut;
    const { definitions, globalHoldout } = this.#compiled;
    const { holdoutPercent } = definitions;
    this.#isHeldOut = holdoutPercent > 0 && isWithin(holdoutPercent, this.visitor.hashOf(DEVICE), globalHoldout);
    return this.#isHeldOut;
  }

  /** Id of the activity of the group that has the visitor. */
  memberFor(group: ExclusionGroup): string | null {
    this.#members ??= new Map();
    let member = this.#members.get(group);
    if (member === undefined) {
      member = memberFor(group, this.visitor, this.input.nowMs);
      this.#members.set(group, member);
    }
    return member;
  }

  takenBy(scope: string): string | null {
    return this.#taken?.get(scope) ?? null;
  }

  /** Into the answer. */
  place(placements: readonly Placement[]): void {
    for (const placement of placements) this.placements.push(placement);
    this.take(placements);
  }

  /** Leaves these places to nobody else. */
  take(placements: readonly Placement[]): void {
    for (const { isSingle, askedAs, proposition } of placements) {
      if (!isSingle) continue;
      this.#taken ??= new Map();
      this.#taken.set(askedAs, proposition.activityId);
    }
  }
}

/** A proposition with its place in the answer. */
export interface Placement {
  readonly proposition: Proposition;
  /** Scope or surface of the request. */
  readonly askedAs: string;
  /** Among those of one place: smaller first. */
  readonly rank: number;
  /** Nobody else can have content there. */
  readonly isSingle: boolean;
}
