import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { launchChromium } from '../support/chromium.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { type Server, startServer } from '../support/server.ts';
import { openPage, pageWorkspace } from '../support/web-sdk-page.ts';

/** The usual set-up: nginx has the certificate and the names, Weir is behind it on plain http and believes its headers. */

const PAGE = 'https://www.shop.test/';
const EDGE = { edgeDomain: 'data.shop.test' };

interface SetUp {
  readonly server: Server;
  readonly nginx: Nginx;
  readonly browser: Browser;
}

const folder = mkdtempSync(join(tmpdir(), 'weir-nginx-'));
let trusting: SetUp;
let suspicious: SetUp;
let context: BrowserContext;

async function setUp(name: string, options: string): Promise<SetUp> {
  const server = await startServer({ workspace: pageWorkspace(options) });
  const nginxFolder = mkdtempSync(join(folder, name));
  const files = makeCertificate(nginxFolder, ['www.shop.test', 'data.shop.test']);
  const nginx = await startNginx({ folder: nginxFolder, ...files, edge: server.urls.edge });
  return { server, nginx, browser: await launchChromium({ '*.test': nginx.address }) };
}

beforeAll(async () => {
  trusting = await setUp('trusting', 'proxies: [127.0.0.1]\n');
  suspicious = await setUp('suspicious', '');
});
afterAll(async () => {
  for (const one of [trusting, suspicious]) {
    await one?.browser.close();
    await one?.nginx.stop();
    await one?.server.stop();
  }
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await context?.close();
});

it('a page view, an event and a beacon are stored for one visitor, with first-party cookies that are secure', async () => {
  context = await trusting.browser.newContext();
  const sdk = await openPage(context, PAGE, EDGE);
  const answered = sdk.page.waitForResponse((response) => response.url().includes('/interact'));
  await sdk.command('sendEvent', { xdm: { eventType: 'web.webpagedetails.pageViews' } });
  const answer = await answered;
  expect(await answer.headerValues('set-cookie')).toEqual([
    expect.stringMatching(/_cluster=or2; Max-Age=1800; Path=\/; Domain=shop\.test; SameSite=None; Secure$/),
    expect.stringMatching(/_identity=[\w-]+; Max-Age=34128000; Path=\/; Domain=shop\.test; SameSite=None; Secure$/),
  ]);
  expect(await sdk.cookie('identity')).toMatchObject({ domain: '.shop.test', secure: true, sameSite: 'None' });
  await sdk.command('sendEvent', { xdm: { eventType: 'second' } });
  await sdk.command('sendEvent', { documentUnloading: true, xdm: { eventType: 'leaving' } });
  await expect.poll(async () => (await trusting.server.events()).length).toBe(3);
  const ecid = await sdk.ecid();
  expect((await trusting.server.events()).map((event) => [event.xdm.eventType, event.ecid])).toEqual([
    ['web.webpagedetails.pageViews', ecid],
    ['second', ecid],
    ['leaving', ecid],
  ]);
});

it('a proxy that Weir was not told of is not believed: no cookie is set for a name that nobody vouches for', async () => {
  context = await suspicious.browser.newContext();
  const sdk = await openPage(context, PAGE, EDGE);
  const answered = sdk.page.waitForResponse((response) => response.url().includes('/interact'));
  await sdk.command('sendEvent', { xdm: { eventType: 'first' } });
  expect(await (await answered).headerValues('set-cookie')).toEqual([]);
  // The SDK writes them itself, from the answer: it is one visitor all the same.
  await sdk.command('sendEvent', { xdm: { eventType: 'second' } });
  const ecid = await sdk.ecid();
  expect((await suspicious.server.events()).map((event) => event.ecid)).toEqual([ecid, ecid]);
});
