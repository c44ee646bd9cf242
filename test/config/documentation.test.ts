import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CONTENT_BYTES_MAX, CONTENTS_BYTES_MAX } from '../../src/config/decisions/contents.ts';
import { ACTION_KINDS } from '../../src/config/decisions/dom-actions.ts';
import { ITEM_FORMS } from '../../src/config/decisions/items.ts';
import { FOLDER_ENTRIES_MAX } from '../../src/config/folder.ts';
import { changedOptions, serverOptions } from '../../src/config/options.ts';
import { ALIASES_MAX, NESTING_MAX, SOURCE_BYTES_MAX } from '../../src/config/parse.ts';
import { readSchema, type Schema, type SchemaName } from '../../src/config/schema-check.ts';
import { SITE_BYTES_MAX, SITE_FILE_BYTES_MAX, SITE_FILES_MAX } from '../../src/config/site.ts';
import { loadWorkspace } from '../../src/config/workspace.ts';
import { SERVICE_NAMES } from '../../src/model/services.ts';
import { LEAST_FILES, workspaceFolder } from '../support/workspace-folder.ts';

const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const TEXT = read('configuration.md');
/** "| `deadlineMs` | 2000 | …": rows by the name in their first cell. */
const ROWS = new Map(
  TEXT.split('\n')
    .map((line) => line.split(' | '))
    .filter((cells) => cells[0]?.startsWith('| `'))
    .map(([name, ...cells]) => [name!.slice('| `'.length, -1), cells]),
);

/** Options without those below them: what a person sets. */
function leaves(schema: Schema, root: Schema, prefix = ''): [string, Schema][] {
  return Object.entries(schema.properties ?? {})
    .filter(([key]) => !key.startsWith('$'))
    .flatMap(([key, part]) => {
      const option =
        part.$ref === undefined ? part : { ...root.definitions![part.$ref.slice('#/definitions/'.length)]!, ...part };
      const name = prefix + key;
      return option.properties === undefined ? [[name, option] as [string, Schema]] : leaves(option, root, `${name}.`);
    });
}

function optionsOf(name: SchemaName): [string, Schema][] {
  const schema = readSchema(name);
  return leaves(schema, schema);
}

describe('docs/configuration.md', () => {
  test.each(optionsOf('weir'))('has weir.yaml’s %s with its default and range', (name, option) => {
    const [byDefault, takes] = ROWS.get(name) ?? [];
    expect(byDefault, `a row for ${name}`).toBeDefined();
    if (option.default !== undefined && option.default !== '' && !Array.isArray(option.default)) {
      expect(byDefault!.replaceAll('`', '')).toBe(String(option.default));
    }
    if (option.minimum !== undefined) expect(takes).toContain(`${option.minimum}–${option.maximum}`);
  });

  test('has every key of a datastream', () => {
    const keys = optionsOf('datastream').map(([name]) => name);
    const missing = keys.filter((key) => !ROWS.has(key) && !ROWS.has(key.split('.')[0]!));
    expect(missing).toEqual([]);
  });

  test.each<[SchemaName, string]>([
    ['activity', 'Of an activity'],
    ['audience', 'Of an audience'],
  ])('has every key of an %s', (name, heading) => {
    const table = TEXT.slice(TEXT.indexOf(`| ${heading} |`)).split('\n\n')[0]!;
    const keys = Object.keys(readSchema(name).properties!).filter((key) => !key.startsWith('$'));
    expect(keys.filter((key) => !table.includes(`\`…${key}\``))).toEqual([]);
  });

  test('has every form of content', () => {
    expect([...ITEM_FORMS, ...ACTION_KINDS].filter((form) => !TEXT.includes(`\`${form}`))).toEqual([]);
  });

  test('marks exactly the options that wait for a restart', () => {
    const restart = [...ROWS].filter(([, cells]) => cells[2] === 'restart').map(([name]) => name);
    const before = serverOptions({}, '/w');
    const all = changedOptions({} as typeof before, before);
    expect(restart).toEqual(all);
  });

  test('has the limits', () => {
    const mb = (bytes: number): string => `${bytes / 1024 / 1024} MB`;
    expect(TEXT).toContain(
      `${SOURCE_BYTES_MAX / 1024} KB a file, ${NESTING_MAX} levels of maps and lists, ${FOLDER_ENTRIES_MAX} entries a folder`,
    );
    expect(TEXT).toContain(`(${ALIASES_MAX} uses a file)`);
    expect(TEXT).toContain(
      `at most ${SITE_FILES_MAX} files, ${mb(SITE_FILE_BYTES_MAX)} each, ${mb(SITE_BYTES_MAX)} together`,
    );
    expect(TEXT).toContain(
      `Content in files of its own: ${CONTENT_BYTES_MAX / 1024} KB each, ${mb(CONTENTS_BYTES_MAX)} together`,
    );
    for (const name of SERVICE_NAMES) expect(TEXT).toContain(`\`${name}\``);
  });

  const examples = [...`${TEXT}\n${read('identity.md')}`.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);

  test('has examples', () => {
    expect(examples.length).toBeGreaterThanOrEqual(6);
  });

  test.each(examples)('example: %s', async (example) => {
    const loaded = await loadWorkspace(workspaceFolder(filesOf(example)));
    expect(loaded.ok ? [] : loaded.findings.map(String)).toEqual([]);
  });
});

/** An example as the file that it is of, made whole. */
function filesOf(example: string): Record<string, string> {
  if (example.startsWith('# yaml-language-server')) return { 'weir.yaml': `${example}{}` };
  if (/^(region|auth|identity|thirdParty|requestUnits):/.test(example)) return { 'weir.yaml': example };
  const named = /^# ((?:activities|audiences|offers)\/.*)\n/.exec(example);
  if (named !== null) {
    const gold = 'id: gold\nwhen: { "==": [{ var: profile.tier }, gold] }\n';
    return { 'audiences/gold.yaml': gold, [named[1]!]: example };
  }
  if (example.startsWith('site:')) {
    const text = example.replace('../node_modules/@adobe/alloy/dist/', 'lib/');
    return { 'weir.yaml': text, 'site/index.html': '', 'lib/alloy.min.js': '' };
  }
  const least = LEAST_FILES['datastreams/shop.yaml']!;
  return { 'datastreams/shop.yaml': example.includes('id: shop') ? example : least + example };
}

test('the demo workspace is good, and gives no warning', async () => {
  const loaded = await loadWorkspace(new URL('../../examples/demo-shop', import.meta.url).pathname);
  expect(loaded.ok ? loaded.warnings.map(String) : loaded.findings.map(String)).toEqual([]);
});
