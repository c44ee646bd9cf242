import fc from 'fast-check';
import { test } from 'vitest';
import { fuzzed, judgeFuzzed } from './token-fuzz.ts';

test('a token that was changed in any way is refused, and nothing else happens', async () => {
  await fc.assert(fc.asyncProperty(fuzzed, judgeFuzzed), { numRuns: 3_000 });
});
