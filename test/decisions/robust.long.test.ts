import { expect, it } from 'vitest';
import { decideAnything } from './anything.ts';

it('decides about any definitions and any input', () => {
  const met = decideAnything(10_000);
  process.stdout.write(`${[...met].map(([outcome, count]) => `${outcome} ${count}`).join(', ')}\n`);
  // All but what takes a clock.
  expect(met.size).toBe(16);
});
