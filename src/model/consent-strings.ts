import { isObject, type Json, quoted } from './json.ts';
import { TCF_VERSIONS, type TcfEntry } from './tcf.ts';

/**
 * `xdm.consentStrings` of an event: `[{consentStandard, consentStandardVersion, consentStringValue, gdprApplies?,
 * containsPersonalData?}]`. Documented. A list or a TCF entry that cannot be read is no consent, so its event is withheld
 * (chosen: a broken string of one visitor is not to cost a batch its other events); other standards are passed over.
 */
export interface ConsentStrings {
  /** The last TCF entry, not decoded yet. */
  readonly entry: TcfEntry | null;
  /** Why the event is to be withheld; null where it can be read. */
  readonly unreadable: string | null;
  /** Entries of standards or versions that are not taken, for a warning. */
  readonly passedOver: readonly string[];
}

/** Nobody has as many consent tools. */
export const CONSENT_STRINGS_MAX = 10;

/** `path`: of the list, for errors. */
export function readConsentStrings(list: Json, path: string): ConsentStrings {
  if (!Array.isArray(list)) return unreadable(`'${path}' is no array`);
  if (list.length > CONSENT_STRINGS_MAX) {
    return unreadable(`'${path}' holds ${list.length} entries, and at most ${CONSENT_STRINGS_MAX} are read`);
  }
  let entry: TcfEntry | null = null;
  const passedOver: string[] = [];
  for (let index = 0; index < list.length; index++) {
    const one = list[index];
    const at = `${path}[${index}]`;
    if (!isObject(one)) return unreadable(`'${at}' is no object`);
    const standard = one['consentStandard'] ?? null;
    const version = one['consentStandardVersion'] ?? null;
    if (standard !== 'IAB TCF' || typeof version !== 'string' || !TCF_VERSIONS.includes(version)) {
      passedOver.push(`'${at}': ${quoted(standard)} ${quoted(version)}`);
      continue;
    }
    const tcString = one['consentStringValue'] ?? '';
    const gdprApplies = one['gdprApplies'] ?? true;
    const gdprContainsPersonalData = one['containsPersonalData'] ?? false;
    if (typeof gdprApplies !== 'boolean') return unreadable(`'${at}.gdprApplies' is neither true nor false`);
    if (typeof gdprContainsPersonalData !== 'boolean') {
      return unreadable(`'${at}.containsPersonalData' is neither true nor false`);
    }
    if (typeof tcString !== 'string' || tcString === '') return unreadable(`'${at}.consentStringValue' is no text`);
    entry = { path: `${at}.consentStringValue`, version, tcString, gdprApplies, gdprContainsPersonalData };
  }
  return { entry, unreadable: null, passedOver };
}

function unreadable(why: string): ConsentStrings {
  return { entry: null, unreadable: why, passedOver: [] };
}
