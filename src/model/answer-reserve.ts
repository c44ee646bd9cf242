/** Time kept back for logging and answering once a service was given up, so that the rest still fits the deadline. */
export const ANSWER_RESERVE_MS = 250;

/** Of a deadline that hardly has as much, half: else services would be given up before they begin. */
export function answerReserveMs(deadlineMs: number): number {
  return Math.min(ANSWER_RESERVE_MS, deadlineMs / 2);
}
