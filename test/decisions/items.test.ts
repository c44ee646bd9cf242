import { describe, expect, it } from 'vitest';
import { compileDecisions } from '../../src/decisions/engine.ts';
import type { Facts } from '../../src/model/condition.ts';
import type { ItemDefinition, Place } from '../../src/model/decision-definitions.ts';
import type { JsonObject } from '../../src/model/json.ts';
import {
  activityOf,
  decided,
  definitionsOf,
  experienceOf,
  factsOf,
  inputOf,
  itemOf,
  outcomesOf,
  PERSONALIZATION,
  surfacesOf,
} from '../support/decisions.ts';

const S: Place = { kind: 'scope', name: 's' };
const of = (stem: string): string => `${PERSONALIZATION}${stem}`;

function made(given: Partial<ItemDefinition>, facts: Partial<Facts> = {}, dates = {}): JsonObject | undefined {
  const activity = activityOf('x', { experiences: [experienceOf('a', [itemOf(S, given)])], ...dates });
  const engine = compileDecisions(definitionsOf({ activities: [activity] }));
  return decided(engine, inputOf(['s'], { facts: factsOf(facts) })).propositions[0]?.items[0];
}

describe('an item', () => {
  it.each<[string, Partial<ItemDefinition>, JsonObject]>([
    [
      'of HTML',
      { id: '9', data: { content: '<p/>' } },
      { id: '9', schema: of('html-content-item'), data: { id: '9', format: 'text/html', content: '<p/>' } },
    ],
    [
      'of JSON',
      { id: '9', schema: of('json-content-item'), data: { content: { k: 1 } } },
      { id: '9', schema: of('json-content-item'), data: { id: '9', format: 'application/json', content: { k: 1 } } },
    ],
    [
      'that changes the page, hidden until it does',
      { schema: of('dom-action'), data: { type: 'setHtml', selector: '#a', content: 'x' } },
      {
        id: 'i1',
        schema: of('dom-action'),
        data: {
          type: 'setHtml',
          selector: '#a',
          content: 'x',
          format: 'application/vnd.adobe.target.dom-action',
          prehidingSelector: '#a',
        },
      },
    ],
    [
      'that counts clicks, and hides nothing',
      { schema: of('dom-action'), data: { type: 'click', selector: '#a' }, trackingLabel: 'buy' },
      {
        id: 'i1',
        schema: of('dom-action'),
        data: { type: 'click', selector: '#a', format: 'application/vnd.adobe.target.dom-action' },
        characteristics: { trackingLabel: 'buy' },
      },
    ],
    [
      'that redirects',
      { schema: of('redirect-item'), data: { type: 'redirect', content: 'https://a.example' } },
      { id: 'i1', schema: of('redirect-item'), data: { type: 'redirect', content: 'https://a.example' } },
    ],
    [
      'that is a metric, where there is nothing else',
      { schema: of('measurement'), data: { type: 'click' } },
      { id: 'i1', schema: of('measurement'), data: { type: 'click', format: 'application/vnd.adobe.target.metric' } },
    ],
    [
      'of default content',
      { id: '0', schema: of('default-content-item'), data: null },
      { id: '0', schema: of('default-content-item'), meta: {} },
    ],
    [
      'without data',
      { schema: of('json-content-item'), data: null },
      { id: 'i1', schema: of('json-content-item'), data: { format: 'application/json', id: 'i1' } },
    ],
    [
      'with an id in its data that is another',
      { id: '9', data: { id: '8', content: '' } },
      { id: '9', schema: of('html-content-item'), data: { id: '9', format: 'text/html', content: '' } },
    ],
  ])('%s', (_name, given, expected) => {
    expect(made(given)).toEqual(expected);
  });

  it('has response tokens, and leaves them out where there are none', () => {
    expect(
      made({ meta: { 'activity.name': 'Hero', tier: '{{profile.tier}}' } }, { profile: { tier: 'gold' } }),
    ).toMatchObject({
      meta: { 'activity.name': 'Hero', tier: 'gold' },
    });
    expect(made({})).not.toHaveProperty('meta');
  });
});

describe('templates', () => {
  const evil = { profile: { name: `<b>"A" & 'B'</b>` } };
  const ESCAPED = '&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;';
  const RAW = evil.profile.name;
  it.each<[string, Partial<ItemDefinition>, JsonObject]>([
    ['of HTML', { data: { content: 'Hi {{profile.name}}' } }, { content: `Hi ${ESCAPED}` }],
    [
      'of HTML by its format',
      { schema: 'https://x.example/own', data: { format: 'text/html', content: '{{profile.name}}' } },
      { content: ESCAPED },
    ],
    [
      'of what nobody says anything about',
      { schema: 'https://x.example/own', data: { content: '{{profile.name}}' } },
      { content: ESCAPED },
    ],
    [
      'of markup that is set',
      { schema: of('dom-action'), data: { type: 'appendHtml', content: '{{profile.name}}' } },
      { content: ESCAPED },
    ],
    [
      'of a text that is set',
      { schema: of('dom-action'), data: { type: 'setText', content: '{{profile.name}}' } },
      { content: RAW },
    ],
    [
      'of JSON',
      { schema: of('json-content-item'), data: { content: { a: ['{{profile.name}}'] } } },
      { content: { a: [RAW] } },
    ],
    [
      'of a message inside of rules',
      { schema: of('ruleset-item'), data: ruleset({ contentType: 'text/html', content: '{{profile.name}}' }) },
      ruleset({ contentType: 'text/html', content: ESCAPED }),
    ],
    [
      'of a card inside of rules',
      {
        schema: of('ruleset-item'),
        data: ruleset({ contentType: 'application/json', content: { title: '{{profile.name}}' } }),
      },
      ruleset({ contentType: 'application/json', content: { title: RAW } }),
    ],
    ['that are two braces', { data: { content: '\\{{x}}' } }, { content: '{{x}}' }],
  ])('%s', (_name, given, data) => {
    expect(made(given, evil)?.['data']).toMatchObject(data);
  });

  describe('of a redirect', () => {
    const redirected = (content: string, a: string, more: JsonObject = {}): unknown =>
      made({ schema: of('redirect-item'), data: { type: 'redirect', ...more, content } }, { profile: { a } })?.['data'];

    it.each([
      ['https://shop.example/{{profile.a}}', 'x?y=1', 'https://shop.example/x%3Fy%3D1'],
      [
        'https://shop.example/?q={{profile.a}}&page=2',
        'a&page=9#top',
        'https://shop.example/?q=a%26page%3D9%23top&page=2',
      ],
      [
        'https://shop.example/?q={{profile.a}}',
        "O'Neil & <Söhne>",
        "https://shop.example/?q=O'Neil%20%26%20%3CS%C3%B6hne%3E",
      ],
      ["/sale/{{profile.b | 'all of it'}}", '', '/sale/all%20of%20it'],
      ['/{{profile.a}}', '/evil.example/', '/%2Fevil.example%2F'],
      ['/{{profile.a}}', '\\\\evil.example', '/%5C%5Cevil.example'],
      ['https://{{profile.a}}.shop.example/', 'de', 'https://de.shop.example/'],
      ['{{{profile.a}}}', 'https://shop.example/?a=1&b=2', 'https://shop.example/?a=1&b=2'],
      ['{{{profile.a}}}', '/sale', '/sale'],
    ])('to %s, by %s', (content, a, expected) => {
      expect(redirected(content, a)).toEqual({ type: 'redirect', content: expected });
    });

    it.each([
      ['{{profile.a}}', 'javascript:alert(1)'],
      ['{{profile.a}}', 'https://shop.example/'],
      ['{{{profile.a}}}', 'javascript:alert(1)'],
      ['{{{profile.a}}}', 'JavaScript://shop.example/%0Aalert(1)'],
      ['{{{profile.a}}}', ' javascript:alert(1)'],
      ['{{{profile.a}}}', 'java\nscript:alert(1)'],
      ['{{{profile.a}}}', 'data:text/html,<script>alert(1)</script>'],
      ['java{{{profile.a}}}', 'script:alert(1)'],
      ['{{{profile.a}}}', '//evil.example/'],
      ['{{{profile.a}}}', '/\\evil.example/'],
      ['/{{{profile.a}}}', '/evil.example/'],
      ['/{{{profile.a}}}', '\t/evil.example/'],
      ['{{{profile.a}}}', '/\r\n/evil.example/'],
      ['/{{profile.b}}/{{profile.a}}', 'evil.example'],
      ['https://{{profile.b}}/{{profile.a}}', 'evil.example'],
      ['{{{profile.a}}}', 'https:evil.example'],
      ['https://{{profile.a}}.shop.example/', 'evil.example/'],
      ['https://shop.example:{{profile.a}}/', '80@evil.example'],
      ['{{{profile.a}}}', ''],
    ])('to %s, by %s: nowhere', (content, a) => {
      expect(redirected(content, a)).toBeUndefined();
    });

    it('whatever its data says that it is', () => {
      const format = 'text/html';
      expect(redirected('/?q={{profile.a}}', '<&>', { format })).toMatchObject({ content: '/?q=%3C%26%3E' });
    });
  });

  it('that are wrong break their activity, and leave the others', () => {
    const broken = activityOf('x', {
      experiences: [experienceOf('a', [itemOf('s', { data: { content: '{{profile' } })])],
    });
    const engine = compileDecisions(
      definitionsOf({ activities: [broken, activityOf('y', { experiences: [experienceOf('a', [itemOf('s')])] })] }),
    );
    expect(outcomesOf(decided(engine, inputOf(['s'])))).toEqual({ x: 'broken', y: 'shown' });
    expect(decided(engine, inputOf(['s'])).verdicts[0]!.because).toContain('{{profile');
  });

  it('are filled for each request anew, and nothing of one stays for the next', () => {
    const activity = activityOf('x', {
      experiences: [experienceOf('a', [itemOf('s', { data: { content: '{{profile.n}}' } })])],
    });
    const engine = compileDecisions(definitionsOf({ activities: [activity] }));
    const content = (n: number): unknown =>
      decided(engine, inputOf(['s'], { facts: factsOf({ profile: { n } }) })).propositions[0]!.items[0]!['data'];
    expect([content(1), content(2)]).toMatchObject([{ content: '1' }, { content: '2' }]);
  });
});

describe('a ruleset', () => {
  const dates = { startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2027, 0, 1) };

  it('has consequences whose details have their ids, and messages with the dates of their activity', () => {
    const data: JsonObject = {
      rules: [
        { condition: {}, consequences: [{ detail: { schema: of('message/in-app'), data: { content: '' } } }] },
        {
          condition: {},
          consequences: [
            {
              id: 'c',
              type: 'schema',
              detail: { id: 'other', schema: of('message/content-card'), data: { publishedDate: 1, expiryDate: 2 } },
            },
            { id: 'e', type: 'schema', detail: { schema: of('eventHistoryOperation'), data: { operation: 'insert' } } },
          ],
        },
      ],
    };
    const item = made({ id: 'r', schema: of('ruleset-item'), data }, {}, dates);
    expect(item?.['data']).toEqual({
      version: 1,
      rules: [
        {
          condition: {},
          consequences: [
            {
              id: 'r',
              type: 'schema',
              detail: {
                id: 'r',
                schema: of('message/in-app'),
                data: { content: '', publishedDate: dates.startMs / 1_000, expiryDate: dates.endMs / 1_000 },
              },
            },
          ],
        },
        {
          condition: {},
          consequences: [
            {
              id: 'c',
              type: 'schema',
              detail: { id: 'c', schema: of('message/content-card'), data: { publishedDate: 1, expiryDate: 2 } },
            },
            {
              id: 'e',
              type: 'schema',
              detail: { id: 'e', schema: of('eventHistoryOperation'), data: { operation: 'insert' } },
            },
          ],
        },
      ],
    });
  });
});

describe('a proposition', () => {
  it('of Target has the shape that clients know', () => {
    const engine = compileDecisions(
      definitionsOf({ activities: [activityOf('1', { experiences: [experienceOf('0', [itemOf('s')])] })] }),
    );
    expect(decided(engine, inputOf(['s'])).propositions[0]).toMatchObject({
      id: `AT:${Buffer.from('{"activityId":"1","experienceId":"0"}').toString('base64')}`,
      scopeDetails: {
        decisionProvider: 'TGT',
        activity: { id: '1' },
        experience: { id: '0' },
        strategies: [{ step: 'entry', trafficType: '0' }],
        characteristics: {},
        correlationID: '1:0:0',
      },
    });
  });

  it('of a surface has a UUID, its own in each surface and the same each time', () => {
    const place: Place = { kind: 'surface', name: 'web://shop.example/*' };
    const activity = activityOf('x', {
      provider: 'AJO',
      priority: 7,
      experiences: [experienceOf('a', [itemOf(place)])],
    });
    const engine = compileDecisions(definitionsOf({ activities: [activity] }));
    const asked = surfacesOf(['web://shop.example/a', 'web://shop.example/b']);
    const [first, second] = decided(engine, asked).propositions;
    expect(first!.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(second!.id).not.toBe(first!.id);
    expect(decided(engine, { ...asked, seed: 'f'.repeat(32) }).propositions[0]!.id).toBe(first!.id);
    expect(first!.scopeDetails).toMatchObject({
      decisionProvider: 'AJO',
      correlationID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      characteristics: {},
      rank: 993,
      activity: { id: 'x', priority: 7, matchedSurfaces: ['web://shop.example/*'] },
    });
  });
});

function ruleset(data: JsonObject): JsonObject {
  return {
    version: 1,
    rules: [
      {
        condition: {},
        consequences: [{ id: 'c', type: 'schema', detail: { id: 'c', schema: of('message/x'), data } }],
      },
    ],
  };
}
