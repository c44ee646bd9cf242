import { createHmac, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** PKCS #8 of an Ed25519 key, up to its 32 bytes. RFC 8410. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
/** Of a public key in the same way (SubjectPublicKeyInfo). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
/** 128 bits: no two ids meet by chance. */
const DIGEST_DIGITS = 32;
const KEY_ID_DIGITS = 16;

/**
 * What an installation tells erased persons by, and signs receipts with: all made of one secret of 32 bytes, by HMAC-SHA-256
 * over `digest`, `receipt` and `id`. Without it nobody can try out which ids a digest may be of.
 */
export class ErasureKey {
  /** Names the key, and does not lead back to it. */
  readonly keyId: string;
  /** Ed25519, base64url: receipts can be checked by whoever has it. */
  readonly publicKey: string;
  readonly #digestKey: Uint8Array;
  readonly #signingKey: KeyObject;

  constructor(secret: Uint8Array) {
    const made = (what: string): Buffer => createHmac('sha256', secret).update(what).digest();
    this.keyId = made('id').toString('hex').slice(0, KEY_ID_DIGITS);
    this.#digestKey = made('digest');
    const der = Buffer.concat([PKCS8_PREFIX, made('receipt')]);
    this.#signingKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(this.#signingKey).export({ format: 'der', type: 'spki' });
    this.publicKey = spki.subarray(SPKI_PREFIX.length).toString('base64url');
  }

  /** Of a person's key (`personKey`): see model/erasure.ts. */
  readonly digest = (key: string): string =>
    createHmac('sha256', this.#digestKey).update(key).digest('hex').slice(0, DIGEST_DIGITS);

  sign(text: string): string {
    return sign(null, Buffer.from(text), this.#signingKey).toString('base64url');
  }
}

/** Whether whoever has the key signed the text. False for what is no key or no signature. */
export function isSigned(text: string, signature: string, publicKey: string): boolean {
  const raw = Buffer.from(publicKey, 'base64url');
  if (raw.length !== ED25519_BYTES) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
}
const ED25519_BYTES = 32;
