import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { pathOf } from '../../scripts/lib/tools.mjs';

/** Quiet and alone: no GPU, no UDP, and none of the calls home that a closed network would refuse by the hundred. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** Names to addresses: connections to a name go there, whatever port the page names: {"www.shop.test": "127.0.0.1:4431"}. */
export type Hosts = Readonly<Record<string, string>>;

/** A new Chromium, whose contexts are private windows: they refuse third-party cookies. Certificates are not checked. */
export async function launchChromium(hosts: Hosts = {}): Promise<Browser> {
  return chromium.launch(optionsOf(hosts));
}

/** A new Chromium with a profile in an empty folder, whose settings take third-party cookies: Debian's do not by themselves. */
export async function openProfile(folder: string, hosts: Hosts): Promise<BrowserContext> {
  mkdirSync(join(folder, 'Default'));
  const profile = { cookie_controls_mode: 0, block_third_party_cookies: false };
  writeFileSync(join(folder, 'Default/Preferences'), JSON.stringify({ profile }));
  return chromium.launchPersistentContext(folder, optionsOf(hosts));
}

/** A new Chromium with a profile in an empty folder, whose settings take no cookie at all, and whose user agent is this. */
export async function openCookieless(folder: string, userAgent: string): Promise<BrowserContext> {
  mkdirSync(join(folder, 'Default'));
  const profile = { default_content_setting_values: { cookies: 2 } };
  writeFileSync(join(folder, 'Default/Preferences'), JSON.stringify({ profile }));
  return chromium.launchPersistentContext(folder, { ...optionsOf({}), userAgent });
}

function optionsOf(hosts: Hosts) {
  const rules = Object.entries(hosts).map(([host, address]) => `MAP ${host} ${address}`);
  return {
    executablePath: pathOf('Chromium'),
    args: [...FLAGS, '--ignore-certificate-errors', `--host-resolver-rules=${rules.join(',')}`],
  };
}
