import { canonicalJson, isObject, type Json, type JsonObject } from '../model/json.ts';
import { type ErasureKey, isSigned } from './key.ts';

/**
 * What was done when a person was erased, signed. It names nobody: `subject` is the digest of the id that was asked for, and
 * whoever has the key and the id can tell that it is theirs. The signature is Ed25519 over the receipt without it, as JSON
 * with keys sorted and no white space.
 */
export interface Receipt {
  readonly weir: 'erasure-receipt';
  readonly format: 1;
  readonly erasure: string;
  readonly org: string;
  readonly subject: string;
  /** How many ids were the person's. */
  readonly ids: number;
  readonly requestedAt: string;
  readonly completedAt: string;
  /** Of the erasure's record: everything before it was looked through. */
  readonly position: string;
  /** Of the pass that completed it; it may have carried out other erasures too, and finished one that was cut short. */
  readonly rewritten: { readonly records: number; readonly segments: number; readonly snapshots: number };
  readonly keyId: string;
  readonly publicKey: string;
  readonly signature: string;
}

export function signReceipt(
  what: Omit<Receipt, 'weir' | 'format' | 'keyId' | 'publicKey' | 'signature'>,
  key: Pick<ErasureKey, 'keyId' | 'publicKey' | 'sign'>,
): Receipt {
  const { keyId, publicKey } = key;
  const unsigned = { weir: 'erasure-receipt' as const, format: 1 as const, ...what, keyId, publicKey };
  return { ...unsigned, signature: key.sign(textOf(unsigned)) };
}

/** Why a receipt does not hold; null where it does. `publicKey`: of the installation that is said to have signed it. */
export function receiptFault(receipt: Json, publicKey: string): string | null {
  if (!isObject(receipt) || receipt['weir'] !== 'erasure-receipt') return 'it is no receipt of an erasure';
  if (receipt['format'] !== 1) return `it has format ${String(receipt['format'])}, and this version reads format 1`;
  const { signature, ...unsigned } = receipt;
  if (receipt['publicKey'] !== publicKey) return 'it was signed with another key than this installation has';
  if (typeof signature !== 'string' || !isSigned(textOf(unsigned), signature, publicKey)) {
    return 'its signature does not fit: it was changed, or somebody else made it';
  }
  return null;
}

function textOf(unsigned: object): string {
  return canonicalJson(unsigned as JsonObject);
}
