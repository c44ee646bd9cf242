import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { networkProblem } from '../../src/config/networks.ts';
import { TrustedProxies } from '../../src/net/proxies.ts';

describe('networks', () => {
  test.each([
    '10.0.0.0/8',
    '192.0.2.7',
    '0.0.0.0/0',
    '192.0.2.7/32',
    'fd00::/8',
    '::1',
    '::/0',
    '::1/128',
    '::ffff:10.0.0.0/104',
    '::ffff:a00:0/96',
  ])('%s is one', (text) => {
    expect(networkProblem(text)).toBeNull();
  });

  test.each([
    ['', 'It takes an address'],
    ['proxy.local', 'It takes an address'],
    ['10.0.0', 'It takes an address'],
    ['10.0.0.0.0/8', 'It takes an address'],
    ['fe80::1%eth0', 'It takes an address'],
    ['10.0.0.0/33', 'from 0 to 32'],
    ['10.0.0.0/', 'from 0 to 32'],
    ['10.0.0.0/a', 'from 0 to 32'],
    ['10.0.0.0/-1', 'from 0 to 32'],
    ['10.0.0.0/8/8', 'from 0 to 32'],
    ['fd00::/129', 'from 0 to 128'],
    ['::ffff:10.0.0.0/95', 'begin at /96'],
    ['::ffff:a00:0/8', 'begin at /96'],
  ])('%s is none', (text, remedy) => {
    expect(networkProblem(text)).toContain(remedy);
  });

  test('what is taken here is taken when the server starts, and nothing else', () => {
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4().map((ip) => `::ffff:${ip}`),
      fc.string({ maxLength: 12 }),
    );
    const suffix = fc.oneof(
      fc.constant(''),
      fc.integer({ min: -1, max: 140 }).map((n) => `/${n}`),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(address, suffix, (ip, rest) => {
        const text = ip + rest;
        let starts = true;
        try {
          new TrustedProxies([text]);
        } catch {
          starts = false;
        }
        expect(networkProblem(text) === null).toBe(starts);
      }),
    );
  });
});
