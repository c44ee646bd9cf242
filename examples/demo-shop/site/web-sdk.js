// The Web SDK's start: commands given before /alloy.js has loaded wait in window.alloy.q, and the SDK takes them from there.
import { answered, failed, sent } from './panel.js';

const NAME = 'alloy';
window.__alloyNS = [NAME];
window[NAME] = (...command) => new Promise((resolve, reject) => window[NAME].q.push([resolve, reject, command]));
window[NAME].q = [];
// The SDK tells its monitors of every call that it makes.
window.__alloyMonitors = [{ onBeforeNetworkRequest: sent, onNetworkResponse: answered, onNetworkError: failed }];

export const ORG = '0123456789ABCDEF01234567@AdobeOrg';

const alloy = (...command) => window[NAME](...command);

alloy('configure', {
  datastreamId: 'demo-shop',
  orgId: ORG,
  // The one line that brings an existing page to Weir: the host that its edge listener is reached at.
  edgeDomain: location.hostname,
  // Without this, the first call of a visitor goes to a host that is not ours.
  thirdPartyCookiesEnabled: false,
  // Nothing is sent before the visitor has chosen.
  defaultConsent: 'pending',
  clickCollectionEnabled: true,
});

/** Sends one event. A shop goes on without its events: the panel shows what went wrong. */
export function sendEvent(options) {
  return alloy('sendEvent', options).catch((error) => console.info(error.message));
}

/** @param {'in' | 'out'} choice */
export function setConsent(choice) {
  return alloy('setConsent', { consent: [{ standard: 'Adobe', version: '1.0', value: { general: choice } }] });
}

/**
 * Content cards of this page, now and whenever they change. `show` is given them, and `tell('display' | 'interact' |
 * 'dismiss', cards)`.
 */
export function subscribeCards(show) {
  alloy('subscribeRulesetItems', {
    surfaces: [`web://${location.host}${location.pathname}`],
    schemas: ['https://ns.adobe.com/personalization/message/content-card'],
    callback: ({ propositions = [] }, tell) => show(propositions, tell),
  });
}
