import { createHash, timingSafeEqual } from 'node:crypto';
import { SIGNATURE_BYTES, SIGNATURE_FIELD_BYTES, SIGNATURE_HEADER } from '../model/identity-cookie.ts';
import { Hmac, MAC_BYTES } from './hmac.ts';

/**
 * Signs identity cookies, and tells those that this installation wrote. A signature proves where a cookie is from, not whose
 * it is: whoever has seen one can send it. Field 60 of the message, its last: `key id, 1 byte | HMAC-SHA-256 over the org
 * and every byte before the field, its first 128 bits`. The key id is the first byte of the key's SHA-256. Chosen.
 */
export class CookieSeal {
  readonly #keys: ReadonlyMap<number, Hmac>;
  readonly #signing: readonly [id: number, key: Hmac];

  /** `keys`: the one that signs, then those that are still believed; 32 secret bytes each. Throws where two share an id. */
  constructor(keys: readonly Uint8Array[]) {
    const all = keys.map((key) => [keyId(key), new Hmac(key)] as const);
    this.#signing = all[0]!;
    this.#keys = new Map(all);
    if (this.#keys.size < keys.length) {
      throw new Error(
        'Two keys for identity cookies are equal, or begin alike when hashed, so that cookies cannot tell them apart. Make another one with: openssl rand -hex 32',
      );
    }
  }

  /** The value of field 60. */
  sign(orgId: string, message: Uint8Array): Uint8Array {
    const [id, key] = this.#signing;
    const signature = Buffer.allocUnsafe(SIGNATURE_BYTES);
    signature[0] = id;
    macOf(key, orgId, message).copy(signature, 1);
    return signature;
  }

  /** Whether a cookie's value is, to the letter, one that was signed for this org with a key that is still believed. */
  isSigned(text: string, orgId: string): boolean {
    const bytes = Buffer.from(text, 'base64url');
    const end = bytes.length - SIGNATURE_FIELD_BYTES;
    if (end < 0 || bytes.toString('base64url') !== text) return false;
    const header = bytes.subarray(end, end + SIGNATURE_HEADER.length);
    const key = this.#keys.get(bytes[end + SIGNATURE_HEADER.length]!);
    if (key === undefined || !SIGNATURE_HEADER.equals(header)) return false;
    return timingSafeEqual(macOf(key, orgId, bytes.subarray(0, end)), bytes.subarray(bytes.length - MAC_BYTES));
  }
}
function keyId(key: Uint8Array): number {
  return createHash('sha256').update(key).digest()[0]!;
}

/** The words in front keep these apart from what else might be signed with such a key. */
function macOf(key: Hmac, orgId: string, message: Uint8Array): Buffer {
  return key.mac(Buffer.from(`identity cookie\0${orgId}\0`), message);
}
