import type { EdgeEvent, Exchange } from '../model/exchange.ts';
import type { HybridClock } from '../model/hybrid-time.ts';
import { faultOf, type IdentityRules } from '../model/identity-rules.ts';
import { isObject, type JsonObject, valueAt } from '../model/json.ts';
import { type PersonState, personKey } from '../model/person.ts';

/** A person whose state was read with the request. */
export interface ReadPerson {
  readonly key: string;
  readonly state: PersonState | null;
}

/**
 * The person whom an event names in a namespace: the device by its ECID, else the first identity that stands for somebody. Null
 * where it names none, or the state was not read, because the request names more than are looked at.
 */
export function personOf(x: Exchange, event: EdgeEvent, namespace: string): ReadPerson | null {
  const id = namespace === 'ECID' ? event.ecid : firstOf(event, namespace, x.datastream.identity.rules);
  if (id === null) return null;
  const key = personKey(x.datastream.orgId, namespace, id);
  const state = x.persons.get(key);
  return state === undefined ? null : { key, state };
}

function firstOf({ identities }: EdgeEvent, namespace: string, rules: IdentityRules): string | null {
  for (const identity of identities) {
    if (identity.namespace === namespace && faultOf(identity, rules) === null) return identity.id;
  }
  return null;
}

/** What the log has come to before this request. */
export function sectionOf(person: ReadPerson | null, section: 'profile' | 'decision'): JsonObject | null {
  const found = person?.state?.body[section];
  return isObject(found) ? found : null;
}

/** Logs these entries of a section with the request; they hold from the next request on. */
export function changeSection(
  x: Exchange,
  clock: HybridClock,
  person: ReadPerson,
  kind: 'profile' | 'decision',
  value: JsonObject,
): void {
  const before = sectionOf(person, kind)?.['time'];
  const time = clock.after(x.nowMs, typeof before === 'string' ? before : null);
  x.changes.push({ kind, key: person.key, time, body: { operation: 'update', value } });
}

/** The property token that a request chose, of those that its datastream registers; null for none. */
export function propertyTokenOf({ received, datastream }: Exchange): string | null {
  const token = valueAt(received.meta, 'configOverrides', 'com_adobe_target', 'propertyToken');
  if (typeof token !== 'string') return null;
  const registered = valueAt(datastream.overrides.registered, 'com_adobe_target', 'propertyToken');
  return Array.isArray(registered) && registered.includes(token) ? token : null;
}
