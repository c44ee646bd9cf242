import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unsupportedNode } from '../../src/cli/node-version.ts';

test.each(['v20.20.2', 'v20.20.3', 'v20.21.0', 'v22.22.2', 'v24.14.1', 'v24.15.0', 'v25.0.0', 'v26.1.0'])(
  '%s runs Weir',
  (version) => {
    expect(unsupportedNode(version)).toBeNull();
  },
);

test.each(['v18.20.0', 'v20.20.1', 'v20.9.0', 'v21.7.0', 'v22.22.1', 'v23.11.0', 'v24.14.0', 'v24.0.0', 'garbage'])(
  '%s does not, and the refusal says which do',
  (version) => {
    const refusal = unsupportedNode(version);
    for (const word of [version, '20.20.2', '22.22.2', '24.14.1']) expect(refusal).toContain(word);
  },
);

test('package.json says the same', () => {
  const { engines } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  expect(engines.node).toBe('^20.20.2 || ^22.22.2 || >=24.14.1');
});
