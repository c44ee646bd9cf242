import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { type Hosts, launchChromium, openProfile } from '../support/chromium.ts';
import { type Server, startServer } from '../support/server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { ORG, openPage, pageWorkspace, type SdkPage, until } from '../support/web-sdk-page.ts';

/** How the real Web SDK's visitors are known again: over migrations, domains, purged cookies, orgs and third-party cookies. */

const SHOP = 'https://www.shop.test/';
const BLOG = 'https://www.blog.test/';
const FIRST_PARTY = { edgeDomain: 'data.shop.test' };
const THIRD_PARTY = { edgeDomain: 'edge.other.test' };
/** The Web SDK has this name built in. */
const DEMDEX = 'adobedc.demdex.net';
const OTHER_ORG = '7ABB3E6A5A7491460A495D61@AdobeOrg';
const ECID = '41861666193140161934276845651148876988';
const FPID = '8f1c0b6e-3d52-4c7a-9e41-5a7b90c3d21f';

const folder = mkdtempSync(join(tmpdir(), 'weir-identity-'));
let server: Server;
let hosts: Hosts;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  const names = ['www.shop.test', 'www.blog.test', 'data.shop.test', 'edge.other.test', DEMDEX];
  const { cert, key } = makeCertificate(folder, names);
  const tls = ['--tls-port', '0', '--tls-cert', cert, '--tls-key', key];
  const files = pageWorkspace(`thirdParty: { hosts: [${DEMDEX}] }\n`);
  const workspace = {
    ...files,
    'datastreams/shop.yaml': `${files['datastreams/shop.yaml']}identity: { fpidCookie: FPID }\n`,
    'datastreams/other.yaml': `id: other\norg: ${OTHER_ORG}\nname: Other\n`,
    'site/two.html': files['site/index.html']!.replace("['alloy']", "['alloy', 'second']").replace(
      'window.alloy.q = [];',
      'window.alloy.q = []; window.second = (...command) => new Promise((resolve, reject) => window.second.q.push([resolve, reject, command])); window.second.q = [];',
    ),
  };
  server = await startServer({ workspace, args: tls });
  const { host } = new URL(server.urls.edgeTls ?? '');
  hosts = { '*.test': host, [DEMDEX]: host };
  browser = await launchChromium(hosts);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
});

const PAGE_VIEW = { xdm: { eventType: 'web.webpagedetails.pageViews' } };
const hostsOf = (sdk: SdkPage): string[] => sdk.calls.map((call) => new URL(call.url()).hostname);
const bodyOf = (sdk: SdkPage, index = 0) => JSON.parse(sdk.calls[index]!.postData() ?? '');

async function stored(ecid: string): Promise<void> {
  await until(`an event of ${ecid}`, async () => (await server.events()).some((event) => event.ecid === ecid));
}

describe.each([
  ['first-party', FIRST_PARTY],
  ['third-party', THIRD_PARTY],
])('with a %s edge', (_, config) => {
  it('a visitor of the Visitor API keeps the ECID, and has it in the identity cookie from then on', async () => {
    const name = `AMCV_${encodeURIComponent(ORG)}`;
    await context.addCookies([{ name, value: `1176715910%7CMCMID%7C${ECID}`, domain: '.shop.test', path: '/' }]);
    const sdk = await openPage(context, SHOP, config);
    await sdk.command('sendEvent', PAGE_VIEW);
    expect(await sdk.ecid()).toBe(ECID);
    await stored(ECID);
    await context.clearCookies({ name });
    const next = await openPage(context, SHOP, { ...config, idMigrationEnabled: false });
    expect(await next.ecid()).toBe(ECID);
  });

  it('a link to another domain hands the ECID over', async () => {
    const sdk = await openPage(context, SHOP, config);
    await sdk.command('sendEvent', PAGE_VIEW);
    const { url } = (await sdk.command('appendIdentityToUrl', { url: BLOG })) as { url: string };
    expect(url).toContain('adobe_mc=');
    const there = await openPage(context, url, THIRD_PARTY);
    await there.command('sendEvent', PAGE_VIEW);
    expect(await there.ecid()).toBe(await sdk.ecid());
    const later = await openPage(context, BLOG, THIRD_PARTY);
    expect(await later.ecid()).toBe(await sdk.ecid());
    expect(await (await openPage(context, SHOP, config)).ecid()).toBe(await sdk.ecid());
  });
});

it('a device with an FPID cookie has its ECID back when scripts’ cookies were purged, also in a new window', async () => {
  const cookie = { name: 'FPID', value: FPID, domain: '.shop.test', path: '/', httpOnly: true, secure: true };
  await context.addCookies([cookie]);
  const sdk = await openPage(context, SHOP, FIRST_PARTY);
  await sdk.command('sendEvent', PAGE_VIEW);
  const ecid = await sdk.ecid();
  await context.clearCookies({ name: /^kndctr_/ });
  expect(await (await openPage(context, SHOP, FIRST_PARTY)).ecid()).toBe(ecid);
  const elsewhere = await browser.newContext();
  await elsewhere.addCookies([cookie]);
  expect(await (await openPage(elsewhere, SHOP, FIRST_PARTY)).ecid()).toBe(ecid);
  await elsewhere.close();
  const stranger = await browser.newContext();
  expect(await (await openPage(stranger, SHOP, FIRST_PARTY)).ecid()).not.toBe(ecid);
  await stranger.close();
});

it('two instances with two orgs on one page have an ECID each, and keep it', async () => {
  const visit = async (): Promise<[string, string]> => {
    const sdk = await openPage(context, `${SHOP}two.html`, FIRST_PARTY);
    const config = { datastreamId: 'other', orgId: OTHER_ORG, thirdPartyCookiesEnabled: false, ...FIRST_PARTY };
    const second = (command: string, options: object): Promise<unknown> =>
      sdk.page.evaluate(`second(${JSON.stringify(command)}, ${JSON.stringify(options)})`);
    await second('configure', config);
    await Promise.all([sdk.command('sendEvent', PAGE_VIEW), second('sendEvent', PAGE_VIEW)]);
    const { identity } = (await second('getIdentity', {})) as { identity: { ECID: string } };
    return [await sdk.ecid(), identity.ECID];
  };
  const first = await visit();
  expect(first[0]).not.toBe(first[1]);
  expect(await visit()).toEqual(first);
  const datastreams = async (ecid: string) =>
    new Set((await server.events()).filter((event) => event.ecid === ecid).map(({ datastreamId }) => datastreamId));
  for (const ecid of first) await stored(ecid);
  expect([await datastreams(first[0]), await datastreams(first[1])]).toEqual([new Set(['shop']), new Set(['other'])]);
});

describe('third-party cookies', () => {
  const config = { ...THIRD_PARTY, thirdPartyCookiesEnabled: true };
  const coreOf = async (sdk: SdkPage): Promise<string | undefined> => {
    const answer = (await sdk.command('getIdentity', { namespaces: ['CORE'] })) as { identity: { CORE?: string } };
    return answer.identity.CORE;
  };
  const demdex = async (of = context) => (await of.cookies(`https://${DEMDEX}/`)).find(({ name }) => name === 'demdex');

  const opened = async (): Promise<BrowserContext> => {
    const profile = await openProfile(tempFolder(), hosts);
    onTestFinished(() => profile.close());
    return profile;
  };

  it('on: two sites know the visitor by one id, which every host answers', async () => {
    const profile = await opened();
    const shop = await openPage(profile, SHOP, config);
    await shop.command('sendEvent', PAGE_VIEW);
    expect(hostsOf(shop)).toEqual([DEMDEX]);
    expect(bodyOf(shop).query.identity.fetch).toEqual(['ECID', 'CORE']);
    const { value: core } = (await demdex(profile))!;
    await stored(await shop.ecid());
    const blog = await openPage(profile, BLOG, config);
    expect(await blog.ecid()).toBe(await shop.ecid());
    expect((await demdex(profile))?.value).toBe(core);
    await blog.command('sendEvent', PAGE_VIEW);
    expect(hostsOf(blog).at(-1)).toBe('edge.other.test');
    expect(await coreOf(await openPage(profile, SHOP, config))).toBe(core);
  });

  it('on, and two orgs: two ECIDs by the same id', async () => {
    const profile = await opened();
    const shop = await openPage(profile, SHOP, config);
    await shop.command('sendEvent', PAGE_VIEW);
    const other = { ...config, datastreamId: 'other', orgId: OTHER_ORG };
    const blog = await openPage(profile, BLOG, other);
    await blog.command('sendEvent', PAGE_VIEW);
    expect(hostsOf(blog)).toEqual([DEMDEX]);
    expect(await blog.ecid()).not.toBe(await shop.ecid());
    expect(await coreOf(blog)).toBe(await coreOf(shop));
  });

  it('refused by the browser, as in a private window: each site knows its visitor all the same', async () => {
    const refusing = async (url: string): Promise<SdkPage> => {
      const sdk = await openPage(context, url, config);
      await sdk.command('sendEvent', PAGE_VIEW);
      return sdk;
    };
    const shop = await refusing(SHOP);
    expect(await demdex()).toBeUndefined();
    expect(hostsOf(shop)).toEqual([DEMDEX]);
    const again = await refusing(SHOP);
    expect(await again.ecid()).toBe(await shop.ecid());
    expect(hostsOf(again)).not.toContain(DEMDEX);
    expect(await (await refusing(BLOG)).ecid()).not.toBe(await shop.ecid());
  });

  it('off in the SDK: that host is never called', async () => {
    const sdk = await openPage(context, SHOP, { ...config, thirdPartyCookiesEnabled: false });
    await sdk.command('sendEvent', PAGE_VIEW);
    expect([hostsOf(sdk), await demdex()]).toEqual([['edge.other.test'], undefined]);
    expect(bodyOf(sdk).query.identity.fetch).toEqual(['ECID']);
  });
});
