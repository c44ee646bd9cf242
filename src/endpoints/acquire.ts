import type { Endpoint } from '../model/parts.ts';
import { bodyObject, checkIdentityMap, optionalObject, requestParts } from './envelope.ts';

/** Asks for an identity without sending an event: `{query:{identity:{fetch:[…]}}, xdm?:{identityMap}, meta?}`. Documented. */
export const acquire: Endpoint = {
  name: 'acquire',
  paths: ['/v1/identity/acquire'],
  mintsEcid: true,
  takesEvents: false,
  demand: 'interact',
  parse(_path, json) {
    const body = bodyObject(json, '/v1/identity/acquire');
    const xdm = optionalObject(body, 'xdm', 'xdm');
    const identityMap = xdm === null ? null : optionalObject(xdm, 'identityMap', 'xdm.identityMap');
    if (identityMap !== null) checkIdentityMap(identityMap, 'xdm.identityMap');
    return { events: [], identityMap, consent: null, ...requestParts(body) };
  },
  success: () => 200,
};
