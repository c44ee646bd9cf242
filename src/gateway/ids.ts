import { randomFillSync, randomUUID } from 'node:crypto';

/** 1–128 characters that are safe in a header, a URL, a log line and a file. Chosen; wide enough for every documented id. */
const REQUEST_ID = /^[A-Za-z0-9._:=-]{1,128}$/;

export function isRequestId(text: string): boolean {
  return REQUEST_ID.test(text);
}

const SUFFIX_BYTES = 8;
const SEED_BYTES = 16;
/** Randomness is drawn for this many requests at once: one call each would cost ten times as much. */
const POOL_REQUESTS = 256;
const pool = Buffer.allocUnsafe((SUFFIX_BYTES + SEED_BYTES) * POOL_REQUESTS);
let at = pool.length;

export interface RequestIds {
  /** "<given or new uuid>-<16 hex>". Documented. */
  readonly requestId: string;
  /** As the client gave it; null where it gave none, or none that can be used. */
  readonly clientRequestId: string | null;
  /** Drawn apart from the suffix: a seed must not be readable from an answer. */
  readonly seed: string;
}

export function requestIds(given: string | null): RequestIds {
  if (at === pool.length) {
    randomFillSync(pool);
    at = 0;
  }
  const drawn = pool.toString('hex', at, at + SUFFIX_BYTES + SEED_BYTES);
  const suffix = drawn.slice(0, 2 * SUFFIX_BYTES);
  const seed = drawn.slice(2 * SUFFIX_BYTES);
  at += SUFFIX_BYTES + SEED_BYTES;
  const clientRequestId = given !== null && isRequestId(given) ? given : null;
  return { requestId: `${clientRequestId ?? randomUUID()}-${suffix}`, clientRequestId, seed };
}
