/** Half full at most: open addressing slows down beyond. */
const LOAD_MAX = 0.5;
const SLOTS_AT_FIRST = 1024;
const LANES = 2;

/** More than a set may hold. `message` says what, and what to do. */
export class TooMany extends Error {}
/** Shares of them are counted one after the other then. */
export class TooManyVisitors extends TooMany {}

/**
 * A set of texts that knows each by 64 bits: 16 to 32 bytes of memory a text, however long. Two of ten million texts are taken
 * for one with a chance of 3 in a million; nobody can aim at it who cannot choose the texts.
 */
export class Fingerprints {
  #prints = new Uint32Array(SLOTS_AT_FIRST * LANES);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Whether it is a new one; it is in the set from now on. */
  add(text: string): boolean {
    const [high, low] = fingerprintOf(text);
    const at = this.#find(high, low);
    if (this.#prints[at] !== 0) return false;
    this.#prints[at] = high;
    this.#prints[at + 1] = low;
    this.#size += 1;
    if (this.#size * LANES > this.#prints.length * LOAD_MAX) this.#grow();
    return true;
  }

  /** Where it is, or the empty place where it would go. */
  #find(high: number, low: number): number {
    const mask = this.#prints.length / LANES - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const at = slot * LANES;
      if (this.#prints[at] === 0 || (this.#prints[at] === high && this.#prints[at + 1] === low)) return at;
    }
  }

  #grow(): void {
    const old = this.#prints;
    this.#prints = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += LANES) {
      if (old[at] === 0) continue;
      const to = this.#find(old[at]!, old[at + 1]!);
      this.#prints[to] = old[at]!;
      this.#prints[to + 1] = old[at + 1]!;
    }
  }
}

/** Two 32-bit lanes of multiply-and-rotate, well mixed at the end (MurmurHash3's finish); the first is never 0. */
export function fingerprintOf(text: string): readonly [high: number, low: number] {
  let a = 0x9747b28c;
  let b = 0x3c6ef372;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0xcc9e2d51);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b + unit, 0x1b873593);
    b = (b << 17) | (b >>> 15);
    b ^= a;
  }
  return [mixed(a ^ text.length) || 1, mixed(b + a)];
}

function mixed(lane: number): number {
  let h = lane;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}
