/** What the shop sells, by SKU. Prices in euro cents. */
export const PRODUCTS = {
  mug: { name: 'Enamel mug', cents: 1400, image: '/images/mug.svg' },
  bag: { name: 'Waxed bag', cents: 6800, image: '/images/bag.svg' },
  stool: { name: 'Folding stool', cents: 4900, image: '/images/stool.svg' },
};

export function price(cents) {
  return new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' }).format(cents / 100);
}
