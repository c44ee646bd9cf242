import type { Received } from '../model/exchange.ts';
import { type Json, own } from '../model/json.ts';
import type { Endpoint } from '../model/parts.ts';
import { problem } from '../model/problem.ts';
import { bodyObject, eventParts, refuseBoth, requestParts, wrongType } from './envelope.ts';
import { parseEventsV1 } from './events-v1.ts';

/**
 * One event in, everything that Weir knows to answer out. v2 takes exactly one `event`; v1 takes `events[]` with a
 * shared top-level `xdm`. Documented.
 */
export const interact: Endpoint = {
  name: 'interact',
  paths: ['/v1/interact', '/v2/interact'],
  mintsEcid: true,
  takesEvents: true,
  demand: 'interact',
  parse: (path, body) => (path === '/v1/interact' ? parseEventsV1(body, path) : parseV2(body)),
  success: () => 200,
};

/** `{event:{xdm, data?, query?}, query?, meta?}` */
function parseV2(json: Json): Received {
  const body = bodyObject(json, '/v2/interact');
  refuseBoth(body, '/v2/interact');
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
  const { query, meta } = requestParts(body);
  return { events: [eventParts(event, 'event')], identityMap: null, consent: null, query, meta };
}
