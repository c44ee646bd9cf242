import { checkSize, operationOf, parseConsent, unreadableTcString } from '../model/consent.ts';
import { missingConsent, type Requirement } from '../model/consent-gate.ts';
import {
  choicesOf,
  collectOf,
  consentCookieValue,
  consentOf,
  consentOfNobody,
  preferencesOf,
} from '../model/consent-in-force.ts';
import { readConsentStrings } from '../model/consent-strings.ts';
import { completed } from '../model/consent-update.ts';
import { cookieNamesOf } from '../model/cookie-names.ts';
import { type Consent as ConsentInForce, type EdgeEvent, type Exchange, THIS_RECORD } from '../model/exchange.ts';
import { eventField } from '../model/field-path.ts';
import { HybridClock, hybridMs } from '../model/hybrid-time.ts';
import { isObject, type Json, type JsonObject, valueAt } from '../model/json.ts';
import type { Stage } from '../model/parts.ts';
import { applyChange, type Change, type PersonState, personKey } from '../model/person.ts';
import { problem } from '../model/problem.ts';
import { allowsMore, isTcf, type Tcf, type TcfEntry } from '../model/tcf.ts';
import { ConsentWarnings } from './consent-warnings.ts';
import { type TcStrings, tcHash } from './tc-strings.ts';

/** Documented: 180 days. */
export const CONSENT_COOKIE_SECONDS = 15_552_000;
/** Documented: two hours, after which `_consent` is compared with what holds, and written again. */
export const CONSENT_CHECK_SECONDS = 7_200;

/** Collection needs nothing beside consent to collection, which the gate looks at first. */
const COLLECTION: Requirement = Object.freeze({});

/**
 * Takes a visitor's choice (a set-consent, or `consentStrings` of an event), and keeps to it: an event of somebody who is
 * not in is answered, but nothing of it is stored or decided on. A choice that is not `in` and not `out` (pending)
 * withholds too. Documented: 200 with warning 0301.
 */
export class Consent implements Stage {
  readonly name = 'consent';
  readonly service = null;
  readonly #clock = new HybridClock();
  readonly #strings: TcStrings;

  /** `strings`: loaded, before a request that has any comes here (stages/wait.ts). */
  constructor(strings: TcStrings) {
    this.#strings = strings;
  }

  run(x: Exchange): undefined {
    if (x.received.consent !== null) this.#take(x, x.received.consent);
    else this.#keepTo(x);
  }

  #take(x: Exchange, list: readonly JsonObject[]): void {
    const rules = x.datastream.consent;
    const key = personKey(x.datastream.orgId, 'ECID', x.ecid!);
    const operation = operationOf(x.received.query);
    const parsed = parseConsent(list, operation);
    const before = sectionOf(x.persons.get(key) ?? null);
    const said = operation === 'update' ? completed(choicesOf(before), parsed.value) : parsed.value;
    const value = parsed.tcf === null ? said : { ...said, tcf: this.#tcfOf(parsed.tcf) };
    if (operation === 'update' && !x.isRetry) refuseAfterGeneralOut(before, value);
    const wanted = operation === 'update' ? { ...choicesOf(before), ...value } : value;
    checkSize(wanted);
    let holds = wanted;
    if (!wasTaken(x, before, wanted)) this.#change(x, key, before, { operation, value, given: [...list] });
    else if (before !== null && x.awaiting === null) holds = choicesOf(before);
    x.preferences = preferencesOf(holds, rules);
    writeCookies(x, collectOf(holds, rules));
  }

  #tcfOf(entry: TcfEntry): Tcf {
    const read = this.#strings.read(entry);
    if ('why' in read) throw unreadableTcString(entry, read.why);
    return read;
  }

  /** Logs a choice, and makes it what holds for the rest of this request. */
  #change(x: Exchange, key: string, before: JsonObject | null, body: JsonObject): void {
    const time = this.#clock.after(x.nowMs, (before?.['time'] as string | undefined) ?? null);
    const previous = before?.['record'] ?? null;
    const change: Change = { kind: 'consent', key, time, body: { ...body, previous } };
    // Its position is not known yet; only the section's `record` depends on it.
    const after = applyChange(x.persons.get(key) ?? null, change, { partition: 0, offset: 0 })!;
    const section = sectionOf(after)!;
    section['record'] = THIS_RECORD;
    // What it came to by the rules of now, for whoever asks later: rules change.
    change.body['collect'] = collectOf(choicesOf(section), x.datastream.consent);
    x.changes.push(change);
    x.persons.set(key, after);
  }

  #keepTo(x: Exchange): void {
    const { consent: rules, orgId } = x.datastream;
    const { gpc } = x.client;
    const stranger = consentOfNobody(rules, gpc);
    let warnings: ConsentWarnings | null = null;
    let own: ConsentInForce | null = null;
    for (const event of x.events) {
      const key = event.ecid === null ? null : personKey(orgId, 'ECID', event.ecid);
      let isReadable = true;
      if (event.xdm['consentStrings'] !== undefined) {
        warnings ??= new ConsentWarnings();
        isReadable = this.#takeStrings(x, event, key, warnings);
      }
      const section = key === null ? null : sectionOf(x.persons.get(key) ?? null);
      event.consent = section === null ? stranger : consentOf(section, rules, gpc);
      if (section !== null && event.ecid === x.ecid) own = event.consent;
      if (event.fate !== 'store' || (isReadable && missingConsent(COLLECTION, event.consent) === null)) continue;
      event.fate = 'withheld';
      warnings ??= new ConsentWarnings();
      warnings.withheld(event.index);
    }
    if (own !== null && !knowsCookies(x, own.collect)) writeCookies(x, own.collect);
    warnings?.say(x);
  }

  /** Takes the strings of an event; false where they cannot be read. A copy's were taken with the first one. */
  #takeStrings(x: Exchange, event: EdgeEvent, key: string | null, warnings: ConsentWarnings): boolean {
    const path = `${eventField(x.path, event.index)}.xdm.consentStrings`;
    const { entry, unreadable, passedOver } = readConsentStrings(event.xdm['consentStrings']!, path);
    if (passedOver.length > 0) warnings.passedOver(event.index, passedOver);
    const refuse = (why: string): false => {
      warnings.unreadable(event.index, why);
      return false;
    };
    if (unreadable !== null) return refuse(unreadable);
    if (entry === null || event.fate !== 'store') return true;
    // Nobody's choice is nobody's to keep.
    if (key === null) return refuse(`the event has no ECID for which '${path}' could be kept`);
    const before = sectionOf(x.persons.get(key) ?? null);
    const held = choicesOf(before)['tcf'];
    if (isTcf(held) && isHeld(entry, held)) return true;
    const tcf = this.#strings.read(entry);
    if ('why' in tcf) return refuse(`'${entry.path}' is no TC string of TCF 2.x: ${tcf.why}`);
    if (before !== null && isTcf(held) && !isNews(tcf, held, before, event)) return true;
    const { version, tcString, gdprApplies, gdprContainsPersonalData } = entry;
    const given = [{ standard: 'IAB TCF', version, value: tcString, gdprApplies, gdprContainsPersonalData }];
    this.#change(x, key, before, { operation: 'update', value: { tcf }, given });
    return true;
  }
}

/**
 * Whether an event's TC string is a newer choice than the one that holds. Events wait in queues: an older string says what
 * the visitor once wanted. Strings of one day often have the same time (TCF 2.2 rounds it); of these, one that allows more
 * counts only if its event happened after the choice, and one that allows less always. Chosen.
 */
function isNews(tcf: Tcf, held: Tcf, before: JsonObject, { occurredAtMs }: EdgeEvent): boolean {
  if (tcf.lastUpdatedMs !== held.lastUpdatedMs) return tcf.lastUpdatedMs > held.lastUpdatedMs;
  return !allowsMore(tcf, held) || occurredAtMs >= hybridMs(before['time'] as string);
}

/** Known without decoding it: a page sends the same string with every event. */
function isHeld(entry: TcfEntry, held: Tcf): boolean {
  return (
    entry.version === held.version &&
    entry.gdprApplies === held.gdprApplies &&
    entry.gdprContainsPersonalData === held.gdprContainsPersonalData &&
    tcHash(entry.tcString) === held.hash
  );
}

/**
 * Whether this is a retry, and changes nothing: what was chosen since holds. Only an opt-out after which somebody opted in
 * is taken again, because a caller may use one request id twice, and then an opt-out would be lost. Chosen.
 */
function wasTaken(x: Exchange, before: JsonObject | null, wanted: JsonObject): boolean {
  if (!x.isRetry) return false;
  const rules = x.datastream.consent;
  const isOptOut = collectOf(wanted, rules) !== 'in';
  return !isOptOut || x.awaiting !== null || collectOf(choicesOf(before), rules) !== 'in';
}

/**
 * 0302: a general out of Adobe 1.0 is one from everything, so there is nothing that an update could refine; it has to say
 * that the visitor is in again, or replace. After `collect: n` of 2.0, which mobile clients send, updates go on. Chosen.
 */
function refuseAfterGeneralOut(before: JsonObject | null, value: JsonObject): void {
  const held = choicesOf(before);
  if (held['version'] !== '1.0' || valueAt(held, 'collect', 'val') !== 'n' || value['collect'] !== undefined) return;
  throw problem(
    'EXEG-0302-409',
    "This visitor has opted out of everything (Adobe 1.0, general 'out'), which an update of single choices cannot change. Send 'collect' with them, or leave out 'query.consent.operation' to replace every choice.",
  );
}

/** Whether the client knows what holds, and was told so in the last two hours. */
function knowsCookies(
  { client: { cookies }, datastream: { cookiePrefix } }: Exchange,
  collect: ConsentInForce['collect'],
) {
  const names = cookieNamesOf(cookiePrefix);
  return cookies.get(names.consent) === consentCookieValue(collect) && cookies.has(names.consentCheck);
}

function writeCookies(x: Exchange, collect: ConsentInForce['collect']): void {
  const names = cookieNamesOf(x.datastream.cookiePrefix);
  const value = consentCookieValue(collect);
  x.cookies.push({ key: names.consent, value, maxAgeSeconds: CONSENT_COOKIE_SECONDS });
  x.cookies.push({ key: names.consentCheck, value: '1', maxAgeSeconds: CONSENT_CHECK_SECONDS });
}

function sectionOf(person: PersonState | null): JsonObject | null {
  const section: Json | undefined = person?.body['consent'];
  return isObject(section) ? section : null;
}
