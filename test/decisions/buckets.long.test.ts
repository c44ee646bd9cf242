import { expect, it } from 'vitest';
import { cellsOf, chiSquare, chiSquareBound, pairsOf } from './buckets.ts';

const IDS = 1_000_000;

it('spreads a million ids evenly, by draws and by buckets of Target', () => {
  const { draws, target } = cellsOf(IDS);
  const expected = new Array<number>(1_000).fill(IDS / 1_000);
  const [ofDraws, ofTarget] = [chiSquare(draws, expected), chiSquare(target, expected)];
  process.stdout.write(`chi-square of 999 degrees: ${ofDraws.toFixed(0)} draws, ${ofTarget.toFixed(0)} Target\n`);
  expect(ofDraws).toBeLessThan(chiSquareBound(999));
  expect(ofTarget).toBeLessThan(chiSquareBound(999));
});

it('draws for each of 20 activities what says nothing about the others', () => {
  const expected = new Array<number>(256).fill(IDS / 5 / 256);
  const values = Array.from({ length: 19 }, (_, n) =>
    chiSquare(pairsOf(IDS / 5, `${n}\nexperience\na`, `${n + 1}\nexperience\na`), expected),
  );
  process.stdout.write(`chi-square of 255 degrees: ${values.map((value) => value.toFixed(0)).join(' ')}\n`);
  for (const value of values) expect(value).toBeLessThan(chiSquareBound(255));
});
