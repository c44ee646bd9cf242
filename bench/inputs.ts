import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mintEcid } from '../src/model/identity.ts';
import { encodeIdentityCookie } from '../src/model/identity-cookie.ts';

const ORG = 'BENCH@AdobeOrg';
/** So many that nothing about one visitor stays in a processor's cache. */
const VISITORS = 5000;
const COOKIE_PREFIX = `kndctr_${ORG.replace('@', '_')}_`;

/**
 * What the load generator sends, and the workspace that takes it, as files in `folder`: `body-known` (a page view of a
 * visitor whose cookies come as state entries; @COOKIE@ is put in from `cookies`), `body-first` (a visitor's first), and
 * `workspace`.
 */
export function writeInputs(folder: string): void {
  const known = [
    { key: `${COOKIE_PREFIX}cluster`, value: 'or2' },
    { key: `${COOKIE_PREFIX}identity`, value: '@COOKIE@' },
  ];
  writeFileSync(join(folder, 'body-known'), JSON.stringify(pageView(known)));
  writeFileSync(join(folder, 'body-first'), JSON.stringify(pageView([])));
  const cookies = Array.from({ length: VISITORS }, (_, visitor) => identityCookie(visitor));
  writeFileSync(join(folder, 'cookies'), `${cookies.join('\n')}\n`);
  mkdirSync(join(folder, 'workspace/datastreams'), { recursive: true });
  writeFileSync(join(folder, 'workspace/weir.yaml'), '{}\n');
  writeFileSync(join(folder, 'workspace/datastreams/bench.yaml'), `id: bench\norg: ${ORG}\nname: Benchmark\n`);
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
export function pageView(entries: readonly { key: string; value: string }[]): object {
  const schemas = ['default-content', 'html-content', 'json-content', 'redirect', 'ruleset', 'dom-action'];
  const personalization = {
    schemas: schemas.map((one) => `https://ns.adobe.com/personalization/${one}-item`),
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
    events: [{ query: { personalization }, data: { __adobe: { target: { mark: 'bench' } } }, xdm }],
  };
}
