import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { filesIn, ROOT } from '../support/sources.ts';
import { LEAST_FILES, writeFile } from '../support/workspace-folder.ts';

/** What `npm pack` makes is what people install: everything that the program needs, and nothing else. */

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const folder = mkdtempSync(join(tmpdir(), 'weir-package-'));
let packed: Packed;
let paths: readonly string[];

beforeAll(() => {
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  [packed] = JSON.parse(output) as [Packed];
  paths = packed.files.map(({ path }) => path);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('holds a compiled file for each source, with its types', () => {
  const compiled = filesIn('src').flatMap((path) => {
    const name = path.replace(/^src\//, 'dist/').replace(/\.ts$/, '');
    return [`${name}.js`, `${name}.d.ts`];
  });
  expect(paths.filter((path) => path.startsWith('dist/')).sort()).toEqual(compiled.sort());
});

it('holds the schemas, the licence and what a newcomer reads', () => {
  const alerts = ['ops/prometheus/weir.rules.yaml', 'ops/grafana/weir.json'];
  const needed = [...filesIn('schemas'), ...alerts, 'LICENSE', 'README.md', 'package.json'];
  expect(needed.filter((path) => !paths.includes(path))).toEqual([]);
});

it('holds nothing else', () => {
  const known = /^(dist\/.*|schemas\/.*\.json|ops\/.*\.(json|yaml)|LICENSE|README\.md|CHANGELOG\.md|package\.json)$/;
  expect(paths.filter((path) => !known.test(path) || /test/.test(path))).toEqual([]);
});

it('runs from where it is unpacked, with its dependencies beside it', () => {
  execFileSync('tar', ['-xzf', join(folder, packed.filename), '-C', folder]);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, content] of Object.entries(LEAST_FILES)) writeFile(join(folder, 'workspace'), name, content);
  const main = join(folder, 'package/dist/main.js');
  const output = execFileSync(process.execPath, [main, 'check', '--workspace', join(folder, 'workspace')], {
    encoding: 'utf8',
  });
  expect(output).toContain('No error');
});
