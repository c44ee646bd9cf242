import type { Identity } from './exchange.ts';
import { isObject, type Json, type JsonObject, own } from './json.ts';

/** An ECID: 38 decimal digits, two zero-padded halves. Documented; that nobody's is all zeros is chosen. */
const ECID = /^(?!0{38}$)[0-9]{38}$/;

export function isEcid(value: unknown): value is string {
  return typeof value === 'string' && ECID.test(value);
}

/** A version-4 UUID (RFC 9562), in any case. Documented. */
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
/** No random bit set: whatever made it would make it for everybody. */
const EMPTY_UUID = '00000000-0000-4000-8000-000000000000';

export function isFpid(text: string): boolean {
  return UUID_V4.test(text) && text !== EMPTY_UUID;
}

const HALF_DIGITS = 19;
const MAX_HALF = 2n ** 63n - 1n;

/**
 * A new ECID from 128 random bits (32 hex digits): a version-4 UUID's halves as signed 64-bit integers, their absolute
 * values padded to 19 digits each. Rule: the mobile core's way of minting, read 2026-11.
 */
export function mintEcid(seed: string): string {
  const uuid = `${seed.slice(0, 12)}4${seed.slice(13, 16)}`;
  const variant = ((Number.parseInt(seed[16]!, 16) & 0x3) | 0x8).toString(16);
  return half(uuid) + half(variant + seed.slice(17, 32));
}

function half(hex: string): string {
  const value = BigInt.asIntN(64, BigInt(`0x${hex}`));
  // The one number without an absolute value in 63 bits, −2^63, becomes 0.
  return ((value < 0n ? -value : value) & MAX_HALF).toString().padStart(HALF_DIGITS, '0');
}

/**
 * The identities of a shape-checked `xdm.identityMap`, in the order sent. State defaults to `ambiguous`; the text "true"
 * counts as true for `primary` (documented samples send it).
 */
export function identitiesOf(xdm: JsonObject): readonly Identity[] {
  const map = own(xdm, 'identityMap');
  if (!isObject(map)) return NONE;
  const identities: Identity[] = [];
  for (const namespace of Object.keys(map)) {
    const items = map[namespace];
    if (!Array.isArray(items)) continue;
    for (const item of items) {
      if (!isObject(item) || typeof item['id'] !== 'string') continue;
      const state = item['authenticatedState'];
      identities.push({
        namespace,
        id: item['id'],
        authenticatedState: state === 'authenticated' || state === 'loggedOut' ? state : 'ambiguous',
        primary: isTrue(item['primary']),
      });
    }
  }
  return identities;
}
const NONE: readonly Identity[] = Object.freeze([]);

function isTrue(value: Json | undefined): boolean {
  return value === true || value === 'true';
}

/** The first ECID in an identity map's raw form; undefined where it names none. */
export function ecidEntry(identityMap: Json | undefined | null): Json | undefined {
  if (!isObject(identityMap) || !Object.hasOwn(identityMap, 'ECID')) return undefined;
  const items = identityMap['ECID'];
  if (!Array.isArray(items) || items.length === 0) return undefined;
  const first = items[0];
  return isObject(first) ? first['id'] : undefined;
}
