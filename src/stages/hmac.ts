import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** Half of a digest, which nobody guesses either: what is sent along with each answer is to be short. */
export const MAC_BYTES = 16;
/** Of what is signed here: org, ECID, a request's id, an activity, a scope. What is longer makes room for itself. */
const MESSAGE_BYTES = 512;
/** A UTF-16 unit takes at most three bytes in UTF-8. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

/**
 * HMAC-SHA-256 (RFC 2104) with a key that is prepared once, and room for the message behind it. What Node's `createHmac` makes
 * for each message costs six times the hashing, and putting key and message together into a new buffer as much as the hashing.
 * Digests are latin1 texts, one character a byte: `hash` takes twice as long where it is to make a buffer.
 */
export class Hmac {
  #inner: Buffer;
  /** With room for the digest of what is inside. */
  readonly #outer: Buffer;

  constructor(key: Uint8Array) {
    const short = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key;
    this.#inner = Buffer.alloc(BLOCK_BYTES + MESSAGE_BYTES, INNER_PAD);
    this.#outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, OUTER_PAD);
    for (const [i, byte] of short.entries()) {
      this.#inner[i]! ^= byte;
      this.#outer[i]! ^= byte;
    }
  }

  /** The first `MAC_BYTES` of `digest`. */
  mac(...parts: readonly (string | Uint8Array)[]): Buffer {
    return Buffer.from(this.digest('binary', ...parts).slice(0, MAC_BYTES), 'latin1');
  }

  /** Of the parts, one after the other, texts in UTF-8: 32 characters of latin1, or 64 hexadecimal digits. */
  digest(encoding: 'binary' | 'hex', ...parts: readonly (string | Uint8Array)[]): string {
    let room = BLOCK_BYTES;
    for (const part of parts) room += part.length * (typeof part === 'string' ? UTF8_BYTES_PER_UNIT_MAX : 1);
    if (room > this.#inner.length) this.#inner = Buffer.concat([this.#inner], room);
    let end = BLOCK_BYTES;
    for (const part of parts) {
      if (typeof part === 'string') end += this.#inner.write(part, end);
      else {
        this.#inner.set(part, end);
        end += part.length;
      }
    }
    this.#outer.write(hash('sha256', this.#inner.subarray(0, end), 'binary'), BLOCK_BYTES, 'latin1');
    return hash('sha256', this.#outer, encoding);
  }
}
