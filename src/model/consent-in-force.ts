import type { Consent } from './exchange.ts';
import { isObject, type JsonObject, valueAt } from './json.ts';
import { isTcf, tcfCollect } from './tcf.ts';

/**
 * What a visitor's choices come to. They are kept as one value: preferences in the shape of Adobe 2.0, and two names that
 * no preference has: `version`, of the Adobe standard by which they were sent, and `tcf` (model/tcf.ts).
 */

type Collect = Consent['collect'];

/** Documented values, with those that the XDM field group adds (`dy`, `dn`); both cases are taken, and kept as sent. */
export const CHOICES: Readonly<Record<string, Collect>> = {
  y: 'in',
  dy: 'in',
  ct: 'in',
  cp: 'in',
  vi: 'in',
  pi: 'in',
  li: 'in',
  n: 'out',
  dn: 'out',
  p: 'pending',
  u: 'pending',
};

/**
 * What one `val` means; null where none was sent. Legal bases other than consent count as in; unknown waits. A value that
 * this version does not know was never agreed to by it: nothing is done on its strength.
 */
export function choiceOf(val: unknown): Collect | null {
  if (typeof val !== 'string') return null;
  const choice = val.toLowerCase();
  return Object.hasOwn(CHOICES, choice) ? CHOICES[choice]! : 'pending';
}

/** How a datastream reads consent. */
export interface ConsentRules {
  /** What holds of everybody who has not chosen. */
  readonly default: Collect;
  /** Id in the IAB's list of who collects: TCF consent to collection names it. null: the purposes are enough. */
  readonly tcfVendor: number | null;
}

/**
 * What choices say about collection: where both standards say something, the stricter one; where neither does, the
 * datastream's default. Documented of each standard alone; chosen of both together.
 */
export function collectOf(value: JsonObject | null, rules: ConsentRules): Collect {
  if (value === null) return rules.default;
  const adobe = choiceOf(valueAt(value, 'collect', 'val'));
  const tcf = value['tcf'];
  if (!isTcf(tcf)) return adobe ?? rules.default;
  return stricter(tcfCollect(tcf, rules.tcfVendor), adobe);
}

function stricter(tcf: 'in' | 'out', adobe: Collect | null): Collect {
  return tcf === 'out' ? 'out' : (adobe ?? 'in');
}

/** Of everybody who has not chosen: one object for each kind, so that an event of a stranger costs none. */
const UNCHOSEN: Readonly<Record<Collect, readonly [withoutGpc: Consent, withGpc: Consent]>> = {
  in: [unchosen('in', false), unchosen('in', true)],
  pending: [unchosen('pending', false), unchosen('pending', true)],
  out: [unchosen('out', false), unchosen('out', true)],
};
function unchosen(collect: Collect, gpc: boolean): Consent {
  return Object.freeze({ recordId: null, collect, gpc, default: collect, value: null });
}
export function consentOfNobody(rules: ConsentRules, gpc: boolean): Consent {
  return UNCHOSEN[rules.default][gpc ? 1 : 0];
}

/** Where nothing was chosen, asked or configured: not written with an event. */
export const PLAIN_CONSENT: Consent = UNCHOSEN.in[0];

/** `section`: what state holds of a person's consent. */
export function consentOf(section: JsonObject, rules: ConsentRules, gpc: boolean): Consent {
  const value = choicesOf(section);
  const recordId = (section['record'] as string | undefined) ?? null;
  return { recordId, collect: collectOf(value, rules), gpc, default: rules.default, value };
}

export function choicesOf(section: JsonObject | null): JsonObject {
  const value = section?.['value'];
  return isObject(value) ? value : {};
}

/** Adobe's words for what is in force. */
const VAL_OF: Readonly<Record<Collect, string>> = { in: 'y', out: 'n', pending: 'p' };

/**
 * The preferences as `consent:preferences` shows them. TCF has no place there but `collect`, by which mobile clients let
 * their queue go: where TCF has a say, it is what is in force. Chosen.
 */
export function preferencesOf(value: JsonObject, rules: ConsentRules): JsonObject {
  const { version: _version, tcf, ...preferences } = value;
  if (isTcf(tcf)) preferences['collect'] = { val: VAL_OF[collectOf(value, rules)] };
  return preferences;
}

/** The `_consent` cookie, from which the Web SDK learns whether its queue may go. Documented. */
export function consentCookieValue(collect: Collect): string {
  return `general=${collect}`;
}
