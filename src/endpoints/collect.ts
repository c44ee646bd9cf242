import type { Received } from '../model/exchange.ts';
import { type Json, own } from '../model/json.ts';
import type { Endpoint } from '../model/parts.ts';
import { problem } from '../model/problem.ts';
import { bodyObject, eventList, eventParts, refuseBoth, requestParts } from './envelope.ts';
import { parseEventsV1 } from './events-v1.ts';

/**
 * A batch in, a receipt out. May mix visitors; mints no ECID. v1 (the unload beacon) answers 204, v2 answers 202 with
 * the request id, or 204 where `silent` was asked for. Documented.
 */
export const collect: Endpoint = {
  name: 'collect',
  paths: ['/v1/collect', '/v2/collect'],
  mintsEcid: false,
  takesEvents: true,
  demand: 'collect',
  parse: (path, body) => (path === '/v1/collect' ? parseEventsV1(body, path) : parseV2(body)),
  success: (x) => (x.path === '/v1/collect' || x.silent ? 204 : 202),
};

/** `{events:[{xdm, data?}], query?, meta?}` */
function parseV2(json: Json): Received {
  const body = bodyObject(json, '/v2/collect');
  refuseBoth(body, '/v2/collect');
  if (own(body, 'events') === undefined) {
    // The public documentation's own example posts one `event` here.
    const hint =
      own(body, 'event') === undefined
        ? ''
        : ' There is an \'event\' instead: send this body to /v2/interact, or wrap the event here as {"events":[…]}.';
    throw problem('EXEG-0103-400', `The field 'events' is missing. /v2/collect takes {"events":[{"xdm":{…}}]}.${hint}`);
  }
  const events = eventList(body).map((event, index) => eventParts(event, `events[${index}]`));
  return { events, identityMap: null, consent: null, ...requestParts(body) };
}
