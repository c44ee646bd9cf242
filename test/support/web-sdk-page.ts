import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Cookie, Page, Request } from 'playwright-core';
import { ROOT } from './sources.ts';

/** A page that holds the real Web SDK and nothing else, and the commands that tests give it. */

export const ORG = '5BFE274A5F6980A50A495C08@AdobeOrg';
const COOKIE_PREFIX = 'kndctr_5BFE274A5F6980A50A495C08_AdobeOrg_';

/** A page with the SDK's start, and `body`. */
export function sdkPage(body: string): string {
  return `<!doctype html>
<meta charset="utf-8">
<title>Test page</title>
<link rel="icon" href="data:,">
<script>
  window.__alloyNS = ['alloy'];
  window.alloy = (...command) => new Promise((resolve, reject) => window.alloy.q.push([resolve, reject, command]));
  window.alloy.q = [];
</script>
<script src="/alloy.js" defer></script>
${body}
`;
}

/** The files of a workspace with the datastream 'shop' and the page at /. `options`: further lines of weir.yaml. */
export function pageWorkspace(options = ''): Readonly<Record<string, string>> {
  return {
    'weir.yaml': `site: { root: site }\n${options}`,
    'datastreams/shop.yaml': `id: shop\norg: ${ORG}\nname: Shop\n`,
    'site/index.html': sdkPage('<h1>Test page</h1>'),
    'site/alloy.js': readFileSync(join(ROOT, 'node_modules/@adobe/alloy/dist/alloy.min.js'), 'utf8'),
  };
}

export interface SdkPage {
  readonly page: Page;
  /** Calls to the edge, in order, also those that are not answered yet. */
  readonly calls: readonly Request[];
  /** Runs an SDK command in the page. Rejects as the SDK does. */
  command(name: string, options?: object): Promise<unknown>;
  /** One of the SDK's own cookies: 'identity', 'cluster', 'consent'. */
  cookie(name: string): Promise<Cookie | undefined>;
  /** What getIdentity says. */
  ecid(): Promise<string>;
}

/** Opens `url` and configures the SDK. `config` names the edge, and what else differs from the test's usual. */
export async function openPage(context: BrowserContext, url: string, config: object): Promise<SdkPage> {
  const page = await context.newPage();
  const calls: Request[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).pathname.startsWith('/ee/')) calls.push(request);
  });
  await page.goto(url);
  const command = (name: string, options: object = {}): Promise<unknown> =>
    page.evaluate(`alloy(${JSON.stringify(name)}, ${JSON.stringify(options)})`);
  await command('configure', { datastreamId: 'shop', orgId: ORG, thirdPartyCookiesEnabled: false, ...config });
  return {
    page,
    calls,
    command,
    cookie: async (name) => (await context.cookies()).find((cookie) => cookie.name === COOKIE_PREFIX + name),
    ecid: async () => ((await command('getIdentity')) as { identity: { ECID: string } }).identity.ECID,
  };
}

/** Waits until `isTrue` is; the page and the server work meanwhile. Throws with `what` after 30 s. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`waited 30 s, in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
