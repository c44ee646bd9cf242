/** Something that is to be over by its deadline. */
export interface Due {
  /** Called once, if it is not over by then. */
  expire(): void;
}

interface Entry {
  readonly due: Due;
  /** By the list's clock. */
  readonly atMs: number;
  /** Null in an entry that is out of the list: one that has grown old would keep all that came after it from the garbage collector. */
  earlier: Entry | null;
  later: Entry | null;
}
export type Deadline = Entry;

/**
 * Expired in one go, at 0.1 ms each; the next ones a moment later, so that what came meanwhile is served in between: clients
 * that came together are late together.
 */
export const EXPIRED_AT_ONCE = 16;

/**
 * The deadlines of everything that has the same time: what began first is due first, so they are a list, and one timer
 * looks at its head. A timer for each would cost three times as much, and most requests are over a thousand times sooner.
 * Does not keep the process alive.
 */
export class Deadlines {
  #first: Entry | null = null;
  #last: Entry | null = null;
  #isTimed = false;
  readonly #clockMs: () => number;
  readonly #atOnce: number;

  /** `clockMs`: monotonic. `atOnce`: how many expire in one go. */
  constructor(clockMs: () => number, atOnce = EXPIRED_AT_ONCE) {
    this.#clockMs = clockMs;
    this.#atOnce = atOnce;
  }

  /** `atMs`: never before that of an earlier one. Returns what `end` is given. */
  begin(due: Due, atMs: number): Deadline {
    const entry: Entry = { due, atMs, earlier: this.#last, later: null };
    if (this.#last === null) this.#first = entry;
    else this.#last.later = entry;
    this.#last = entry;
    if (!this.#isTimed) this.#time(entry);
    return entry;
  }

  /** It is over. To be called once, and not after `expire`. */
  end(entry: Deadline): void {
    const { earlier, later } = entry;
    entry.earlier = null;
    entry.later = null;
    if (earlier === null) this.#first = later;
    else earlier.later = later;
    if (later === null) this.#last = earlier;
    else later.earlier = earlier;
  }

  /** A timer whose request is over is left to run out: by then others wait, as a rule. */
  #time({ atMs }: Entry): void {
    this.#isTimed = true;
    setTimeout(() => this.#look(), Math.max(1, Math.ceil(atMs - this.#clockMs()))).unref();
  }

  #look(): void {
    this.#isTimed = false;
    const nowMs = this.#clockMs();
    for (let i = 0; i < this.#atOnce && this.#first !== null && this.#first.atMs <= nowMs; i++) {
      const first = this.#first;
      this.end(first);
      first.due.expire();
    }
    if (this.#first !== null && !this.#isTimed) this.#time(this.#first);
  }
}
