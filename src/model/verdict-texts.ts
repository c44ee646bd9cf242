import type { Verdict } from './decision.ts';

/**
 * Characters that are kept; a run counts as `RUN_CHARACTERS` beside its text. A page of 50 activities takes 10,000 for each kind
 * of visitor. Chosen.
 */
export const KEPT_CHARACTERS_MAX = 4_000_000;
export const RUN_CHARACTERS = 100;

/** Shared verdicts that came one behind the other. */
interface Run {
  readonly before: Run | null;
  readonly verdict: Verdict | null;
  text: string | null;
  /** What came behind it last, and all that did. */
  last: Run | null;
  behind: Map<Verdict, Run> | null;
}

/**
 * Verdicts as the log keeps them, with commas between them. Of what a page asks for most is refused, and for one visitor after
 * the other alike: the text of such a run is made once, and found by going from verdict to verdict.
 */
export class VerdictTexts {
  #none: Run = run(null, null);
  #kept = 0;

  /** Characters that are kept. */
  get kept(): number {
    return this.#kept;
  }

  join(verdicts: readonly Verdict[]): string {
    if (this.#kept >= KEPT_CHARACTERS_MAX) {
      this.#none = run(null, null);
      this.#kept = 0;
    }
    let text = '';
    let at = this.#none;
    for (let i = 0; i < verdicts.length; i++) {
      const verdict = verdicts[i]!;
      if (verdict.isShared) {
        at = at.last?.verdict === verdict ? at.last : this.#behind(at, verdict);
      } else {
        text = joined(joined(text, this.#textOf(at)), verdict.json);
        at = this.#none;
      }
    }
    return joined(text, this.#textOf(at));
  }

  #behind(before: Run, verdict: Verdict): Run {
    let next = before.behind?.get(verdict);
    if (next === undefined) {
      next = run(before, verdict);
      before.behind ??= new Map();
      before.behind.set(verdict, next);
      this.#kept += RUN_CHARACTERS;
    }
    before.last = next;
    return next;
  }

  #textOf(one: Run): string {
    if (one.text !== null) return one.text;
    const texts: string[] = [];
    for (let at = one; at.verdict !== null; at = at.before!) texts.push(at.verdict.json);
    one.text = texts.reverse().join(',');
    this.#kept += one.text.length;
    return one.text;
  }
}

function run(before: Run | null, verdict: Verdict | null): Run {
  return { before, verdict, text: null, last: null, behind: null };
}

function joined(a: string, b: string): string {
  if (a === '') return b;
  return b === '' ? a : `${a},${b}`;
}
