import { isObject, type JsonObject, own } from '../model/json.ts';
import type { Endpoint } from '../model/parts.ts';
import { problem } from '../model/problem.ts';
import { bodyObject, checkIdentityMap, optionalObject, requestParts, wrongType } from './envelope.ts';

/** A visitor's choice: `{consent:[{standard, version, value}], identityMap?, query?, meta?}`. Documented. What the entries mean: model/consent.ts. */
export const setConsent: Endpoint = {
  name: 'set-consent',
  paths: ['/v1/privacy/set-consent'],
  mintsEcid: true,
  takesEvents: false,
  // A choice that is lost is worse than an event.
  demand: 'collect',
  parse(_path, json) {
    const body = bodyObject(json, '/v1/privacy/set-consent');
    const consent = own(body, 'consent');
    if (consent === undefined || consent === null) {
      throw problem(
        'EXEG-0103-400',
        'The field \'consent\' is missing. Send {"consent":[{"standard":"Adobe","version":"2.0","value":{"collect":{"val":"y"}}}]}.',
      );
    }
    if (!Array.isArray(consent)) throw wrongType('consent', 'an array', consent);
    consent.forEach((entry, index) => {
      if (!isObject(entry)) throw wrongType(`consent[${index}]`, 'an object', entry);
    });
    const identityMap = optionalObject(body, 'identityMap', 'identityMap');
    if (identityMap !== null) checkIdentityMap(identityMap, 'identityMap');
    return { events: [], identityMap, consent: consent as JsonObject[], ...requestParts(body) };
  },
  success: () => 200,
};
