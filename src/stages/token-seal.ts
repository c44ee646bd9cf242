import { createHash, timingSafeEqual } from 'node:crypto';
import { claimsOf, claimsText, type TokenClaims } from '../model/decision-token.ts';
import { Hmac, MAC_BYTES } from './hmac.ts';

const HEAD_BYTES = 1 + MAC_BYTES;
/** Room for a token of usual length, before it is base64. */
const TOKEN_BYTES = 512;
/** A UTF-16 unit takes at most three bytes in UTF-8. */
const UTF8_BYTES_PER_UNIT_MAX = 3;
/** Ids of 128 characters, a scope of a long URL. What is longer was not written here, and is not looked at. Chosen. */
export const TOKEN_CHARACTERS_MAX = 8_192;

/**
 * Signs event tokens, and reads those that this installation signed for this visitor. A token is base64url of `key id, 1 byte |
 * the first 128 bits of HMAC-SHA-256 over the org, the visitor's ECID and the claims | claims`. So a notification needs no
 * look-up to be believed, and nobody's page can be credited with what another visitor was shown. Keys are as those of
 * identity cookies: the first signs, all are believed. Chosen.
 */
export class TokenSeal {
  readonly #keys: ReadonlyMap<number, Hmac>;
  readonly #signing: readonly [id: number, key: Hmac];
  /** Of the token in the making. */
  #bytes = Buffer.alloc(TOKEN_BYTES);

  /** `keys`: 32 secret bytes each. Throws where two share an id. */
  constructor(keys: readonly Uint8Array[]) {
    const all = keys.map((key) => [createHash('sha256').update(key).digest()[0]!, new Hmac(key)] as const);
    this.#signing = all[0]!;
    this.#keys = new Map(all);
    if (this.#keys.size < keys.length) {
      throw new Error(
        'Two keys for event tokens are equal, or begin alike when hashed, so that tokens cannot tell them apart. Make another one with: openssl rand -hex 32',
      );
    }
  }

  /** `ecid`: whose decision it was; null where the request had none. */
  sign(orgId: string, ecid: string | null, claims: TokenClaims): string {
    const [id, key] = this.#signing;
    const text = claimsText(claims);
    const bytesMax = HEAD_BYTES + text.length * UTF8_BYTES_PER_UNIT_MAX;
    // One of its own for each token costs as much as signing it.
    if (bytesMax > this.#bytes.length) this.#bytes = Buffer.alloc(bytesMax);
    this.#bytes[0] = id;
    this.#bytes.write(key.digest(opening(orgId, ecid), text), 1, MAC_BYTES, 'latin1');
    return this.#bytes.toString('base64url', 0, HEAD_BYTES + this.#bytes.write(text, HEAD_BYTES));
  }

  /** Null for a token that was not signed here, or not for this org and visitor. */
  open(orgId: string, ecid: string | null, token: string): TokenClaims | null {
    if (token.length > TOKEN_CHARACTERS_MAX) return null;
    const bytes = Buffer.from(token, 'base64url');
    const key = this.#keys.get(bytes[0] ?? -1);
    // One token has one spelling: what decoding passes over would make many of it.
    if (key === undefined || bytes.length < HEAD_BYTES || bytes.toString('base64url') !== token) return null;
    const text = bytes.subarray(HEAD_BYTES);
    if (!timingSafeEqual(key.mac(opening(orgId, ecid), text), bytes.subarray(1, HEAD_BYTES))) return null;
    return claimsOf(text.toString());
  }
}

/** What is signed before the claims. The words in front keep these apart from what else might be signed with such a key. */
function opening(orgId: string, ecid: string | null): string {
  return `event token\0${orgId}\0${ecid ?? ''}\0`;
}
