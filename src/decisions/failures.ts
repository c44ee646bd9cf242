/** As long as a sentence: it stands in the log with the decision. */
const MESSAGE_CHARACTERS_MAX = 200;

/** What a verdict says of an activity that failed. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.slice(0, MESSAGE_CHARACTERS_MAX);
}
