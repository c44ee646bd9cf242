import { type Browser, chromium } from 'playwright-core';
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

/**
 * A new Chromium. `hosts` sends a name's connections to an address, whatever port the page names:
 * {"www.shop.test": "127.0.0.1:4431"}. Certificates are not checked.
 */
export async function launchChromium(hosts: Readonly<Record<string, string>> = {}): Promise<Browser> {
  const rules = Object.entries(hosts).map(([host, address]) => `MAP ${host} ${address}`);
  return chromium.launch({
    executablePath: pathOf('Chromium'),
    args: [...FLAGS, '--ignore-certificate-errors', `--host-resolver-rules=${rules.join(',')}`],
  });
}
