import { isObject, type JsonObject } from '../model/json.ts';
import type { PersonState } from '../model/person.ts';
import { isTcf } from '../model/tcf.ts';

/**
 * What a person's TC string comes to, its longest parts as bytes in place of digits: they are most of what such a person takes.
 *
 *     32 bytes: the string's SHA-256 | 2, little-endian: how many digits the list of vendors has, or 0xffff for one that is shared |
 *     the digits, two in a byte (an odd one is the high half of the last), or the 16 bytes that the list stands under
 */
export interface TcfParts {
  readonly hash: Buffer;
  /** In hexadecimal digits, as state has it. */
  readonly vendors: string;
}

const HASH_BYTES = 32;
const COUNT_BYTES = 2;
const SHARED = 0xffff;
/** Of a list's SHA-256: nobody finds two lists that agree in them. */
export const REFERENCE_BYTES = 16;

const DIGITS = /^[0-9a-f]*$/;

/** Null where there is no TC string, or it is in no form that can be put together again to the letter. */
export function tcfPartsOf({ body }: PersonState): TcfParts | null {
  const { consent } = body;
  const value = isObject(consent) ? consent['value'] : undefined;
  const tcf = isObject(value) ? value['tcf'] : undefined;
  if (!isTcf(tcf) || typeof tcf.hash !== 'string' || typeof tcf.vendors !== 'string') return null;
  const hash = Buffer.from(tcf.hash, 'base64url');
  if (hash.length !== HASH_BYTES || hash.toString('base64url') !== tcf.hash) return null;
  return tcf.vendors.length < SHARED && DIGITS.test(tcf.vendors) ? { hash, vendors: tcf.vendors } : null;
}

/** `reference`: to the list, where it is shared. */
export function packed({ hash, vendors }: TcfParts, reference: Buffer | null): Buffer {
  const list = reference ?? Buffer.from(vendors.length % 2 === 0 ? vendors : `${vendors}0`, 'hex');
  const bytes = Buffer.allocUnsafe(HASH_BYTES + COUNT_BYTES + list.length);
  hash.copy(bytes);
  bytes.writeUInt16LE(reference === null ? vendors.length : SHARED, HASH_BYTES);
  list.copy(bytes, HASH_BYTES + COUNT_BYTES);
  return bytes;
}

/** What is packed at the start of these bytes. `vendors`: where the list is shared, the bytes that it stands under. `length`: how many bytes it was. */
export function packedIn(bytes: Buffer): {
  readonly hash: string;
  readonly vendors: string | Buffer;
  readonly length: number;
} {
  const hash = bytes.toString('base64url', 0, HASH_BYTES);
  const digits = bytes.readUInt16LE(HASH_BYTES);
  const start = HASH_BYTES + COUNT_BYTES;
  const length = start + (digits === SHARED ? REFERENCE_BYTES : Math.ceil(digits / 2));
  if (digits === SHARED) return { hash, vendors: bytes.subarray(start, length), length };
  return { hash, vendors: bytes.toString('hex', start, length).slice(0, digits), length };
}

/** The same person, who has a TC string, with other parts of it. */
export function withTcfParts(person: PersonState, hash: string, vendors: string): PersonState {
  const consent = person.body['consent'] as JsonObject;
  const value = consent['value'] as JsonObject;
  const tcf = { ...(value['tcf'] as JsonObject), hash, vendors };
  return { ...person, body: { ...person.body, consent: { ...consent, value: { ...value, tcf } } } };
}
