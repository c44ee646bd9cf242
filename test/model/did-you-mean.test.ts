import { describe, expect, test } from 'vitest';
import { meant } from '../../src/model/did-you-mean.ts';

const KNOWN = ['id', 'org', 'name', 'enabled', 'access', 'origins', 'services', 'overrides'];

describe('the word that was probably meant', () => {
  test.each([
    ['a letter missing', 'orgins', 'origins'],
    ['a letter too many', 'servicess', 'services'],
    ['a wrong letter', 'acress', 'access'],
    ['neighbours swapped', 'nmae', 'name'],
    ['capitals', 'Enabled', 'enabled'],
    ['two mistakes', 'overide', 'overrides'],
    ['a suffix of two', 'orgId', 'org'],
  ])('%s: %s → %s', (_, word, expected) => {
    expect(meant(word, KNOWN)).toBe(expected);
  });

  test.each([
    ['three mistakes', 'oride'],
    ['another word', 'region'],
    ['a short word is not stretched', 'x'],
    ['half of a short word', 'abc'],
    ['nothing', ''],
    ['longer than any option', 'i'.repeat(65)],
  ])('%s: %s is no known one', (_, word) => {
    expect(meant(word, KNOWN)).toBeNull();
  });

  test('the nearest one wins, the first of equals', () => {
    expect(meant('hints', ['hilt', 'hint'])).toBe('hint');
    expect(meant('bat', ['cat', 'hat'])).toBe('cat');
  });
});
