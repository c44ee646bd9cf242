import { isObject, type Json } from './json.ts';

/**
 * What a TC string of the IAB's Transparency and Consent Framework 2.x says, as state and events keep it. The string
 * itself stands in the log, in what the change was made from (`given`), and is known by its hash. Only consent counts: a
 * vendor's legitimate interest is nobody's choice.
 */
export type Tcf = {
  /** As sent: "2.0" … */
  readonly version: string;
  /** SHA-256 of the string, base64url. */
  readonly hash: string;
  readonly gdprApplies: boolean;
  readonly gdprContainsPersonalData: boolean;
  /** Purposes consented to, ascending. */
  readonly purposes: number[];
  /** Vendors consented to, a bit for each id from 1 on, in hexadecimal: "8" is vendor 1, "18" vendors 4 and 5. Zeros at the end are left out. */
  readonly vendors: string;
  /** When the visitor last touched their choice, by the consent tool's clock: Unix epoch, ms; from TCF 2.2 on in whole days. */
  readonly lastUpdatedMs: number;
};

/** One TCF entry of a request, not decoded yet. `path`: where it stands, for errors. */
export interface TcfEntry {
  readonly path: string;
  readonly version: string;
  readonly tcString: string;
  readonly gdprApplies: boolean;
  readonly gdprContainsPersonalData: boolean;
}

/** All of them write strings of format 2. Documented: 2.0; the others differ in policy, not in form. */
export const TCF_VERSIONS: readonly string[] = ['2.0', '2.1', '2.2', '2.3'];

/** The IAB's list has some 1,500 vendors; an id beyond this is taken as not consented to. */
export const VENDOR_ID_MAX = 8192;

/** Purposes that collection needs. Documented: 1 (store and read on a device) and 10 (develop and improve services). */
export const COLLECTION_PURPOSES: readonly number[] = [1, 10];

export function isTcf(value: Json | undefined): value is Tcf & Json {
  return isObject(value) && Array.isArray(value['purposes']);
}

/** Documented: in where both purposes and the vendor have consent, or the GDPR does not apply. */
export function tcfCollect(tcf: Tcf, vendor: number | null): 'in' | 'out' {
  if (!tcf.gdprApplies) return 'in';
  for (const purpose of COLLECTION_PURPOSES) if (!tcf.purposes.includes(purpose)) return 'out';
  return vendor === null || hasVendor(tcf, vendor) ? 'in' : 'out';
}

export function hasVendor({ vendors }: Tcf, id: number): boolean {
  const digit = vendors.charAt((id - 1) >> 2);
  return digit !== '' && ((Number.parseInt(digit, 16) >> (3 - ((id - 1) & 3))) & 1) === 1;
}

/** `ids` in any order; those beyond `VENDOR_ID_MAX` are left out. */
export function vendorBits(ids: Iterable<number>): string {
  const digits: number[] = [];
  for (const id of ids) {
    if (id < 1 || id > VENDOR_ID_MAX) continue;
    const at = (id - 1) >> 2;
    while (digits.length <= at) digits.push(0);
    digits[at]! |= 8 >> ((id - 1) & 3);
  }
  return digits.map((digit) => digit.toString(16)).join('');
}

/** Whether `tcf` allows anything that `held` does not. */
export function allowsMore(tcf: Tcf, held: Tcf): boolean {
  if (!held.gdprApplies) return false;
  if (!tcf.gdprApplies) return true;
  if (tcf.purposes.some((purpose) => !held.purposes.includes(purpose))) return true;
  for (let i = 0; i < tcf.vendors.length; i++) {
    const own = Number.parseInt(tcf.vendors[i]!, 16);
    if ((own & ~Number.parseInt(held.vendors[i] ?? '0', 16)) !== 0) return true;
  }
  return false;
}
