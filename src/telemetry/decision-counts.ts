import { OUTCOMES, type Outcome } from '../model/decision.ts';
import { DECISION_BOUNDS_SECONDS, Histogram } from './histogram.ts';

/** What was decided, and what was told of propositions, since the start. */
export class DecisionCounts {
  /** Verdicts about activities and decisions of offers. */
  readonly outcomes = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
  /** Of one event. */
  readonly seconds = new Histogram(DECISION_BOUNDS_SECONDS);
  /** Events that were not decided for, because there was too much to store. */
  shed = 0;
  /** Notifications with a token of this installation. */
  notices = 0;
  /** Events that tell of propositions without one: forged, of another system, or of a key that is gone. */
  notOurs = 0;

  /** Of what a page asks for most is refused alike: one after the other they are counted together. */
  countOutcomes(verdicts: readonly { readonly outcome: Outcome }[]): void {
    let start = 0;
    for (let i = 1; i <= verdicts.length; i++) {
      const { outcome } = verdicts[start]!;
      if (i < verdicts.length && verdicts[i]!.outcome === outcome) continue;
      this.outcomes[outcome] += i - start;
      start = i;
    }
  }
}
