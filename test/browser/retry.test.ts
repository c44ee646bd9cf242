import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { launchChromium } from '../support/chromium.ts';
import { type Server, startServer } from '../support/server.ts';
import { type Fate, TlsProxy } from '../support/tls-proxy.ts';
import { openPage, pageWorkspace } from '../support/web-sdk-page.ts';

/** The real Web SDK, and a proxy before Weir that loses things: what the SDK sends again is one event of one visitor. */

const PAGE = 'https://www.shop.test/';
const folder = mkdtempSync(join(tmpdir(), 'weir-tls-'));
let server: Server;
let proxy: TlsProxy;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  server = await startServer({ workspace: pageWorkspace('proxies: [127.0.0.1/32]\n') });
  proxy = await TlsProxy.start(server.urls.edge, makeCertificate(folder, ['www.shop.test', 'data.shop.test']));
  browser = await launchChromium({ '*.test': proxy.address });
});
afterAll(async () => {
  await browser?.close();
  await proxy?.stop();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
});

const CASES: readonly (readonly [string, readonly Fate[], number])[] = [
  ['the request was refused once', ['refuse'], 2],
  ['the request was refused twice', ['refuse', 'refuse'], 3],
  ['the answer was lost, after the event was stored', ['lose-answer'], 2],
  ['the answer was lost twice', ['lose-answer', 'lose-answer'], 3],
  ['the request was refused, then the answer lost', ['refuse', 'lose-answer'], 3],
];

it.each(CASES)('%s: one event, one ECID', async (name, fates, calls) => {
  proxy.fates.push(...fates);
  const sdk = await openPage(context, PAGE, { edgeDomain: 'data.shop.test' });
  await sdk.command('sendEvent', { xdm: { eventType: name } });
  expect(sdk.calls).toHaveLength(calls);
  expect(new Set(sdk.calls.map((call) => call.url())).size, 'one requestId').toBe(1);
  const events = (await server.events()).filter(({ xdm }) => xdm.eventType === name);
  expect(events.map(({ ecid }) => ecid)).toEqual([await sdk.ecid()]);
  await sdk.command('sendEvent', { xdm: { eventType: `after ${name}` } });
  const after = (await server.events()).filter(({ xdm }) => xdm.eventType === `after ${name}`);
  expect(after.map(({ ecid }) => ecid)).toEqual([await sdk.ecid()]);
});

it('an outage that outlasts the retries is an error that names it, and nothing is stored', async () => {
  proxy.fates.push('refuse', 'refuse', 'refuse', 'refuse');
  const sdk = await openPage(context, PAGE, { edgeDomain: 'data.shop.test' });
  await expect(sdk.command('sendEvent', { xdm: { eventType: 'outage' } })).rejects.toThrow('503');
  expect(sdk.calls).toHaveLength(4);
  expect((await server.events()).filter(({ xdm }) => xdm.eventType === 'outage')).toEqual([]);
});
