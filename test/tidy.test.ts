import { describe, expect, it } from 'vitest';
import { satisfies } from '../scripts/lib/node-version.mjs';
import { unsupportedNode } from '../src/cli/node-version.ts';
import { houseProblems } from './support/house-rules.ts';
import { importProblems } from './support/import-rules.ts';
import { licenceProblems } from './support/licences.ts';
import { filesIn, importsOf, sources, textOf } from './support/sources.ts';

/** The rules of the house, held against every file; and each rule against a file that breaks it. */

const manifest = JSON.parse(textOf('package.json')) as {
  engines: { node: string };
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

const SRC = sources('src', /\.ts$/);

describe('imports', () => {
  it('go one way, in no circle, and never from part to part', () => {
    expect(importProblems(SRC)).toEqual([]);
  });

  const planted: readonly (readonly [string, Record<string, string>, RegExp | null])[] = [
    ['model imports another folder', { 'src/model/a.ts': `import { b } from '../net/b.ts';` }, /model may import only/],
    ['a type alone', { 'src/log/a.ts': `import type { B } from '../net/b.ts';` }, /log may import only/],
    ['a re-export', { 'src/log/a.ts': `export { b } from '../net/b.ts';` }, /log may import only/],
    ['a lazy import', { 'src/log/a.ts': `const b = await import('../net/b.ts');` }, /log may import only/],
    ['an import for its effect', { 'src/log/a.ts': `import '../net/b.ts';` }, /log may import only/],
    ['over several lines', { 'src/log/a.ts': `import {\n  b,\n  c,\n} from '../net/b.ts';` }, /log may import only/],
    ['gateway imports a stage', { 'src/gateway/a.ts': `import { b } from '../stages/b.ts';` }, /gateway may import/],
    ['a new folder', { 'src/extras/a.ts': `import { b } from '../net/b.ts';` }, /'extras' is not in the list/],
    ['a file that is not there', { 'src/log/a.ts': `import { c } from './c.ts';` }, /no such file/],
    ['no .ts', { 'src/log/a.ts': `import { c } from './c.js';` }, /end in \.ts/],
    ['model uses Node', { 'src/model/a.ts': `import { join } from 'node:path';` }, /model is pure/],
    ['a stage knows HTTP', { 'src/stages/a.ts': `import type { X } from 'node:http';` }, /know HTTP/],
    ['the log opens a file', { 'src/log/a.ts': `import { open } from 'node:fs/promises';` }, /Fs interface/],
    ['a package in the wrong folder', { 'src/gateway/a.ts': `import { fastify } from 'fastify';` }, /only admin uses/],
    ['a strange package', { 'src/net/a.ts': `import axios from 'axios';` }, /no runtime dependency/],
    [
      'a circle of types is none',
      { 'src/net/a.ts': `import type { C } from './c.ts';`, 'src/net/c.ts': `import './a.ts';` },
      null,
    ],
    ['a circle', { 'src/net/a.ts': `import './c.ts';`, 'src/net/c.ts': `import './a.ts';` }, /import cycle: .*a\.ts/],
    [
      'a part imports a part',
      {
        'src/components.ts': `import { a } from './handles/a.ts';\nimport { c } from './handles/c.ts';`,
        'src/handles/a.ts': `import { c } from './c.ts';`,
        'src/handles/c.ts': '',
      },
      /parts never import/,
    ],
  ];
  const others = { 'src/net/b.ts': '', 'src/stages/b.ts': '', 'src/stages/run.ts': '' };
  it.each(planted)('%s', (_, files, problem) => {
    const expected = problem === null ? [] : [expect.stringMatching(problem)];
    expect(importProblems(new Map(Object.entries({ ...others, ...files })))).toEqual(expected);
  });

  it('are not mistaken: text that looks like an import is none', () => {
    expect(importsOf(`const text = "import nothing";\nconst path = url.from('x');\n// says import\n`)).toEqual([]);
  });
});

describe('files', () => {
  /** Made by npm; and this file, which holds an example of everything that is wrong. */
  const EXEMPT = ['package-lock.json', 'test/tidy.test.ts'];
  const ours = filesIn('').filter((path) => !EXEMPT.includes(path) && !/\.(png|svg|ico)$/.test(path));

  it('keep the rules of the house', () => {
    expect(ours.flatMap((path) => houseProblems(path, textOf(path)))).toEqual([]);
  });

  const lines = (count: number): string => 'x;\n'.repeat(count);
  const broken: readonly (readonly [string, string, RegExp])[] = [
    ['src/log/a.ts', lines(301), /301 lines/],
    ['test/log/a.test.ts', lines(451), /451 lines/],
    ['src/log/utils.ts', '', /says nothing/],
    ['src/helpers/a.ts', '', /says nothing/],
    ['src/log/a.ts', 'export class LogManager {}', /says nothing/],
    ['src/log/a.ts', 'export interface Event {}', /hides one of the platform/],
    ['src/log/a.ts', 'try { f(); } catch {}', /catch that hides/],
    ['src/log/a.ts', 'await f().catch(() => {});', /a\.ts:1: a catch that hides/],
    ['src/log/a.ts', `// ${'TO'}DO: later`, /unfinished/],
    ['src/log/a.ts', 'console.log(1);', /telemetry/],
    ['src/log/a.ts', 'outlet.onClose = () => call.close();', /Name it first/],
    ['src/log/a.ts', 'parser.onIncoming = (req, keepAlive): number => {', /Name it first/],
    ['src/log/a.ts', 'this.#done = async function () {};', /Name it first/],
    ['test/a.test.ts', `it.${'skip'}('x', () => {});`, /every test runs/],
    ['test/a.test.ts', `describe.${'only'}('x', () => {});`, /every test runs/],
    ['test/a.test.ts', `await vi.${'waitFor'}(() => expect(a).toBe(1));`, /expect\.poll/],
    ['docs/a.md', `see /${'work'}/main`, /machine/],
    ['docs/a.md', `from registry.${'npmjs'}.org`, /registry/],
  ];
  it.each(broken)('%s breaking a rule is reported (%#)', (path, text, problem) => {
    expect(houseProblems(path, text)).toEqual([expect.stringMatching(problem)]);
  });

  it('may leave a failure to others where a comment says to whom', () => {
    expect(houseProblems('src/log/a.ts', '// reported by the writer\ndone.catch(() => {});\n')).toEqual([]);
  });

  it('may have as many lines as the rule says', () => {
    expect(houseProblems('src/log/a.ts', lines(300))).toEqual([]);
  });
});

describe('dependencies', () => {
  const reasons = textOf('docs/dependencies.md');
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });

  it.each(names)('%s has its reason in docs/dependencies.md', (name) => {
    const reason = reasons.split(/\n(?=- |\n)/).find((item) => item.trim().startsWith(`- **${name}** `));
    expect(reason?.length ?? 0).toBeGreaterThan(50);
  });

  it('are at most 15 at run time', () => {
    expect(Object.keys(manifest.dependencies).length).toBeLessThanOrEqual(15);
  });

  it('are as many as docs/evidence.md says', () => {
    const said = /\| direct runtime dependencies \| (\d+),/.exec(textOf('docs/evidence.md'))?.[1];
    expect(Number(said)).toBe(Object.keys(manifest.dependencies).length);
  });

  it('are used, and pinned to one version', () => {
    const used = [...SRC.values()].flatMap(importsOf).map(({ specifier }) => specifier);
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      expect(
        used.some((one) => one === name || one.startsWith(`${name}/`)),
        `${name} is imported`,
      ).toBe(true);
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  it('have a permissive licence, all that they bring included', () => {
    expect(licenceProblems(JSON.parse(textOf('package-lock.json')))).toEqual([]);
  });

  const packages = (licence: string) => ({ packages: { 'node_modules/a': { version: '1.0.0', license: licence } } });
  it.each(['GPL-3.0', 'AGPL-3.0-or-later', 'LGPL-2.1', 'MIT AND GPL-2.0', 'SSPL-1.0', ''])(
    '%j is refused',
    (licence) => {
      expect(licenceProblems(packages(licence))).toHaveLength(1);
    },
  );
  it.each(['MIT', 'ISC', '(MIT OR GPL-2.0)', 'Apache-2.0 AND MIT', 'BSD-3-Clause'])('%j is taken', (licence) => {
    expect(licenceProblems(packages(licence))).toEqual([]);
  });
});

describe('the lockfile', () => {
  const text = textOf('package-lock.json');

  it('names no registry: where packages come from is the choice of whoever installs', () => {
    expect(text).not.toMatch(/"resolved"/);
  });
});

describe('supported versions of Node', () => {
  const versions = ['v18.20.8', 'v20.19.0', 'v20.20.1', 'v20.20.2', 'v20.21.0', 'v22.22.1', 'v22.22.2', 'v23.11.0'];
  const newer = ['v24.14.0', 'v24.14.1', 'v24.21.0', 'v25.0.0', 'v26.1.0'];

  it.each([...versions, ...newer])('%s: package.json and the program agree', (version) => {
    expect(satisfies(version, manifest.engines.node)).toBe(unsupportedNode(version) === null);
  });
});
