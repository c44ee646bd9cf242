import type { Outcome, Verdict } from '../model/decision.ts';
import { verdictJson } from '../model/stored-decision.ts';
import { codedMarksText } from './marks.ts';

/**
 * Refusals of one activity by its audience, by what came of its comparisons. There are few, and most of what a page asks for is
 * one of them, so that each is made once.
 */
export class Refusals {
  readonly #activityId: string;
  readonly #leaves: number;
  readonly #known = new Map<number, Verdict>();
  #lastCode = -1;
  #last: Verdict | null = null;

  constructor(activityId: string, leaves: number) {
    this.#activityId = activityId;
    this.#leaves = leaves;
  }

  /** `code`: of a conjunction. */
  of(code: number): Verdict {
    if (code !== this.#lastCode || this.#last === null) {
      this.#last = this.#known.get(code) ?? this.#made(code);
      this.#lastCode = code;
    }
    return this.#last;
  }

  #made(code: number): Verdict {
    const marks = codedMarksText(this.#leaves, code);
    const made = new MadeVerdict(this.#activityId, 'audience', null, null, marks, null, true);
    this.#known.set(code, made);
    return made;
  }
}

/** All verdicts are of this class, so that they have one shape. */
export class MadeVerdict implements Verdict {
  readonly activityId: string;
  readonly outcome: Outcome;
  readonly experienceId: string | null;
  readonly bucket: number | null;
  readonly marks: string;
  readonly because: string | null;
  readonly #isShared: boolean;
  #json: string | null = null;

  constructor(
    activityId: string,
    outcome: Outcome,
    experienceId: string | null,
    bucket: number | null,
    marks: string,
    because: string | null,
    isShared = false,
  ) {
    this.activityId = activityId;
    this.outcome = outcome;
    this.experienceId = experienceId;
    this.bucket = bucket;
    this.marks = marks;
    this.because = because;
    this.#isShared = isShared;
  }

  /** No part of what was decided: how it was come by. */
  get isShared(): boolean {
    return this.#isShared;
  }

  get json(): string {
    this.#json ??= verdictJson(this);
    return this.#json;
  }
}
