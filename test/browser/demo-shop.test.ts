import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { keepScreenshot } from '../support/decision-site.ts';
import { type EventLine, type Server, startServer } from '../support/server.ts';
import { until } from '../support/web-sdk-page.ts';

/** The demo shop as `npm start` serves it: plain http, the real Web SDK, and the shim that finds the way to the port. */

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
});

/** A server for each test: what the last one's pages said when they were closed is in another log. */
let server: Server;
let shop: string;
let page: Page;
/** What a visitor should never cause: errors, and calls to anywhere else. */
let complaints: string[];
beforeEach(async () => {
  server = await startServer({ workspace: 'examples/demo-shop' });
  shop = server.urls.edge.replace('127.0.0.1', 'localhost');
  await visit({ width: 1280, height: 900 });
});
afterEach(async () => {
  await server?.stop();
});

async function visit(viewport: { width: number; height: number }): Promise<void> {
  const context = await browser.newContext({ viewport });
  onTestFinished(() => context.close());
  complaints = [];
  page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // On a machine that is busy for seconds: the SDK tries again, and what is stored tells whether it came through.
    if (message.text().includes('status of 503')) return;
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('request', (request) => {
    // A message's page is a blob of the shop.
    if (
      !request
        .url()
        .replace(/^blob:/, '')
        .startsWith(shop)
    )
      complaints.push(request.url());
  });
  await page.goto(shop);
}

const button = (name: string) => page.getByRole('button', { name, exact: true });
const field = (name: string) => page.locator(`[data-field="${name}"]`);

/** What visitors did, once there are at least `count`; not what the SDK told of content. */
async function stored(count: number): Promise<readonly EventLine[]> {
  let events: readonly EventLine[] = [];
  await until(`${count} events in the log`, async () => {
    events = (await server.events()).filter(({ xdm }) => xdm.eventType?.startsWith('decisioning.') !== true);
    return events.length >= count;
  });
  return events;
}

function types(events: readonly EventLine[]): readonly (string | undefined)[] {
  return events.map(({ xdm }) => xdm.eventType).sort();
}

describe('consent', () => {
  it('is asked for, and before it is given nothing is sent', async () => {
    await expect.poll(() => page.getByRole('dialog').isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Waxed bag' }).click();
    await page.waitForURL('**/products/bag');
    await expect.poll(() => page.getByRole('dialog').isVisible()).toBe(true);
    expect(await server.events()).toEqual([]);
  });

  it('once given is remembered, and the page view that waited is stored', async () => {
    await button('Accept').click();
    const [event] = await stored(1);
    expect(event).toMatchObject({
      datastreamId: 'demo-shop',
      xdm: { eventType: 'web.webpagedetails.pageViews', web: { webPageDetails: { name: 'home', URL: `${shop}/` } } },
    });
    await expect.poll(() => field('ecid').textContent()).toBe(event!.ecid);
    expect(await field('answer').textContent()).toMatch(/^200 in \d+ ms$/);
    await page.reload();
    await stored(3);
    expect(await page.getByRole('dialog').isVisible()).toBe(false);
  });

  it('declined stops everything, and may be given after all', async () => {
    await button('Decline').click();
    await expect.poll(() => page.getByRole('dialog').isVisible()).toBe(false);
    await page.goto(`${shop}/products/mug`);
    expect(await page.getByRole('dialog').isVisible()).toBe(false);
    await button('Privacy choices').click();
    expect(await page.getByRole('dialog').textContent()).toContain('You have declined');
    expect(await server.events()).toEqual([]);
    await button('Accept').click();
    await expect.poll(() => page.getByRole('dialog').isVisible()).toBe(false);
    await button('Add to cart').click();
    expect(types(await stored(1))).toEqual(['commerce.productListAdds']);
  });
});

describe('a visit', () => {
  it('is one visitor from the first page to the order, and every step of it is stored', async () => {
    await button('Accept').click();
    await stored(1);
    await page.getByRole('link', { name: 'Waxed bag' }).click();
    await page.waitForURL('**/products/bag');
    await stored(5);
    await button('Add to cart').click();
    await expect.poll(() => page.getByRole('status').textContent()).toBe('Waxed bag is in your cart.');
    await stored(6);
    await page.getByRole('link', { name: 'Cart (1)' }).click();
    await page.waitForURL('**/cart');
    await button('Place the order').click();
    const events = await stored(11);
    expect(types(events)).toEqual(
      [
        ...['web.webpagedetails.pageViews', 'web.webinteraction.linkClicks', 'shop.pageLeft'],
        ...['web.webpagedetails.pageViews', 'commerce.productViews', 'commerce.productListAdds'],
        ...['web.webinteraction.linkClicks', 'shop.pageLeft'],
        ...['web.webpagedetails.pageViews', 'commerce.purchases', 'shop.viewChanged'],
      ].sort(),
    );
    expect(new Set(events.map(({ ecid }) => ecid)).size).toBe(1);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    const order = events.find(({ xdm }) => xdm.eventType === 'commerce.purchases');
    expect(order?.xdm).toMatchObject({
      commerce: { order: { priceTotal: 68, currencyCode: 'EUR' } },
      productListItems: [{ SKU: 'bag', quantity: 1, priceTotal: 68 }],
    });
    expect(complaints).toEqual([]);
  });

  it('by two browsers is two visitors', async () => {
    await button('Accept').click();
    await stored(1);
    await visit({ width: 1280, height: 900 });
    await button('Accept').click();
    const events = await stored(2);
    expect(new Set(events.map(({ ecid }) => ecid)).size).toBe(2);
  });
});

/** Its corner is of the page, however narrow. */
async function messageFits(width: number): Promise<void> {
  const message = page.locator('#alloy-messaging-container');
  await expect.poll(() => message.boundingBox()).not.toBeNull();
  const { x, width: own } = (await message.boundingBox())!;
  expect([x >= 0, x + own <= width]).toEqual([true, true]);
  const text = page.frameLocator('#alloy-content-iframe').locator('body');
  await expect.poll(() => text.evaluate('document.body.scrollHeight <= innerHeight')).toBe(true);
}

describe('the pages', () => {
  const widths = [360, 768, 1280];
  const paths = ['/', '/products/mug', '/products/bag', '/products/stool', '/news', '/cart'];

  it.each(widths)('fit a window of %i pixels, and none of them complains', async (width) => {
    await visit({ width, height: 740 });
    await button('Accept').click();
    await stored(1);
    // Here again: the banner for returning visitors is on every page.
    await page.evaluate('sessionStorage.clear()');
    for (const path of paths) {
      await page.goto(shop + path);
      await expect.poll(() => page.locator('.banner').count(), { message: path }).toBe(1);
      if (path === '/products/stool') await messageFits(width);
      await keepScreenshot(page, `demo-shop${path.replaceAll('/', '-')}-${width}`);
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(width);
      expect(await page.getByRole('heading', { level: 1 }).count(), path).toBe(1);
      expect(await page.locator('img:not([alt])').count(), path).toBe(0);
    }
    expect(complaints).toEqual([]);
  });

  it('load a shim of at most 15 lines', async () => {
    const shim = await (await fetch(`${shop}/dev-edge.js`)).text();
    expect(shim.trimEnd().split('\n').length).toBeLessThanOrEqual(15);
  });
});
