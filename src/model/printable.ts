/** Details are read by people; the longest of ours has some 300 characters beside what it quotes. Chosen. */
export const PRINTABLE_CHARACTERS_MAX = 1_000;

/** Control characters, what has no width (a byte order mark), what breaks or turns lines, and halves of characters, which strict clients refuse a whole body for. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu;

/**
 * A text that quotes what a stranger sent, fit for a terminal, a log line and every JSON parser: what cannot be seen
 * stands there as `\u0000`, and what is too long is cut.
 */
export function printable(text: string): string {
  const shown = text.slice(0, PRINTABLE_CHARACTERS_MAX).replace(UNPRINTABLE, escaped);
  if (text.length <= PRINTABLE_CHARACTERS_MAX && shown.length <= PRINTABLE_CHARACTERS_MAX) return shown;
  return `${shown.slice(0, PRINTABLE_CHARACTERS_MAX - 1).replace(CUT_CHARACTER, '')}…`;
}
const CUT_CHARACTER = /[\ud800-\udbff]$/;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
