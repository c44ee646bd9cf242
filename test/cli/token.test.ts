import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { weir } from '../support/command.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { workspaceFolder } from '../support/workspace-folder.ts';

const ORG = '0123@AdobeOrg';
const FILES = { 'weir.yaml': 'auth: {local: true}\n' };
const datastream = (id: string, org = ORG) => `id: ${id}\norg: ${org}\nname: Shop\naccess: authenticated\n`;
const claimsOf = (headers: string) =>
  JSON.parse(Buffer.from(/Bearer [\w-]+\.([\w-]+)/.exec(headers)![1]!, 'base64url').toString());

describe('weir token', () => {
  test('prints three headers, of a token for the datastream’s org', async () => {
    const data = tempFolder();
    const { code, out, err } = await mint(data, workspaceFolder(FILES));
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /^Authorization: Bearer [\w-]+\.[\w-]+\.[\w-]+\nx-api-key: weir-local\nx-gw-ims-org-id: 0123@AdobeOrg\n$/,
    );
    const { exp, iat, ...claims } = claimsOf(out);
    expect(claims).toMatchObject({ iss: 'weir:local', aud: 'weir:server', client_id: 'weir-local', org: ORG });
    expect(exp - iat).toBe(3600);
  });

  test('makes its key once, for its owner alone, however many ask for it', async () => {
    const data = tempFolder();
    const workspace = workspaceFolder(FILES);
    const all = await Promise.all(Array.from({ length: 8 }, () => mint(data, workspace)));
    const headers = all.map(({ out }) => Buffer.from(/Bearer ([\w-]+)/.exec(out)![1]!, 'base64url').toString());
    expect(new Set(headers).size).toBe(1);
    expect(readdirSync(join(data, 'keys'))).toEqual(['local-issuer.pem']);
    expect(statSync(join(data, 'keys')).mode & 0o777).toBe(0o700);
    const file = join(data, 'keys/local-issuer.pem');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const key = readFileSync(file, 'utf8');
    await mint(data, workspace);
    expect(readFileSync(file, 'utf8')).toBe(key);
  });

  test.each([
    ['1m', 60],
    ['90m', 5400],
    ['24h', 86_400],
  ])('--expires %s', async (expires, seconds) => {
    const { exp, iat } = claimsOf((await mint(tempFolder(), workspaceFolder(FILES), '--expires', expires)).out);
    expect(exp - iat).toBe(seconds);
  });

  test.each(['0m', '25h', '1441m', '1d', 'soon', '1h30m'])('--expires %s is refused', async (expires) => {
    const { code, err } = await mint(tempFolder(), workspaceFolder(FILES), '--expires', expires);
    expect([code, err]).toEqual([2, expect.stringContaining(`'${expires}'; it takes 1m to 24h`)]);
  });

  test.each<[string, readonly string[], string]>([
    ['no datastream', [], '--datastream is missing'],
    ['a workspace without data', ['--datastream', 'shop', '--workspace', 'w'], '--data is missing'],
    ['data without a workspace', ['--datastream', 'shop', '--data', 'd'], '--workspace is missing'],
    ['an address without a call', ['--datastream', 'shop', '--url', 'http://a'], '--url belongs to --curl'],
    ['an address that is none', ['--datastream', 'shop', '--curl', '--url', 'shop'], "--url is 'shop'"],
  ])('%s: called wrongly', async (_what, args, word) => {
    const { code, err } = await weir('token', ...args);
    expect([code, err]).toEqual([2, expect.stringContaining(word)]);
  });

  test('an unknown datastream: which there are', async () => {
    const { code, err } = await mint(tempFolder(), workspaceFolder(FILES), '--datastream', 'shpo');
    expect([code, err]).toEqual([1, expect.stringMatching(/no datastream 'shpo' in .*It has: shop\./)]);
  });

  test('a workspace that would not take it: what to add; and nothing is made', async () => {
    const data = tempFolder();
    const { code, err } = await mint(data, workspaceFolder());
    expect([code, err]).toEqual([1, expect.stringContaining('auth: { local: true }')]);
    expect(readdirSync(data)).toEqual([]);
  });

  test('a workspace with errors, and a data folder that is not there', async () => {
    const broken = await mint(tempFolder(), workspaceFolder({ 'weir.yaml': '[]' }));
    expect([broken.code, broken.err]).toEqual([1, expect.stringContaining('weir check')]);
    const absent = await mint(join(tempFolder(), 'none'), workspaceFolder(FILES));
    expect([absent.code, absent.err]).toEqual([1, expect.stringContaining('There is no folder')]);
  });

  test('--curl is a call that a shell takes as it stands, to where the server listens', async () => {
    const files = {
      'weir.yaml': 'auth: {local: true}\nbasePath: edge\nlisteners: {host: "::", serverPort: 9999}\n',
      'datastreams/odd.yaml': datastream('"it\'s&odd"'),
    };
    const { out } = await mint(tempFolder(), workspaceFolder(files), '--datastream', "it's&odd", '--curl');
    const { stdout } = await promisify(execFile)('sh', ['-c', `curl() { printf '%s\\n' "$@"; }; ${out}`]);
    const args = stdout.trimEnd().split('\n');
    expect(args[0]).toBe("http://127.0.0.1:9999/edge/v2/interact?datastreamId=it's%26odd");
    expect(args.filter((arg) => arg === '-H')).toHaveLength(4);
    expect(JSON.parse(args.at(-1)!)).toMatchObject({ event: { xdm: { eventType: 'commerce.purchases' } } });
    const other = await mint(tempFolder(), workspaceFolder(FILES), '--curl', '--url', 'https://h:1/');
    expect(other.out).toContain("curl 'https://h:1/ee/v2/interact?datastreamId=shop'");
  });
});

function mint(data: string, workspace: string, ...args: readonly string[]) {
  const named = args.includes('--datastream') ? [] : ['--datastream', 'shop'];
  return weir('token', ...named, '--workspace', workspace, '--data', data, ...args);
}
