import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SITE_BYTES_MAX, SITE_DEPTH_MAX, SITE_FILE_BYTES_MAX, SITE_FILES_MAX } from '../../src/config/site.ts';
import { loadWorkspace } from '../../src/config/workspace.ts';
import { workspaceFolder, writeFile } from '../support/workspace-folder.ts';

const SITE = 'site: {root: site}\n';

async function pagesOf(folder: string) {
  const loaded = await loadWorkspace(folder);
  if (!loaded.ok) throw new Error(loaded.findings.map(String).join('\n'));
  return loaded.workspace.pages;
}

async function told(folder: string): Promise<string[]> {
  const loaded = await loadWorkspace(folder);
  return loaded.ok ? [] : loaded.findings.map(String);
}

describe('pages', () => {
  test('by the paths that browsers ask for', async () => {
    const pages = await pagesOf(
      workspaceFolder({
        'weir.yaml': 'site: {root: site, files: {/sdk.js: lib/sdk.min.js, /about.html: lib/about.html}}\n',
        'site/index.html': 'home',
        'site/about.html': 'replaced',
        'site/css/shop.css': 'css',
        'site/help/index.html': 'help',
        'site/über uns.html': 'us',
        'site/100%?#.txt': 'odd',
        'site/.env': 'secret',
        'site/.git/config': 'secret',
        'lib/sdk.min.js': 'sdk',
        'lib/about.html': 'about',
      }),
    );
    const text = Object.fromEntries([...pages].map(([path, { body }]) => [path, Buffer.from(body).toString()]));
    expect(text).toEqual({
      '/': 'home',
      '/index.html': 'home',
      '/about': 'replaced',
      '/about.html': 'about',
      '/css/shop.css': 'css',
      '/help/': 'help',
      '/help/index.html': 'help',
      '/%C3%BCber%20uns': 'us',
      '/%C3%BCber%20uns.html': 'us',
      '/100%25%3F%23.txt': 'odd',
      '/sdk.js': 'sdk',
    });
  });

  test.each([
    ['a.html', 'text/html; charset=utf-8'],
    ['a.JS', 'text/javascript; charset=utf-8'],
    ['a.css', 'text/css; charset=utf-8'],
    ['a.json', 'application/json'],
    ['a.svg', 'image/svg+xml'],
    ['a.png', 'image/png'],
    ['a.woff2', 'font/woff2'],
    ['a.exe', 'application/octet-stream'],
    ['a', 'application/octet-stream'],
  ])('%s is %s', async (name, contentType) => {
    const pages = await pagesOf(workspaceFolder({ 'weir.yaml': SITE, [`site/${name}`]: '' }));
    expect(pages.get(`/${name}`)?.contentType).toBe(contentType);
  });

  test('are read through links within the root, as mounted configuration has them', async () => {
    const folder = workspaceFolder({ 'weir.yaml': SITE, 'site/..2026/index.html': 'home' });
    symlinkSync('..2026', join(folder, 'site/..data'));
    symlinkSync('..data/index.html', join(folder, 'site/index.html'));
    expect(Buffer.from((await pagesOf(folder)).get('/')!.body).toString()).toBe('home');
  });
});

describe('what is not served', () => {
  test('links that lead out of the root', async () => {
    const folder = workspaceFolder({ 'weir.yaml': SITE, 'site/index.html': '', 'site-secrets/key': '' });
    symlinkSync('../site-secrets/key', join(folder, 'site/key'));
    symlinkSync('../site-secrets', join(folder, 'site/secrets'));
    symlinkSync('nowhere', join(folder, 'site/broken'));
    const out = (name: string) =>
      `weir.yaml:1:14: 'site/${name}' is a link that leads out of 'site.root', or nowhere. Name the file in 'site.files', or remove the link.`;
    expect(await told(folder)).toEqual([out('broken'), out('key'), out('secrets')]);
  });

  test('links to folders, which could form circles', async () => {
    const folder = workspaceFolder({ 'weir.yaml': SITE, 'site/a/index.html': '' });
    symlinkSync('.', join(folder, 'site/a/self'));
    symlinkSync('a', join(folder, 'site/b'));
    const isFolder = (name: string) =>
      `weir.yaml:1:14: The file 'site/${name}' cannot be served. It is a folder. Mend it, or move it out of the site.`;
    expect(await told(folder)).toEqual([isFolder('a/self'), isFolder('b')]);
  });

  test.each(['.', '..', '/', 'site/..'])('the workspace itself: root %s', async (root) => {
    const folder = workspaceFolder({ 'weir.yaml': `site: {root: ${root}}\n`, 'site/a': '' });
    expect(await told(folder)).toEqual([
      `weir.yaml:1:14: 'site.root' is '${root}', which holds the workspace itself: its files would be published. Name a folder within it, such as site.`,
    ]);
  });

  test.each<[string, string, string]>([
    [
      'a root that is not there',
      'site:\n  root: pages\n',
      "2:9: The folder 'pages' cannot be read. It does not exist. 'site.root' takes a folder, relative to the workspace.",
    ],
    [
      'a root that is a file',
      'site:\n  root: weir.yaml\n',
      "2:9: The folder 'weir.yaml' cannot be read. It, or a folder above it, is a file. 'site.root' takes a folder, relative to the workspace.",
    ],
    [
      'a file that is not there',
      'site:\n  root: site\n  files:\n    /a.js: a.js\n',
      "4:12: The file 'a.js' cannot be served. It does not exist. The path is relative to the workspace folder.",
    ],
    [
      'a file that is a folder',
      'site:\n  root: site\n  files:\n    /a.js: datastreams\n',
      "4:12: The file 'datastreams' cannot be served. It is a folder. The path is relative to the workspace folder.",
    ],
  ])('%s', async (_, text, message) => {
    expect(await told(workspaceFolder({ 'weir.yaml': text, 'site/index.html': '' }))).toEqual([`weir.yaml:${message}`]);
  });
});

describe('limits', () => {
  test('bytes of a file', async () => {
    const folder = workspaceFolder({ 'weir.yaml': SITE, 'site/a.bin': new Uint8Array(SITE_FILE_BYTES_MAX) });
    expect(await told(folder)).toEqual([]);
    writeFile(folder, 'site/a.bin', new Uint8Array(SITE_FILE_BYTES_MAX + 1));
    expect((await told(folder))[0]).toContain(`has ${SITE_FILE_BYTES_MAX + 1} bytes; at most ${SITE_FILE_BYTES_MAX}`);
  });

  test('bytes of the site', async () => {
    const folder = workspaceFolder({ 'weir.yaml': SITE });
    const most = Math.floor(SITE_BYTES_MAX / SITE_FILE_BYTES_MAX);
    for (let i = 0; i < most; i++) writeFile(folder, `site/${i}.bin`, new Uint8Array(SITE_FILE_BYTES_MAX));
    expect(await told(folder)).toEqual([]);
    writeFile(folder, 'site/z.txt', 'x');
    expect(await told(folder)).toEqual([
      `weir.yaml:1:14: The site has more than ${SITE_BYTES_MAX} bytes, which are held in memory. Serve it from a web server.`,
    ]);
  });

  test('files', async () => {
    const folder = workspaceFolder({ 'weir.yaml': SITE });
    for (let i = 0; i < SITE_FILES_MAX; i++) writeFile(folder, `site/${i}.txt`, '');
    expect(await told(folder)).toEqual([]);
    writeFile(folder, 'site/z.txt', '');
    expect((await told(folder))[0]).toContain(`more than ${SITE_FILES_MAX} files`);
  });

  test('levels', async () => {
    const deep = (levels: number) => workspaceFolder({ 'weir.yaml': SITE, [`site/${'a/'.repeat(levels)}x.txt`]: '' });
    expect(await told(deep(SITE_DEPTH_MAX))).toEqual([]);
    expect((await told(deep(SITE_DEPTH_MAX + 1)))[0]).toContain('nested too deeply');
  });
});
