import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { obfuscatedIp } from '../../src/net/obfuscated-ip.ts';

describe('what is kept of an address', () => {
  test.each<[text: string, none: string, partial: string, full: string]>([
    // Documented: the last octet.
    ['203.0.113.177', '203.0.113.177', '203.0.113.0', '0.0.0.0'],
    ['0.0.0.0', '0.0.0.0', '0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255', '255.255.255.0', '0.0.0.0'],
    // Documented: the last 80 bits, with this example.
    ['2001:db8:1345:7:aaaa:bbbb:cccc:dddd', '2001:db8:1345:7:aaaa:bbbb:cccc:dddd', '2001:db8:1345::', '::'],
    ['2001:0DB8:1345:0000:0000:0000:0000:0001', '2001:db8:1345::1', '2001:db8:1345::', '::'],
    ['2001:db8::1', '2001:db8::1', '2001:db8::', '::'],
    ['1:0:0:2::', '1:0:0:2::', '1::', '::'],
    ['::', '::', '::', '::'],
    ['::1', '::1', '::', '::'],
    // What stands behind a stretch of zeros counts from the right.
    ['::3:4:5:6:7:8', '::3:4:5:6:7:8', '0:0:3::', '::'],
    ['::7:8', '::0.7.0.8', '::', '::'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8', '0:2:3::', '::'],
    // IPv4 in IPv6 form.
    ['::ffff:203.0.113.177', '203.0.113.177', '203.0.113.0', '0.0.0.0'],
    ['::FFFF:cb00:71b1', '203.0.113.177', '203.0.113.0', '0.0.0.0'],
    ['0:0:0:0:0:ffff:203.0.113.177', '203.0.113.177', '203.0.113.0', '0.0.0.0'],
    // Not IPv4 in IPv6 form, though it begins in the same way.
    ['::ffff:0:203.0.113.177', '::ffff:0:cb00:71b1', '::', '::'],
    ['0:0:0:ffff:1:2:3:4', '::ffff:1:2:3:4', '::', '::'],
    // An IPv4 address inside of an IPv6 one: none of its last octet is kept.
    ['::203.0.113.177', '::203.0.113.177', '::', '::'],
    ['64:ff9b::203.0.113.177', '64:ff9b::cb00:71b1', '64:ff9b::', '::'],
    ['2002:cb00:71b1::1', '2002:cb00:71b1::1', '2002:cb00:7100::', '::'],
    ['2001:0:cb00:71b1:8000:63bf:3fff:fdd2', '2001:0:cb00:71b1:8000:63bf:3fff:fdd2', '2001:0:cb00::', '::'],
  ])('%s', (text, ...kept) => {
    expect((['none', 'partial', 'full'] as const).map((level) => obfuscatedIp(text, level)?.address)).toEqual(kept);
  });

  test.each<[string, 4 | 6]>([
    ['203.0.113.177', 4],
    ['::ffff:203.0.113.177', 4],
    ['2001:db8::1', 6],
  ])('%s is one of IPv%i', (text, family) => {
    expect(obfuscatedIp(text, 'partial')?.family).toBe(family);
  });
});

test.each([
  ...['', ' ', 'localhost', '203.0.113', '203.0.113.256', '203.0.113.177 ', '203.0.113.177:80', '0x7f.1', '010.0.0.1'],
  ...['1.2.3.4.5', '::ffff:203.0.113', ':::', '1:2:3:4:5:6:7', '2001:db8::1::2', '[::1]', 'fe80::1%eth0', '::1/64'],
  `${'0'.repeat(46)}:1`,
])("'%s' is no address, and nothing is kept of it", (text) => {
  for (const level of ['none', 'partial', 'full'] as const) expect(obfuscatedIp(text, level)).toBeNull();
});

test('partial: two addresses with the same first 48 bits are one, whatever stands behind, and others stay two', () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  const groups = fc.array(group, { minLength: 8, maxLength: 8 });
  const textOf = (list: readonly number[]): string => list.map((one) => one.toString(16)).join(':');
  const isPlain = ([first, , , , , sixth]: readonly number[]): boolean => first !== 0x2002 && sixth !== 0xffff;
  fc.assert(
    fc.property(groups, groups, (one, other) => {
      fc.pre(isPlain(one) && isPlain(other));
      const mixed = [...one.slice(0, 3), ...other.slice(3)];
      const kept = obfuscatedIp(textOf(one), 'partial');
      expect(obfuscatedIp(textOf(mixed), 'partial')).toEqual(kept);
      const isSame = one.slice(0, 3).join() === other.slice(0, 3).join();
      expect(obfuscatedIp(textOf(other), 'partial')?.address === kept?.address).toBe(isSame);
    }),
  );
});
