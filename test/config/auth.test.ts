import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KEY_SET_BYTES_MAX, KEYS_MAX, parseKeySet } from '../../src/config/key-set.ts';
import { loadWorkspace } from '../../src/config/workspace.ts';
import { jwksOf, keyPair } from '../support/key-pairs.ts';
import { workspaceFolder, writeFile } from '../support/workspace-folder.ts';

const PAIR = keyPair('ES256', 'one');

async function authIn(weir: string, files: Record<string, string> = {}) {
  const loaded = await loadWorkspace(workspaceFolder({ 'weir.yaml': weir, ...files }));
  return loaded.ok ? loaded.workspace.auth : loaded.findings.map(String);
}

describe('auth', () => {
  test('without it nobody is let in', async () => {
    expect(await authIn('{}')).toEqual({ issuers: [], local: false, clockToleranceSeconds: 10 });
  });

  test('an issuer with its defaults', async () => {
    expect(
      await authIn('auth: {issuers: [{issuer: "https://i", jwks: "https://i/keys", audience: [weir]}]}'),
    ).toMatchObject({
      issuers: [
        {
          issuer: 'https://i',
          kind: 'oidc',
          audiences: ['weir'],
          jwksUrl: 'https://i/keys',
          jwks: null,
          algorithms: ['RS256'],
          claims: { client: ['client_id', 'azp'], org: 'org_id', scope: 'scope' },
          scopes: [],
          maxAgeSeconds: 86_400,
          clients: null,
        },
      ],
    });
  });

  test('IMS with its defaults', async () => {
    expect(await authIn('auth: {issuers: [{kind: ims, issuer: ims-na1, jwks: "https://i/keys"}]}')).toMatchObject({
      issuers: [
        { kind: 'ims', audiences: [], claims: { client: ['client_id'], org: 'org' }, scopes: ['acp.foundation'] },
      ],
    });
  });

  test('everything that may be said', async () => {
    const weir = `
auth:
  local: true
  clockToleranceSeconds: 30
  issuers:
    - issuer: a
      jwks: keys/a.json
      audience: [x, y]
      algorithms: [ES256, RS256]
      claims: { client: cid, org: tenant, scope: scp }
      scopes: [collect]
      maxAgeSeconds: 60
      clients:
        c: { orgs: [O1, O2], datastreams: [shop, "shop:dev"] }
        d: { orgs: [O1] }
`;
    const text = jwksOf(PAIR);
    expect(await authIn(weir, { 'keys/a.json': text })).toEqual({
      local: true,
      clockToleranceSeconds: 30,
      issuers: [
        {
          issuer: 'a',
          kind: 'oidc',
          audiences: ['x', 'y'],
          jwksUrl: null,
          jwks: text,
          algorithms: ['ES256', 'RS256'],
          claims: { client: ['cid'], org: 'tenant', scope: 'scp' },
          scopes: ['collect'],
          maxAgeSeconds: 60,
          clients: new Map([
            ['c', { orgs: new Set(['O1', 'O2']), datastreams: new Set(['shop', 'shop:dev']) }],
            ['d', { orgs: new Set(['O1']), datastreams: null }],
          ]),
        },
      ],
    });
  });

  test('a file of keys is a part of the workspace: its change is one', async () => {
    const weir = 'auth: {issuers: [{issuer: a, jwks: a.json, audience: [x]}]}';
    const folder = workspaceFolder({ 'weir.yaml': weir, 'a.json': jwksOf(PAIR) });
    const before = await loadWorkspace(folder);
    writeFile(folder, 'a.json', jwksOf(keyPair('ES256', 'two')));
    const after = await loadWorkspace(folder);
    if (!before.ok || !after.ok) throw new Error('The workspace is good.');
    expect(before.looked).toContain(join(folder, 'a.json'));
    expect(after.workspace.hash).not.toBe(before.workspace.hash);
  });

  const issuer = (fields: string) => `auth:\n  issuers:\n    - {issuer: a, audience: [x], ${fields}}\n`;
  test.each<[string, string, RegExp]>([
    [
      'no audience',
      'auth: {issuers: [{issuer: a, jwks: "https://i"}]}',
      /'audience' is missing in 'auth\.issuers\[0\]'.*audience: \[weir\]/,
    ],
    [
      'two of a name',
      'auth: {issuers: [{kind: ims, issuer: a, jwks: "https://i"}, {kind: ims, issuer: a, jwks: "https://i"}]}',
      /"a" stands in the list before/,
    ],
    ['the local one', 'auth: {issuers: [{kind: ims, issuer: "weir:local", jwks: "https://i"}]}', /auth\.local: true/],
    ['http', issuer('jwks: "http://i.example/keys"'), /takes https/],
    ['a name that begins like this machine', issuer('jwks: "http://127.0.0.1.evil.example/keys"'), /takes https/],
    ['another protocol', issuer('jwks: "file:///etc/passwd"'), /takes https/],
    ['a password', issuer('jwks: "https://u:p@i/keys"'), /leave out the user/],
    ['no URL', issuer('jwks: "https://"'), /no URL/],
    ['no file', issuer('jwks: keys.json'), /'keys\.json' cannot be read\. It does not exist/],
    ['a wrong algorithm', issuer('jwks: "https://i", algorithms: [HS256]'), /RS256 or ES256/],
    ['none', issuer('jwks: "https://i", algorithms: []'), /list of 1 to 2 items/],
    ['too tolerant', 'auth: {clockToleranceSeconds: 31}', /from 0 to 30/],
    ['a client for nobody', issuer('jwks: "https://i", clients: {c: {}}'), /'orgs' is missing/],
    ['a misspelt key', issuer('jwks: "https://i", audiences: [x]'), /'audiences' is not known.*audience/],
  ])('refuses %s', async (_what, weir, message) => {
    expect(await authIn(weir)).toContainEqual(expect.stringMatching(message));
  });

  test.each(['http://localhost:8080/keys', 'http://127.0.0.1/keys', 'http://[::1]:9/keys', 'HTTPS://i.example/keys'])(
    'takes keys from %s',
    async (url) => {
      expect(await authIn(issuer(`jwks: "${url}"`))).toMatchObject({ issuers: [{ jwksUrl: url }] });
    },
  );

  test.each<[string, string]>([
    ['no keys', '{"keys":[]}'],
    ['no JSON', 'x'],
    ['one key', '{"kty":"EC"}'],
    ['too large a file', ' '.repeat(KEY_SET_BYTES_MAX + 1)],
  ])('refuses a file with %s', async (_what, text) => {
    const findings = await authIn(issuer('jwks: a.json'), { 'a.json': text });
    expect(findings).toContainEqual(expect.stringMatching(/weir\.yaml:3:.*'a\.json'/));
  });
});

describe('a key set', () => {
  const { kid: _kid, ...anonymous } = PAIR.jwk;
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  const secret = PAIR.privateKey.export({ format: 'jwk' });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' });

  test.each<[string, unknown, RegExp]>([
    ['without an id', anonymous, /no 'kid'/],
    ['that is secret', { ...secret, kid: 'a' }, /secret/],
    ['that is symmetric', { kty: 'oct', k: 'AAAA', kid: 'a' }, /secret/],
    ['for encryption', { ...PAIR.jwk, use: 'enc' }, /not for signatures/],
    ['for signing only', { ...PAIR.jwk, key_ops: ['sign'] }, /not for checking/],
    ['of another algorithm', { ...PAIR.jwk, alg: 'ES384' }, /neither RS256 nor ES256/],
    ['on another curve', { ...p384, kid: 'a' }, /neither RS256 nor ES256/],
    ['of 1024 bits', { ...small, kid: 'a' }, /1024 bits/],
    ['that is broken', { ...PAIR.jwk, x: 'AA' }, /broken/],
    ['that is no object', 7, /no object/],
  ])('a key %s is passed over, and named where there is no other', (_what, jwk, message) => {
    expect(() => parseKeySet(JSON.stringify({ keys: [jwk] }))).toThrow(message);
    expect([...parseKeySet(JSON.stringify({ keys: [jwk, PAIR.jwk] })).keys()]).toEqual(['one']);
  });

  test('a key says which algorithm it is for', () => {
    const set = parseKeySet(jwksOf(keyPair('RS256', 'r'), keyPair('ES256', 'e')));
    expect([...set].map(([kid, { algorithm }]) => [kid, algorithm])).toEqual([
      ['r', 'RS256'],
      ['e', 'ES256'],
    ]);
  });

  test('holds so many keys and no more', () => {
    const keys = (count: number) => JSON.stringify({ keys: Array(count).fill(PAIR.jwk) });
    expect(parseKeySet(keys(KEYS_MAX)).size).toBe(1);
    expect(() => parseKeySet(keys(KEYS_MAX + 1))).toThrow(/at most 100/);
  });
});
