import { collectOf, consentCookieValue, operationOf, parseConsent } from '../model/consent.ts';
import { warnOfEvents } from '../model/event-warnings.ts';
import type { Consent as ConsentInForce, Exchange } from '../model/exchange.ts';
import { HybridClock } from '../model/hybrid-time.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { Stage } from '../model/parts.ts';
import { type PersonState, personKey } from '../model/person.ts';
import { type Problem, problem } from '../model/problem.ts';

/** Documented: 180 days. */
export const CONSENT_COOKIE_SECONDS = 15_552_000;

/**
 * Takes a visitor's choice (set-consent), and keeps to it: an event of somebody who is not in is answered, but nothing
 * of it is stored or decided on. A choice that is not `in` and not `out` (pending) withholds too. Documented: 200 with
 * warning 0301.
 */
export class Consent implements Stage {
  readonly name = 'consent';
  readonly service = null;
  readonly #clock = new HybridClock();

  run(x: Exchange): undefined {
    if (x.received.consent !== null) this.#take(x, x.received.consent);
    else keepTo(x);
  }

  #take(x: Exchange, list: readonly JsonObject[]): void {
    const key = personKey(x.datastream.orgId, 'ECID', x.ecid!);
    const operation = operationOf(x.received.query);
    const { value } = parseConsent(list, operation);
    const before = sectionOf(x.persons.get(key) ?? null);
    const wanted = operation === 'update' ? { ...choicesOf(before), ...value } : value;
    if (wasTaken(x, before, wanted)) {
      x.preferences = before === null || x.awaiting !== null ? wanted : choicesOf(before);
    } else {
      const time = this.#clock.after(x.nowMs, (before?.['time'] as string | undefined) ?? null);
      x.changes.push({ kind: 'consent', key, time, body: { operation, value } });
      x.preferences = wanted;
    }
    x.cookies.push({
      key: `${x.datastream.cookiePrefix}consent`,
      value: consentCookieValue(collectOf(x.preferences, 'in')),
      maxAgeSeconds: CONSENT_COOKIE_SECONDS,
    });
  }
}

/**
 * Whether this is a retry, and changes nothing: what was chosen since holds. Only an opt-out after which somebody opted in
 * is taken again, because a caller may use one request id twice, and then an opt-out would be lost. Chosen.
 */
function wasTaken(x: Exchange, before: JsonObject | null, wanted: JsonObject): boolean {
  if (!x.isRetry) return false;
  const isOptOut = collectOf(wanted, 'in') !== 'in';
  return !isOptOut || x.awaiting !== null || collectOf(choicesOf(before), 'in') !== 'in';
}

function keepTo(x: Exchange): void {
  const withheld: number[] = [];
  for (const event of x.events) {
    if (event.ecid === null) continue;
    const person = x.persons.get(personKey(x.datastream.orgId, 'ECID', event.ecid)) ?? null;
    const section = sectionOf(person);
    if (section === null) continue;
    event.consent = inForce(section);
    if (event.fate !== 'store' || event.consent.collect === 'in') continue;
    event.fate = 'withheld';
    withheld.push(event.index);
  }
  if (withheld.length > 0) warnOfEvents(x.warnings, withheld, (index) => withheldWarning(x, index));
}

function withheldWarning(x: Exchange, index: number): Problem {
  const isOneOfMany = x.events.length > 1;
  return problem(
    'EXEG-0301-200',
    `${isOneOfMany ? `Event ${index}` : 'The event'} was not stored and brought no decisions: this visitor's consent to collection is '${x.events[index]!.consent.collect}'. It is stored again after a set-consent with collect 'y'.`,
    isOneOfMany ? { eventIndex: index } : {},
  );
}

function inForce(section: JsonObject): ConsentInForce {
  return {
    recordId: (section['record'] as string | undefined) ?? null,
    collect: collectOf(choicesOf(section), 'in'),
  };
}

function sectionOf(person: PersonState | null): JsonObject | null {
  const section = person?.body['consent'];
  return isObject(section) ? section : null;
}

function choicesOf(section: JsonObject | null): JsonObject {
  const value = section?.['value'];
  return isObject(value) ? value : {};
}
