// Every page loads this: it reports the page, and brings its buttons to life.
import { add, cart, listItem, order, remove, showCount, total } from './cart.js';
import './consent.js';
import { DELIVERY, showDelivery } from './delivery.js';
import './news.js';
import { PRODUCTS, price } from './products.js';
import { visits } from './visits.js';
import { sendEvent } from './web-sdk.js';

const openedAt = performance.now();
const { page, sku } = document.body.dataset;

// The page's first event asks for content too: the SDK shows what is for this page, and hands over the rest.
sendEvent({
  renderDecisions: true,
  personalization: { decisionScopes: [DELIVERY] },
  data: { __adobe: { target: { 'profile.visits': visits() } } },
  xdm: {
    eventType: 'web.webpagedetails.pageViews',
    web: { webPageDetails: { name: page, pageViews: { value: 1 } } },
  },
}).then((result) => showDelivery(result?.propositions ?? []));
if (sku !== undefined) {
  sendEvent({
    xdm: {
      eventType: 'commerce.productViews',
      commerce: { productViews: { value: 1 } },
      productListItems: [listItem(sku, 1)],
    },
  });
}

// The page is about to go: only a beacon still leaves, and nobody waits for an answer.
addEventListener('pagehide', () => {
  const seconds = Math.round((performance.now() - openedAt) / 100) / 10;
  sendEvent({ documentUnloading: true, xdm: { eventType: 'shop.pageLeft' }, data: { page, seconds } });
});

const MESSAGE_MS = 5_000;
const status = document.querySelector('[role="status"]');
let clearing = 0;
function tell(message) {
  status.textContent = message;
  clearTimeout(clearing);
  clearing = setTimeout(() => status.replaceChildren(), MESSAGE_MS);
}

for (const button of document.querySelectorAll('[data-add]')) {
  button.addEventListener('click', () => {
    add(button.dataset.add);
    tell(`${PRODUCTS[button.dataset.add].name} is in your cart.`);
  });
}

const lines = document.querySelector('[data-cart]');
function showCart() {
  const items = cart();
  lines.replaceChildren(...items.map(lineOf));
  document.querySelector('[data-total]').textContent = price(total(items));
  document.querySelector('[data-empty]').hidden = items.length > 0;
  document.querySelector('[data-full]').hidden = items.length === 0;
}

function lineOf({ sku, quantity }) {
  const { name, image, cents } = PRODUCTS[sku];
  const line = document.querySelector('template').content.firstElementChild.cloneNode(true);
  line.querySelector('img').src = image;
  line.querySelector('a').href = `/products/${sku}`;
  line.querySelector('a').textContent = name;
  line.querySelector('.quantity').textContent = `${quantity} × ${price(cents)}`;
  const button = line.querySelector('button');
  button.setAttribute('aria-label', `Remove ${name}`);
  button.addEventListener('click', () => {
    remove(sku);
    tell(`${name} was removed.`);
    showCart();
  });
  return line;
}

if (lines !== null) {
  showCart();
  document.querySelector('[data-order]').addEventListener('click', () => {
    order();
    tell('Thank you! Nothing will be sent to you: this shop is a demonstration.');
    showCart();
    // The page became another one without being loaded: the SDK shows what it was given for this view.
    sendEvent({
      renderDecisions: true,
      xdm: { eventType: 'shop.viewChanged', web: { webPageDetails: { viewName: 'thanks' } } },
    });
  });
}

showCount();
