import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { LEAST_FILES, workspaceFolder } from '../support/workspace-folder.ts';

async function run(...args: string[]) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const code = await main(['check', ...args], { stdout, stderr });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

test('a good workspace', async () => {
  const folder = workspaceFolder({ 'weir.yaml': 'site: {root: site}\n', 'site/index.html': '' });
  expect(await run('--workspace', folder)).toEqual({
    code: 0,
    out: 'No error, 0 warnings: 1 datastream, 0 activities, 0 offers, 0 audiences, 2 paths of pages.\n',
    err: '',
  });
});

test('what is decided by is counted, of all orgs', async () => {
  const activity = 'scope: s\nexperiences: [{ id: a, html: A }]\n';
  const folder = workspaceFolder({
    'datastreams/other.yaml': 'id: other\norg: OTHER@AdobeOrg\nname: Other\n',
    'activities/a.yaml': `id: a\norg: 0123@AdobeOrg\n${activity}`,
    'activities/b.yaml': `id: b\norg: OTHER@AdobeOrg\n${activity}`,
    'audiences/gold.yaml': 'id: gold\norg: OTHER@AdobeOrg\nwhen: { exists: profile.tier }\n',
    'offers/o.yaml': `org: OTHER@AdobeOrg
placements: [{ id: p, type: html }]
offers: [{ id: x, content: { p: X } }, { id: y, content: { p: Y } }]
decisions: [{ id: d, placements: [{ placement: p, offers: [x], fallback: y }] }]
`,
  });
  expect((await run('--workspace', folder)).out).toBe(
    'No error, 0 warnings: 2 datastreams, 2 activities, 2 offers, 1 audience, 0 paths of pages.\n',
  );
});

test('warnings are marked, and no failure', async () => {
  const folder = workspaceFolder({ 'destinations/a.yaml': '' });
  expect(await run('--workspace', folder)).toEqual({
    code: 0,
    out: `${folder}/destinations:1:1: warning: This version of Weir does not read 'destinations' yet: the files in it have no effect.
No error, 1 warning: 1 datastream, 0 activities, 0 offers, 0 audiences, 0 paths of pages.
`,
    err: '',
  });
});

test('errors are told with file, line and column, and fail', async () => {
  const folder = workspaceFolder({
    'weir.yaml': 'regoin: va6\n',
    'datastreams/shop.yaml': `${LEAST_FILES['datastreams/shop.yaml']}origins:\n  - https://shop.example/../x\n`,
    'destinations/a.yaml': '',
  });
  expect(await run('--workspace', folder)).toEqual({
    code: 1,
    out: `${folder}/datastreams/shop.yaml:5:5: 'origins[0]' is "https://shop.example/../x". It takes a scheme, a host and perhaps a port, without a path, here: https://shop.example.
${folder}/destinations:1:1: warning: This version of Weir does not read 'destinations' yet: the files in it have no effect.
${folder}/weir.yaml:1:1: The key 'regoin' is not known in the file. Did you mean 'region'?
2 errors, 1 warning. The server would not take this workspace.
`,
    err: '',
  });
});

describe('called wrongly', () => {
  test('without a folder', async () => {
    const { code, out, err } = await run();
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^weir check: --workspace is missing\.\n\nUsage: weir check --workspace DIR\n/);
  });

  test.each([
    ['an unknown option', ['--workspce', 'x'], "'--workspce'"],
    ['a folder without its option', ['examples/demo-shop'], "'examples/demo-shop'"],
    ['an option without its value', ['--workspace'], '--workspace takes a value'],
  ])('with %s', async (_, args, named) => {
    const { code, out, err } = await run(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('weir check: ');
    expect(err).toContain(named);
    expect(err).toContain('Usage: weir check --workspace DIR');
  });

  test('a folder that is not there is an error of the workspace', async () => {
    const { code, out } = await run('--workspace', '/no/such/folder');
    expect(code).toBe(1);
    expect(out).toContain("/no/such/folder/weir.yaml:1:1: The workspace folder '/no/such/folder' cannot be read.");
  });
});

test('asked for help', async () => {
  const { code, out, err } = await run('--help');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('Usage: weir check --workspace DIR');
});
