import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mintEcid } from '../src/model/identity.ts';
import { encodeIdentityCookie } from '../src/model/identity-cookie.ts';

const ORG = 'BENCH@AdobeOrg';
/** So many that nothing about one visitor stays in a processor's cache. */
const VISITORS = 5000;
const COOKIE_PREFIX = `kndctr_${ORG.replace('@', '_')}_`;

/** Of `writeActivities`, those whose condition holds for the page view: one in so many. */
export const HOLDS_EVERY = 10;

/**
 * What the load generator sends, and the workspace that takes it, as files in `folder`: `body-known` (a page view of a
 * visitor whose cookies come as state entries; @COOKIE@ is put in from `cookies`), `body-first` (a visitor's first), and
 * `workspace`. `asks`: the page view asks for content, as the Web SDK does.
 */
export function writeInputs(folder: string, asks = true): void {
  mkdirSync(join(folder, 'workspace/datastreams'), { recursive: true });
  const known = [
    { key: `${COOKIE_PREFIX}cluster`, value: 'or2' },
    { key: `${COOKIE_PREFIX}identity`, value: '@COOKIE@' },
  ];
  writeFileSync(join(folder, 'body-known'), JSON.stringify(pageView(known, asks)));
  writeFileSync(join(folder, 'body-first'), JSON.stringify(pageView([], asks)));
  const cookies = Array.from({ length: VISITORS }, (_, visitor) => identityCookie(visitor));
  writeFileSync(join(folder, 'cookies'), `${cookies.join('\n')}\n`);
  writeFileSync(join(folder, 'workspace/weir.yaml'), '{}\n');
  writeFileSync(join(folder, 'workspace/datastreams/bench.yaml'), `id: bench\norg: ${ORG}\nname: Benchmark\n`);
}

/**
 * Activities of the page that every page view asks about: two experiences, and five comparisons each, of what the page view
 * says. One in `HOLDS_EVERY` holds, and all that hold are shown, because each changes another element.
 */
export function writeActivities(folder: string, count: number): void {
  mkdirSync(join(folder, 'workspace/activities'));
  for (let index = 0; index < count; index++) {
    const comparisons = [
      { '==': [{ var: 'xdm.web.webPageDetails.name' }, index % 2 === 0 ? 'home' : 'cart'] },
      { '>': [{ var: 'xdm.device.screenWidth' }, index % (HOLDS_EVERY / 2) === 0 ? 1_000 : 5_000] },
      { in: ['shop.test', { var: 'xdm.web.webPageDetails.URL' }] },
      { '!=': [{ var: 'xdm.environment.type' }, 'application'] },
      { '<': [{ var: 'xdm.environment.browserDetails.viewportWidth' }, 2_000 + index] },
    ];
    const experiences = ['a', 'b'].map((id) => ({
      id,
      actions: [{ setText: `Text ${id} of activity ${index}`, selector: `#place-${index}` }],
    }));
    const activity = { id: `activity-${index}`, org: ORG, when: { and: comparisons }, experiences };
    // JSON is YAML.
    writeFileSync(join(folder, `workspace/activities/activity-${index}.yaml`), `${JSON.stringify(activity)}\n`);
  }
}

function identityCookie(visitor: number): string {
  const seed = visitor.toString(16).padStart(16, '7').repeat(2);
  const nowMs = Date.now();
  return encodeIdentityCookie(
    { ecid: mintEcid(seed), createdAtMs: nowMs, isNew: true, source: 'random', writtenAtMs: nowMs },
    'or2',
    null,
  );
}

/** As the Web SDK sends it, about 2 KB. */
export function pageView(entries: readonly { key: string; value: string }[], asks = true): object {
  const schemas = [
    ...['default-content', 'html-content', 'json-content', 'redirect', 'ruleset'].map((one) => `${one}-item`),
    'dom-action',
  ];
  const personalization = {
    schemas: schemas.map((one) => `https://ns.adobe.com/personalization/${one}`),
    decisionScopes: ['__view__'],
    surfaces: ['web://www.shop.test/p.html'],
  };
  const products = [1, 2, 3].map((n) => ({
    SKU: `sku-${n}`,
    name: `Product number ${n}`,
    quantity: n,
    priceTotal: 19.99 * n,
    currencyCode: 'EUR',
  }));
  const xdm = {
    eventType: 'web.webpagedetails.pageViews',
    web: {
      webPageDetails: { URL: 'https://www.shop.test/p.html?x=1', name: 'home' },
      webReferrer: { URL: 'https://www.shop.test/' },
    },
    device: { screenHeight: 720, screenWidth: 1280, screenOrientation: 'landscape' },
    environment: { type: 'browser', browserDetails: { viewportWidth: 1280, viewportHeight: 720 } },
    placeContext: { localTimezoneOffset: 0, localTime: new Date().toISOString(), ianaTimezone: 'UTC' },
    timestamp: new Date().toISOString(),
    implementationDetails: { name: 'https://ns.adobe.com/experience/alloy', version: '2.33.1', environment: 'browser' },
    productListItems: products,
  };
  return {
    meta: { queueTimeMillis: 25, state: { domain: 'shop.test', cookiesEnabled: true, entries } },
    query: { identity: { fetch: ['ECID'] } },
    events: [
      { ...(asks ? { query: { personalization } } : {}), data: { __adobe: { target: { mark: 'bench' } } }, xdm },
    ],
  };
}
