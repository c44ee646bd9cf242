import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CATALOGUE } from '../src/model/problem.ts';
import { type Running, startServer } from '../src/server.ts';
import { ROOT, sources } from './support/sources.ts';

const DOCUMENTS = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', ...markdownOf('docs')];

function markdownOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

test.each(DOCUMENTS)('%s: what it links to is there, and it names the package rightly', (file) => {
  const links = [...read(file).matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)].map(([, link]) => link!);
  const missing = links.filter((link) => !/^https?:/.test(link) && !existsSync(join(ROOT, dirname(file), link)));
  expect(missing).toEqual([]);
  expect(read(file)).not.toContain('npx weir');
});

test('docs/errors.md has every row of the catalogue', () => {
  const text = read('docs/errors.md');
  for (const { code, class: kind, title } of CATALOGUE.values())
    expect(text).toContain(`| ${code} | ${kind} | ${title} |`);
});

test('docs/errors.md says when each code comes that the source uses', () => {
  const files = sources('src', /\.ts$/);
  const used = [...files].filter(([path]) => path !== 'src/model/problem.ts').map(([, text]) => text);
  const blank = [...read('docs/errors.md').matchAll(/^\| (\S+) \|[^|]*\|[^|]*\|\s*\|$/gm)].map(([, code]) => code!);
  expect(blank.length).toBeGreaterThan(0);
  expect(blank.filter((code) => used.some((text) => text.includes(code)))).toEqual([]);
});

describe('the README’s calls', () => {
  let running: Running;
  const data = mkdtempSync(join(tmpdir(), 'weir-docs-'));
  const ports = { edgePort: 0, serverPort: 0, adminPort: 0 };
  beforeAll(async () => {
    running = await startServer({ workspace: join(ROOT, 'examples/demo-shop'), data, listeners: ports });
  });
  afterAll(async () => {
    await running.stop();
    rmSync(data, { recursive: true, force: true });
  });

  const calls = [...read('README.md').matchAll(/```\n(curl [\s\S]*?)```\n\n```\n([\s\S]*?)```/g)].map(
    ([, call, answer]) => ({ call: call!, answer: answer! }),
  );

  test('are there, one for each endpoint and one mistake', () => {
    const endpoints = calls.map(({ call }) => /\/ee(\/[a-z0-9/-]+)\?/.exec(call)![1]);
    expect(endpoints).toEqual([
      '/v2/interact',
      '/v2/collect',
      '/v1/identity/acquire',
      '/v1/privacy/set-consent',
      '/v2/collect',
    ]);
  });

  test.each(calls)('$call', async ({ call, answer }) => {
    const command = call.replaceAll('http://localhost:8080', running.urls.edge).replace('curl ', 'curl -s ');
    const { stdout: real } = await promisify(execFile)('sh', ['-c', command]);
    // Ids and times differ; every name and every handle type that is printed is really there, and nothing at the top is left out.
    const printed = [...answer.matchAll(/"(\w+)":|"type":"([\w:-]+)"/g)].map(([text]) => text);
    expect(printed.filter((text) => !real.includes(text))).toEqual([]);
    expect(Object.keys(JSON.parse(real)).filter((key) => !answer.includes(`"${key}":`))).toEqual([]);
  });
});
