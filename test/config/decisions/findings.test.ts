import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CONTENT_BYTES_MAX } from '../../../src/config/decisions/contents.ts';
import { loadWorkspace } from '../../../src/config/workspace.ts';
import { LEAST_FILES, workspaceFolder } from '../../support/workspace-folder.ts';

/** Every mistake in activities, audiences and offers, with the place that is told and the words that follow. */

type Files = Record<string, string | null>;

async function findings(files: Files): Promise<string[]> {
  const loaded = await loadWorkspace(workspaceFolder(files));
  return (loaded.ok ? loaded.warnings : loaded.findings).map(String);
}
async function check(files: Files, told: readonly string[]): Promise<void> {
  const all = await findings(files);
  expect(all.map((one, index) => (one.startsWith(told[index] ?? '?') ? told[index] : one))).toEqual(told);
}

const SHOP = LEAST_FILES['datastreams/shop.yaml']!;
const A = 'activities/a.yaml';
const least = (more: string): string => `id: a\nscope: s\n${more}experiences: [{ id: x, html: y }]\n`;
const shows = (items: string): string => `id: a\nscope: s\nexperiences:\n  - id: x\n    ${items}\n`;

describe('activities', () => {
  test.each<[what: string, text: string, ...told: string[]]>([
    [
      'a misspelt key',
      least('audience: x\n'),
      "3:1: The key 'audience' is not known in the file. Known here: id, name,",
    ],
    [
      'no experience',
      'id: a\nexperiences: []\n',
      "2:14: 'experiences' is an empty list. It takes a list of 1 to 50 items.",
    ],
    ['an id with a space', 'id: a b\nexperiences: [{ id: x }]\n', '1:5: \'id\' is "a b". It takes letters, digits,'],
    ['an unknown audience', least('when: { audience: golden }\n'), "3:19: There is no audience 'golden'."],
    [
      'an unknown operator, deep in a condition',
      least('when:\n  and:\n    - "===": [{ var: profile.a }, 1]\n    - matchez: [{ var: profile.a }, x]\n'),
      "6:16: The operator 'matchez' is not known. Did you mean 'matches'?",
    ],
    ['a condition on nothing', least('when: { "==": [{ var: profil.a }, 1] }\n'), '3:23: '],
    [
      'a condition of an experience',
      'id: a\nscope: s\nexperiences:\n  - id: x\n    when: { foo: 1 }\n    html: y\n',
      "5:18: The operator 'foo' is not known.",
    ],
    [
      'a condition of a goal',
      least('goals: [{ id: g, when: { foo: 1 } }]\n'),
      "3:31: The operator 'foo' is not known.",
    ],
    [
      'an unknown time zone',
      least('start: 2026-12-01\ntimeZone: Europe/Bern\n'),
      '4:11: \'timeZone\' is "Europe/Bern". It takes the IANA name of a time zone,',
    ],
    ['no date', least('start: next week\n'), '3:8: \'start\' is "next week". It takes a date, or a date and a time,'],
    [
      'a day that is not there',
      least('end: 2026-02-30\n'),
      '3:6: \'end\' is "2026-02-30". There is no such day or time.',
    ],
    [
      'an end before the start',
      least('start: 2026-12-02\nend: 2026-12-01\n'),
      "4:6: 'end' is not after the start, so it never runs. Mend one of the two.",
    ],
    [
      'no duration',
      least('caps: [{ max: 1, per: 7 days }]\n'),
      '3:23: \'caps[0].per\' is "7 days". It takes a whole number and s, m, h or d,',
    ],
    [
      'an unknown datastream',
      least('datastreams: [shop, shp]\n'),
      '3:21: \'datastreams[1]\' is "shp", which is no datastream of this org. Known: shop.',
    ],
    [
      'an unknown namespace',
      least('bucketBy: crm\n'),
      '3:11: \'bucketBy\' is "crm", which is no namespace of this org. Known: ECID,',
    ],
    [
      'Target’s buckets without its client',
      least('bucketing: target\n'),
      "3:12: 'bucketing: target' makes the buckets of Adobe Target, which depend on the client code. Set 'decisions.targetClient'",
    ],
    [
      'a weight too small',
      least('').replace('html: y', 'html: y, weight: -1'),
      "3:41: 'experiences[0].weight' is -1. It takes a number from 0 to 1000000.",
    ],
    [
      'weights of nothing',
      least('').replace('html: y', 'html: y, weight: 0'),
      '3:14: The weights of the experiences come to 0, so nobody would see any.',
    ],
    [
      'a condition in an A/B test',
      least('kind: ab\n').replace('html: y', 'html: y, when: { "==": [1, 1] }'),
      "4:33: 'when' is for kind: targeted;",
    ],
    [
      'a weight of targeted content',
      least('kind: targeted\n').replace('html: y', 'html: y, weight: 2'),
      "4:33: 'weight' is for kind: ab;",
    ],
    [
      'two experiences of one id',
      'id: a\nscope: s\nexperiences: [{ id: x, html: y }, { id: x }]\n',
      "3:41: The id 'x' stands in the list before.",
    ],
    [
      'two goals of one id',
      least('goals:\n  - { id: g, when: { "==": [1, 1] } }\n  - { id: g, when: { "==": [1, 1] } }\n'),
      "5:11: The id 'g' stands in the list before.",
    ],
    [
      'a sum of nothing',
      least('goals: [{ id: g, when: { "==": [1, 1] }, count: sum }]\n'),
      "3:9: 'count: sum' needs a 'value'",
    ],
    [
      'a value that is not summed',
      least('goals: [{ id: g, when: { "==": [1, 1] }, count: total, value: xdm.a }]\n'),
      "3:56: 'value' is for count: sum; here it is total.",
    ],
    [
      'a value that is no fact',
      least('goals: [{ id: g, when: { "==": [1, 1] }, value: commerce.order.priceTotal }]\n'),
      "3:49: The path 'commerce.order.priceTotal' begins at 'commerce', which is no fact. Known: xdm,",
    ],
    [
      'two places',
      'id: a\nscope: s\nview: v\nexperiences: [{ id: x, html: y }]\n',
      "3:1: The content has both a 'scope' and a 'view'.",
    ],
    ['no place', 'id: a\nexperiences: [{ id: x, html: y }]\n', '2:15: Nothing says where this content belongs.'],
    [
      'a surface that is none',
      'id: a\nsurface: shop.example\nexperiences: [{ id: x }]\n',
      '2:10: \'surface\' is "shop.example". It takes a URI such as web://',
    ],
    [
      'surfaces beside scopes',
      shows('items: [{ html: y }, { html: z, surface: "web://x/" }]'),
      '4:3: The activity has content for surfaces and for scopes or views;',
    ],
    [
      'two contents in one',
      shows('html: y\n    json: 1'),
      "4:5: 'experiences[0]' has several pieces of content (html, json). It takes exactly one of: html, json,",
    ],
    [
      'an empty item',
      shows('items: [{ scope: s }]'),
      "5:13: 'experiences[0].items[0]' has no content. It takes exactly one of",
    ],
    [
      'content beside items',
      shows('items: [{ html: y }]\n    html: z'),
      "6:5: The experience has both 'html' and 'items'.",
    ],
    [
      'two items of one id',
      shows('items: [{ html: y, id: i }, { html: z, id: i }]'),
      "4:5: The id 'i' is that of two items of this activity.",
    ],
    ['data without a schema', shows('html: y\n    data: {}'), "6:5: 'data' goes with 'schema' only; here is 'html'."],
    [
      'an action without a change',
      shows('actions: [{ selector: "#a" }]'),
      "5:15: 'experiences[0].actions[0]' has no change. It takes exactly one of: setText,",
    ],
    [
      'an action of two changes',
      shows('actions: [{ setText: x, remove: true, selector: "#a" }]'),
      "5:15: 'experiences[0].actions[0]' has several changes (setText, remove).",
    ],
    [
      'an action without a selector',
      shows('actions: [{ setText: x }]'),
      "5:15: The key 'selector' is missing in 'experiences[0].actions[0]'.",
    ],
    [
      'a message without a page',
      shows('message: { on: { page: a } }'),
      "5:14: 'experiences[0].message' has neither 'html' nor 'file'.",
    ],
    [
      'a message with two conditions',
      shows('message: { html: x, on: { page: a }, if: {} }'),
      "5:42: 'experiences[0].message' has both 'on' and 'if'.",
    ],
    ['an empty card', shows('card: { dismiss: simple }'), "5:11: 'experiences[0].card' has nothing to show."],
    [
      'a file that is not there',
      shows('file: hero.html'),
      "5:11: The file 'hero.html' cannot be read. It does not exist. The path is relative to the workspace folder.",
    ],
    [
      'a file of another kind',
      shows('file: weir.yaml'),
      "5:11: The file 'weir.yaml' is neither HTML (.html) nor JSON (.json).",
    ],
    ['a file outside', shows('file: ../hero.html'), "5:11: The file '../hero.html' lies outside of the workspace."],
    ['a template on nothing', shows('html: "{{profil.name}}"'), "5:11: In the placeholder '{{profil.name}}': "],
    [
      'a redirect to a value',
      shows('redirect: "{{profile.page}}"'),
      "5:15: The redirect '{{profile.page}}' begins with a value. Values are URL-encoded here,",
    ],
    [
      'content at two places',
      shows('html: x\n    scope: a\n    view: b'),
      "7:5: The content has both a 'scope' and a 'view'. It belongs to one place: keep one of them.",
    ],
    [
      'a misspelt page',
      shows('html: x\n    scope: __veiw__'),
      "6:12: warning: No client asks for '__veiw__' by itself. Did you mean '__view__', which is the page?",
    ],
    ['a redirect to a whole URL', shows('redirect: "{{{profile.page}}}"')],
    [
      'a redirect without a scheme',
      shows('redirect: shop.example/sale'),
      "5:15: The redirect 'shop.example/sale' is no http or https URL and no path of the site. Write it as in https://shop.example/sale or /sale.",
    ],
    [
      'a redirect to a script',
      shows('redirect: "javascript:alert(1)"'),
      "5:15: The redirect 'javascript:alert(1)' is no",
    ],
    ['a redirect with a slash too few', shows('redirect: https:/shop.example/'), "5:15: The redirect 'https:/shop"],
    ['a redirect to a host that is filled in', shows('redirect: "https://{{profile.shop | \'www\'}}.example/"')],
    ['a redirect to a port that is filled in', shows('redirect: "https://shop.example:{{{profile.port}}}/"')],
    ['a redirect to a path', shows('redirect: "/sale?q={{{data.query}}}#top"')],
    [
      'half a template',
      shows('meta: { a: "{{profile.name" }\n    html: x'),
      "5:11: The placeholder at '{{profile.name' cannot be read.",
    ],
    [
      'an absolute path',
      shows('file: /etc/hero.html'),
      "5:11: The file '/etc/hero.html' lies outside of the workspace.",
    ],
    [
      'a missing file of an action',
      shows('actions: [{ setHtml: { file: no.html }, selector: "#a" }]'),
      "5:34: The file 'no.html' cannot be read.",
    ],
  ])('%s', async (_, text, ...told) => {
    await check(
      { [A]: text },
      told.map((one) => `${A}:${one}`),
    );
  });

  test('a file that is no JSON, no UTF-8, or too large', async () => {
    const at = `${A}:5:11: The file 'o.json' `;
    await check({ [A]: shows('file: o.json'), 'o.json': '{' }, [`${at}is not JSON. `]);
    await check({ [A]: shows('file: o.json'), 'o.json': '{"a":[1e400]}' }, [`${at}holds a number that is too large`]);
    await check({ [A]: shows('file: o.json'), 'o.json': '{"a":[1e300]}' }, []);
    await check({ [A]: shows('file: o.json'), 'o.json': ' '.repeat(CONTENT_BYTES_MAX + 1) }, [
      `${at}cannot be read. It has ${CONTENT_BYTES_MAX + 1} bytes; at most ${CONTENT_BYTES_MAX} are read.`,
    ]);
    await check({ [A]: shows('file: o.json'), 'o.json': `"${' '.repeat(CONTENT_BYTES_MAX - 2)}"` }, []);
  });

  test('a link out of the workspace', async () => {
    const outside = workspaceFolder({ 'secret.html': 'x' });
    const folder = workspaceFolder({ [A]: shows('file: c/secret.html') });
    mkdirSync(join(folder, 'c'));
    symlinkSync(join(outside, 'secret.html'), join(folder, 'c/secret.html'));
    const loaded = await loadWorkspace(folder);
    expect(loaded.ok).toBe(false);
    expect(String(loaded.ok ? '' : loaded.findings)).toContain(
      "The file 'c/secret.html' lies outside of the workspace.",
    );
  });

  test('an activity of nothing', async () => {
    await check({ [A]: 'id: a\nexperiences: [{ id: x }]\n' }, [
      `${A}:2:15: warning: No experience of this activity has content, so nobody sees anything of it.`,
    ]);
  });
});

describe('across files', () => {
  test('two activities of one id', async () => {
    await check({ [A]: least(''), 'activities/b.yaml': least('') }, [
      "activities/b.yaml:1:5: The id 'a' is taken by activities/a.yaml:1:5. Give one of the two another id.",
    ]);
  });

  test('an activity and an offer of one id', async () => {
    const offers = 'placements: [{ id: p, type: text }]\noffers: [{ id: a, content: { p: x } }]\n';
    await check({ [A]: least(''), 'offers/o.yaml': offers }, [
      "offers/o.yaml:2:16: The id 'a' is taken by activities/a.yaml:1:5. Give one of the two another id.",
    ]);
  });

  test('two audiences of one id, and a circle of them', async () => {
    const always = 'id: a\nwhen: { "==": [1, 1] }\n';
    await check({ 'audiences/a.yaml': always, 'audiences/b.yaml': always }, [
      "audiences/b.yaml:1:5: The id 'a' is taken by audiences/a.yaml:1:5. Give one of the two another id.",
    ]);
    const naming = (id: string, other: string): string => `id: ${id}\nwhen: { audience: ${other} }\n`;
    const told = await findings({ 'audiences/a.yaml': naming('a', 'b'), 'audiences/b.yaml': naming('b', 'a') });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^audiences\/[ab]\.yaml:2:19: Audiences name each other in a circle/);
  });

  test('without an org where there are two; of an org that has no datastream', async () => {
    const other = 'id: other\norg: OTHER@AdobeOrg\nname: O\n';
    await check({ [A]: least(''), 'datastreams/other.yaml': other }, [
      `${A}:1:1: The key 'org' is missing in the file. There are datastreams of 2 orgs, so it says of which this is: OTHER@AdobeOrg, 0123@AdobeOrg.`,
    ]);
    await check({ [A]: least('org: 4567@AdobeOrg\n') }, [
      `${A}:3:6: warning: No datastream is of the org "4567@AdobeOrg", so nobody gets to see it. Datastreams are of: 0123@AdobeOrg.`,
    ]);
  });

  test('a service that is off where activities need it', async () => {
    const off = (service: string): string => `${SHOP}services: { ${service}: { enabled: false } }\n`;
    const told = (service: string): string =>
      `warning: The service '${service}' is off in 'shop', so nothing of this is seen there. Enable it in the datastream's file, or take the datastream out.`;
    await check({ [A]: least('datastreams: [shop]\n'), 'datastreams/shop.yaml': off('decisions') }, [
      `${A}:3:14: ${told('decisions')}`,
    ]);
    await check({ [A]: least('').replace('scope: s', 'surface: web://x/'), 'datastreams/shop.yaml': off('messages') }, [
      `${A}:1:1: ${told('messages')}`,
    ]);
    await check({ 'offers/o.yaml': 'offers: []\n', 'datastreams/shop.yaml': off('offers') }, [
      `offers/o.yaml:1:1: ${told('offers')}`,
    ]);
  });

  test('of a service that is on in another datastream nothing is said', async () => {
    const two = { 'datastreams/other.yaml': SHOP.replace('id: shop', 'id: other') };
    await check(
      { [A]: least(''), 'datastreams/shop.yaml': `${SHOP}services: { decisions: { enabled: false } }\n`, ...two },
      [],
    );
  });
});

const O = 'offers/o.yaml';
describe('offers and audiences', () => {
  const placements = 'placements: [{ id: p, type: html }, { id: i, type: image }]\n';
  test.each<[what: string, text: string, ...told: string[]]>([
    [
      'an unknown placement of an offer',
      `${placements}offers: [{ id: o, content: { q: x } }]\n`,
      "2:30: There is no placement 'q'. Known in this org: p, i.",
    ],
    [
      'two placements of one id',
      `${placements.replace('id: i', 'id: p')}`,
      "1:43: The id 'p' is that of another placement.",
    ],
    [
      'no content',
      `${placements}offers: [{ id: o, content: { p: { language: [en] } } }]\n`,
      "2:33: 'offers[0].content.p' has no content. It takes exactly one of: content, file, url.",
    ],
    [
      'a map for a text',
      `${placements}offers: [{ id: o, content: { p: { content: { a: 1 } } } }]\n`,
      "2:44: 'offers[0].content.p.content' stands in a placement of type html. It takes a text.",
    ],
    [
      'an offer with a template on nothing',
      `${placements}offers: [{ id: o, content: { p: "{{profil.name}}" } }]\n`,
      "2:33: In the placeholder '{{profil.name}}': The path 'profil.name' begins at 'profil', which is no fact. Did you mean 'profile'?",
    ],
    [
      'an unknown offer',
      `${placements}decisions: [{ id: d, placements: [{ placement: p, offers: [o] }] }]\n`,
      "2:60: There is no offer 'o'. There is none in this org yet.",
    ],
    [
      'an offer without content for the placement',
      `${placements}offers: [{ id: o, content: { p: x } }]\ndecisions: [{ id: d, placements: [{ placement: i, offers: [], fallback: o }] }]\n`,
      "3:73: The offer 'o' has no content for the placement 'i'.",
    ],
    [
      'an unknown placement of a decision',
      `${placements}offers: [{ id: o, content: { p: x } }]\ndecisions: [{ id: d, placements: [{ placement: z, offers: [o] }] }]\n`,
      "3:48: There is no placement 'z'. Known in this org: p, i.",
    ],
    [
      'a placement twice in one decision',
      `${placements}offers: [{ id: o, content: { p: x } }]\ndecisions: [{ id: d, placements: [{ placement: p, offers: [o] }, { placement: p, offers: [] }] }]\n`,
      "3:79: The placement 'p' stands in the list before. Put the offers of both into one.",
    ],
  ])('%s', async (_, text, ...told) => {
    await check(
      { [O]: text },
      told.map((one) => `${O}:${one}`),
    );
  });

  test('a push of nothing, and one of two things', async () => {
    const push = (text: string): Files => ({ 'audiences/a.yaml': `id: a\nwhen: { "==": [1, 1] }\npush: [${text}]\n` });
    await check(push('{ ttlMinutes: 3 }'), ["audiences/a.yaml:3:8: 'push[0]' has neither 'cookie' nor 'url'."]);
    await check(push('{ url: "https://x/", cookie: { name: a, value: b } }'), [
      "audiences/a.yaml:3:8: 'push[0]' has both 'cookie' and 'url'.",
    ]);
  });

  test('what an audience sends that would not arrive as it is meant', async () => {
    const audience = (rest: string) => ({ 'audiences/a.yaml': `id: a\nwhen: { "==": [1, 1] }\n${rest}\n` });
    await check(
      audience('push: [{ cookie: { name: a, value: "{{profile.tier}}" } }, { url: "https://x/{{data.a}}" }]'),
      [
        "audiences/a.yaml:3:36: warning: 'push[0].cookie.value' holds '{{'. It is sent as it stands: only items and offers hold templates.",
        "audiences/a.yaml:3:67: warning: 'push[1].url' holds '{{'.",
      ],
    );
    await check(audience('segment: { attributes: [tier, profile.tier] }'), [
      "audiences/a.yaml:3:31: warning: 'segment.attributes[1]' is \"profile.tier\". Attributes are named without 'profile.', as in: tier",
    ]);
  });

  test('time zones of weir.yaml', async () => {
    const text = 'decisions:\n  timeZone: Berlin\n  orgs: { 0123@AdobeOrg: { timeZone: Bern } }\n';
    await check({ 'weir.yaml': text }, [
      'weir.yaml:2:13: \'decisions.timeZone\' is "Berlin". It takes the IANA name of a time zone',
      'weir.yaml:3:38: \'decisions.orgs.0123@AdobeOrg.timeZone\' is "Bern". It takes the IANA name of a time zone',
    ]);
  });
});
