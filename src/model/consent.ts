import { CHOICES } from './consent-in-force.ts';
import { isObject, type Json, type JsonObject, own, quoted, valueAt } from './json.ts';
import { type Problem, problem } from './problem.ts';
import { TCF_VERSIONS, type TcfEntry } from './tcf.ts';

/**
 * The `consent[]` of a set-consent: Adobe 1.0 and 2.0, kept in 2.0 shape, and IAB TCF 2.x, whose strings are decoded
 * later. What the choices come to: model/consent-in-force.ts. Documented: contract of set-consent.
 */

const VALUES_TEXT = Object.keys(CHOICES).join(', ');

/** Adobe 1.0 `general` → 2.0 `collect.val`. Chosen; `not_provided` is "no choice known". */
const GENERAL: Readonly<Record<string, string>> = { in: 'y', out: 'n', pending: 'p', not_provided: 'u' };

/**
 * The preferences that 2.0 knows (documented, and the XDM field group). Others are refused: with `update` a stranger
 * could add names to a person's state without end.
 */
const PREFERENCES = ['collect', 'share', 'adID', 'personalize', 'marketing', 'idSpecific', 'metadata'];
/** Preferences that are one choice, so `val` is required. */
const SINGLE_CHOICES = ['collect', 'share', 'adID'];

/** Documented. */
export const REASON_CHARACTERS_MAX = 16;
/** One entry per standard; several of a kind happen when consent tools are stacked. */
export const CONSENT_ENTRIES_MAX = 10;
/** Preferences of one visitor, as JSON: state is read with every event. */
export const CONSENT_VALUE_CHARACTERS_MAX = 8192;
/** idSpecific, the deepest documented branch, has 5 levels. */
export const CONSENT_DEPTH_MAX = 8;

export type ConsentOperation = 'replace' | 'update';

/** `query.consent.operation` of a set-consent. Absent: everything that was set before is replaced. Documented. */
export function operationOf(query: JsonObject): ConsentOperation {
  const consent = own(query, 'consent');
  if (consent === undefined || consent === null) return 'replace';
  if (!isObject(consent)) throw invalid('query.consent', consent, 'an object such as {"operation":"update"}');
  const operation = own(consent, 'operation');
  if (operation === undefined || operation === null) return 'replace';
  if (operation === 'update' || operation === 'replace') return operation;
  throw invalid('query.consent.operation', operation, '"update" or "replace"');
}

/** What one call says, all standards together. `value`: preferences in 2.0 shape, with `version` where Adobe is among them. */
export interface ParsedConsent {
  readonly value: JsonObject;
  readonly tcf: TcfEntry | null;
}

/**
 * Checks `consent[]`. Entries are taken in order: where two name the same preference (`general` is `collect`), or are TCF,
 * the later one holds. Throws 0102, 0103 or 0104 with the field's path.
 */
export function parseConsent(list: readonly JsonObject[], operation: ConsentOperation): ParsedConsent {
  if (list.length === 0) {
    throw problem(
      'EXEG-0103-400',
      'The field \'consent\' is an empty array. Send at least one choice: [{"standard":"Adobe","version":"2.0","value":{"collect":{"val":"y"}}}].',
    );
  }
  if (list.length > CONSENT_ENTRIES_MAX) {
    throw problem(
      'EXEG-0102-400',
      `The field 'consent' holds ${list.length} entries; at most ${CONSENT_ENTRIES_MAX} are taken.`,
    );
  }
  const value: JsonObject = {};
  let tcf: TcfEntry | null = null;
  list.forEach((entry, index) => {
    const path = `consent[${index}]`;
    const standard = requiredText(entry, 'standard', path);
    if (standard === 'IAB TCF') tcf = tcfEntry(entry, path);
    else if (standard === 'Adobe') Object.assign(value, adobeValue(entry, path, operation));
    else throw invalid(`${path}.standard`, standard, '"Adobe" or "IAB TCF"', SUPPORTED);
  });
  return { value, tcf };
}
const SUPPORTED = `Supported: standard "Adobe" in the versions "1.0" and "2.0", and "IAB TCF" from "2.0" on.`;

/** Throws 0102 where all of one visitor's choices, however many updates they were made in, are too much to be read with every event. */
export function checkSize(value: JsonObject): void {
  const characters = JSON.stringify(value).length;
  if (characters <= CONSENT_VALUE_CHARACTERS_MAX) return;
  throw problem(
    'EXEG-0102-400',
    `The values of 'consent' have ${characters} characters as JSON; at most ${CONSENT_VALUE_CHARACTERS_MAX} are kept.`,
  );
}

function adobeValue(entry: JsonObject, path: string, operation: ConsentOperation): JsonObject {
  const version = requiredText(entry, 'version', path);
  if (version !== '1.0' && version !== '2.0') throw invalid(`${path}.version`, version, '"1.0" or "2.0"', SUPPORTED);
  const value = own(entry, 'value');
  if (value === undefined || value === null) throw missing(`${path}.value`);
  if (value === '') throw emptyText(`${path}.value`);
  if (!isObject(value)) throw invalid(`${path}.value`, value, 'an object');
  const at = `${path}.value`;
  return { ...(version === '1.0' ? generalValue(value, at) : preferencesValue(value, at, operation)), version };
}

/** `{standard: "IAB TCF", version, value: <TC string>, gdprApplies?, gdprContainsPersonalData?}`. Documented, with the defaults. */
function tcfEntry(entry: JsonObject, path: string): TcfEntry {
  const version = requiredText(entry, 'version', path);
  if (!TCF_VERSIONS.includes(version)) {
    throw invalid(`${path}.version`, version, `one of ${TCF_VERSIONS.join(', ')}`, SUPPORTED);
  }
  return {
    path: `${path}.value`,
    version,
    tcString: requiredText(entry, 'value', path),
    gdprApplies: optionalFlag(entry, 'gdprApplies', true, path),
    gdprContainsPersonalData: optionalFlag(entry, 'gdprContainsPersonalData', false, path),
  };
}

/** 0102: the string of `entry` cannot be read. `why`: for the caller, without the string. */
export function unreadableTcString({ path }: TcfEntry, why: string): Problem {
  return problem(
    'EXEG-0102-400',
    `${field(path)} is no TC string of TCF 2.x: ${why}. Send it as the consent tool gives it.`,
  );
}

function optionalFlag(entry: JsonObject, key: string, unset: boolean, path: string): boolean {
  const value = own(entry, key);
  if (value === undefined || value === null) return unset;
  if (typeof value !== 'boolean') throw invalid(`${path}.${key}`, value, 'true or false');
  return value;
}

/** Adobe 1.0: `{general}`. */
function generalValue(value: JsonObject, path: string): JsonObject {
  const general = requiredText(value, 'general', path);
  if (!Object.hasOwn(GENERAL, general)) {
    throw invalid(`${path}.general`, general, `one of ${Object.keys(GENERAL).join(', ')}`);
  }
  return { collect: { val: GENERAL[general]! } };
}

/** Adobe 2.0: an object of preferences. An empty one would, on `replace`, silently forget every choice. */
function preferencesValue(value: JsonObject, path: string, operation: ConsentOperation): JsonObject {
  const names = Object.keys(value);
  if (names.length === 0 && operation === 'replace') {
    throw problem(
      'EXEG-0103-400',
      `${field(path)} is empty, and this request replaces every choice made before. Name at least one preference, such as {"collect":{"val":"y"}}.`,
    );
  }
  for (const name of names) {
    const preference = value[name]!;
    const at = `${path}.${name}`;
    if (!PREFERENCES.includes(name)) {
      throw problem(
        'EXEG-0102-400',
        `${field(path)} has the preference ${quoted(name)}, which is not known. Known: ${PREFERENCES.join(', ')}.`,
      );
    }
    if (!isObject(preference)) throw invalid(at, preference, 'an object');
    if (SINGLE_CHOICES.includes(name) && valueAt(preference, 'val') === undefined) throw missing(`${at}.val`);
    checkChoices(preference, at, CONSENT_DEPTH_MAX);
  }
  return value;
}

/** Every `val` at any depth is a known choice, and every `reason` is short. */
function checkChoices(value: JsonObject, path: string, depthLeft: number): void {
  if (depthLeft === 0) {
    throw problem('EXEG-0102-400', `${field(path)} is nested too deeply: ${CONSENT_DEPTH_MAX} levels are taken.`);
  }
  for (const key of Object.keys(value)) {
    const child = value[key]!;
    const at = `${path}.${key}`;
    if (key === 'val') checkVal(child, at);
    else if (key === 'reason' && (typeof child !== 'string' || child.length > REASON_CHARACTERS_MAX)) {
      throw invalid(at, child, `a text of at most ${REASON_CHARACTERS_MAX} characters`);
    } else if (isObject(child)) checkChoices(child, at, depthLeft - 1);
  }
}

function checkVal(val: Json, path: string): void {
  if (val === '') throw emptyText(path);
  if (typeof val !== 'string' || !Object.hasOwn(CHOICES, val.toLowerCase())) {
    throw invalid(path, val, `one of ${VALUES_TEXT}`);
  }
}

function requiredText(parent: JsonObject, key: string, path: string): string {
  const value = own(parent, key);
  if (value === undefined || value === null) throw missing(`${path}.${key}`);
  if (typeof value !== 'string') throw invalid(`${path}.${key}`, value, 'a text');
  if (value === '') throw emptyText(`${path}.${key}`);
  return value;
}

/** The fields' own names are the longest known paths; beyond that a stranger chose them. */
const PATH_CHARACTERS_MAX = 160;
function field(path: string): string {
  return `The field '${path.slice(0, PATH_CHARACTERS_MAX)}'`;
}

function missing(path: string): Problem {
  return problem('EXEG-0103-400', `${field(path)} is missing.`);
}

/** 0104 comes with a list. Documented: report.errors. */
function emptyText(path: string): Problem {
  const message = `${field(path)} is an empty text.`;
  return problem('EXEG-0104-422', `${message} Give it a value, or leave it out.`, { errors: [message] });
}

function invalid(path: string, got: Json, wanted: string, hint = ''): Problem {
  return problem(
    'EXEG-0102-400',
    `${field(path)} is ${quoted(got)}; it takes ${wanted}.${hint === '' ? '' : ` ${hint}`}`,
  );
}
