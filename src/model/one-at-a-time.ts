/** Runs one thing after the other: the next when the one before has ended, however it ended; at once where none is under way. */
export class OneAtATime {
  #last: Promise<void> | null = null;

  run<T>(start: () => Promise<T>): Promise<T> {
    const done = this.#last === null ? start() : this.#last.then(start);
    const ended: Promise<void> = done
      .then(
        () => {},
        // Whoever asked for it is told.
        () => {},
      )
      .then(() => {
        if (this.#last === ended) this.#last = null;
      });
    this.#last = ended;
    return done;
  }

  /** Resolves when everything that was asked for until now has ended. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
