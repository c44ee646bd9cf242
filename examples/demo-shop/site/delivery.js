// A JSON offer: what delivery costs this visitor. The page asks for it with its first event, shows it in its own way, and
// tells that it was shown.
import { price as inEuros } from './products.js';
import { sendEvent } from './web-sdk.js';

/** Names a decision of offers/delivery.yaml and one of its placements. */
export const DELIVERY = btoa(JSON.stringify({ activityId: 'delivery', placementId: 'delivery-line' }));

const lines = [...document.querySelectorAll('[data-delivery]')];

/** @param {object[]} propositions of the answer */
export function showDelivery(propositions) {
  const proposition = propositions.find(({ scope }) => scope === DELIVERY);
  if (proposition === undefined || lines.length === 0) return;
  const { cents, freeFromCents } = proposition.items[0].data.content;
  for (const line of lines) line.textContent = `Delivery ${inEuros(cents)}, free from ${inEuros(freeFromCents)}`;
  const { id, scope, scopeDetails } = proposition;
  sendEvent({
    xdm: {
      eventType: 'decisioning.propositionDisplay',
      _experience: {
        decisioning: { propositions: [{ id, scope, scopeDetails }], propositionEventType: { display: 1 } },
      },
    },
  });
}
