import { describe, expect, it } from 'vitest';
import { parseSurface, SURFACE_CHARACTERS_MAX, SurfaceIndex } from '../../src/decisions/surfaces.ts';

function fits(pattern: string, surface: string): boolean {
  const index = new SurfaceIndex<string>();
  index.add(pattern, 'found');
  index.add('web://other.example/*', 'other');
  return index.find(surface).includes('found');
}

describe('a surface', () => {
  it.each([
    ['web://Shop.example:8443/a/b/#Hero', { scheme: 'web', host: 'shop.example:8443', path: '/a/b', fragment: 'Hero' }],
    ['web://shop.example', { scheme: 'web', host: 'shop.example', path: '/', fragment: null }],
    ['WEBAPP://shop.example#x', { scheme: 'webapp', host: 'shop.example', path: '/', fragment: 'x' }],
    [
      'mobileapp://com.Example.Shop/home',
      { scheme: 'mobileapp', host: 'com.Example.Shop', path: '/home', fragment: null },
    ],
    ['shop.example/a', null],
    ['web:///a', null],
    [`web://shop.example/${'a'.repeat(SURFACE_CHARACTERS_MAX)}`, null],
  ])('%s', (text, expected) => {
    expect(parseSurface(text)).toEqual(expected);
  });

  it.each([
    ['web://shop.example', 'web://shop.example/', true],
    ['web://shop.example/', 'web://shop.example', true],
    ['web://SHOP.example/a', 'web://shop.example/a/', true],
    ['web://shop.example/a', 'web://shop.example/A', false],
    ['web://shop.example/a', 'webapp://shop.example/a', false],
    ['web://shop.example/a', 'web://shop.example/a#hero', false],
    ['web://shop.example/a#hero', 'web://shop.example/a#hero', true],
    ['web://shop.example/a#hero', 'web://shop.example/a', false],
    ['web://shop.example/a#*', 'web://shop.example/a#hero', true],
    ['web://shop.example/a#*', 'web://shop.example/a', false],
    ['web://shop.example/a#he*o', 'web://shop.example/a#hello', true],
    ['web://shop.example/*', 'web://shop.example/', true],
    ['web://shop.example/*', 'web://shop.example/a/b', true],
    ['web://shop.example/*', 'web://shop.example.evil/a', false],
    ['web://shop.example/products/*', 'web://shop.example/products', true],
    ['web://shop.example/products/*', 'web://shop.example/productsale', false],
    ['web://shop.example/*/boots', 'web://shop.example/products/winter/boots', true],
    ['web://shop.example/*/boots', 'web://shop.example/boots', false],
    ['web://shop.example/sh*s', 'web://shop.example/shoes', true],
    ['web://shop.example/a*a', 'web://shop.example/a', false],
    ['web://*.shop.example/a', 'web://eu.shop.example/a', true],
    ['web://*.shop.example/a', 'web://shop.example/a', false],
    ['web://*/a', 'web://any.example/a', true],
    ['web://*/a', 'web://any.example/b', false],
    ['web://eu-*.shop.example/*', 'web://eu-west.shop.example/a', true],
    ['web://eu*', 'web://eu.shop.example', true],
    ['mobileapp://com.example.*', 'mobileapp://com.example.shop', true],
    ['mobileapp://com.example.shop', 'mobileapp://com.example.Shop', false],
    ['no surface', 'no surface', true],
    ['no surface', 'no  surface', false],
    ['*', 'web://shop.example/', false],
  ])('%s fits %s: %s', (pattern, surface, expected) => {
    expect(fits(pattern, surface)).toBe(expected);
  });

  it('is matched in a time that its length decides, whatever the pattern', () => {
    const index = new SurfaceIndex<number>();
    index.add(`web://shop.example/${'*a'.repeat(500)}b`, 1);
    const start = performance.now();
    for (let i = 0; i < 100; i++) index.find(`web://shop.example/${'a'.repeat(1_900)}`);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
