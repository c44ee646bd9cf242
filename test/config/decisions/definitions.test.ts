import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Good, loadWorkspace } from '../../../src/config/workspace.ts';
import { LEAST_FILES, workspaceFolder } from '../../support/workspace-folder.ts';

async function load(files: Record<string, string>): Promise<Good> {
  const loaded = await loadWorkspace(workspaceFolder(files));
  expect(loaded.ok ? loaded.warnings.map(String) : loaded.findings.map(String)).toEqual([]);
  return loaded as Good;
}
const ORG = '0123@AdobeOrg';
const ACTIVITY = 'id: a\nscope: s\nexperiences: [{ id: x, html: y }]\n';
const ALWAYS = 'when: { "==": [1, 1] }\n';

test('audiences, with what clients are told of them and to do', async () => {
  const { workspace } = await load({
    'audiences/b.yaml': `id: b\nname: B\n${ALWAYS}`,
    'audiences/a.yaml': `id: a
${ALWAYS}segment: { destination: crm, alias: CRM, attributes: [tier] }
push:
  - { cookie: { name: seg, value: a } }
  - { id: own, url: "https://p.example/", hideReferrer: true, ttlMinutes: 5 }
requires: { adobe: [share] }
`,
    'audiences/c.yaml': `id: c\n${ALWAYS}segment: true\n`,
  });
  const definitions = workspace.decisions.get(ORG)!;
  const when = { '==': [1, 1] };
  expect(definitions.audiences).toEqual([
    { id: 'a', name: 'a', when, segment: { destinationId: 'crm', alias: 'CRM', attributes: ['tier'] } },
    { id: 'b', name: 'B', when, segment: null },
    { id: 'c', name: 'c', when, segment: { destinationId: 'weir', alias: 'weir', attributes: [] } },
  ]);
  const requires = { adobe: ['share'] };
  expect(definitions.pushes).toEqual([
    {
      id: 'a:1',
      when: { audience: 'a' },
      payload: { type: 'cookie', spec: { name: 'seg', value: 'a', ttlDays: 10 } },
      requires,
    },
    {
      id: 'own',
      when: { audience: 'a' },
      payload: { type: 'url', id: 'own', spec: { url: 'https://p.example/', hideReferrer: true, ttlMinutes: 5 } },
      requires,
    },
  ]);
});

test('offers of several files', async () => {
  const { workspace } = await load({
    'offers/1.yaml':
      'placements: [{ id: p, type: html }, { id: i, name: Image, type: image }, { id: j, type: json }]\n',
    'offers/2.yaml': `offers:
  - id: o
    priority: 3
    end: 2026-12-01
    caps: [{ max: 1 }]
    content:
      p: <b>
      i: https://x.example/i.png
      j: { file: o.json, language: [en], characteristics: { a: b } }
decisions:
  - id: d
    placements:
      - { placement: p, offers: [o] }
      - { placement: i, offers: [], fallback: o }
`,
    'o.json': '{"a":1}',
  });
  const prefix = 'https://ns.adobe.com/experience/offer-management/content-component-';
  expect(workspace.decisions.get(ORG)!.offers).toEqual({
    placements: [
      { id: 'p', name: 'p', component: `${prefix}html` },
      { id: 'i', name: 'Image', component: `${prefix}imagelink` },
      { id: 'j', name: 'j', component: `${prefix}json` },
    ],
    offers: [
      {
        id: 'o',
        name: 'o',
        priority: 3,
        startMs: null,
        endMs: Date.parse('2026-12-01T00:00:00Z'),
        when: null,
        caps: [{ max: 1, periodMs: null }],
        content: {
          p: { format: 'text/html', content: '<b>' },
          i: { format: 'image/png', deliveryURL: 'https://x.example/i.png' },
          j: { format: 'application/json', language: ['en'], content: { a: 1 }, characteristics: { a: 'b' } },
        },
      },
    ],
    decisions: [
      {
        id: 'd',
        name: 'd',
        startMs: null,
        endMs: null,
        placements: [
          { placementId: 'p', offers: ['o'], fallback: null },
          { placementId: 'i', offers: [], fallback: 'o' },
        ],
      },
    ],
  });
});

test('each org has its own, with its own options; datastreams share their org’s', async () => {
  const { workspace } = await load({
    'weir.yaml': `decisions: { timeZone: Europe/Zurich, holdoutPercent: 1, orgs: { B: { holdoutPercent: 2 } } }\n`,
    'datastreams/b.yaml': 'id: b\norg: B\nname: B\nenvironments: { dev: {} }\n',
    'datastreams/c.yaml': 'id: c\norg: C\nname: C\n',
    'activities/a.yaml': `org: ${ORG}\n${ACTIVITY}`,
    'activities/b.yaml': `org: B\n${ACTIVITY}start: 2026-12-01\n`,
  });
  const { decisions, datastreams } = workspace;
  expect([...decisions.keys()]).toEqual([ORG, 'B']);
  expect(decisions.get('B')).toMatchObject({
    orgId: 'B',
    timeZone: 'Europe/Zurich',
    holdoutPercent: 2,
    targetClient: '',
  });
  expect(decisions.get('B')!.activities[0]!.startMs).toBe(Date.parse('2026-11-30T23:00:00Z'));
  expect(datastreams.get('shop')!.decisions).toBe(decisions.get(ORG));
  expect(datastreams.get('b:dev')!.decisions).toBe(decisions.get('B'));
  expect(datastreams.get('c')!.decisions).toBeNull();
});

test('the hash is of what is said, not of how it is written', async () => {
  const hashOf = async (files: Record<string, string>): Promise<string> =>
    (await load({ 'activities/a.yaml': ACTIVITY, ...files })).workspace.decisions.get(ORG)!.hash;
  const hash = await hashOf({});
  expect(hash).toMatch(/^[0-9a-f]{16}$/);
  expect(await hashOf({ 'activities/a.yaml': `# x\n${ACTIVITY}name: a\n` })).toBe(hash);
  expect(await hashOf({ 'datastreams/shop.yaml': `${LEAST_FILES['datastreams/shop.yaml']}enabled: false\n` })).toBe(
    hash,
  );
  expect(await hashOf({ 'activities/a.yaml': ACTIVITY.replace('y', 'z') })).not.toBe(hash);
  expect(await hashOf({ 'weir.yaml': 'decisions: { timeZone: Europe/Zurich }\n' })).not.toBe(hash);
});

test('a file of content is part of the workspace, and looked at', async () => {
  const folder = workspaceFolder({ 'activities/a.yaml': ACTIVITY.replace('html: y', 'file: h.html'), 'h.html': 'one' });
  const first = (await loadWorkspace(folder)) as Good;
  expect(first.looked).toContain(join(folder, 'h.html'));
  writeFileSync(join(folder, 'h.html'), 'two');
  const second = (await loadWorkspace(folder)) as Good;
  expect(second.workspace.hash).not.toBe(first.workspace.hash);
  expect(JSON.stringify(second.workspace.decisions.get(ORG)!.activities)).toContain('two');
});
