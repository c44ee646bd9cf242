import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FOLDER_ENTRIES_MAX } from '../../src/config/folder.ts';
import { SOURCE_BYTES_MAX } from '../../src/config/parse.ts';
import { FINDINGS_OF_FILE_MAX } from '../../src/config/schema-findings.ts';
import { type Good, loadWorkspace } from '../../src/config/workspace.ts';
import { LEAST_FILES, workspaceFolder, writeFile } from '../support/workspace-folder.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

async function load(files: Parameters<typeof workspaceFolder>[0] = {}): Promise<Good> {
  return good(await loadWorkspace(workspaceFolder(files)));
}

function good(loaded: Awaited<ReturnType<typeof loadWorkspace>>): Good {
  if (!loaded.ok) throw new Error(loaded.findings.map(String).join('\n'));
  return loaded;
}

describe('the least that works', () => {
  test('an id, an org and a name', async () => {
    const { workspace } = await load();
    expect(workspace.datastreams.get('shop')).toEqual({
      id: 'shop',
      orgId: '0123@AdobeOrg',
      name: 'Shop',
      enabled: true,
      access: 'mixed',
      requestUnits: null,
      origins: null,
      services: new Set(['decisions', 'offers', 'messages', 'activation', 'audiences']),
      missingServices: [],
      overrides: { unregistered: 'reject', registered: {} },
      validation: { timestamp: 'warn' },
      consent: { default: 'in', tcfVendor: 565 },
      ipObfuscation: null,
      retention: { maxAgeMs: null, eventTypes: new Map() },
      identity: { fpidCookie: null, rules: expect.objectContaining({ isStrict: false }) },
      decisions: null,
      cookiePrefix: 'kndctr_0123_AdobeOrg_',
    });
    expect(workspace.ownRegion).toEqual({ hint: 'or2', targetId: 35, audienceManagerId: 9 });
    expect([...workspace.regions.byHint.keys()]).toEqual(['or2', 'va6', 'irl1', 'ind1', 'jpn3', 'sgp3', 'aus3']);
    expect(workspace.regions.byTargetId.get(38)?.hint).toBe('sgp3');
    expect(workspace.pages.size).toBe(0);
    expect(workspace.warnings).toEqual([]);
    expect(workspace.hash).toMatch(/^[0-9a-f]{16}$/);
  });

  test('without a datastream there is a warning, and a workspace', async () => {
    const { workspace } = await load({ 'datastreams/shop.yaml': null });
    expect(workspace.datastreams.size).toBe(0);
    expect(workspace.warnings).toHaveLength(1);
  });
});

describe('datastreams', () => {
  test('everything that a file may say', async () => {
    const { workspace } = await load({
      'datastreams/shop.yaml': `
id: shop
org: A.b_c-1@AdobeOrg
name: Shop
enabled: false
access: authenticated
origins: [https://shop.example, http://localhost:8080]
services: {media: {enabled: true}, decisions: {enabled: false}, audiences: {enabled: true}}
overrides:
  unregistered: warn
  registered: {com_adobe_identity: {idSyncContainerId: [107, "108"]}}
validation: {timestamp: reject, identities: reject}
consent: { default: pending, tcfVendor: null }
ipObfuscation: partial
retention: {maxAgeDays: 395, eventTypes: {a.b: {maxAgeDays: 1.5}, constructor: {maxAgeDays: null}}}
identity: {fpidCookie: device_id}
`,
    });
    expect(workspace.datastreams.get('shop')).toEqual({
      id: 'shop',
      orgId: 'A.b_c-1@AdobeOrg',
      name: 'Shop',
      enabled: false,
      access: 'authenticated',
      requestUnits: null,
      origins: new Set(['https://shop.example', 'http://localhost:8080']),
      services: new Set(['offers', 'messages', 'activation', 'audiences']),
      missingServices: ['media'],
      overrides: { unregistered: 'warn', registered: { com_adobe_identity: { idSyncContainerId: [107, '108'] } } },
      validation: { timestamp: 'reject' },
      consent: { default: 'pending', tcfVendor: null },
      ipObfuscation: 'partial',
      retention: {
        maxAgeMs: 395 * DAY_MS,
        eventTypes: new Map([
          ['a.b', 1.5 * DAY_MS],
          ['constructor', null],
        ]),
      },
      identity: { fpidCookie: 'device_id', rules: expect.objectContaining({ isStrict: true }) },
      decisions: null,
      cookiePrefix: 'kndctr_A.b_c-1_AdobeOrg_',
    });
  });

  test('an environment is the datastream with its own settings merged in: maps by key, lists replaced', async () => {
    const { workspace } = await load({
      'datastreams/shop.yaml': `${LEAST_FILES['datastreams/shop.yaml']}
origins: [https://shop.example, https://b.example]
services: {forwarding: {enabled: true}, media: {enabled: true}}
overrides:
  unregistered: warn
  registered:
    com_adobe_analytics: {reportSuites: [a, b]}
    com_adobe_target: {propertyToken: [t]}
retention: {maxAgeDays: 2, eventTypes: {a: {maxAgeDays: 4}}}
environments:
  dev:
    name: Shop, dev
    origins: [http://localhost:8080]
    services: {media: {enabled: false}}
    overrides: {registered: {com_adobe_analytics: {reportSuites: [c]}}}
    retention: {eventTypes: {b: {maxAgeDays: 3}}}
  same: {}
`,
    });
    const { datastreams } = workspace;
    expect([...datastreams.keys()]).toEqual(['shop', 'shop:dev', 'shop:same']);
    expect(datastreams.get('shop:same')).toEqual({ ...datastreams.get('shop'), id: 'shop:same' });
    expect(datastreams.get('shop:dev')).toEqual({
      ...datastreams.get('shop'),
      id: 'shop:dev',
      name: 'Shop, dev',
      origins: new Set(['http://localhost:8080']),
      missingServices: ['forwarding'],
      retention: {
        maxAgeMs: 2 * DAY_MS,
        eventTypes: new Map([
          ['a', 4 * DAY_MS],
          ['b', 3 * DAY_MS],
        ]),
      },
      overrides: {
        unregistered: 'warn',
        registered: { com_adobe_analytics: { reportSuites: ['c'] }, com_adobe_target: { propertyToken: ['t'] } },
      },
    });
  });

  test('of one org have one limit of request units: what the org’s own does not say is as for all', async () => {
    const { workspace } = await load({
      'weir.yaml': 'requestUnits: {interact: 40, orgs: {A: {interact: 5}, B: {collect: 7}, C: {interact: null}}}',
      'datastreams/a.yaml': 'id: a\norg: A\nname: A\nenvironments: {dev: {}}\n',
      'datastreams/b.yaml': 'id: b\norg: B\nname: B\n',
      'datastreams/c.yaml': 'id: c\norg: C\nname: C\n',
      'datastreams/d.yaml': 'id: d\norg: D\nname: D\n',
    });
    const of = (id: string) => workspace.datastreams.get(id)!.requestUnits;
    expect(of('a')).toEqual({ interact: 5, collect: null });
    expect(of('a:dev')).toBe(of('a'));
    expect(of('b')).toEqual({ interact: 40, collect: 7 });
    expect(of('c')).toBe(null);
    expect(of('d')).toEqual({ interact: 40, collect: null });
    expect((await load({})).workspace.datastreams.get('shop')!.requestUnits).toBe(null);
  });

  test('are read from .yaml, .yml and .json, links too; hidden files, backups and other files are not', async () => {
    const folder = workspaceFolder({
      'datastreams/b.yml': 'id: b\norg: O\nname: B\n',
      'datastreams/c.JSON': '{"id":"c","org":"O","name":"C"}',
      'kept-elsewhere/d': 'id: d\norg: O\nname: D\n',
      'datastreams/.hidden.yaml': 'broken: [',
      'datastreams/shop.yaml~': 'broken: [',
      'datastreams/README.md': '# Datastreams',
    });
    symlinkSync('../kept-elsewhere/d', join(folder, 'datastreams/d.yaml'));
    expect([...good(await loadWorkspace(folder)).workspace.datastreams.keys()]).toEqual(['b', 'c', 'd', 'shop']);
  });

  test('names at the edge of what is taken', async () => {
    const id = `!#$%&'()*+,-.0123456789;<=>?@A[]^_\`a{|}~${'x'.repeat(88)}`.slice(0, 128);
    const { workspace } = await load({
      'datastreams/shop.yaml': JSON.stringify({
        id,
        org: 'o'.repeat(128),
        name: 'n',
        environments: { ['e'.repeat(64)]: {} },
      }),
    });
    expect([...workspace.datastreams.keys()]).toEqual([id, `${id}:${'e'.repeat(64)}`]);
    for (const wrong of [{ id: `${id}x` }, { org: 'o'.repeat(129) }, { environments: { ['e'.repeat(65)]: {} } }]) {
      const text = JSON.stringify({ id, org: 'O', name: 'n', ...wrong });
      expect((await loadWorkspace(workspaceFolder({ 'datastreams/shop.yaml': text }))).ok).toBe(false);
    }
  });
});

test('a table of regions of its own', async () => {
  const { workspace } = await load({
    'weir.yaml':
      'region: eu1\nregions: [{hint: eu1, targetId: 5, audienceManagerId: 6}, {hint: us1, targetId: 7, audienceManagerId: 6}]\n',
  });
  expect(workspace.ownRegion).toEqual({ hint: 'eu1', targetId: 5, audienceManagerId: 6 });
  expect([...workspace.regions.byHint.keys()]).toEqual(['eu1', 'us1']);
  expect(workspace.regions.byTargetId.get(7)).toBe(workspace.regions.byHint.get('us1'));
});

describe('the hash', () => {
  test('is of the content, not of when or where it was written', async () => {
    expect((await load()).workspace.hash).toBe((await load()).workspace.hash);
  });

  test.each<[string, Parameters<typeof workspaceFolder>[0]]>([
    ['an option', { 'weir.yaml': 'deadlineMs: 2000\n' }],
    ['a comment', { 'weir.yaml': '{} # x\n' }],
    ['a datastream', { 'datastreams/b.yaml': 'id: b\norg: O\nname: B\n' }],
    [
      "a file's name",
      { 'datastreams/shop.yaml': null, 'datastreams/other.yaml': LEAST_FILES['datastreams/shop.yaml']! },
    ],
    ['a file of a later version', { 'destinations/a.yaml': '' }],
  ])('changes with %s', async (_, files) => {
    expect((await load(files)).workspace.hash).not.toBe((await load()).workspace.hash);
  });

  test('changes with a page', async () => {
    const site = (page: string) => load({ 'weir.yaml': 'site: {root: site}\n', 'site/index.html': page });
    expect((await site('a')).workspace.hash).not.toBe((await site('b')).workspace.hash);
  });
});

describe('limits', () => {
  const padded = (bytes: number): string => `{}\n#${'x'.repeat(bytes - 5)}\n`;

  test('bytes of a file', async () => {
    expect((await loadWorkspace(workspaceFolder({ 'weir.yaml': padded(SOURCE_BYTES_MAX) }))).ok).toBe(true);
    const loaded = await loadWorkspace(workspaceFolder({ 'weir.yaml': padded(SOURCE_BYTES_MAX + 1) }));
    expect(loaded.ok ? '' : loaded.findings.join()).toContain(
      `has ${SOURCE_BYTES_MAX + 1} bytes; at most ${SOURCE_BYTES_MAX} are read`,
    );
  });

  test('findings of a file', async () => {
    const keys = (count: number): string => Array.from({ length: count }, (_, i) => `key${i}: 1\n`).join('');
    const told = async (count: number) => {
      const loaded = await loadWorkspace(workspaceFolder({ 'weir.yaml': keys(count) }));
      return loaded.ok ? [] : loaded.findings.map(String);
    };
    expect(await told(FINDINGS_OF_FILE_MAX)).toHaveLength(FINDINGS_OF_FILE_MAX);
    const more = await told(FINDINGS_OF_FILE_MAX + 2);
    expect(more).toHaveLength(FINDINGS_OF_FILE_MAX + 1);
    expect(more).toContain('weir.yaml:1:1: 2 more errors in this file are not listed.');
  });

  test('entries of a folder', async () => {
    const folder = workspaceFolder({});
    for (let i = 1; i < FOLDER_ENTRIES_MAX; i++) writeFile(folder, `datastreams/${i}.txt`, '');
    expect((await loadWorkspace(folder)).ok).toBe(true);
    writeFile(folder, 'datastreams/one-more.txt', '');
    const loaded = await loadWorkspace(folder);
    expect(loaded.ok ? '' : loaded.findings.join()).toContain(
      `holds ${FOLDER_ENTRIES_MAX + 1} files; at most ${FOLDER_ENTRIES_MAX}`,
    );
  });
});

test('whatever happens to the bytes of a good workspace, loading ends in a workspace or in findings', async () => {
  const weir = Buffer.from(
    'region: or2\nproxies: [10.0.0.0/8, "::1"]\nlog: {retention: {maxAgeDays: 30}}\nsite: {root: site, files: {/a.js: site/index.html}}\n',
  );
  const shop = Buffer.from(
    `${LEAST_FILES['datastreams/shop.yaml']}origins: &o [https://shop.example]\nservices: {decisions: {enabled: true}}\nenvironments:\n  dev: {origins: *o, validation: {timestamp: reject}}\n`,
  );
  const folder = workspaceFolder({ 'weir.yaml': weir, 'datastreams/shop.yaml': shop, 'site/index.html': 'x' });
  expect((await loadWorkspace(folder)).ok).toBe(true);
  const mutation = fc.record({
    file: fc.constantFrom<[string, Buffer]>(['weir.yaml', weir], ['datastreams/shop.yaml', shop]),
    at: fc.nat(400),
    drop: fc.nat(3),
    insert: fc.uint8Array({ maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
      const contents = new Map<string, Buffer>([
        ['weir.yaml', weir],
        ['datastreams/shop.yaml', shop],
      ]);
      for (const {
        file: [name],
        at,
        drop,
        insert,
      } of mutations) {
        const old = contents.get(name)!;
        const from = at % (old.length + 1);
        contents.set(name, Buffer.concat([old.subarray(0, from), insert, old.subarray(from + drop)]));
      }
      for (const [name, content] of contents) writeFile(folder, name, content);
      const loaded = await loadWorkspace(folder);
      if (!loaded.ok) expect(loaded.findings.some(({ severity }) => severity === 'error')).toBe(true);
    }),
    { numRuns: 500 },
  );
});
