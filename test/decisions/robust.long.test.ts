import { it } from 'vitest';
import { decideAnything } from './anything.ts';

it('decides about any definitions and any input', () => {
  decideAnything(20_000);
});
