import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { launchChromium, openCookieless } from '../support/chromium.ts';
import { weir as command } from '../support/command.ts';
import { keepScreenshot, PERSON, reportOn } from '../support/decision-site.ts';
import { type Server, startServer } from '../support/server.ts';
import { ROOT } from '../support/sources.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** The example whose server asks for the page's content, and hands the answer to the Web SDK. */

let browser: Browser;
let weir: Server;
let site: ChildProcess;
let url: string;
beforeAll(async () => {
  browser = await launchChromium();
  weir = await startServer({ workspace: 'examples/hybrid/workspace' });
  ({ site, url } = await startSite(weir));
});
afterAll(async () => {
  site?.kill();
  await browser?.close();
  await weir?.stop();
});

/** The example's server, asking `server`. */
async function startSite(server: Server): Promise<{ readonly site: ChildProcess; readonly url: string }> {
  const args = [join(ROOT, 'examples/hybrid/server.mjs'), '--edge', server.urls.edge, '--port', '0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(child.stdout!), 'line');
  return { site: child, url: String(line) };
}

/** Displays of each experience that has any. */
async function displays(activity: string, data = weir.data): Promise<Record<string, number>> {
  const { arms } = await reportOn(data, activity);
  return Object.fromEntries(arms.filter((arm) => arm.displays > 0).map((arm) => [arm.experience, arm.displays]));
}
const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, count) => all + count, 0);

const GREETINGS: Readonly<Record<string, string>> = {
  'Good to see you.': 'short',
  'Good to see you. The river is high, and so is the tea shelf.': 'long',
};
const BUTTONS: Readonly<Record<string, string>> = { 'Look around': 'look', 'Come in': 'enter' };

it('server and browser show one experience to one visitor, and count it once', async () => {
  const context = await browser.newContext({ userAgent: PERSON });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  const asked: string[] = [];
  page.on('request', (request) => {
    if ((request.postData() ?? '').includes('decisionScopes')) asked.push(request.url());
  });

  const sent = await page.goto(url);
  const html = await sent!.text();
  const greeting = GREETINGS[(await page.locator('#greeting').textContent())!]!;
  // It was in the page when it left the server: nothing is put in later.
  expect(html).toContain(`<div id="greeting"><p>${await page.locator('#greeting').textContent()}</p></div>`);
  const look = async () => BUTTONS[(await page.locator('#enter').textContent())!];
  await expect.poll(look).toBeDefined();
  const button = (await look())!;
  await keepScreenshot(page, 'hybrid');
  await expect.poll(() => displays('greeting')).toEqual({ [greeting]: 1 });
  await expect.poll(() => displays('button')).toEqual({ [button]: 1 });

  const views = async () => (await weir.events()).filter(({ xdm }) => xdm.eventType === 'web.webpagedetails.pageViews');
  await expect.poll(async () => (await views()).length).toBe(1);
  const set = await sent!.headerValues('set-cookie');
  expect(set.map((cookie) => cookie.split('=')[0]!.split('_').at(-1)).sort()).toEqual(['cluster', 'identity']);
  const ecids = new Set((await weir.events()).map(({ ecid }) => ecid));
  expect(ecids.size).toBe(1);
  const said = await page.evaluate(`alloy('getIdentity').then(({ identity }) => identity.ECID)`);
  expect([...ecids]).toEqual([said]);

  // The same visitor again: the same experience, another display.
  await page.reload();
  await expect.poll(look).toBe(button);
  expect(GREETINGS[(await page.locator('#greeting').textContent())!]).toBe(greeting);
  await expect.poll(() => displays('greeting')).toEqual({ [greeting]: 2 });
  await expect.poll(() => displays('button')).toEqual({ [button]: 2 });
  expect(new Set((await weir.events()).map(({ ecid }) => ecid)).size).toBe(1);
  expect(asked).toEqual([]);
  expect(complaints).toEqual([]);
});

it('another visitor is another, and both are counted', async () => {
  const before = sum(await displays('greeting'));
  const context = await browser.newContext({ userAgent: PERSON });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(url);
  await expect.poll(async () => sum(await displays('greeting'))).toBe(before + 1);
  expect(new Set((await weir.events()).map(({ ecid }) => ecid)).size).toBe(2);
});

it('where the browser keeps no cookies, a page is one visitor all the same, and what it shows is counted', async () => {
  const before = sum(await displays('greeting'));
  const known = new Set((await weir.events()).map(({ ecid }) => ecid));
  const context = await openCookieless(tempFolder(), PERSON);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(url);
  const views = async () =>
    (await weir.events()).filter(({ xdm, ecid }) => xdm.eventType?.endsWith('pageViews') && !known.has(ecid));
  await expect.poll(async () => (await views()).length).toBe(1);
  const seen = (await weir.events()).filter(({ ecid }) => !known.has(ecid));
  expect(seen.map(({ xdm }) => xdm.eventType).sort()).toEqual([
    'decisioning.propositionDisplay',
    'decisioning.propositionFetch',
    'web.webpagedetails.pageViews',
  ]);
  expect(new Set(seen.map(({ ecid }) => ecid)).size).toBe(1);
  expect(sum(await displays('greeting'))).toBe(before + 1);
});

it('an experience without content leaves what is there, and is counted too', async () => {
  const folder = 'examples/hybrid/workspace';
  const server = await startServer({
    workspace: {
      'weir.yaml': readFileSync(join(ROOT, folder, 'weir.yaml'), 'utf8'),
      'datastreams/site.yaml': readFileSync(join(ROOT, folder, 'datastreams/site.yaml'), 'utf8'),
      'activities/greeting.yaml':
        'id: greeting\nscope: greeting\nexperiences: [{ id: control }, { id: long, weight: 0, html: x }]\n',
    },
  });
  onTestFinished(async () => {
    await server.stop();
  });
  const other = await startSite(server);
  onTestFinished(() => void other.site.kill());
  const context = await browser.newContext({ userAgent: PERSON });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const sent = await page.goto(other.url);
  expect([sent!.status(), await page.locator('#greeting').textContent()]).toEqual([200, 'Welcome.']);
  await expect.poll(() => displays('greeting', server.data)).toEqual({ control: 1 });
});

it.each(['short', 'long'])(
  'a preview that is in the cookie is of what the server puts in too: %s',
  async (experience) => {
    const { out } = await command(
      ...['preview', '--activity', 'greeting', '--experience', experience],
      ...['--workspace', weir.workspace, '--data', weir.data],
    );
    const context = await browser.newContext({ userAgent: PERSON });
    onTestFinished(() => context.close());
    await context.addCookies([{ name: 'at_qa_mode', value: out.trim().replace('weir_preview=', ''), url }]);
    for (let visit = 0; visit < 4; visit++) {
      await context.clearCookies({ name: /identity/ });
      const page = await context.newPage();
      await page.goto(url);
      expect(GREETINGS[(await page.locator('#greeting').textContent())!]).toBe(experience);
    }
  },
);
