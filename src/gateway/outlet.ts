import type { ServerResponse } from 'node:http';

/** A connection that a request has to itself, as its outlet needs it. */
export interface OwnConnection {
  readonly isGone: boolean;
  /** Has node:http make its response to the request after all; it comes by `attach`. */
  makeResponse(): void;
  /** Sends the answer; the request is over, and its outlet closes when the kernel has all of it. */
  write(answer: string): void;
}

/**
 * Where the answer to one request leaves: as one string on a connection that the request has to itself, or by node:http's
 * response. Most answers are the former, and a response costs 7 µs with its events, ticks and timers: so it is made only
 * when somebody asks for it.
 */
export class Outlet {
  readonly #own: OwnConnection | null;
  #res: ServerResponse | null = null;
  /**
   * Called once, when the answer has left or the client is gone. To be named before it is put here: a function that is written
   * straight into a property V8 makes among the old objects, where all that it holds of the request stayed until the next full
   * garbage collection, and a collection of the young took three times as long.
   */
  onClose: (() => void) | null = null;

  /** `own`: null where the response comes at once, by `attach`. */
  constructor(own: OwnConnection | null) {
    this.#own = own;
  }

  static of(res: ServerResponse): Outlet {
    const outlet = new Outlet(null);
    outlet.attach(res);
    return outlet;
  }

  /** node:http's response, for whatever does not leave as one string. */
  get res(): ServerResponse {
    if (this.#res === null) this.#own!.makeResponse();
    return this.#res!;
  }

  /** Where the answer may leave as one string, on a connection that stays open; null where node:http has to write it. */
  get direct(): OwnConnection | null {
    return this.#res === null ? this.#own : null;
  }

  /** There is nobody to answer. */
  get isGone(): boolean {
    return this.#res === null ? this.#own!.isGone : this.#res.destroyed;
  }

  attach(res: ServerResponse): void {
    this.#res = res;
    res.on('close', () => this.close());
  }

  close(): void {
    const { onClose } = this;
    this.onClose = null;
    onClose?.();
  }
}
