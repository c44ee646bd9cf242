import { IncomingMessage } from 'node:http';

/** Bytes of a refused body that are still read and thrown away, so that the client gets to read the refusal. */
export const DISCARDED_BYTES_MAX = 1024 * 1024;

export const TOO_LARGE = Symbol('body too large');

/** Called once: with the body's bytes, or `TOO_LARGE`. */
type Done = (body: Buffer | typeof TOO_LARGE) => void;

/**
 * A request whose body is taken as a whole, where node:http hands it over: `push` is what its parser calls. Nothing here
 * reads bodies bit by bit, and a stream's events, ticks and buffers cost 3 µs a request. A body that nobody asked for is
 * thrown away as it comes.
 */
export class WholeRequest extends IncomingMessage {
  #bytesMax = 0;
  #done: Done | null = null;
  #chunks: Buffer[] | null = null;
  #only: Buffer | null = null;
  #bytes = 0;
  #isRefused = false;

  /**
   * Collects a body of at most `bytesMax` bytes, counted while it comes, and calls back once. To be asked for when the
   * headers are there: what came before is gone. A body that is cut off calls nobody: there is no one to answer.
   */
  collect(bytesMax: number, done: Done): void {
    this.#bytesMax = bytesMax;
    this.#done = done;
  }

  /** Null at the end. Returns whether more may come at once. */
  override push(chunk: Buffer | null): boolean {
    if (chunk === null) this.#end();
    else this.#take(chunk);
    return true;
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#isRefused) {
      if (this.#bytes > this.#bytesMax + DISCARDED_BYTES_MAX) this.destroy();
      return;
    }
    if (this.#done === null) return;
    if (this.#bytes > this.#bytesMax) {
      this.#isRefused = true;
      this.#finish(TOO_LARGE);
    } else if (this.#only === null) this.#only = chunk;
    else if (this.#chunks === null) this.#chunks = [this.#only, chunk];
    else this.#chunks.push(chunk);
  }

  #end(): void {
    this.#finish(this.#chunks !== null ? Buffer.concat(this.#chunks, this.#bytes) : (this.#only ?? EMPTY));
  }

  #finish(body: Buffer | typeof TOO_LARGE): void {
    const done = this.#done;
    // The request outlives its body: it is held until the answer has left.
    this.#done = null;
    this.#only = null;
    this.#chunks = null;
    done?.(body);
  }

  /** What node:http calls where nobody has read a body: here there is nothing to set flowing. */
  _dump(): void {}
}
const EMPTY = Buffer.alloc(0);

// All of it has been taken: node:http asks when the answer has left, to let go of the request. A class cannot say so: to
// its types this is a plain field.
Object.defineProperty(WholeRequest.prototype, 'readableEnded', {
  get(this: WholeRequest): boolean {
    return this.complete;
  },
});
