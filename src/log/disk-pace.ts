/** A write that took less tells nothing of how fast the disk takes bytes: such times are those of a sync, whatever it syncs. */
export const TELLING_MS = 20;
/** What is known of the pace is forgotten over about so much time of writing: one stall does not make a disk slow for long. */
const WINDOW_MS = 1_000;
/**
 * So much may always wait, and a write of less does not tell that a disk is slow: it would be judged by the latency of a
 * sync, or by a processor that was busy elsewhere. Where more than this waits, the next write is of that.
 */
export const UNJUDGED_BYTES = 256 * 1024;

/**
 * How fast the disk takes what the log writes, learned from the last writes. Unknown, and so without limit, until a write
 * was large enough and has taken long enough to tell; a write that went faster than what is known always tells.
 */
export class DiskPace {
  #bytes = 0;
  #ms = 0;

  /** So many bytes became durable in so much time. */
  wrote(bytes: number, ms: number): void {
    const isFaster = this.#ms > 0 && bytes * this.#ms > this.#bytes * ms;
    if ((ms < TELLING_MS || bytes < UNJUDGED_BYTES) && !isFaster) return;
    const kept = WINDOW_MS / (WINDOW_MS + ms);
    this.#bytes = this.#bytes * kept + bytes;
    this.#ms = this.#ms * kept + ms;
  }

  /** How long the disk will take for so many bytes, in milliseconds; 0 for few, and while nothing is known. */
  msFor(bytes: number): number {
    return bytes <= UNJUDGED_BYTES || this.#ms === 0 ? 0 : (bytes * this.#ms) / this.#bytes;
  }
}
