import type { EdgeEvent, Exchange } from './exchange.ts';
import { eventField } from './field-path.ts';
import { ecidEntry, identitiesOf, isEcid } from './identity.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { problem } from './problem.ts';

/** ECIDs in identity maps: how they are read, and how an event is given the one that it has. */

/** Reads every event's own ECID, and returns the first. */
export function firstOfEvents(x: Exchange): string | null {
  let first: string | null = null;
  for (const event of x.events) {
    event.ecid = ecidOf(event.xdm['identityMap'], `${eventField(x.path, event.index)}.xdm.identityMap`, x);
    // collect may mix visitors: there, an event's ECID is its own and not the request's.
    if (x.mintsEcid) first ??= event.ecid;
  }
  return first;
}

export function ecidOf(identityMap: Json | undefined | null, path: string, x: Exchange): string | null {
  const id = ecidEntry(identityMap);
  if (id === undefined) return null;
  if (isUsable(id, x)) return id;
  throw problem(
    'EXEG-0305-400',
    `The identity '${String(id).slice(0, 60)}' of namespace ECID in '${path}' is not valid: an ECID has 38 digits, and is one visitor's alone. Send the one that Weir gave, or none.`,
  );
}

export function isUsable(ecid: unknown, { datastream }: Exchange): ecid is string {
  // Digits have no case and no space around them, so there is nothing to make alike first.
  return isEcid(ecid) && !datastream.identity.rules.junkIds.has(ecid);
}

/** Every event carries its ECID, which is primary where the event names no other primary. Documented. */
export function attachEcid(event: EdgeEvent, x: Exchange): void {
  const hasPrimary = event.identities.some((identity) => identity.primary);
  const sent = ecidsSent(event);
  if (sent === null) {
    event.ecid ??= x.ecid;
    if (event.ecid === null) return;
    setEcids(event, [{ id: event.ecid, authenticatedState: 'ambiguous', primary: !hasPrimary }]);
  } else if (!hasPrimary) {
    const [first, ...rest] = sent;
    setEcids(event, [{ ...first, primary: true }, ...rest]);
  }
}

/** Null where the event names no ECID itself. */
function ecidsSent(event: EdgeEvent): readonly JsonObject[] | null {
  const map = event.xdm['identityMap'];
  return ecidEntry(map) === undefined ? null : ((map as JsonObject)['ECID'] as JsonObject[]);
}

/** An event's xdm is its own object (the parsed body's, or a merge): only what lies deeper may be shared, and is replaced. */
function setEcids(event: EdgeEvent, ecids: Json[]): void {
  const map = event.xdm['identityMap'];
  event.xdm['identityMap'] = isObject(map) ? { ...map, ECID: ecids } : { ECID: ecids };
  event.added = { ...event.added, identityMap: { ECID: ecids } };
  event.identities = identitiesOf(event.xdm);
}
