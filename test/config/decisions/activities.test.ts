import { describe, expect, test } from 'vitest';
import { loadWorkspace } from '../../../src/config/workspace.ts';
import type { ActivityDefinition } from '../../../src/model/decision-definitions.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { activityOf, experienceOf, itemOf, PERSONALIZATION } from '../../support/decisions.ts';
import { workspaceFolder } from '../../support/workspace-folder.ts';

/** What files of activities come to. */

async function activity(text: string, files: Record<string, string> = {}): Promise<ActivityDefinition> {
  const loaded = await loadWorkspace(workspaceFolder({ 'activities/a.yaml': text, ...files }));
  expect(loaded.ok ? loaded.warnings.map(String) : loaded.findings.map(String)).toEqual([]);
  if (!loaded.ok) throw new Error('unreachable');
  return loaded.workspace.decisions.get('0123@AdobeOrg')!.activities[0]!;
}

const AB_TEST = `id: hero-test
name: Hero test
scope: hero
experiences:
  - id: control
  - id: bold
    html: <h1>Winter sale</h1>
goals:
  - id: order
    when: { "==": [{ var: xdm.eventType }, commerce.purchases] }
`;

test('an A/B test in ten lines', async () => {
  expect(AB_TEST.trimEnd().split('\n')).toHaveLength(10);
  const tokens = (id: string) => ({
    'activity.id': 'hero-test',
    'activity.name': 'Hero test',
    'experience.id': id,
    'experience.name': id,
  });
  const item = (experience: string, schema: string, data: JsonObject | null) =>
    itemOf('hero', {
      ...{ id: `hero-test:${experience}:1`, schema: `${PERSONALIZATION}${schema}`, data, meta: tokens(experience) },
    });
  const bold = { id: 'hero-test:bold:1', format: 'text/html', content: '<h1>Winter sale</h1>' };
  expect(await activity(AB_TEST)).toEqual(
    activityOf('hero-test', {
      name: 'Hero test',
      requires: { adobe: ['personalize.content'], tcf: [1, 10] },
      experiences: [
        experienceOf('control', [item('control', 'default-content-item', null)], { name: 'control' }),
        experienceOf('bold', [item('bold', 'html-content-item', bold)], { name: 'bold' }),
      ],
      goals: [
        {
          id: 'order',
          name: 'order',
          when: { '==': [{ var: 'xdm.eventType' }, 'commerce.purchases'] },
          windowMs: 7 * 24 * 60 * 60 * 1000,
          count: 'visitor',
          value: null,
        },
      ],
    }),
  );
});

test('everything that a file may say', async () => {
  const found = await activity(
    `id: a
enabled: false
kind: targeted
org: 0123@AdobeOrg
datastreams: [shop]
propertyToken: t
start: 2026-12-01 08:00
end: 2026-12-24
timeZone: Europe/Zurich
priority: 7
group: banners
when: { audience: gold }
trafficPercent: 50
holdoutPercent: 5.5
bucketing: target
bucketBy: Email
requires: { adobe: [share], tcf: [], vendors: [565] }
caps: [{ max: 3, per: 7d }, { max: 9 }]
surface: web://shop.example/*
meta: { team: blue }
experiences:
  - id: b
    name: B
    when: { "==": [{ var: profile.tier }, gold] }
    rank: 3
    label: Banner
    json: { a: 1 }
goals:
  - { id: revenue, name: Revenue, when: { "==": [1, 1] }, within: 12h, value: xdm.commerce.order.priceTotal }
`,
    {
      'weir.yaml': 'decisions: { targetClient: acme }\n',
      'audiences/gold.yaml': 'id: gold\nwhen: { "==": [{ var: profile.tier }, gold] }\n',
      'datastreams/shop.yaml': 'id: shop\norg: 0123@AdobeOrg\nname: Shop\nenvironments: { dev: {} }\n',
    },
  );
  expect(found).toMatchObject({
    enabled: false,
    kind: 'targeted',
    provider: 'AJO',
    datastreams: ['shop', 'shop:dev'],
    propertyToken: 't',
    startMs: Date.parse('2026-12-01T07:00:00Z'),
    endMs: Date.parse('2026-12-23T23:00:00Z'),
    priority: 7,
    exclusionGroup: 'banners',
    when: { audience: 'gold' },
    trafficPercent: 50,
    holdoutPercent: 5.5,
    bucketing: 'target',
    bucketBy: 'Email',
    requires: { adobe: ['share'], tcf: [], vendors: [565] },
    caps: [
      { max: 3, periodMs: 604_800_000 },
      { max: 9, periodMs: null },
    ],
    goals: [{ count: 'sum', value: 'xdm.commerce.order.priceTotal', windowMs: 43_200_000, name: 'Revenue' }],
  });
  expect(found.experiences[0]!.items[0]).toMatchObject({
    place: { kind: 'surface', name: 'web://shop.example/*' },
    rank: 3,
    trackingLabel: 'Banner',
    meta: { team: 'blue', 'experience.name': 'B' },
  });
});

const DOM = { format: 'application/vnd.adobe.target.dom-action', selector: '#a', prehidingSelector: '#a' };
const ruleset = (kind: string, data: JsonObject, condition: JsonObject): JsonObject => ({
  version: 1,
  rules: [
    {
      condition,
      consequences: [
        { id: 'a:b:1', type: 'schema', detail: { id: 'a:b:1', schema: `${PERSONALIZATION}message/${kind}`, data } },
      ],
    },
  ],
});
const matcher = (key: string, kind: string, values: (string | number)[]): JsonObject => ({
  type: 'matcher',
  definition: { key, matcher: kind, values },
});

describe('forms of content', () => {
  test.each<[form: string, schema: string, data: JsonObject | null, files?: Record<string, string>]>([
    ['html: <b>x</b>', 'html-content-item', { id: 'a:b:1', format: 'text/html', content: '<b>x</b>' }],
    [
      'json: [1, { a: null }]',
      'json-content-item',
      { id: 'a:b:1', format: 'application/json', content: [1, { a: null }] },
    ],
    [
      'file: c/h.html',
      'html-content-item',
      { id: 'a:b:1', format: 'text/html', content: '<i>' },
      { 'c/h.html': '<i>' },
    ],
    [
      'file: o.JSON',
      'json-content-item',
      { id: 'a:b:1', format: 'application/json', content: { a: 1 } },
      { 'o.JSON': '{"a":1}' },
    ],
    ['redirect: https://a.example/', 'redirect-item', { type: 'redirect', content: 'https://a.example/' }],
    ['default: true', 'default-content-item', null],
    ['measure: click', 'measurement', { type: 'click', format: 'application/vnd.adobe.target.metric' }],
    ['actions: [{ setText: x, selector: "#a" }]', 'dom-action', { ...DOM, type: 'setText', content: 'x' }],
    [
      'actions: [{ setHtml: { file: x.html }, selector: "#a" }]',
      'dom-action',
      { ...DOM, type: 'setHtml', content: 'X' },
      { 'x.html': 'X' },
    ],
    [
      'actions: [{ setAttribute: { title: x }, selector: "#a" }]',
      'dom-action',
      { ...DOM, type: 'setAttribute', content: { title: 'x' } },
    ],
    [
      'actions: [{ setStyle: { color: red }, selector: "#a", prehide: "#b" }]',
      'dom-action',
      { ...DOM, type: 'setStyle', content: { color: 'red' }, prehidingSelector: '#b' },
    ],
    [
      'actions: [{ rearrange: { from: 0, to: 2 }, selector: "#a" }]',
      'dom-action',
      { ...DOM, type: 'rearrange', content: { from: 0, to: 2 } },
    ],
    ['actions: [{ remove: true, selector: "#a" }]', 'dom-action', { ...DOM, type: 'remove' }],
    [
      'actions: [{ click: true, selector: "#a" }]',
      'dom-action',
      { type: 'click', format: 'application/vnd.adobe.target.metric', selector: '#a' },
    ],
    [
      'actions: [{ customCode: <i> }]',
      'dom-action',
      { ...DOM, type: 'customCode', content: '<i>', selector: 'BODY', prehidingSelector: 'BODY' },
    ],
    [
      'rules: [{ condition: { type: matcher, definition: { key: page, matcher: ex, values: [] } }, consequences: [] }]',
      'ruleset-item',
      { version: 1, rules: [{ condition: matcher('page', 'ex', []), consequences: [] }] },
    ],
    [
      'schema: https://ns.adobe.com/personalization/message/inbox\n    data: { capacity: 3 }',
      'message/inbox',
      { capacity: 3 },
    ],
    [
      'message: { html: <p>, on: { page: [a, b], step: 2 }, mobile: { width: 50 }, expire: 2026-12-01 }',
      'ruleset-item',
      ruleset(
        'in-app',
        {
          content: '<p>',
          contentType: 'text/html',
          mobileParameters: {
            ...{ verticalAlign: 'center', horizontalAlign: 'center', width: 50, height: 60, cornerRadius: 8 },
            ...{ backdropColor: '#FFFFFF', backdropOpacity: 0.4, uiTakeover: true },
          },
          webParameters: {},
          expiryDate: Date.parse('2026-12-01T00:00:00Z') / 1000,
        },
        {
          type: 'group',
          definition: { logic: 'and', conditions: [matcher('page', 'eq', ['a', 'b']), matcher('step', 'eq', [2])] },
        },
      ),
    ],
    [
      'message: { html: <p> }',
      'ruleset-item',
      ruleset(
        'in-app',
        {
          ...{ content: '<p>', contentType: 'text/html', mobileParameters: expect.any(Object) },
          webParameters: {
            ...{ 'alloy-messaging-container': expect.any(Object), 'alloy-content-iframe': expect.any(Object) },
            'alloy-overlay-container': expect.any(Object),
          },
        },
        matcher('~type', 'ex', []),
      ),
    ],
    [
      'card: { title: T, body: B, image: /i.png, url: /u, buttons: [{ text: Go, url: /g }], dismiss: simple }',
      'ruleset-item',
      ruleset(
        'content-card',
        {
          content: {
            title: { content: 'T' },
            body: { content: 'B' },
            image: { url: '/i.png' },
            actionUrl: '/u',
            buttons: [{ interactId: 'button-1', text: { content: 'Go' }, actionUrl: '/g' }],
            dismissBtn: { style: 'simple' },
          },
          contentType: 'application/json',
          meta: { adobe: { template: 'SmallImage' }, surface: 's' },
        },
        matcher('~type', 'ex', []),
      ),
    ],
  ])('%s', async (form, schema, data, files = {}) => {
    const { experiences } = await activity(`id: a\nscope: s\nexperiences:\n  - id: b\n    ${form}\n`, files);
    expect(experiences[0]!.items).toHaveLength(1);
    expect(experiences[0]!.items[0]).toMatchObject({ schema: PERSONALIZATION + schema, data });
  });

  test('an activity’s dates are those of its messages', async () => {
    const dates = 'start: 2026-12-01\nend: 2026-12-02\n';
    const { experiences } = await activity(
      `id: a\nsurface: web://x/\n${dates}experiences: [{ id: b, message: { html: x } }]\n`,
    );
    const text = JSON.stringify(experiences[0]!.items[0]!.data);
    expect(text).toContain('"publishedDate":1796083200,"expiryDate":1796169600');
  });

  test('several pieces, each with a place and an id; those without any show the default wherever others show something', async () => {
    const { experiences } = await activity(`id: a
scope: hero
experiences:
  - id: b
    items:
      - actions: [{ setText: x, selector: "#a" }, { remove: true, selector: "#b", id: own }]
      - { html: y, view: cart }
      - { html: z, scope: footer, id: mine }
  - id: c
`);
    const shown = experiences.map(({ items }) =>
      items.map(({ id, place, schema }) => `${id} ${place.kind} ${place.name} ${schema.slice(PERSONALIZATION.length)}`),
    );
    expect(shown).toEqual([
      [
        'a:b:1 scope hero dom-action',
        'own scope hero dom-action',
        'a:b:3 view cart html-content-item',
        'mine scope footer html-content-item',
      ],
      [
        'a:c:1 scope hero default-content-item',
        'a:c:2 view cart default-content-item',
        'a:c:3 scope footer default-content-item',
      ],
    ]);
  });

  test('changes of the page and redirects are of the page where nothing else is said', async () => {
    const { experiences } = await activity(
      'id: a\nexperiences: [{ id: b, redirect: "https://x.example/" }, { id: c }]\n',
    );
    const page = { kind: 'scope', name: '__view__' };
    expect(experiences.map(({ items }) => items[0]!.place)).toEqual([page, page]);
  });
});

test('what is told of an activity by its names is no template', async () => {
  const { experiences } = await activity('id: a\nname: "{{profile.x}}"\nscope: s\nexperiences: [{ id: b, html: x }]\n');
  expect(experiences[0]!.items[0]!.meta['activity.name']).toBe('\\{{profile.x}}');
});
