import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { launchChromium } from '../support/chromium.ts';
import { type Server, startServer } from '../support/server.ts';
import { TC_IN, TC_OUT } from '../support/tc-strings.ts';
import { openPage, pageWorkspace, type SdkPage, until } from '../support/web-sdk-page.ts';

/** Consent by the real Web SDK: what waits, what is dropped, TC strings, and two orgs on one page. */

const SHOP = 'https://www.shop.test/';
const CONFIG = { edgeDomain: 'data.shop.test' };
const OTHER_ORG = '7ABB3E6A5A7491460A495D61@AdobeOrg';
const folder = mkdtempSync(join(tmpdir(), 'weir-consent-'));
let server: Server;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  const { cert, key } = makeCertificate(folder, ['www.shop.test', 'data.shop.test']);
  const files = pageWorkspace();
  const second = '(...command) => new Promise((resolve, reject) => window.second.q.push([resolve, reject, command]))';
  server = await startServer({
    args: ['--tls-port', '0', '--tls-cert', cert, '--tls-key', key],
    workspace: {
      ...files,
      'datastreams/waiting.yaml': `${files['datastreams/shop.yaml']!.replace('id: shop', 'id: waiting')}consent: { default: pending }\n`,
      'datastreams/other.yaml': `id: other\norg: ${OTHER_ORG}\nname: Other\n`,
      'site/two.html': files['site/index.html']!.replace("['alloy']", "['alloy', 'second']").replace(
        'window.alloy.q = [];',
        `window.alloy.q = []; window.second = ${second}; window.second.q = [];`,
      ),
    },
  });
  browser = await launchChromium({ '*.test': new URL(server.urls.edgeTls ?? '').host });
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(() => context.close());

const event = (eventType: string, xdm: object = {}) => ({ xdm: { eventType, ...xdm } });
const adobe = (general: string) => ({ consent: [{ standard: 'Adobe', version: '1.0', value: { general } }] });
const tcf = (value: string) => ({ consent: [{ standard: 'IAB TCF', version: '2.2', value, gdprApplies: true }] });
const pathsOf = (sdk: SdkPage) => sdk.calls.map((call) => new URL(call.url()).pathname.replace(/^\/ee(\/or2)?/, ''));

/** The types of the visitor's events, once the last of them is there. */
async function stored(ecid: string, last: string): Promise<readonly unknown[]> {
  let types: readonly unknown[] = [];
  await until(`'${last}' of ${ecid} in the log`, async () => {
    types = (await server.events()).filter((one) => one.ecid === ecid).map(({ xdm }) => xdm.eventType);
    return types.includes(last);
  });
  return types;
}

describe('what waits for consent', () => {
  it('is sent once it is given, all of it', async () => {
    const sdk = await openPage(context, SHOP, { ...CONFIG, defaultConsent: 'pending' });
    const sent = ['first', 'second'].map((type) => sdk.command('sendEvent', event(type)));
    expect(sdk.calls).toHaveLength(0);
    await sdk.command('setConsent', adobe('in'));
    await Promise.all(sent);
    expect(pathsOf(sdk)[0]).toBe('/v1/privacy/set-consent');
    expect((await stored(await sdk.ecid(), 'second')).toSorted()).toEqual(['first', 'second']);
  });

  it('is dropped once it is refused, and what comes after it is given is sent', async () => {
    const sdk = await openPage(context, SHOP, { ...CONFIG, defaultConsent: 'pending' });
    const sent = sdk.command('sendEvent', event('dropped'));
    await sdk.command('setConsent', adobe('out'));
    await sent;
    expect(pathsOf(sdk)).toEqual(['/v1/privacy/set-consent']);
    await sdk.command('setConsent', adobe('in'));
    await sdk.command('sendEvent', event('after'));
    expect(await stored(await sdk.ecid(), 'after')).toEqual(['after']);
  });

  it('that the page does not hold back, the server does, where its datastream says so', async () => {
    const sdk = await openPage(context, SHOP, { ...CONFIG, datastreamId: 'waiting' });
    await sdk.command('sendEvent', event('too early'));
    await sdk.command('setConsent', adobe('in'));
    await sdk.command('sendEvent', event('after'));
    expect(await stored(await sdk.ecid(), 'after')).toEqual(['after']);
  });
});

describe('TC strings', () => {
  it('by setConsent: what one allows is sent, what the next refuses is not', async () => {
    const sdk = await openPage(context, SHOP, { ...CONFIG, defaultConsent: 'pending' });
    const waited = sdk.command('sendEvent', event('waited'));
    await sdk.command('setConsent', tcf(TC_IN));
    await waited;
    expect((await sdk.cookie('consent'))?.value).toBe('general=in');
    await sdk.command('setConsent', tcf(TC_OUT));
    expect((await sdk.cookie('consent'))?.value).toBe('general=out');
    const calls = sdk.calls.length;
    await sdk.command('sendEvent', event('refused'));
    expect(sdk.calls).toHaveLength(calls);
    await sdk.command('setConsent', tcf(TC_IN));
    await sdk.command('sendEvent', event('again'));
    expect(await stored(await sdk.ecid(), 'again')).toEqual(['waited', 'again']);
  });

  it('with an event: the SDK learns from the answer what holds', async () => {
    const strings = (consentStringValue: string) => ({
      consentStrings: [
        {
          ...{ consentStandard: 'IAB TCF', consentStandardVersion: '2.2', consentStringValue },
          ...{ gdprApplies: true, containsPersonalData: false },
        },
      ],
    });
    const sdk = await openPage(context, SHOP, CONFIG);
    await sdk.command('sendEvent', event('allowed', strings(TC_IN)));
    const ecid = await sdk.ecid();
    await sdk.command('sendEvent', event('refused', strings(TC_OUT)));
    expect((await sdk.cookie('consent'))?.value).toBe('general=out');
    const calls = sdk.calls.length;
    await sdk.command('sendEvent', event('not sent'));
    expect(sdk.calls).toHaveLength(calls);
    expect(await stored(ecid, 'allowed')).toEqual(['allowed']);
  });
});

it('two orgs on one page: who is out of one is not out of the other', async () => {
  const sdk = await openPage(context, `${SHOP}two.html`, CONFIG);
  const second = (command: string, options: object): Promise<unknown> =>
    sdk.page.evaluate(`second(${JSON.stringify(command)}, ${JSON.stringify(options)})`);
  const other = { datastreamId: 'other', orgId: OTHER_ORG, thirdPartyCookiesEnabled: false, ...CONFIG };
  await second('configure', other);
  await Promise.all([sdk.command('sendEvent', event('one')), second('sendEvent', event('one'))]);
  // Who is out is not told their ECID.
  const ecid = await sdk.ecid();
  await sdk.command('setConsent', adobe('out'));
  await Promise.all([sdk.command('sendEvent', event('two')), second('sendEvent', event('two'))]);
  const { identity } = (await second('getIdentity', {})) as { identity: { ECID: string } };
  expect(await stored(identity.ECID, 'two')).toEqual(['one', 'two']);
  expect(await stored(ecid, 'one')).toEqual(['one']);
});
