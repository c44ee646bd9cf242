import type { Received } from '../model/exchange.ts';
import { type Json, type JsonObject, mergeJson, own } from '../model/json.ts';
import { problem } from '../model/problem.ts';
import {
  bodyObject,
  checkIdentityMap,
  eventList,
  eventParts,
  optionalObject,
  refuseBoth,
  requestParts,
} from './envelope.ts';

/** The body of v1/interact and v1/collect: `{events:[{xdm, data?, query?}], xdm?, query?, meta?}`: the top-level xdm is shared by all events, an event's own fields win. */
export function parseEventsV1(json: Json, path: string): Received {
  const body = bodyObject(json, path);
  refuseBoth(body, path);
  if (own(body, 'events') === undefined && own(body, 'event') !== undefined) {
    throw problem(
      'EXEG-0103-400',
      `The field 'events' is missing, and there is an 'event' instead. ${path} takes {"events":[{"xdm":{…}}]}; one 'event' goes to /v2/interact.`,
    );
  }
  if (own(body, 'events') === undefined)
    throw problem('EXEG-0103-400', 'The field \'events\' is missing. Send {"events":[{"xdm":{…}}]}.');
  const shared = optionalObject(body, 'xdm', 'xdm');
  const identityMap = shared === null ? null : optionalObject(shared, 'identityMap', 'xdm.identityMap');
  if (identityMap !== null) checkIdentityMap(identityMap, 'xdm.identityMap');
  const events = eventList(body).map((event, index) => withShared(shared, event, `events[${index}]`));
  const { query, meta } = requestParts(body);
  return { events, identityMap, consent: null, query, meta };
}

function withShared(shared: JsonObject | null, event: JsonObject, path: string) {
  if (shared === null) return eventParts(event, path);
  // An event may leave its own xdm out where the request's has it all.
  const parts = eventParts(own(event, 'xdm') === undefined ? { ...event, xdm: {} } : event, path);
  return { ...parts, xdm: mergeJson(shared, parts.xdm) };
}
