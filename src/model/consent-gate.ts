import { choiceOf } from './consent-in-force.ts';
import type { Consent } from './exchange.ts';
import { valueAt } from './json.ts';
import { hasVendor, isTcf } from './tcf.ts';

/** Choices of Adobe 2.0 by name, as a use declares them. */
export type AdobePurpose = 'share' | 'adID' | 'personalize.content' | `marketing.${string}`;

/** What a use of an event needs beside consent to its collection. Of both standards: each has to agree. */
export interface Requirement {
  readonly adobe?: readonly AdobePurpose[];
  /** Numbers of TCF purposes. */
  readonly tcf?: readonly number[];
  /** Ids of TCF vendors. */
  readonly vendors?: readonly number[];
}

/** What decisions about what a visitor sees need: their content is personal (chosen; TCF's purpose 10 develops and improves, 1 stores). */
export const PERSONALIZING: Requirement = { adobe: ['personalize.content'], tcf: [1, 10] };

/**
 * Whether a use of an event has the consent that it needs. Returns null where it has, else the first thing that is missing:
 * `collect`, `adobe:<purpose>`, `tcf:<purpose>` or `tcf:vendor:<id>`. What was not chosen follows the datastream's default
 * (chosen), with two exceptions: a general yes of Adobe 1.0 is one to everything, and Global Privacy Control is a no to
 * sharing.
 */
export function missingConsent(requires: Requirement, consent: Consent): string | null {
  if (consent.collect !== 'in') return 'collect';
  for (const purpose of requires.adobe ?? []) if (!allowsAdobe(purpose, consent)) return `adobe:${purpose}`;
  const tcf = consent.value?.['tcf'];
  const isSet = isTcf(tcf);
  if (isSet ? !tcf.gdprApplies : allowsUnchosen(consent)) return null;
  for (const purpose of requires.tcf ?? []) {
    if (!isSet || !tcf.purposes.includes(purpose)) return `tcf:${purpose}`;
  }
  for (const vendor of requires.vendors ?? []) {
    if (!isSet || !hasVendor(tcf, vendor)) return `tcf:vendor:${vendor}`;
  }
  return null;
}

/** Whether what was not chosen by itself is allowed. */
function allowsUnchosen({ value, default: unset }: Consent): boolean {
  const isGeneralYes = value?.['version'] === '1.0' && choiceOf(valueAt(value, 'collect', 'val')) === 'in';
  return isGeneralYes || unset === 'in';
}

function allowsAdobe(purpose: AdobePurpose, consent: Consent): boolean {
  const { value, gpc } = consent;
  const path = purpose.split('.');
  const own = choiceOf(valueAt(value, ...path, 'val'));
  // `marketing.any` is for every channel that is not chosen by itself. Documented in the XDM field group.
  const chosen = own ?? (path[0] === 'marketing' ? choiceOf(valueAt(value, 'marketing', 'any', 'val')) : null);
  if (chosen !== null) return chosen === 'in';
  if (purpose === 'share' && gpc) return false;
  return allowsUnchosen(consent);
}
