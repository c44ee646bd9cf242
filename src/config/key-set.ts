import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Algorithm } from '../model/auth.ts';
import { isObject, type Json, own, parseJson } from '../model/json.ts';

/** A key that checks signatures of one algorithm. */
export interface SigningKey {
  readonly key: KeyObject;
  readonly algorithm: Algorithm;
}
/** Keys by `kid`. */
export type KeySet = ReadonlyMap<string, SigningKey>;

/** Providers have two to ten keys. */
export const KEYS_MAX = 100;
/** A hundred keys with their certificates fit. */
export const KEY_SET_BYTES_MAX = 512 * 1024;
/** RFC 7518, 3.3. */
const RSA_BITS_MIN = 2048;

/**
 * The keys of a JWK Set (RFC 7517) that can check RS256 or ES256. Others are passed over: providers publish keys for
 * encryption beside those for signatures. Throws an error that says why a text has no key to offer.
 */
export function parseKeySet(text: string): KeySet {
  const list = keyList(text);
  const keys = new Map<string, SigningKey>();
  const reasons: string[] = [];
  for (const [index, jwk] of list.entries()) {
    const usable = signingKey(jwk);
    if (typeof usable === 'string') reasons.push(`keys[${index}] ${usable}`);
    else keys.set(usable.kid, usable);
  }
  if (keys.size > 0) return keys;
  throw new Error(`No key in it can be used${reasons.length === 0 ? '' : `: ${reasons.slice(0, 3).join('; ')}`}.`);
}

function keyList(text: string): readonly Json[] {
  let value: Json;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new Error('It is no JSON.', { cause: error });
  }
  const list = isObject(value) ? own(value, 'keys') : undefined;
  if (!Array.isArray(list)) throw new Error('It is no JWK Set: {"keys":[…]}.');
  if (list.length > KEYS_MAX) throw new Error(`It has ${list.length} keys; at most ${KEYS_MAX} are read.`);
  return list;
}

/** Or why there is none. */
function signingKey(jwk: Json): (SigningKey & { readonly kid: string }) | string {
  if (!isObject(jwk)) return 'is no object';
  const { kid, use, kty, crv, alg, key_ops: operations } = jwk;
  if (typeof kid !== 'string' || kid === '') return "has no 'kid', by which tokens name their key";
  if (Object.hasOwn(jwk, 'd') || kty === 'oct') return 'is a secret key: publish the public one alone';
  if (use !== undefined && use !== 'sig') return 'is not for signatures';
  if (Array.isArray(operations) && !operations.includes('verify')) return 'is not for checking signatures';
  const algorithm = kty === 'RSA' ? 'RS256' : kty === 'EC' && crv === 'P-256' ? 'ES256' : null;
  if (algorithm === null || (alg !== undefined && alg !== algorithm)) return 'is for neither RS256 nor ES256';
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch (error) {
    return `is broken (${(error as Error).message})`;
  }
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < RSA_BITS_MIN) return `has ${bits} bits, fewer than ${RSA_BITS_MIN}`;
  return { kid, key, algorithm };
}
