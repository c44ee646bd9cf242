import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { keepScreenshot, PERSON, type ReportLine, reportOn } from '../support/decision-site.ts';
import { type Server, startServer } from '../support/server.ts';

/** What visitors of the demo shop see of its activities and offers, and what the reports say of it while they click. */

let browser: Browser;
let server: Server;
let shop: string;
beforeAll(async () => {
  browser = await launchChromium();
  server = await startServer({ workspace: 'examples/demo-shop' });
  shop = server.urls.edge.replace('127.0.0.1', 'localhost');
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** A new visitor who agrees; the page's content is there. */
async function visitor(): Promise<{ readonly context: BrowserContext; readonly page: Page }> {
  const context = await browser.newContext({ userAgent: PERSON, viewport: { width: 1000, height: 800 } });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(shop);
  const answered = page.waitForResponse((response) => response.url().includes('/interact') && response.ok());
  await page.getByRole('button', { name: 'Accept', exact: true }).click();
  await answered;
  return { context, page };
}

const report = (activity: string): Promise<ReportLine> => reportOn(server.data, activity);

/** Figures of each experience that has any. */
async function figures(
  activity: string,
  name: 'displays' | 'visitors' | 'clicks' | 'dismissals',
): Promise<Record<string, number>> {
  const { arms } = await report(activity);
  return Object.fromEntries(arms.filter((arm) => arm.displays > 0).map((arm) => [arm.experience, arm[name]]));
}

const HEROES: Readonly<Record<string, string>> = {
  'Things for the river bank': 'river',
  'Made once. Carried for years.': 'bold',
};

it('visitors are split between two heroes, keep theirs, and what they do is credited to it', async () => {
  const seen: Record<string, number> = {};
  const carts: Record<string, number> = {};
  for (let i = 0; i < 4; i++) {
    const { page } = await visitor();
    const displayed = Object.values(seen).reduce((sum, count) => sum + count, 0) + 1;
    const total = async () => Object.values(await figures('hero', 'displays')).reduce((sum, count) => sum + count, 0);
    await expect.poll(total).toBe(displayed);
    const hero = HEROES[(await page.locator('#hero h1').textContent())!]!;
    seen[hero] = (seen[hero] ?? 0) + 1;
    expect(await page.locator('[data-field="handles"]').textContent()).toBeTruthy();
    if (i === 0) await keepScreenshot(page, `demo-shop-hero-${hero}`);
    if (i % 2 === 0) {
      await page.getByRole('button', { name: 'Add Waxed bag to the cart' }).click();
      carts[hero] = (carts[hero] ?? 0) + 1;
    }
    if (i === 0) {
      await page.getByRole('link', { name: 'Cart (1)' }).click();
      await page.getByRole('button', { name: 'Place the order' }).click();
      await expect.poll(() => page.locator('#thanks').textContent()).toContain('MILL10');
      await keepScreenshot(page, 'demo-shop-thanks');
      await expect.poll(() => figures('thanks', 'displays')).toEqual({ voucher: 1 });
      const revenue = async () =>
        (await report('hero')).arms
          .filter(({ displays }) => displays > 0)
          .map(({ experience, goals }) => [experience, goals['revenue']!.sum]);
      await expect.poll(revenue).toEqual([[hero, 68]]);
      await page.goto(shop);
      await expect.poll(async () => HEROES[(await page.locator('#hero h1').textContent())!]).toBe(hero);
      await expect.poll(total).toBe(2);
      seen[hero] += 1;
    }
  }
  expect(await figures('hero', 'displays')).toEqual(seen);
  const added = async () =>
    Object.fromEntries(
      (await report('hero')).arms
        .filter(({ goals }) => goals['added']!.visitors > 0)
        .map(({ experience, goals }) => [experience, goals['added']!.visitors]),
    );
  await expect.poll(added).toEqual(carts);
  const visitors = Object.values(await figures('hero', 'visitors'));
  expect(visitors.reduce((sum, count) => sum + count, 0)).toBe(4);
});

it('whoever comes back is welcomed, and has another delivery offer', async () => {
  const offers = async () => figures('delivery~delivery-line', 'displays');
  const { 'delivery-standard': before = 0 } = await offers();
  const { context, page } = await visitor();
  await page.goto(`${shop}/products/bag`);
  const delivery = (one: Page) => one.locator('[data-delivery]').textContent();
  await expect.poll(() => delivery(page)).toBe('Delivery €4.90, free from €60.00');
  expect(await page.locator('.banner').count()).toBe(0);
  const again = await context.newPage();
  await again.goto(`${shop}/products/bag`);
  await expect.poll(() => delivery(again)).toBe('Delivery €4.90, free from €40.00');
  await expect.poll(() => again.locator('.banner').textContent()).toContain('Welcome back');
  await keepScreenshot(again, 'demo-shop-returning');
  await expect.poll(() => figures('welcome-back', 'displays')).toEqual({ banner: 1 });
  await expect.poll(offers).toEqual({ 'delivery-returning': 1, 'delivery-standard': before + 1 });
});

it('the message beside the stool leads to the bag', async () => {
  const { page } = await visitor();
  await page.goto(`${shop}/products/stool`);
  const message = page.frameLocator('#alloy-messaging-container iframe');
  await expect.poll(() => message.locator('h2').textContent()).toBe('It fits into the bag');
  await expect.poll(() => figures('stool-message', 'displays')).toEqual({ bag: 1 });
  await message.getByText('See the bag').click();
  await page.waitForURL('**/products/bag');
  await expect.poll(() => figures('stool-message', 'clicks')).toEqual({ bag: 1 });
  await expect.poll(() => figures('stool-message', 'dismissals')).toEqual({ bag: 1 });
});

it('news are cards: shown, looked at and dismissed, each counted; whoever comes back has one more', async () => {
  const { context, page } = await visitor();
  const titles = (of: Page) => of.locator('.card h2').allTextContents();
  await page.getByRole('link', { name: 'News', exact: true }).click();
  await expect.poll(() => titles(page)).toEqual(['We mend what we made']);
  await expect.poll(() => figures('news-repair', 'displays')).toEqual({ card: 1 });
  const again = await context.newPage();
  await again.goto(`${shop}/news`);
  await expect.poll(() => titles(again)).toEqual(['We mend what we made', 'The mug has a third coat']);
  await keepScreenshot(again, 'demo-shop-news');
  await expect.poll(() => figures('news-enamel', 'displays')).toEqual({ card: 1 });
  await again.getByRole('button', { name: 'Dismiss' }).nth(1).click();
  await expect.poll(() => titles(again)).toEqual(['We mend what we made']);
  await expect.poll(() => figures('news-enamel', 'dismissals')).toEqual({ card: 1 });
  await again.getByRole('link', { name: 'See the bag' }).click();
  await again.waitForURL('**/products/bag');
  await expect.poll(() => figures('news-repair', 'clicks')).toEqual({ card: 1 });
  const small = await context.newPage();
  await small.setViewportSize({ width: 360, height: 640 });
  await small.goto(`${shop}/news`);
  await expect.poll(() => titles(small)).toHaveLength(2);
  await keepScreenshot(small, 'demo-shop-news-360');
  const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
  expect(await small.evaluate(overflow)).toBe(0);
});
