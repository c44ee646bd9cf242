import { describe, expect, test } from 'vitest';
import { LIFETIME_MS_MAX } from '../../src/cli/admin-token.ts';
import { adminTokens } from '../../src/server.ts';
import { weir } from '../support/command.ts';
import { tempFolder } from '../support/temp-folder.ts';

const DAY_MS = 86_400_000;
const list = async (data: string) =>
  (await weir('admin-token', 'list', '--data', data)).out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

test('create prints the token alone on stdout; list shows everything else; revoke ends it', async () => {
  const data = tempFolder();
  const scope = ['--org', 'A@AdobeOrg', '--datastream', 'shop', '--datastream', 'shop:dev', '--role', 'admin'];
  const created = await weir('admin-token', 'create', '--data', data, ...scope, '--expires', '12h');
  expect(created.code).toBe(0);
  expect(created.out).toMatch(/^weir_at_[\w-]{43}\n$/);
  expect(created.err).toMatch(/^Token [0-9a-f]{12} for A@AdobeOrg, shop, shop:dev \(admin\), until 20/);
  const found = await (await adminTokens(data)).find(created.out.trim());
  const scoped = { role: 'admin', datastreams: ['shop', 'shop:dev'] };
  expect(found).toMatchObject({ ...scoped, orgId: 'A@AdobeOrg' });
  const [token, ...others] = await list(data);
  expect(others).toEqual([]);
  expect(token).toMatchObject({ ...scoped, id: found!.id, org: 'A@AdobeOrg', isExpired: false });
  expect(Object.keys(token)).not.toContain('hash');

  const revoked = await weir('admin-token', 'revoke', token.id, '--data', data);
  expect([revoked.code, revoked.out]).toEqual([0, `Token ${token.id} holds no longer.\n`]);
  expect(await list(data)).toEqual([]);
  const again = await weir('admin-token', 'revoke', token.id, '--data', data);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining(`no token '${token.id}'`)]);
});

test('a token is an operator’s, reads only and holds for 30 days unless said otherwise', async () => {
  const data = tempFolder();
  await weir('admin-token', 'create', '--data', data);
  const [token] = await list(data);
  expect(token).toMatchObject({ org: null, role: 'read', datastreams: null });
  expect(Date.parse(token.expiresAt) - Date.parse(token.createdAt)).toBe(30 * DAY_MS);
});

test.each([
  ['1h', DAY_MS / 24],
  ['366d', LIFETIME_MS_MAX],
])('--expires %s', async (expires, lifetimeMs) => {
  const data = tempFolder();
  expect((await weir('admin-token', 'create', '--data', data, '--expires', expires)).code).toBe(0);
  const [token] = await list(data);
  expect(Date.parse(token.expiresAt) - Date.parse(token.createdAt)).toBe(lifetimeMs);
});

describe('is called wrongly, and says how', () => {
  test.each([
    [['create'], '--data is missing'],
    [['--data', '.'], 'Say create, list or revoke'],
    [['make', '--data', '.'], "There is no 'make' here"],
    [['create', 'x', '--data', '.'], "'x' is one argument too many"],
    [['create', '--data', '.', '--role', 'owner'], "--role is 'owner'"],
    [['create', '--data', '.', '--datastream', 'shop'], '--datastream needs --org'],
    [['create', '--data', '.', '--org', ''], '--org is empty'],
    [['create', '--data', '.', '--expires', '0h'], "--expires is '0h'"],
    [['create', '--data', '.', '--expires', '367d'], '1h to 366d'],
    [['create', '--data', '.', '--expires', 'never'], "'never'"],
    [['list', '--data', '.', '--org', 'a'], '--org belongs to create'],
    [['revoke', '--data', '.'], 'Say which'],
    [['revoke', 'a', 'b', '--data', '.'], "'b' is one argument too many"],
    [['list', '--data', '.', '--all'], '--all'],
  ])('%s', async (args, words) => {
    const { code, out, err } = await weir('admin-token', ...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(words);
  });

  test('on a folder that is not there', async () => {
    const { code, err } = await weir('admin-token', 'list', '--data', `${tempFolder()}/none`);
    expect([code, err]).toEqual([1, expect.stringContaining('There is no folder')]);
  });

  test('--help is help', async () => {
    expect(await weir('admin-token', '--help')).toMatchObject({ code: 0, out: expect.stringContaining('--expires') });
  });
});
