// The cart: a list of {sku, quantity} in this browser, and what it tells the edge.
import { PRODUCTS } from './products.js';
import { sendEvent } from './web-sdk.js';

const KEY = 'cart';
export const CURRENCY = 'EUR';

/** @returns {{sku: string, quantity: number}[]} */
export function cart() {
  const kept = JSON.parse(localStorage.getItem(KEY) ?? '[]');
  return kept.filter(({ sku }) => PRODUCTS[sku] !== undefined);
}

function keep(lines) {
  localStorage.setItem(KEY, JSON.stringify(lines));
  showCount();
}

/** A line of the cart, or a product by itself, as XDM has it. */
export function listItem(sku, quantity) {
  const { name, cents } = PRODUCTS[sku];
  return { SKU: sku, name, quantity, priceTotal: (cents * quantity) / 100, currencyCode: CURRENCY };
}

export function add(sku) {
  const lines = cart();
  const line = lines.find((one) => one.sku === sku);
  if (line === undefined) lines.push({ sku, quantity: 1 });
  else line.quantity += 1;
  keep(lines);
  return sendEvent({
    xdm: {
      eventType: 'commerce.productListAdds',
      commerce: { productListAdds: { value: 1 } },
      productListItems: [listItem(sku, 1)],
    },
  });
}

export function remove(sku) {
  const gone = cart().find((line) => line.sku === sku);
  keep(cart().filter((line) => line.sku !== sku));
  return sendEvent({
    xdm: {
      eventType: 'commerce.productListRemovals',
      commerce: { productListRemovals: { value: 1 } },
      productListItems: [listItem(sku, gone.quantity)],
    },
  });
}

export function order() {
  const lines = cart();
  keep([]);
  return sendEvent({
    xdm: {
      eventType: 'commerce.purchases',
      commerce: {
        purchases: { value: 1 },
        order: {
          purchaseID: crypto.randomUUID?.() ?? String(Date.now()),
          priceTotal: total(lines) / 100,
          currencyCode: CURRENCY,
        },
      },
      productListItems: lines.map(({ sku, quantity }) => listItem(sku, quantity)),
    },
  });
}

/** In cents. */
export function total(lines) {
  return lines.reduce((sum, { sku, quantity }) => sum + PRODUCTS[sku].cents * quantity, 0);
}

export function showCount() {
  const count = cart().reduce((sum, { quantity }) => sum + quantity, 0);
  for (const place of document.querySelectorAll('[data-cart-count]')) place.textContent = String(count);
}
