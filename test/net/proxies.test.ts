import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORWARDED_HOPS_MAX, HOST_CHARACTERS_MAX, type SenderFields, TrustedProxies } from '../../src/net/proxies.ts';

const LOOPBACK = ['127.0.0.1', '::1'];
const PRIVATE = [...LOOPBACK, '10.0.0.0/8', 'fd00::/8'];

function resolve(cidrs: readonly string[], peer: string, headers: SenderFields, encrypted = false) {
  return new TrustedProxies(cidrs).resolve(peer, { host: 'edge.test', ...headers }, encrypted);
}
const forwarded = (list: string): SenderFields => ({ 'x-forwarded-for': list });

describe('without proxies', () => {
  test('the connection is believed, and no header', () => {
    const headers = { 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'bank.test' };
    expect(resolve([], '127.0.0.1', headers)).toEqual({ ip: '127.0.0.1', host: 'edge.test', https: false });
    expect(resolve([], '127.0.0.1', headers, true).https).toBe(true);
    expect(resolve(PRIVATE, '192.0.2.9', headers)).toEqual({ ip: '192.0.2.9', host: 'edge.test', https: false });
  });

  test.each([
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8::1', '2001:db8::1'],
    ['', ''],
  ])('a peer %s is %s', (peer, ip) => {
    expect(resolve([], peer, {}).ip).toBe(ip);
  });
});

describe('the host name', () => {
  const longest = `${'a'.repeat(HOST_CHARACTERS_MAX - 5)}.test`;
  test.each([
    ['shop.test', 'shop.test'],
    ['Shop.Test', 'shop.test'],
    ['shop.test:8080', 'shop.test'],
    ['shop.test:', 'shop.test'],
    ['localhost:65535', 'localhost'],
    ['192.0.2.7:80', '192.0.2.7'],
    ['[::1]', '[::1]'],
    ['[::1]:8080', '[::1]'],
    ['[2001:DB8::1]:443', '[2001:db8::1]'],
    ['a_b-c.test', 'a_b-c.test'],
    [longest, longest],
    [`${longest}:443`, longest],
    [`a${longest}`, ''],
    ['', ''],
    [':80', ''],
    ['[::1', ''],
    ['[shop]', ''],
    ['[]:80', ''],
    ['[fe80::1%eth0]', ''],
    ['::1', ''],
    ['shop.test:80x', ''],
    ['user@shop.test', ''],
    ['shop test', ''],
    ['shop.test/x', ''],
    ['shöp.test', ''],
    ['shop.test, other.test', ''],
  ])('%s is %s', (host, name) => {
    expect(resolve([], '192.0.2.1', { host }).host).toBe(name);
  });

  test('absent is empty', () => {
    expect(new TrustedProxies([]).resolve('192.0.2.1', {}, false).host).toBe('');
  });
});

describe('X-Forwarded-For behind a trusted proxy', () => {
  test.each([
    ['one address', '203.0.113.9', '203.0.113.9'],
    ['nothing', '', '10.0.0.1'],
    ['what the client wrote is not reached', '1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['a trusted proxy is passed over', '203.0.113.9, 10.0.0.2', '203.0.113.9'],
    ['a client cannot hide behind a trusted address further left', '10.9.9.9, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
    ['trusted proxies only: the leftmost', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['no spaces', '203.0.113.9,10.0.0.2', '203.0.113.9'],
    ['much space', '  203.0.113.9 ,\t10.0.0.2  ', '203.0.113.9'],
    ['a port', '203.0.113.9:51234', '203.0.113.9'],
    ['IPv6', '2001:DB8:0:0::1', '2001:db8::1'],
    ['IPv6 in brackets, with a port', '[2001:db8::1]:51234', '2001:db8::1'],
    ['IPv6 in brackets', '[2001:db8::1]', '2001:db8::1'],
    ['IPv4 in IPv6', '::ffff:203.0.113.9', '203.0.113.9'],
    ['IPv4 in IPv6, in hex', '::FFFF:CB00:7109', '203.0.113.9'],
    ['a trusted proxy in IPv6 form', '203.0.113.9, ::ffff:10.0.0.2', '203.0.113.9'],
    ['an IPv6 proxy', '203.0.113.9, fd00::5', '203.0.113.9'],
    ['a word stops the walk', '203.0.113.9, unknown', '10.0.0.1'],
    ['so it does behind a proxy', '203.0.113.9, unknown, 10.0.0.2', '10.0.0.2'],
    ['an empty entry', '203.0.113.9,, 10.0.0.2', '10.0.0.2'],
    ['a trailing comma', '203.0.113.9,', '10.0.0.1'],
    ['a leading comma', ',10.0.0.2', '10.0.0.2'],
    ['a comma alone', ',', '10.0.0.1'],
    ['an address out of range', '999.0.113.9', '10.0.0.1'],
    ['an address in octal', '0177.0.0.1', '10.0.0.1'],
    ['a number', '3405803785', '10.0.0.1'],
    ['a zone', 'fe80::1%eth0', '10.0.0.1'],
    ['IPv4 in brackets', '[203.0.113.9]', '10.0.0.1'],
    ['a network', '203.0.113.0/24', '10.0.0.1'],
    ['a very long entry', `${' '.repeat(70)}203.0.113.9`, '10.0.0.1'],
  ])('%s', (_what, list, ip) => {
    expect(resolve(PRIVATE, '10.0.0.1', forwarded(list)).ip).toBe(ip);
    expect(resolve(PRIVATE, '::ffff:10.0.0.1', forwarded(list)).ip).toBe(ip);
  });

  test('chains are followed to a limit, at its edge', () => {
    const chain = (proxies: number): SenderFields =>
      forwarded(['203.0.113.9', ...new Array(proxies).fill('10.0.0.2')].join(', '));
    expect(resolve(PRIVATE, '10.0.0.1', chain(FORWARDED_HOPS_MAX - 1)).ip).toBe('203.0.113.9');
    expect(resolve(PRIVATE, '10.0.0.1', chain(FORWARDED_HOPS_MAX)).ip).toBe('10.0.0.2');
  });

  test('a whole header of commas costs no more than the limit', () => {
    const headers = {
      'x-forwarded-for': `${'10.0.0.2,'.repeat(1800)}10.0.0.2`,
      'x-forwarded-proto': ','.repeat(16_000),
      'x-forwarded-host': ','.repeat(16_000),
    };
    expect(resolve(PRIVATE, '10.0.0.1', headers)).toEqual({ ip: '10.0.0.2', host: 'edge.test', https: false });
  });
});

describe('X-Forwarded-Proto and -Host', () => {
  const both = (proto: string, host: string, list = '203.0.113.9'): SenderFields => ({
    'x-forwarded-for': list,
    'x-forwarded-proto': proto,
    'x-forwarded-host': host,
  });
  test.each([
    ['one proxy', both('https', 'shop.test'), 'shop.test', true],
    ['other case, and a port', both('HTTPS', 'Shop.Test:8443'), 'shop.test', true],
    ['http', both('http', 'shop.test'), 'shop.test', false],
    [
      'a client’s lies to the left of one proxy’s truth',
      both('https, http', 'bank.test, shop.test'),
      'shop.test',
      false,
    ],
    [
      'two proxies that append',
      both('https, http', 'shop.test, inner.test', '203.0.113.9, 10.0.0.2'),
      'shop.test',
      true,
    ],
    [
      'two proxies that append to lies',
      both('http, https, http', 'bank.test, shop.test, inner.test', '1.1.1.1, 203.0.113.9, 10.0.0.2'),
      'shop.test',
      true,
    ],
    ['two proxies, of which one replaces', both('https', 'shop.test', '203.0.113.9, 10.0.0.2'), 'shop.test', true],
    ['no protocol that is known', both('gopher', 'shop.test'), 'shop.test', false],
    ['no host that is one', both('https', 'sh op'), 'edge.test', true],
    ['empty', both('', ''), 'edge.test', false],
  ])('%s', (_what, headers, host, https) => {
    const sender = resolve(PRIVATE, '10.0.0.1', headers);
    expect([sender.host, sender.https]).toEqual([host, https]);
  });

  test('without them the connection counts', () => {
    expect(resolve(PRIVATE, '10.0.0.1', {}, true)).toEqual({ ip: '10.0.0.1', host: 'edge.test', https: true });
    expect(resolve(PRIVATE, '10.0.0.1', { 'x-forwarded-proto': 'http' }, true).https).toBe(false);
  });
});

describe('networks', () => {
  test.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.200.0.1', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['192.0.2.7/32', '192.0.2.6', false],
    ['192.0.2.6/31', '192.0.2.7', true],
    ['200.0.0.0/5', '207.255.255.255', true],
    ['200.0.0.0/5', '208.0.0.0', false],
    ['128.0.0.0/1', '255.0.0.1', true],
    ['128.0.0.0/1', '127.255.255.255', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '8.8.8.8', false],
    ['fd00::/8', 'fdff::1', true],
    ['fd00::/8', 'fe00::1', false],
    ['2001:db8::/33', '2001:db8:7fff::', true],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['::1', '::1', true],
    ['::ffff:10.0.0.0/104', '10.9.9.9', true],
    ['::ffff:10.0.0.0/104', '11.9.9.9', false],
    ['::ffff:10.0.0.0/104', '::ffff:10.9.9.9', true],
    ['::FFFF:A00:0/104', '10.9.9.9', true],
    ['::ffff:0:0/96', '8.8.8.8', true],
    ['::ffff:0:0/96', '2001:db8::1', false],
    ['::ffff:192.0.2.7', '192.0.2.7', true],
    ['::ffff:192.0.2.7', '192.0.2.8', false],
  ])('%s and %s: %s', (cidr, peer, isTrusted) => {
    const { ip } = resolve([cidr], peer, forwarded('203.0.113.9'));
    expect(ip === '203.0.113.9').toBe(isTrusted);
  });

  test('IPv4 networks are judged bit by bit', () => {
    const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
    const number = (of: readonly number[]): bigint => of.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
    fc.assert(
      fc.property(octets, fc.nat(32), octets, fc.nat(32), (network, length, other, shared) => {
        // The first `shared` bits of the peer are the network's, so that both answers are frequent.
        const rest = BigInt(32 - shared);
        const peer = ((number(network) >> rest) << rest) | (number(other) & ((1n << rest) - 1n));
        const text = [24n, 16n, 8n, 0n].map((shift) => (peer >> shift) & 255n).join('.');
        const inside = number(network) >> BigInt(32 - length) === peer >> BigInt(32 - length);
        const { ip } = resolve([`${network.join('.')}/${length}`], text, forwarded('[2001:db8::9]'));
        expect(ip === '2001:db8::9').toBe(inside);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8.0',
    '10.0.0.0/ 8',
    '10.0.0/8',
    '10.0.0.0/255.0.0.0',
    '010.0.0.0/8',
    'fd00::/129',
    'fd00::/1e2',
    'fe80::1%eth0',
    '[::1]',
    'localhost',
    '*',
    '10.0.0.0/8/8',
  ])('%s is refused, by its place and value', (cidr) => {
    expect(() => new TrustedProxies(['10.0.0.0/8', cidr])).toThrow(`proxies[1] is '${cidr}'`);
  });

  test('a mapped network wider than the IPv4 addresses is refused: what it means is not clear', () => {
    expect(() => new TrustedProxies(['::ffff:0:0/95'])).toThrow(/starts at \/96/);
  });
});

test('hostile headers are answered, never thrown, with an address that is one', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789abcf.:,[]% x'), maxLength: 80 });
  const proxies = new TrustedProxies(PRIVATE);
  fc.assert(
    fc.property(text, text, text, text, (list, proto, name, host) => {
      const headers = { host, 'x-forwarded-for': list, 'x-forwarded-proto': proto, 'x-forwarded-host': name };
      const sender = proxies.resolve('10.0.0.1', headers, false);
      expect(sender.ip).toMatch(/^[0-9a-f.:]+$/);
      expect(sender.host).toMatch(/^(\[[0-9a-f.:]+\]|[a-z0-9._-]*)$/);
    }),
  );
});
