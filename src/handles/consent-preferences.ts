import type { HandleSource } from '../model/parts.ts';

/** `consent:preferences`: all of the visitor's preferences after a change, in Adobe 2.0 shape. Documented. */
export const consentPreferences: HandleSource = {
  type: 'consent:preferences',
  service: null,
  wanted: (x) => x.preferences !== null,
  produce: (x) => [{ type: 'consent:preferences', payload: [x.preferences] }],
};
