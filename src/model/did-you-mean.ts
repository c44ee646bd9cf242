/** More edits than this, and the guess is likelier wrong than right. */
const EDITS_MAX = 2;
/** Longer words are nobody's option. */
const WORD_CHARACTERS_MAX = 64;

/** The known word that was probably meant, or null. Capitals do not count; of short words less may differ. */
export function meant(word: string, known: readonly string[]): string | null {
  if (word.length > WORD_CHARACTERS_MAX) return null;
  const editsMax = Math.min(EDITS_MAX, Math.floor(word.length / 2));
  let best: string | null = null;
  let bestEdits = editsMax + 1;
  for (const candidate of known) {
    const edits = editsBetween(word.toLowerCase(), candidate.toLowerCase());
    if (edits < bestEdits) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
function editsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let edits = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, beforeLast[j - 2]! + 1);
      }
      row.push(edits);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** Ids that are named in an error at most. */
const NAMED_MAX = 10;

/** The end of a sentence that says that there is no such word: which one was meant, else which there are. */
export function guess(word: string, known: readonly string[]): string {
  const one = meant(word, known);
  if (one !== null) return ` Did you mean '${one}'?`;
  const named = known.slice(0, NAMED_MAX).map((id) => `'${id}'`);
  if (named.length === 0) return ' There are none at all.';
  return ` Known: ${named.join(', ')}${known.length > NAMED_MAX ? ' and others' : ''}.`;
}
