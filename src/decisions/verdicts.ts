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

  constructor(activityId: string, leaves: number) {
    this.#activityId = activityId;
    this.#leaves = leaves;
  }

  /** `code`: of a conjunction. */
  of(code: number): Verdict {
    const known = this.#known.get(code);
    if (known !== undefined) return known;
    const made = new MadeVerdict(this.#activityId, 'audience', null, null, codedMarksText(this.#leaves, code), null);
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
  #json: string | null = null;

  constructor(
    activityId: string,
    outcome: Outcome,
    experienceId: string | null,
    bucket: number | null,
    marks: string,
    because: string | null,
  ) {
    this.activityId = activityId;
    this.outcome = outcome;
    this.experienceId = experienceId;
    this.bucket = bucket;
    this.marks = marks;
    this.because = because;
  }

  get json(): string {
    this.#json ??= verdictJson(this);
    return this.#json;
  }
}
