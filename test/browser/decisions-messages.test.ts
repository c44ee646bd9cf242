import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecisionSite, keepScreenshot } from '../support/decision-site.ts';
import { ORG, type SdkPage, sdkPage } from '../support/web-sdk-page.ts';

/** Redirects, views, messages, cards and what browsers are told to do, by the real Web SDK. */

const FIXTURE = sdkPage(`<h1 id="title">Shop</h1>
<div id="view">empty</div>
<a id="checkout" href="#checkout">Checkout</a>
`);
const ARRIVED = '<!doctype html><meta charset="utf-8"><title>Sale</title><link rel="icon" href="data:,"><h1>Sale</h1>';
const SURFACE = 'web://www.shop.test/fixture';

const DATASTREAMS = ['redirects', 'views', 'messages', 'cards', 'activation'];
const FILES = {
  'site/fixture.html': FIXTURE,
  'site/sale.html': ARRIVED,
  ...Object.fromEntries(DATASTREAMS.map((id) => [`datastreams/${id}.yaml`, `id: ${id}\norg: ${ORG}\nname: ${id}\n`])),
  'activities/redirects.yaml': `id: redirects
datastreams: [redirects]
experiences:
  - { id: all, redirect: https://www.shop.test/sale }
`,
  'activities/views.yaml': `id: views
datastreams: [views]
view: Cart
experiences:
  - id: all
    actions:
      - { setText: two mugs, selector: "#view" }
      - { click: true, selector: "#checkout" }
`,
  'activities/first.yaml': `id: first
datastreams: [messages]
surface: ${SURFACE}
experiences:
  - id: all
    rank: 1
    message:
      html: '<html><body><h1>Hello</h1><a id="close" href="adbinapp://dismiss?interaction=closed">Close</a></body></html>'
      on: { xdm.eventType: shop.entered }
`,
  'activities/second.yaml': `id: second
datastreams: [messages]
surface: ${SURFACE}
experiences:
  - id: all
    rank: 2
    message: { html: <html><body><h1>Me too</h1></body></html>, on: { xdm.eventType: shop.entered } }
`,
  'activities/cards.yaml': `id: cards
datastreams: [cards]
surface: ${SURFACE}
experiences:
  - id: all
    card:
      title: Hello {{profile.name | 'you'}}
      body: Mugs are back.
      url: /products/mug
      buttons: [{ id: look, text: Look }]
`,
  'audiences/gold.yaml': `id: gold
when: { "==": [{ var: profile.tier }, gold] }
segment: true
push:
  - cookie: { name: tier, value: gold, days: 3 }
  - url: https://www.shop.test/pixel?tier=gold
`,
};

let site: DecisionSite;
beforeAll(async () => {
  site = await DecisionSite.start(FILES);
});
afterAll(() => site?.stop());

const PAGE_VIEW = { renderDecisions: true, xdm: { eventType: 'web.webpagedetails.pageViews' } };
const seen = (page: Page, what: string): Promise<unknown> => page.evaluate(what);
const text = (id: string): string => `document.querySelector('${id}').textContent`;

/** Of the only experience, by the report. */
async function counted(id: string): Promise<Record<'displays' | 'clicks' | 'dismissals' | 'again', number>> {
  const { arms, notCounted } = await site.report(id);
  expect(arms.length, `arms of ${id}`).toBeLessThanOrEqual(1);
  const { displays = 0, clicks = 0, dismissals = 0 } = arms[0] ?? {};
  return { displays, clicks, dismissals, again: notCounted['duplicates'] ?? 0 };
}

async function typesOf(sdk: SdkPage): Promise<readonly (string | undefined)[]> {
  return (await site.eventsOf(sdk)).map(({ xdm }) => xdm.eventType);
}

it('redirect-item: the display is told before the page goes to its target', async () => {
  const sdk = await site.open('/fixture', 'redirects');
  const { page } = sdk;
  const order: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.endsWith('/v1/collect') || pathname === '/sale') order.push(pathname);
  });
  const sent = page.evaluate(`void alloy('sendEvent', ${JSON.stringify(PAGE_VIEW)})`);
  await page.waitForURL('https://www.shop.test/sale');
  await sent;
  await expect.poll(() => page.locator('h1').textContent()).toBe('Sale');
  // A beacon: the page does not wait for its answer, and the display is counted nevertheless.
  expect(order).toEqual(['/ee/or2/v1/collect', '/sale']);
  await expect.poll(() => counted('redirects')).toMatchObject({ displays: 1, again: 0 });
});

it('a view of a single-page application is changed when it is shown, without another question', async () => {
  const sdk = await site.open('/fixture', 'views');
  const { page } = sdk;
  const view = (viewName: string) =>
    sdk.command('sendEvent', {
      renderDecisions: true,
      xdm: { eventType: 'view', web: { webPageDetails: { viewName } } },
    });
  const warned = (): Promise<unknown> =>
    page.waitForResponse((response) => response.url().includes('/interact')).then((response) => response.json());
  const first = warned();
  await view('home');
  expect(await first).not.toHaveProperty('warnings');
  expect(await seen(page, text('#view'))).toBe('empty');
  expect(await counted('views')).toMatchObject({ displays: 0 });
  await view('cart');
  await expect.poll(() => seen(page, text('#view'))).toBe('two mugs');
  const asked = sdk.calls.filter((call) => (call.postData() ?? '').includes('decisionScopes'));
  expect(asked).toHaveLength(1);
  await expect.poll(() => counted('views')).toMatchObject({ displays: 1, clicks: 0, again: 0 });
  await page.click('#checkout');
  await expect.poll(() => counted('views')).toMatchObject({ displays: 1, clicks: 1 });
  // Back, and here again: one decision, one display. A view without content tells of a proposition that the SDK made up.
  const empty = warned();
  await view('home');
  expect(await empty).not.toHaveProperty('warnings');
  await view('cart');
  await expect.poll(() => counted('views')).toMatchObject({ displays: 1, again: 1 });
  await keepScreenshot(page, 'view');
});

describe('in-app messages', () => {
  it('the first is shown at the event that it is for, the other told as suppressed, and clicks are counted', async () => {
    const sdk = await site.open('/fixture', 'messages');
    const { page } = sdk;
    await sdk.command('sendEvent', PAGE_VIEW);
    const frame = page.frameLocator('#alloy-messaging-container iframe');
    expect(await page.locator('#alloy-messaging-container').count()).toBe(0);
    await sdk.command('sendEvent', {
      renderDecisions: true,
      xdm: { eventType: 'shop.entered' },
      personalization: { surfaces: [SURFACE] },
    });
    await expect.poll(() => frame.locator('h1').textContent()).toBe('Hello');
    await keepScreenshot(page, 'in-app-message');
    await expect.poll(() => counted('first')).toMatchObject({ displays: 1, clicks: 0 });
    await expect.poll(() => typesOf(sdk)).toContain('decisioning.propositionSuppressDisplay');
    expect(await counted('second')).toMatchObject({ displays: 0 });
    await frame.locator('#close').click();
    await expect.poll(() => page.locator('#alloy-messaging-container').count()).toBe(0);
    await expect.poll(() => counted('first')).toMatchObject({ displays: 1, clicks: 1, dismissals: 1 });
  });
});

it('content cards are handed to whoever subscribes, and what is told of them counted', async () => {
  const sdk = await site.open('/fixture', 'cards');
  const { page } = sdk;
  await page.evaluate(`alloy('subscribeRulesetItems', {
    surfaces: ['${SURFACE}'],
    schemas: ['https://ns.adobe.com/personalization/message/content-card'],
    callback(result, collectEvent) {
      window.cards = result.propositions;
      window.collectEvent = collectEvent;
    },
  })`);
  await sdk.command('sendEvent', { ...PAGE_VIEW, data: { __adobe: { target: { 'profile.name': 'Ada' } } } });
  await expect.poll(() => seen(page, 'window.cards?.length ?? 0')).toBe(1);
  expect(await seen(page, 'window.cards[0].items[0].data')).toMatchObject({
    contentType: 'application/json',
    content: {
      title: { content: 'Hello Ada' },
      body: { content: 'Mugs are back.' },
      actionUrl: '/products/mug',
      buttons: [{ interactId: 'look', text: { content: 'Look' } }],
    },
    meta: { surface: SURFACE, adobe: { template: 'SmallImage' } },
  });
  await page.evaluate(`(() => {
    const { title, body } = cards[0].items[0].data.content;
    document.body.insertAdjacentHTML('beforeend', '<section><h2></h2><p></p></section>');
    document.querySelector('section h2').textContent = title.content;
    document.querySelector('section p').textContent = body.content;
    return collectEvent('display', cards);
  })()`);
  await keepScreenshot(page, 'content-card');
  await expect.poll(() => counted('cards')).toMatchObject({ displays: 1, clicks: 0 });
  await page.evaluate(`collectEvent('interact', cards).then(() => collectEvent('dismiss', cards))`);
  await expect.poll(() => counted('cards')).toMatchObject({ displays: 1, clicks: 1, dismissals: 1 });
});

describe('activation', () => {
  const GOLD = { data: { __adobe: { target: { 'profile.tier': 'gold' } } } };

  it('push sets the cookie and calls the URL; pull is in the answer; and what is known stays known', async () => {
    const context = await site.visitor();
    const sdk = await site.open('/fixture', 'activation', {}, context);
    const pixels: string[] = [];
    sdk.page.on('request', (request) => {
      if (request.url().includes('/pixel')) pixels.push(request.url());
    });
    // The SDK hands `activation:pull` to nobody: it is in the answer, which monitors of the page see.
    const answer = async (of: SdkPage, options: object): Promise<unknown> => {
      const answered = of.page.waitForResponse((response) => response.url().includes('/interact'));
      await of.command('sendEvent', options);
      const { handle } = (await (await answered).json()) as { handle: { type: string; payload: unknown }[] };
      return handle.find(({ type }) => type === 'activation:pull')?.payload;
    };
    const pulled = [{ type: 'profileLookup', destinationId: 'weir', alias: 'weir', segments: [{ id: 'gold' }] }];
    expect(await answer(sdk, PAGE_VIEW)).toBeUndefined();
    expect((await context.cookies()).map(({ name }) => name)).not.toContain('tier');
    expect(await answer(sdk, { ...GOLD, xdm: { eventType: 'login' } })).toEqual(pulled);
    await expect.poll(() => pixels).toEqual(['https://www.shop.test/pixel?tier=gold']);
    const cookies = async () => (await context.cookies()).find(({ name }) => name === 'tier');
    await expect.poll(cookies).toMatchObject({ value: 'gold', domain: 'www.shop.test' });
    const daysLeft = ((await cookies())!.expires - Date.now() / 1000) / 86_400;
    expect(daysLeft).toBeGreaterThan(2.9);
    expect(daysLeft).toBeLessThan(3.1);
    const next = await site.open('/fixture', 'activation', {}, context);
    expect(await answer(next, PAGE_VIEW)).toEqual(pulled);
  });
});
