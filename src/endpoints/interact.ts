import type { Received } from '../model/exchange.ts';
import { type Json, type JsonObject, mergeJson } from '../model/json.ts';
import type { Endpoint } from '../model/parts.ts';
import { problem } from '../model/problem.ts';
import {
  bodyObject,
  checkIdentityMap,
  eventList,
  eventParts,
  optionalObject,
  own,
  requestParts,
  wrongType,
} from './envelope.ts';

/**
 * One event in, everything that Weir knows to answer out. v2 takes exactly one `event`; v1 takes `events[]` with a
 * shared top-level `xdm`. Documented.
 */
export const interact: Endpoint = {
  name: 'interact',
  paths: ['/v1/interact', '/v2/interact'],
  mintsEcid: true,
  parse: (path, body) => (path === '/v1/interact' ? parseEventsV1(body, path) : parseV2(body)),
  success: () => 200,
};

/** `{event:{xdm, data?, query?}, query?, meta?}` */
function parseV2(json: Json): Received {
  const body = bodyObject(json, '/v2/interact');
  const event = own(body, 'event');
  if (event === undefined && own(body, 'events') !== undefined) {
    throw problem(
      'EXEG-0103-400',
      'The field \'event\' is missing, and there is an \'events\' instead. /v2/interact takes exactly one event: {"event":{"xdm":{…}}}; a batch goes to /v2/collect as it is.',
    );
  }
  if (event === undefined || event === null) {
    throw problem('EXEG-0103-400', 'The field \'event\' is missing. Send {"event":{"xdm":{…}}}.');
  }
  if (typeof event !== 'object' || Array.isArray(event))
    throw wrongType('event', 'one object such as {"xdm":{…}} (a batch goes to /v2/collect)', event);
  return { events: [eventParts(event, 'event')], identityMap: null, consent: null, ...requestParts(body) };
}

/** `{events:[{xdm, data?, query?}], xdm?, query?, meta?}`: the top-level xdm is shared by all events, an event's own fields win. */
export function parseEventsV1(json: Json, path: string): Received {
  const body = bodyObject(json, path);
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
  return { events, identityMap, consent: null, ...requestParts(body) };
}

function withShared(shared: JsonObject | null, event: JsonObject, path: string) {
  if (shared === null) return eventParts(event, path);
  // An event may leave its own xdm out where the request's has it all.
  const parts = eventParts(own(event, 'xdm') === undefined ? { ...event, xdm: {} } : event, path);
  return { ...parts, xdm: mergeJson(shared, parts.xdm) };
}
