import { expect, test } from 'vitest';
import { isPublicSuffix } from '../../src/net/public-suffix.ts';

test.each([
  ['com', true],
  ['example.com', false],
  ['co.uk', true],
  ['shop.co.uk', false],
  ['www.shop.co.uk', false],
  ['github.io', true],
  ['shop.github.io', false],
  // *.kawasaki.jp, but not city.kawasaki.jp.
  ['any.kawasaki.jp', true],
  ['city.kawasaki.jp', false],
  ['xn--p1ai', true],
  ['xn--e1afmkfd.xn--p1ai', false],
  // Names that no list knows: their last label is the suffix.
  ['test', true],
  ['shop.test', false],
  ['weir.internal', false],
])('%s: %s', (domain, isSuffix) => {
  expect(isPublicSuffix(domain)).toBe(isSuffix);
});
