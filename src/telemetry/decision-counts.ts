/** What was told of propositions since the start. */
export class DecisionCounts {
  /** Notifications with a token of this installation. */
  notices = 0;
  /** Events that tell of propositions without one: forged, of another system, or of a key that is gone. */
  notOurs = 0;
}
