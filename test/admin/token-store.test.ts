import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { adminStore } from '../../src/admin/store.ts';
import { EXPIRED_KEPT_MS, TokenStore } from '../../src/admin/token-store.ts';
import { encodeTokens, mintToken, TOKEN_PREFIX, TOKENS_MAX, type TokenScope } from '../../src/admin/tokens.ts';
import { acquireLock } from '../../src/log/lock.ts';
import { tempFolder } from '../support/temp-folder.ts';

const HOUR_MS = 3_600_000;
const WHO = { kind: 'test' };
const scope: TokenScope = { orgId: 'A@AdobeOrg', role: 'read', datastreams: ['shop'] };

function open() {
  const data = tempFolder();
  let nowMs = 1_795_426_200_000;
  const { audit, exclusively } = adminStore(data, acquireLock);
  const directory = join(data, 'admin');
  const deps = { directory, audit, exclusively, nowMs: () => nowMs };
  const store = new TokenStore(deps);
  return {
    store,
    audit,
    file: join(directory, 'tokens.json'),
    again: () => new TokenStore(deps),
    pass: (ms: number) => {
      nowMs += ms;
    },
    said: async () => (await audit.read(0, 100)).map(({ what }) => what),
  };
}

test('a token is 256 random bits behind a prefix; what is kept is its hash, for the server’s user only', async () => {
  const { store, file, audit } = open();
  const { token, text } = await store.create(scope, HOUR_MS, WHO);
  expect(text).toMatch(new RegExp(`^${TOKEN_PREFIX}[A-Za-z0-9_-]{43}$`));
  expect(readFileSync(file, 'utf8')).not.toContain(text.slice(TOKEN_PREFIX.length));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
  const entries = JSON.stringify(await audit.read(0, 10));
  expect(entries).toContain(token.id);
  expect(entries).not.toContain(token.hash);
  expect(entries).not.toContain(text);
  expect(await store.find(text)).toMatchObject(scope);
});

test('what is no token is none', async () => {
  const { store } = open();
  const { text, token } = await store.create(scope, HOUR_MS, WHO);
  for (const other of ['', TOKEN_PREFIX, token.hash, token.id, `${text}x`, text.slice(0, -1), text.toUpperCase()]) {
    expect(await store.find(other)).toBeNull();
  }
});

test('it expires to the millisecond, is listed for a while, and leaves', async () => {
  const { store, pass } = open();
  const { text } = await store.create(scope, HOUR_MS, WHO);
  pass(HOUR_MS - 1);
  expect(await store.find(text)).not.toBeNull();
  pass(1);
  expect(await store.find(text)).toBeNull();
  pass(EXPIRED_KEPT_MS);
  expect(await store.list()).toHaveLength(1);
  await store.create(scope, HOUR_MS, WHO);
  expect(await store.list()).toHaveLength(1);
});

test('another process sees a new token, and a revoked one no longer', async () => {
  const { store, again, said } = open();
  const server = again();
  const { text, token } = await store.create(scope, HOUR_MS, WHO);
  expect(await server.find(text)).not.toBeNull();
  expect(await store.revoke(token.id, WHO)).toMatchObject({ id: token.id });
  expect(await server.find(text)).toBeNull();
  expect(await store.revoke(token.id, WHO)).toBeNull();
  expect(await said()).toEqual(['token.created', 'token.revoked']);
});

test('many at once, of two processes: none is lost', async () => {
  const { store, again, audit } = open();
  const other = again();
  const made = await Promise.all(
    Array.from({ length: 12 }, (_, i) => (i % 2 ? store : other).create(scope, HOUR_MS, WHO)),
  );
  for (const { text } of made) expect(await store.find(text)).not.toBeNull();
  expect(await audit.state()).toMatchObject({ entries: 12, broken: null });
});

test(`at most ${TOKENS_MAX}`, async () => {
  const { store, file, pass } = open();
  await store.create(scope, HOUR_MS, WHO);
  const [first] = await store.list();
  const many = Array.from(
    { length: TOKENS_MAX - 1 },
    () => mintToken(scope, first!.createdAtMs, first!.expiresAtMs).token,
  );
  writeFileSync(file, encodeTokens(many));
  await store.create(scope, HOUR_MS, WHO);
  await expect(store.create(scope, HOUR_MS, WHO)).rejects.toThrow('Revoke some first');
  pass(HOUR_MS + EXPIRED_KEPT_MS);
  await store.create(scope, HOUR_MS, WHO);
});

describe('after a crash between the audit entry and the change', () => {
  test('a revocation is completed', async () => {
    const { store, audit, file, again } = open();
    const { text, token } = await store.create(scope, HOUR_MS, WHO);
    const before = readFileSync(file);
    await store.revoke(token.id, WHO);
    writeFileSync(file, before);
    expect(await again().find(text)).not.toBeNull();
    await again().recover();
    expect(await again().find(text)).toBeNull();
    expect((await audit.state()).entries).toBe(2);
  });

  test('a creation is taken back, in words', async () => {
    const { store, again, file, said } = open();
    const first = await store.create(scope, HOUR_MS, WHO);
    const before = readFileSync(file);
    await store.create(scope, HOUR_MS, WHO);
    writeFileSync(file, before);
    await again().recover();
    await again().recover();
    expect(await said()).toEqual(['token.created', 'token.created', 'token.not-created']);
    expect(await again().find(first.text)).not.toBeNull();
  });

  test('where nothing is missing, nothing is entered', async () => {
    const { store, said } = open();
    await store.create(scope, HOUR_MS, WHO);
    await store.recover();
    expect(await said()).toEqual(['token.created']);
  });
});

test.each([
  ['no JSON', '{'],
  ['another version', '{"version":2,"tokens":[]}'],
  ['a token without a role', '{"version":1,"tokens":[{"id":"a"}]}'],
])('a file with %s is no reason to let anybody in', async (_, text) => {
  const { store, file } = open();
  const made = await store.create(scope, HOUR_MS, WHO);
  writeFileSync(file, text);
  await expect(store.find(made.text)).rejects.toThrow(`${file} cannot be read`);
});
