import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { weir } from '../support/command.ts';
import { DecisionSite, keepScreenshot } from '../support/decision-site.ts';
import { ORG, sdkPage } from '../support/web-sdk-page.ts';

/** Previews, inboxes, event history and messages without a look of their own, by the real Web SDK. */

const FIXTURE = sdkPage('<h1 id="title">Shop</h1>\n<p id="offer">none</p>\n');
const SURFACE = 'web://www.shop.test/fixture';
const MESSAGE = 'https://ns.adobe.com/personalization/message';
const ANY_EVENT = '{ type: matcher, definition: { key: "~type", matcher: ex, values: [] } }';

const DATASTREAMS = ['previews', 'drafts', 'redirects', 'inboxes', 'history', 'looks'];
const FILES = {
  'site/fixture.html': FIXTURE,
  ...Object.fromEntries(DATASTREAMS.map((id) => [`datastreams/${id}.yaml`, `id: ${id}\norg: ${ORG}\nname: ${id}\n`])),
  'activities/title.yaml': `id: title
datastreams: [previews]
experiences:
  - { id: usual, actions: [{ setText: Usual, selector: "#title" }] }
  - { id: rare, weight: 0, actions: [{ setText: Rare, selector: "#title" }] }
`,
  'activities/draft.yaml': `id: draft
enabled: false
datastreams: [drafts]
surface: ${SURFACE}
experiences:
  - { id: all, rank: 9, message: { html: <html><body><h1>Draft</h1></body></html> } }
`,
  'activities/running.yaml': `id: running
datastreams: [drafts]
surface: ${SURFACE}
experiences:
  - { id: all, rank: 1, message: { html: <html><body><h1>Running</h1></body></html> } }
`,
  'offers/closing.yaml': `placements: [{ id: bar, type: html }]
offers: [{ id: usual, content: { bar: Usual } }, { id: over, end: 2020-01-01, content: { bar: Over } }]
decisions: [{ id: closing, placements: [{ placement: bar, offers: [usual, over] }] }]
`,
  'site/sale.html': '<!doctype html><title>Sale</title><link rel="icon" href="data:,"><h1>Sale</h1>',
  'activities/redirect.yaml': `id: redirect
datastreams: [redirects]
experiences:
  - { id: all, redirect: "https://www.shop.test/sale?q={{data.query}}" }
`,
  'activities/inbox.yaml': `id: inbox
datastreams: [inboxes]
surface: ${SURFACE}
experiences:
  - id: all
    rules:
      - condition: ${ANY_EVENT}
        consequences:
          - type: schema
            detail:
              schema: ${MESSAGE}/inbox
              data: { content: { heading: { content: "Hello {{profile.name | 'you'}}" }, capacity: 5 } }
`,
  'activities/greeting.yaml': `id: greeting
datastreams: [history]
surface: ${SURFACE}
experiences:
  - id: all
    rules:
      - condition: { type: matcher, definition: { key: xdm.eventType, matcher: eq, values: [shop.greeted] } }
        consequences:
          - type: schema
            detail:
              schema: https://ns.adobe.com/personalization/eventHistoryOperation
              data: { operation: insertIfNotExists, content: { iam.eventType: greeted, iam.id: greeting } }
      - condition:
          type: group
          definition:
            logic: and
            conditions:
              - { type: matcher, definition: { key: xdm.eventType, matcher: eq, values: [shop.left] } }
              - { type: historical, definition: { events: [{ iam.eventType: greeted, iam.id: greeting }], matcher: ge, value: 1 } }
        consequences:
          - type: schema
            detail:
              schema: ${MESSAGE}/in-app
              data:
                contentType: text/html
                content: <html><body><h1>Good bye</h1></body></html>
                mobileParameters: { verticalAlign: center, horizontalAlign: center, width: 50, height: 50 }
                webParameters: {}
`,
  'activities/look.yaml': `id: look
datastreams: [looks]
surface: ${SURFACE}
experiences:
  - id: all
    message:
      html: '<html><body><h1>Winter sale</h1><p>Mugs, bags and stools for a third less, until the ice is gone.</p><a href="adbinapp://dismiss?interaction=look">See the sale</a> <a href="adbinapp://dismiss?interaction=closed">Close</a></body></html>'
      on: { xdm.eventType: shop.entered }
`,
};

let site: DecisionSite;
beforeAll(async () => {
  site = await DecisionSite.start(FILES);
});
afterAll(() => site?.stop());

const PAGE_VIEW = { renderDecisions: true, xdm: { eventType: 'web.webpagedetails.pageViews' } };
const at = (eventType: string) => ({
  renderDecisions: true,
  xdm: { eventType },
  personalization: { surfaces: [SURFACE] },
});
const MESSAGE_BOX = '#alloy-messaging-container';
const messages = (page: Page): Promise<number> => page.locator(MESSAGE_BOX).count();

/** Displays by experience, and how many were a preview's. */
async function counted(activity: string): Promise<{ displays: Record<string, number>; previews: number }> {
  const { arms, notCounted } = await site.report(activity);
  const displays = Object.fromEntries(
    arms.filter((arm) => arm.displays > 0).map((arm) => [String(arm.experience), arm.displays]),
  );
  return { displays, previews: notCounted['previews']! };
}

async function previewLink(activity: string, experience: string, url: string): Promise<string> {
  const { code, out, err } = await weir(
    ...['preview', '--activity', activity, '--experience', experience, '--url', url],
    ...['--workspace', site.server.workspace, '--data', site.server.data],
  );
  expect([code, err]).toEqual([0, '']);
  return out.trim();
}

it('a preview link shows its experience and its offer to whoever opens it, and counts nowhere', async () => {
  const whole = await previewLink('title', 'rare', 'https://www.shop.test/fixture');
  const { pathname, search } = new URL(await previewLink('closing~bar', 'over', whole));
  const scope = btoa(JSON.stringify({ activityId: 'closing', placementId: 'bar' }));
  const visit = async (path: string, qaMode: string | null = null) => {
    const context = await site.visitor();
    const cookie = { name: 'at_qa_mode', domain: '.shop.test', path: '/' };
    if (qaMode !== null) await context.addCookies([{ ...cookie, value: qaMode }]);
    const sdk = await site.open(path, 'previews', {}, context);
    const { page } = sdk;
    await page.evaluate(`(async () => {
      const { propositions } = await alloy('sendEvent', {
        ...${JSON.stringify(PAGE_VIEW)}, personalization: { decisionScopes: ['${scope}'] },
      });
      const offer = propositions.find(({ scope }) => scope === '${scope}');
      document.querySelector('#offer').textContent = offer.items[0].data.content;
      await alloy('sendEvent', { xdm: {
        eventType: 'decisioning.propositionDisplay',
        _experience: { decisioning: {
          propositions: [{ id: offer.id, scope: offer.scope, scopeDetails: offer.scopeDetails }],
          propositionEventType: { display: 1 },
        } },
      } });
    })()`);
    await expect.poll(() => page.locator('#title').textContent()).not.toBe('Shop');
    return { page, shown: [await page.locator('#title').textContent(), await page.locator('#offer').textContent()] };
  };
  const { page, shown } = await visit(`${pathname}${search}`);
  expect(shown).toEqual(['Rare', 'Over']);
  await keepScreenshot(page, 'preview-link');
  await expect.poll(() => counted('title')).toEqual({ displays: {}, previews: 1 });
  await expect.poll(() => counted('closing~bar')).toEqual({ displays: {}, previews: 1 });
  expect((await visit('/fixture')).shown).toEqual(['Usual', 'Usual']);
  await expect.poll(() => counted('title')).toEqual({ displays: { usual: 1 }, previews: 1 });
  await expect.poll(() => counted('closing~bar')).toEqual({ displays: { usual: 1 }, previews: 1 });

  // The cookie of Target's quality assurance mode, which the SDK passes on: other pages of the site show it too.
  const token = new URLSearchParams(search).get('weir_preview')!;
  expect((await visit('/fixture', encodeURIComponent(JSON.stringify({ token })))).shown).toEqual(['Rare', 'Over']);
  await expect.poll(() => counted('title')).toEqual({ displays: { usual: 1 }, previews: 2 });
});

it('a preview of a message is the one that is shown, whatever the ranks', async () => {
  const { pathname, search } = new URL(await previewLink('draft', 'all', 'https://www.shop.test/fixture'));
  const { page, command } = await site.open(`${pathname}${search}`, 'drafts');
  await command('sendEvent', PAGE_VIEW);
  await expect.poll(() => page.frameLocator(`${MESSAGE_BOX} iframe`).locator('h1').textContent()).toBe('Draft');
});

it('values in a redirect arrive as they are, as parts of its address', async () => {
  const { page } = await site.open('/fixture', 'redirects');
  const sent = { ...PAGE_VIEW, data: { query: 'mugs & bags/#1' } };
  const left = page.evaluate(`void alloy('sendEvent', ${JSON.stringify(sent)})`);
  await page.waitForURL('https://www.shop.test/sale?**');
  await left;
  expect(new URL(page.url()).searchParams.get('q')).toBe('mugs & bags/#1');
  await expect.poll(() => page.locator('h1').textContent()).toBe('Sale');
  await keepScreenshot(page, 'redirect');
  await expect.poll(() => counted('redirect')).toMatchObject({ displays: { all: 1 } });
});

it('an inbox is handed to whoever subscribes to its schema, and its display counted once', async () => {
  const sdk = await site.open('/fixture', 'inboxes');
  const { page } = sdk;
  await page.evaluate(`alloy('subscribeRulesetItems', {
    surfaces: ['${SURFACE}'],
    schemas: ['${MESSAGE}/inbox'],
    callback({ propositions }, collectEvent) {
      window.inboxes = propositions;
      window.collectEvent = collectEvent;
    },
  })`);
  await sdk.command('sendEvent', { ...PAGE_VIEW, data: { __adobe: { target: { 'profile.name': 'Ada' } } } });
  await expect.poll(() => page.evaluate('window.inboxes?.length ?? 0')).toBe(1);
  expect(await page.evaluate('inboxes[0].items')).toMatchObject([
    { schema: `${MESSAGE}/inbox`, data: { content: { heading: { content: 'Hello Ada' }, capacity: 5 } } },
  ]);
  await page.evaluate(`(() => {
    document.querySelector('#title').textContent = inboxes[0].items[0].data.content.heading.content;
    return collectEvent('display', inboxes);
  })()`);
  await keepScreenshot(page, 'inbox');
  await expect.poll(() => counted('inbox')).toEqual({ displays: { all: 1 }, previews: 0 });
});

it('eventHistoryOperation: what it notes makes the message show that asks for it', async () => {
  const sdk = await site.open('/fixture', 'history');
  const { page } = sdk;
  await sdk.command('sendEvent', at('shop.left'));
  await sdk.command('sendEvent', at('shop.greeted'));
  expect(await messages(page)).toBe(0);
  await sdk.command('sendEvent', at('shop.left'));
  await expect.poll(() => page.frameLocator(`${MESSAGE_BOX} iframe`).locator('h1').textContent()).toBe('Good bye');
  await keepScreenshot(page, 'event-history');
  await expect.poll(() => counted('greeting')).toEqual({ displays: { all: 1 }, previews: 0 });
});

it.each([
  ['a telephone', 360, 640],
  ['a desk', 1_280, 800],
])('a message without a look of its own is in the middle of %s, whole, and to be read', async (_, width, height) => {
  const sdk = await site.open('/fixture', 'looks');
  const { page } = sdk;
  await page.setViewportSize({ width, height });
  await sdk.command('sendEvent', at('shop.entered'));
  const frame = page.frameLocator(`${MESSAGE_BOX} iframe`);
  await expect.poll(() => frame.locator('h1').textContent()).toBe('Winter sale');
  await keepScreenshot(page, `in-app-message-${width}`);
  const box = (await page.locator(MESSAGE_BOX).boundingBox())!;
  expect(box.width).toBe(Math.min(448, width - 32));
  expect([box.x + box.width / 2, box.y + box.height / 2]).toEqual([width / 2, height / 2]);
  const looks = await page.evaluate(`['#alloy-messaging-container', '#alloy-overlay-container'].map((id) => {
    const { backgroundColor, opacity } = getComputedStyle(document.querySelector(id));
    return [backgroundColor, opacity];
  })`);
  expect(looks).toEqual([
    ['rgb(255, 255, 255)', '1'],
    ['rgb(0, 0, 0)', '0.5'],
  ]);
  // Nothing of the page behind is clicked through to, and all of it is there again afterwards.
  expect(await page.evaluate('document.elementFromPoint(2, 2).id')).toBe('alloy-overlay-container');
  await frame.getByText('Close').click();
  await expect.poll(() => page.locator('#alloy-messaging-container, #alloy-overlay-container').count()).toBe(0);
});
