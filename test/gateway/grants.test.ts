import { expect, test } from 'vitest';
import { GRANTS_MAX, type Grant, Grants } from '../../src/gateway/grants.ts';

const grantOf = (authorization: string, expiresAtMs = 1_000): Grant => ({
  authorization,
  clientId: 'c',
  orgs: new Set(['o']),
  datastreams: null,
  missingScope: null,
  expiresAtMs,
});
const tail = (n: number) => String(n).padStart(40, '0');

test('a grant is found by its token, until it expires', () => {
  const grants = new Grants();
  const grant = grantOf(`Bearer a.b.${tail(1)}`);
  grants.add(grant);
  expect(grants.find(`Bearer a.b.${tail(1)}`, 999)).toBe(grant);
  expect(grants.find(`Bearer a.b.${tail(1)}`, 1_000)).toBeNull();
  expect(grants.find(`Bearer a.b.${tail(2)}`, 0)).toBeNull();
});

test('another token under the same signature is another token', () => {
  const grants = new Grants();
  grants.add(grantOf(`Bearer a.b.${tail(1)}`));
  for (const other of [`Bearer a.c.${tail(1)}`, `Bearer b.b.${tail(1)}`, tail(1), `bearer a.b.${tail(1)}`]) {
    expect(grants.find(other, 0)).toBeNull();
  }
});

test('a short text is no key to anything', () => {
  const grants = new Grants();
  grants.add(grantOf(`Bearer a.b.${tail(1)}`));
  for (const text of ['', 'B', 'Bearer ']) expect(grants.find(text, 0)).toBeNull();
});

test('what is used stays; of what is not, so many are kept and no more', () => {
  const grants = new Grants();
  const used = `Bearer ${tail(0)}`;
  grants.add(grantOf(used));
  const others = Array.from({ length: 3 * GRANTS_MAX }, (_, i) => `Bearer ${tail(i + 1)}`);
  for (const token of others) {
    grants.add(grantOf(token));
    expect(grants.find(used, 0)).not.toBeNull();
  }
  const kept = others.filter((token) => grants.find(token, 0) !== null);
  expect(kept.length).toBeLessThanOrEqual(GRANTS_MAX);
  expect(kept.length).toBeGreaterThanOrEqual(GRANTS_MAX / 2 - 1);
  expect(kept.at(-1)).toBe(others.at(-1));
});
