/**
 * The part of a TC string that is decoded. Behind the vendors' consents stand their legitimate interests and what the
 * publisher restricts, which Weir does not go by, and whose ranges a decoder walks vendor by vendor: 8 KB of hostile ones
 * would keep the process from everything else for minutes. So the string is cut before them, and what is left is bounded.
 *
 * The core segment, in bits (documented: the IAB's specification of TC strings, format 2): 213 of header and purposes, then
 * the vendors' consents: 16 of the largest id | 1: 0 = a bit for each id, 1 = ranges: 12 of how many, each of them
 * 1 (is it a range?) | 16 | 16 more of a range. All of it is in base64url, six bits a character.
 */
const VENDORS_AT = 213;
/** An empty list of legitimate interests (17 bits) and of restrictions (12), and what fills the last character. */
const NOTHING_MORE = 'AAAAA';

/** Counting each as often as a range names it. The IAB's list has some 1,500, and a batch may hold hundreds of strings. */
export const VENDORS_NAMED_MAX = 2_000;
/** A list of all vendors, each of them with its own bit in every part, has some 1,500. */
export const TC_STRING_CHARACTERS_MAX = 8192;

/** A TC string to decode in place of this one, which says the same of purposes and vendors' consents; or why this one cannot be read. */
export function decodablePart(tcString: string): { readonly text: string } | { readonly why: string } {
  if (tcString.length > TC_STRING_CHARACTERS_MAX) {
    return { why: `it has ${tcString.length} characters, and at most ${TC_STRING_CHARACTERS_MAX} are read` };
  }
  if (!tcString.startsWith('C')) return { why: 'it does not begin as format 2 does' };
  const dot = tcString.indexOf('.');
  const core = dot === -1 ? tcString : tcString.slice(0, dot);
  const bits = new Bits(core, VENDORS_AT);
  const largestId = bits.take(16);
  let named = 0;
  if (bits.take(1) === 1) named = rangesIn(bits);
  else bits.skip(largestId);
  if (!bits.isWhole || !BASE64URL.test(core)) return { why: 'it is cut off, or holds other characters than base64url' };
  if (named > VENDORS_NAMED_MAX) {
    return { why: `its ranges name ${named} vendors, and at most ${VENDORS_NAMED_MAX} are read` };
  }
  return { text: withKnownTool(bits.before()) + NOTHING_MORE };
}

/** A string of a consent tool that is not registered is processed as it is (documented), but the decoder refuses its number 0 or 1. */
function withKnownTool(text: string): string {
  return text.slice(0, CMP_ID_AT) + KNOWN_CMP_ID + text.slice(CMP_ID_AT + KNOWN_CMP_ID.length);
}
/** In characters: 12 bits from bit 78 on. */
const CMP_ID_AT = 13;
const KNOWN_CMP_ID = 'AK';

/** How many ids they name. */
function rangesIn(bits: Bits): number {
  let named = 0;
  const entries = bits.take(12);
  for (let i = 0; i < entries && bits.isWhole; i++) {
    const isRange = bits.take(1) === 1;
    const first = bits.take(16);
    named += isRange ? Math.max(0, bits.take(16) - first) + 1 : 1;
  }
  return named;
}

const BASE64URL = /^[A-Za-z0-9_-]*$/;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const BITS_PER_CHARACTER = 6;

class Bits {
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  /** Nothing was taken that is not there. */
  get isWhole(): boolean {
    return this.#at <= this.#text.length * BITS_PER_CHARACTER;
  }

  skip(count: number): void {
    this.#at += count;
  }

  take(count: number): number {
    let value = 0;
    for (let left = count; left > 0; left--, this.#at++) {
      const digit = ALPHABET.indexOf(this.#text.charAt(Math.floor(this.#at / BITS_PER_CHARACTER)));
      value = value * 2 + ((digit >> (BITS_PER_CHARACTER - 1 - (this.#at % BITS_PER_CHARACTER))) & 1);
    }
    return value;
  }

  /** The text up to here, the bits that its last character has too many set to 0. */
  before(): string {
    const whole = Math.floor(this.#at / BITS_PER_CHARACTER);
    const tooMany = BITS_PER_CHARACTER - (this.#at % BITS_PER_CHARACTER);
    const digit = ALPHABET.indexOf(this.#text.charAt(whole));
    return `${this.#text.slice(0, whole)}${tooMany === BITS_PER_CHARACTER ? '' : ALPHABET[(digit >> tooMany) << tooMany]}`;
  }
}
