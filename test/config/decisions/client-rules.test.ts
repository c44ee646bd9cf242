import { describe, expect, test } from 'vitest';
import { loadWorkspace } from '../../../src/config/workspace.ts';
import { workspaceFolder } from '../../support/workspace-folder.ts';

/** Rules that clients evaluate, and what the Web SDK cannot show, with the place that is told and the words that follow. */

const A = 'activities/a.yaml';

async function findings(content: string): Promise<string[]> {
  const text = `id: a\nsurface: web://shop.example/\nexperiences:\n  - id: x\n    ${content}\n`;
  const loaded = await loadWorkspace(workspaceFolder({ [A]: text }));
  return (loaded.ok ? loaded.warnings : loaded.findings).map(String);
}

const CONDITION = '{ type: matcher, definition: { key: page, matcher: eq, values: [cart] } }';
const rule = (condition: string, consequence = '{ detail: { schema: a, data: {} } }') =>
  `rules: [{ condition: ${condition}, consequences: [${consequence}] }]`;
const detail = (schema: string, data: string) =>
  rule(CONDITION, `{ detail: { schema: https://ns.adobe.com/personalization/${schema}, data: ${data} } }`);
const AT = 'experiences[0].rules[0]';

test.each<[what: string, content: string]>([
  ['a matcher', rule(CONDITION)],
  ['what needs no values', rule('{ type: matcher, definition: { key: page, matcher: ex } }')],
  ['a group', rule(`{ type: group, definition: { logic: or, conditions: [${CONDITION}] } }`)],
  [
    'what happened before',
    rule(
      '{ type: historical, definition: { events: [{ iam.id: a }], matcher: ge, value: 1, from: 0, searchType: any } }',
    ),
  ],
  ['a consequence of another type', rule(CONDITION, '{ id: b, type: url, detail: { url: app://x } }')],
  ['keys that are not known here', rule(CONDITION.replace('type:', 'more: 1, type:'))],
  [
    'an event to note',
    detail('eventHistoryOperation', '{ operation: insert, content: { iam.id: a, iam.eventType: b } }'),
  ],
  [
    'the look of all three elements',
    'message: { html: x, web: { alloy-messaging-container: {}, alloy-content-iframe: {}, alloy-overlay-container: {} } }',
  ],
  ['a look that is left to mobile', 'message: { html: x, web: {}, mobile: { width: 50 } }'],
  ['JSON with a version', 'json: { version: 3 }'],
  ['cards at two pages', 'items: [{ card: { title: a } }, { card: { title: b }, surface: "web://shop.example/b" }]'],
  ['JSON that is rules', `json: { version: 1, ${rule(CONDITION)} }`],
])('%s is taken', async (_, content) => {
  expect(await findings(content)).toEqual([]);
});

describe('what no client can read', () => {
  test.each<[what: string, content: string, ...told: string[]]>([
    [
      'a rule with misspelt keys',
      'rules: [{ conditino: {}, consequences: [] }]',
      `5:13: The key 'condition' is missing in '${AT}'. Is 'conditino' meant for it?`,
    ],
    [
      'a rule without consequences',
      `rules: [{ condition: ${CONDITION} }]`,
      `5:13: The key 'consequences' is missing in '${AT}'. Add 'consequences'.`,
    ],
    [
      'a condition of another type',
      rule('{ type: match, definition: {} }'),
      `5:34: '${AT}.condition.type' is "match". It takes one of: matcher, group, historical.`,
    ],
    [
      'a condition without a definition',
      rule('{ type: matcher, key: page }'),
      `5:26: The key 'definition' is missing in '${AT}.condition'. Add 'definition'.`,
    ],
    [
      'an unknown matcher',
      rule(CONDITION.replace('eq', 'equals')),
      `5:77: '${AT}.condition.definition.matcher' is "equals". It takes one of: eq, ne, gt`,
    ],
    [
      'one value for several',
      rule(CONDITION.replace('[cart]', 'cart')),
      `5:89: '${AT}.condition.definition.values' is "cart". It takes a list.`,
    ],
    [
      'a group within a group',
      rule(`{ type: group, definition: { logic: nor, conditions: [{ type: group, definition: { logic: and } }] } }`),
      `5:62: '${AT}.condition.definition.logic' is "nor". It takes one of: and, or.`,
      `5:107: The key 'conditions' is missing in '${AT}.condition.definition.conditions[0].definition'. Add 'conditions'.`,
    ],
    [
      'what happened before, without a number',
      rule('{ type: historical, definition: { events: [], matcher: eq, value: "1" } }'),
      `5:92: '${AT}.condition.definition.value' is "1". It takes a number.`,
    ],
    [
      'a consequence without a detail',
      rule(CONDITION, '{ id: x }'),
      `5:116: The key 'detail' is missing in '${AT}.consequences[0]'. Add 'detail'.`,
    ],
    [
      'a message without its type',
      detail('message/in-app', '{ content: x }'),
      `5:195: The key 'contentType' is missing in '${AT}.consequences[0].detail.data'. Add 'contentType'.`,
    ],
    [
      'an event to note, without its id',
      detail('eventHistoryOperation', '{ operation: add, content: { iam.eventType: b } }'),
      `5:215: '${AT}.consequences[0].detail.data.operation' is "add". It takes one of: insert, insertIfNotExists.`,
      `5:229: The key 'iam.id' is missing in '${AT}.consequences[0].detail.data.content'. Add 'iam.id'.`,
    ],
    [
      "the 'if' of a message",
      'message: { html: x, if: { key: a } }',
      "5:29: The key 'definition' is missing in 'experiences[0].message.if'.",
      "5:29: The key 'type' is missing in 'experiences[0].message.if'.",
    ],
    [
      'a ruleset-item, whole',
      'schema: https://ns.adobe.com/personalization/ruleset-item\n    data: { version: 1 }',
      "6:11: 'experiences[0].data.rules' is null. It takes a list of rules.",
    ],
    [
      'a look without the frame',
      'message: { html: x, web: { alloy-messaging-container: {}, alloy-content-ifrane: {}, alloy-overlay-container: x } }',
      "5:30: The key 'alloy-content-iframe' is missing in 'experiences[0].message.web'. Is 'alloy-content-ifrane' meant for it?",
      "5:114: 'experiences[0].message.web.alloy-overlay-container' is no map. It takes a map of: style, params.",
    ],
    [
      'JSON that looks like rules',
      'json: { version: 3, rules: [a, b] }',
      "5:11: warning: The Web SDK takes JSON with both 'version' and 'rules' for rules of messages,",
    ],
    [
      'cards at a page and at a part of it',
      'items: [{ card: { title: a } }, { card: { title: b }, surface: "web://shop.example/#promo" }]',
      "4:5: warning: Messages and cards stand at 'web://shop.example/' and at 'web://shop.example/#promo', of one page:",
    ],
    [
      'a misspelt schema',
      'schema: https://ns.adobe.com/personalization/mesage/inbox\n    data: {}',
      "5:13: warning: No client asks for the schema 'https://ns.adobe.com/personalization/mesage/inbox'. Did you mean 'https://ns.adobe.com/personalization/message/inbox'?",
    ],
  ])('%s', async (_, content, ...told) => {
    const all = await findings(content);
    const expected = told.map((one) => `${A}:${one}`);
    expect(all.map((one, index) => (one.startsWith(expected[index] ?? '?') ? expected[index] : one))).toEqual(expected);
  });
});

test('the domain of a pushed cookie is a host', async () => {
  const audience = (domain: string) =>
    `id: a\nwhen: { "==": [1, 1] }\npush: [{ cookie: { name: a, value: b, domain: "${domain}" } }]\n`;
  const told = async (domain: string) => {
    const loaded = await loadWorkspace(workspaceFolder({ 'audiences/a.yaml': audience(domain) }));
    return (loaded.ok ? loaded.warnings : loaded.findings).map(String);
  };
  expect(await told('.shop.example')).toEqual([]);
  expect(await told('https://shop.example')).toEqual([
    `audiences/a.yaml:3:47: 'push[0].cookie.domain' is "https://shop.example". It takes a host, such as shop.example.`,
  ]);
});
