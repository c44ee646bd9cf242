import type { IncomingMessage } from 'node:http';

/** Bytes of a refused body that are still read and thrown away, so that the client gets to read the refusal. */
export const DISCARDED_BYTES_MAX = 1024 * 1024;

export const TOO_LARGE = Symbol('body too large');

/**
 * Collects a body of at most `bytesMax` bytes, counted while it comes, and calls back once: with the bytes, or
 * `TOO_LARGE`. A body that is cut off calls nobody: there is no one to answer.
 */
export function readBody(
  req: IncomingMessage,
  bytesMax: number,
  done: (body: Buffer | typeof TOO_LARGE) => void,
): void {
  let only: Buffer | null = null;
  let chunks: Buffer[] | null = null;
  let bytes = 0;
  let refused = false;
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (refused) {
      if (bytes > bytesMax + DISCARDED_BYTES_MAX) req.destroy();
      return;
    }
    if (bytes > bytesMax) {
      refused = true;
      only = null;
      chunks = null;
      done(TOO_LARGE);
    } else if (only === null) only = chunk;
    else if (chunks === null) chunks = [only, chunk];
    else chunks.push(chunk);
  });
  req.on('end', () => {
    if (refused) return;
    const body = chunks !== null ? Buffer.concat(chunks, bytes) : (only ?? EMPTY);
    // The request outlives its body: it is held until the answer has left.
    only = null;
    chunks = null;
    done(body);
  });
}
const EMPTY = Buffer.alloc(0);
