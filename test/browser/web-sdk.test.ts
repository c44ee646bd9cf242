import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { launchChromium } from '../support/chromium.ts';
import { type EventLine, type Server, startServer } from '../support/server.ts';
import { openPage, pageWorkspace, type SdkPage, until } from '../support/web-sdk-page.ts';

/**
 * The real Web SDK as it comes from npm, without a shim: https, the TLS listener, and names that Chromium is told to find
 * at its port. The page is www.shop.test; the edge is data.shop.test (first-party) or edge.other.test (third-party).
 */

const PAGE = 'https://www.shop.test/';
const FIRST_PARTY = { edgeDomain: 'data.shop.test' };
const THIRD_PARTY = { edgeDomain: 'edge.other.test' };

const folder = mkdtempSync(join(tmpdir(), 'weir-tls-'));
let server: Server;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  const { cert, key } = makeCertificate(folder, ['www.shop.test', 'data.shop.test', 'edge.other.test']);
  const tls = ['--tls-port', '0', '--tls-cert', cert, '--tls-key', key];
  server = await startServer({ workspace: pageWorkspace(), args: tls });
  const { host } = new URL(server.urls.edgeTls ?? '');
  browser = await launchChromium({ 'plain.shop.test': new URL(server.urls.edge).host, '*.test': host });
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

/** The visitor's events, once there are at least `count`. */
async function storedOf(sdk: SdkPage, count: number): Promise<readonly EventLine[]> {
  const ecid = await sdk.ecid();
  let events: readonly EventLine[] = [];
  await until(`${count} events of ${ecid} in the log`, async () => {
    events = (await server.events()).filter((event) => event.ecid === ecid);
    return events.length >= count;
  });
  return events;
}

describe.each([
  ['first-party', FIRST_PARTY],
  ['third-party', THIRD_PARTY],
])('with a %s edge', (_, config) => {
  it('a page view is stored under the ECID that the SDK was given', async () => {
    const sdk = await openPage(context, PAGE, config);
    await sdk.command('sendEvent', PAGE_VIEW);
    const events = await storedOf(sdk, 1);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      datastreamId: 'shop',
      ecid: expect.stringMatching(/^\d{38}$/),
      xdm: { ...PAGE_VIEW.xdm, web: { webPageDetails: { URL: PAGE } } },
    });
  });

  it('a second event has the same ECID, also from the next page, and goes to the region of the first answer', async () => {
    const sdk = await openPage(context, PAGE, config);
    await sdk.command('sendEvent', PAGE_VIEW);
    await sdk.command('sendEvent', { xdm: { eventType: 'second' } });
    const next = await openPage(context, `${PAGE}?page=2`, config);
    await next.command('sendEvent', { xdm: { eventType: 'third' } });
    const events = await storedOf(sdk, 3);
    expect(events.map(({ xdm }) => xdm.eventType)).toEqual([PAGE_VIEW.xdm.eventType, 'second', 'third']);
    expect(await next.ecid()).toBe(await sdk.ecid());
    const paths = [...sdk.calls, ...next.calls].map((call) => new URL(call.url()).pathname);
    expect(paths).toEqual(['/ee/v1/interact', '/ee/or2/v1/interact', '/ee/or2/v1/interact']);
  });

  it('events that start together are of one visitor', async () => {
    const sdk = await openPage(context, PAGE, config);
    await Promise.all([1, 2, 3].map((n) => sdk.command('sendEvent', { xdm: { eventType: `event ${n}` } })));
    expect(await storedOf(sdk, 3)).toHaveLength(3);
  });

  it('getIdentity answers before the first event, and the event is of that ECID', async () => {
    const sdk = await openPage(context, PAGE, config);
    const answer = await sdk.command('getIdentity');
    expect(answer).toMatchObject({ identity: { ECID: expect.stringMatching(/^\d{38}$/) }, edge: { regionId: 9 } });
    expect(new URL(sdk.calls[0]!.url()).pathname).toBe('/ee/v1/identity/acquire');
    await sdk.command('sendEvent', PAGE_VIEW);
    expect(await storedOf(sdk, 1)).toHaveLength(1);
  });

  it('an event of a page that is about to go is a beacon to collect, and stored', async () => {
    const sdk = await openPage(context, PAGE, config);
    await sdk.command('sendEvent', PAGE_VIEW);
    await sdk.command('sendEvent', { documentUnloading: true, xdm: { eventType: 'leaving' } });
    const beacon = sdk.calls.at(-1)!;
    expect([new URL(beacon.url()).pathname, beacon.resourceType()]).toEqual(['/ee/or2/v1/collect', 'ping']);
    await sdk.page.evaluate(
      `addEventListener('pagehide', () => alloy('sendEvent', { documentUnloading: true, xdm: { eventType: 'left' } }))`,
    );
    await sdk.page.goto(`${PAGE}?page=2`);
    const next = await openPage(context, PAGE, config);
    const events = await storedOf(next, 3);
    expect(events.map(({ xdm }) => xdm.eventType)).toEqual([PAGE_VIEW.xdm.eventType, 'leaving', 'left']);
  });

  it('consent withdrawn stops events, at the server too, and given again lets them through', async () => {
    const consent = (general: string) => ({ consent: [{ standard: 'Adobe', version: '1.0', value: { general } }] });
    const sdk = await openPage(context, PAGE, config);
    await sdk.command('sendEvent', PAGE_VIEW);
    await sdk.command('setConsent', consent('out'));
    expect((await sdk.cookie('consent'))?.value).toMatch(/^general=out$/);
    const calls = sdk.calls.length;
    await sdk.command('sendEvent', { xdm: { eventType: 'declined here' } });
    expect(sdk.calls).toHaveLength(calls);
    // A page that does not know of the choice still sends; the server remembers.
    await context.clearCookies({ name: /_consent$/ });
    const forgetful = await openPage(context, PAGE, config);
    await forgetful.command('sendEvent', { xdm: { eventType: 'declined there' } });
    expect(forgetful.calls).toHaveLength(1);
    await forgetful.command('setConsent', consent('in'));
    await forgetful.command('sendEvent', { xdm: { eventType: 'allowed again' } });
    const events = await storedOf(forgetful, 2);
    expect(events.map(({ xdm }) => xdm.eventType)).toEqual([PAGE_VIEW.xdm.eventType, 'allowed again']);
  });

  it('events that wait for consent are sent once it is given', async () => {
    const sdk = await openPage(context, PAGE, { ...config, defaultConsent: 'pending' });
    const sent = sdk.command('sendEvent', PAGE_VIEW);
    await sdk.command('setConsent', {
      consent: [{ standard: 'Adobe', version: '2.0', value: { collect: { val: 'y' } } }],
    });
    await sent;
    expect(await storedOf(sdk, 1)).toHaveLength(1);
  });

  it('a datastream that does not exist is refused with an error that the developer can read', async () => {
    const sdk = await openPage(context, PAGE, { ...config, datastreamId: 'nope' });
    const failure = await sdk.command('sendEvent', PAGE_VIEW).then(() => 'none', String);
    expect(failure).toContain('status code 400');
    expect(failure).toContain('https://ns.adobe.com/aep/errors/EXEG-0003-400');
    expect(failure).toContain("'nope'");
  });
});

describe('cookies', () => {
  it('of a first-party edge come by Set-Cookie, for the whole site, and are sent back', async () => {
    const sdk = await openPage(context, PAGE, FIRST_PARTY);
    const answered = sdk.page.waitForResponse((response) => response.url().includes('/interact'));
    await sdk.command('sendEvent', PAGE_VIEW);
    const answer = await answered;
    const set = await answer.headerValues('set-cookie');
    expect(set).toEqual([
      expect.stringMatching(
        /^kndctr_\w+_cluster=or2; Max-Age=1800; Path=\/; Domain=shop\.test; SameSite=None; Secure$/,
      ),
      expect.stringMatching(
        /^kndctr_\w+_identity=[\w-]+; Max-Age=34128000; Path=\/; Domain=shop\.test; SameSite=None; Secure$/,
      ),
    ]);
    const { handle } = (await answer.json()) as { handle: { type: string }[] };
    expect(handle.map(({ type }) => type)).not.toContain('state:store');
    expect(await sdk.cookie('identity')).toMatchObject({ domain: '.shop.test', secure: true, httpOnly: false });
    await sdk.command('sendEvent', PAGE_VIEW);
    expect(await sdk.calls[1]!.headerValue('cookie')).toContain('_identity=');
    expect(JSON.parse(sdk.calls[1]!.postData() ?? '').meta.state).not.toHaveProperty('entries');
  });

  it('of a third-party edge come in the answer, and go back in the body', async () => {
    const sdk = await openPage(context, PAGE, THIRD_PARTY);
    const answered = sdk.page.waitForResponse((response) => response.url().includes('/interact'));
    await sdk.command('sendEvent', PAGE_VIEW);
    expect(await (await answered).headerValues('set-cookie')).toEqual([]);
    expect(await sdk.cookie('identity')).toMatchObject({ domain: '.shop.test', secure: true, sameSite: 'None' });
    await sdk.command('sendEvent', PAGE_VIEW);
    expect(await sdk.calls[1]!.headerValue('cookie')).toBeNull();
    expect(JSON.parse(sdk.calls[1]!.postData() ?? '').meta.state.entries).toHaveLength(2);
  });

  it('of a page over plain http come from an edge on another domain: what waited for consent is sent, by one visitor', async () => {
    const plain = 'http://plain.shop.test/';
    const config = { ...THIRD_PARTY, defaultConsent: 'pending', idMigrationEnabled: false };
    const sdk = await openPage(context, plain, config);
    const sent = sdk.command('sendEvent', PAGE_VIEW);
    await sdk.command('setConsent', { consent: [{ standard: 'Adobe', version: '1.0', value: { general: 'in' } }] });
    await sent;
    const next = await openPage(context, `${plain}?page=2`, config);
    await next.command('sendEvent', PAGE_VIEW);
    expect(await storedOf(sdk, 2)).toHaveLength(2);
    for (const name of ['identity', 'consent']) {
      expect(await sdk.cookie(name)).toMatchObject({ domain: '.shop.test', secure: false, sameSite: 'Lax' });
    }
  });
});
