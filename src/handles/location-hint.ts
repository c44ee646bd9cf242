import type { Handle } from '../model/exchange.ts';
import type { HandleSource } from '../model/parts.ts';
import { LOCATION_HINT_TTL_SECONDS, type Region } from '../model/region.ts';

/** Regions never change while they are in force, so their handle is made once. */
const made = new WeakMap<Region, readonly Handle[]>();

/** `locationHint:result`, always; scopes in the order that the service was seen to send: Target, AAM, EdgeNetwork. */
export const locationHint: HandleSource = {
  type: 'locationHint:result',
  service: null,
  wanted: () => true,
  produce(x) {
    let handles = made.get(x.region);
    if (handles === undefined) {
      handles = [Object.freeze(handleOf(x.region))]; // Frozen: the gateway keeps its text.
      made.set(x.region, handles);
    }
    return handles;
  },
};

function handleOf(region: Region): Handle {
  const ttlSeconds = LOCATION_HINT_TTL_SECONDS;
  return {
    type: 'locationHint:result',
    payload: [
      { scope: 'Target', hint: String(region.targetId), ttlSeconds },
      { scope: 'AAM', hint: String(region.audienceManagerId), ttlSeconds },
      { scope: 'EdgeNetwork', hint: region.hint, ttlSeconds },
    ],
  };
}
