import { describe, expect, it } from 'vitest';
import { compileDecisions } from '../../src/decisions/engine.ts';
import { FOUND_CHARACTERS_MAX, FOUND_MAX } from '../../src/decisions/place-index.ts';
import type { ActivityDefinition, Place } from '../../src/model/decision-definitions.ts';
import {
  activityOf,
  decided,
  definitionsOf,
  experienceOf,
  inputOf,
  itemOf,
  outcomesOf,
  PERSONALIZATION,
  surfacesOf,
} from '../support/decisions.ts';

const PAGE: Place = { kind: 'scope', name: '__view__' };
const DOM_ACTION = {
  schema: `${PERSONALIZATION}dom-action`,
  data: { type: 'setHtml', selector: '#a', content: 'new' },
};
const RULESET = { schema: `${PERSONALIZATION}ruleset-item`, data: { version: 1, rules: [] } };
const schemas = (...names: string[]): ReadonlySet<string> => new Set(names.map((name) => `${PERSONALIZATION}${name}`));

function at(
  id: string,
  places: readonly (Place | string)[],
  given: Partial<ActivityDefinition> = {},
  item = {},
): ActivityDefinition {
  const items = places.map((place, index) => itemOf(place, { id: `${id}${index}`, ...item }));
  return activityOf(id, { experiences: [experienceOf('a', items)], ...given });
}

function surface(name: string): Place {
  return { kind: 'surface', name };
}

describe('what is asked for', () => {
  it('is answered in the order of the request, each scope once, and what matches nothing is left out', () => {
    const engine = compileDecisions(definitionsOf({ activities: [at('x', ['one', 'two']), at('y', ['three'])] }));
    const { propositions } = decided(engine, inputOf(['three', 'no', 'two', 'one', 'two', 'constructor', '__proto__']));
    expect(propositions.map(({ scope }) => scope)).toEqual(['three', 'two', 'one']);
  });

  it('brings the views of single-page applications with the page, under their own names', () => {
    const views: readonly Place[] = [PAGE, { kind: 'view', name: 'Cart' }, { kind: 'view', name: 'home' }];
    const engine = compileDecisions(definitionsOf({ activities: [at('x', views, {}, DOM_ACTION)] }));
    const { propositions } = decided(engine, inputOf(['__view__']));
    expect(propositions.map(({ scope, scopeDetails }) => [scope, scopeDetails['characteristics']])).toEqual([
      ['__view__', {}],
      ['Cart', { scopeType: 'view' }],
      ['home', { scopeType: 'view' }],
    ]);
    expect(decided(engine, inputOf(['Cart'])).verdicts).toEqual([]);
  });

  it('costs nothing where nobody has content for it', () => {
    const engine = compileDecisions(definitionsOf({ activities: [at('x', ['one'])] }));
    const nothing = { propositions: [], verdicts: [], segments: [], pushes: [], assigned: null };
    expect(decided(engine, inputOf(['two']))).toEqual(nothing);
    expect(decided(engine, inputOf([]))).toEqual(nothing);
  });
});

describe('several activities at one place', () => {
  it('have one of them at a named scope: the highest priority, then the smallest id', () => {
    const activities = [at('b', ['s']), at('a', ['s']), at('c', ['s'], { priority: 5 })];
    const engine = compileDecisions(definitionsOf({ activities }));
    const decision = decided(engine, inputOf(['s']));
    expect(decision.propositions.map(({ activityId }) => activityId)).toEqual(['c']);
    expect(decision.verdicts.map(({ activityId, outcome, because }) => [activityId, outcome, because])).toEqual([
      ['c', 'shown', null],
      ['a', 'outranked', 'c'],
      ['b', 'outranked', 'c'],
    ]);
    const tie = compileDecisions(definitionsOf({ activities: activities.slice(0, 2) }));
    expect(decided(tie, inputOf(['s'])).propositions.map(({ activityId }) => activityId)).toEqual(['a']);
  });

  it('leave the place to the next one where the first has nothing to show', () => {
    const activities = [at('a', ['s'], { priority: 5, trafficPercent: 0 }), at('b', ['s'])];
    const engine = compileDecisions(definitionsOf({ activities }));
    expect(outcomesOf(decided(engine, inputOf(['s'])))).toEqual({ a: 'traffic', b: 'shown' });
  });

  it('are shown where they win a place, and not where they lose one', () => {
    const engine = compileDecisions(
      definitionsOf({ activities: [at('a', ['s'], { priority: 1 }), at('b', ['s', 't'])] }),
    );
    const { propositions, verdicts } = decided(engine, inputOf(['s', 't']));
    expect(propositions.map(({ activityId, scope }) => [activityId, scope])).toEqual([
      ['a', 's'],
      ['b', 't'],
    ]);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['shown', 'shown']);
  });

  it('all change a page, the highest priority first', () => {
    const activities = [at('a', [PAGE], {}, DOM_ACTION), at('b', [PAGE], { priority: 7 }, DOM_ACTION)];
    const engine = compileDecisions(definitionsOf({ activities }));
    expect(decided(engine, inputOf(['__view__'])).propositions.map(({ activityId }) => activityId)).toEqual(['b', 'a']);
  });

  it('all have their messages at a surface, by rank, and one of them what is put in its place', () => {
    const place = surface('mobileapp://com.example.shop');
    const message = (id: string, priority: number, rank: number | null): ActivityDefinition =>
      at(id, [place], { provider: 'AJO', priority }, { ...RULESET, rank });
    const activities = [
      message('low', 1, null),
      message('high', 900, null),
      message('first', 0, 5),
      at('code1', [place], { provider: 'AJO', priority: 3 }),
      at('code2', [place], { provider: 'AJO', priority: 2 }),
    ];
    const engine = compileDecisions(definitionsOf({ activities }));
    const decision = decided(engine, surfacesOf(['mobileapp://com.example.shop']));
    expect(decision.propositions.map(({ activityId, scopeDetails }) => [activityId, scopeDetails['rank']])).toEqual([
      ['first', 5],
      ['high', 100],
      ['code1', 997],
      ['low', 999],
    ]);
    expect(outcomesOf(decision)['code2']).toBe('outranked');
  });
});

describe('the control experience', () => {
  const control = experienceOf('control', [], { weight: 1 });
  const withControl = (
    items: Parameters<typeof itemOf>[1],
    others: Parameters<typeof itemOf>[1][] = [],
  ): ActivityDefinition =>
    activityOf('x', {
      experiences: [
        { ...control, items: others.map((given) => itemOf('s', given)) },
        experienceOf('b', [itemOf('s', items)], { weight: 0 }),
      ],
    });

  it('answers with default content, so that its displays are counted as the others are', () => {
    const engine = compileDecisions(definitionsOf({ activities: [withControl({})] }));
    const { propositions } = decided(engine, inputOf(['s']));
    expect(propositions[0]!.items).toEqual([{ id: '0', schema: `${PERSONALIZATION}default-content-item`, meta: {} }]);
    expect(propositions[0]!.experienceId).toBe('control');
  });

  it('answers nothing to a client that could not show the others, or asks for no default content', () => {
    const engine = compileDecisions(definitionsOf({ activities: [withControl({})] }));
    for (const asked of [schemas('default-content-item', 'json-content-item'), schemas('html-content-item')]) {
      const decision = decided(engine, inputOf(['s'], { query: { schemas: asked, scopes: ['s'], surfaces: [] } }));
      expect(outcomesOf(decision)).toEqual({ x: 'nothing-here' });
    }
  });

  it('is the same where it is written out, as workspaces have it', () => {
    const written = { id: 'd', schema: `${PERSONALIZATION}default-content-item`, data: null };
    const items = (activity: ActivityDefinition, asked: ReadonlySet<string> | null): unknown => {
      const engine = compileDecisions(definitionsOf({ activities: [activity] }));
      const { propositions } = decided(
        engine,
        inputOf(['s'], { query: { schemas: asked, scopes: ['s'], surfaces: [] } }),
      );
      return propositions.flatMap((one) => one.items.map((item) => item['id']));
    };
    const tested = withControl({}, [written]);
    expect(items(tested, null)).toEqual(['d']);
    expect(items(tested, schemas('default-content-item', 'html-content-item'))).toEqual(['d']);
    expect(items(tested, schemas('default-content-item', 'json-content-item'))).toEqual([]);
    expect(items(tested, schemas('html-content-item'))).toEqual([]);
    const alone = withControl(written, [written]);
    expect(items(alone, schemas('default-content-item', 'json-content-item'))).toEqual(['d']);
  });

  it.each([
    ['a metric', { id: 'm', schema: `${PERSONALIZATION}measurement`, data: { type: 'click' } }],
    ['a click', { id: 'm', schema: `${PERSONALIZATION}dom-action`, data: { type: 'click', selector: '#buy' } }],
  ])('keeps %s beside it', (_name, metric) => {
    const engine = compileDecisions(definitionsOf({ activities: [withControl({}, [metric])] }));
    const { propositions } = decided(engine, inputOf(['s']));
    expect(propositions[0]!.items.map((item) => item['id'])).toEqual(['0', 'm']);
  });
});

describe('schemas', () => {
  it('that were not asked for are left out of an experience; metrics go with what they measure', () => {
    const items = [
      itemOf('s', { id: 'html' }),
      itemOf('s', { id: 'json', schema: `${PERSONALIZATION}json-content-item`, data: { content: {} } }),
      itemOf('s', { id: 'click', schema: `${PERSONALIZATION}measurement`, data: { type: 'click' } }),
    ];
    const engine = compileDecisions(
      definitionsOf({ activities: [activityOf('x', { experiences: [experienceOf('a', items)] })] }),
    );
    const asking = (asked: ReadonlySet<string> | null): readonly unknown[] =>
      decided(engine, inputOf(['s'], { query: { schemas: asked, scopes: ['s'], surfaces: [] } })).propositions.flatMap(
        (proposition) => proposition.items.map((item) => item['id']),
      );
    expect(asking(null)).toEqual(['html', 'json', 'click']);
    expect(asking(schemas('json-content-item'))).toEqual(['json', 'click']);
    expect(asking(schemas('redirect-item'))).toEqual([]);
  });
});

describe('surfaces', () => {
  it('are answered as they were asked for, and name the patterns that they fit', () => {
    const places = [surface('web://*.shop.example/products/*'), surface('web://www.shop.example/products/boots')];
    const engine = compileDecisions(definitionsOf({ activities: [at('x', places, { provider: 'AJO' })] }));
    const asked = 'web://WWW.shop.example/products/boots/';
    const { propositions } = decided(engine, surfacesOf([asked, 'web://www.shop.example/other']));
    expect(propositions).toHaveLength(1);
    expect(propositions[0]).toMatchObject({
      scope: asked,
      scopeDetails: {
        decisionProvider: 'AJO',
        activity: { id: 'x', priority: 0, matchedSurfaces: [places[1]!.name, places[0]!.name] },
      },
    });
    expect(propositions[0]!.items.map((item) => item['id'])).toEqual(['x1', 'x0']);
  });
});

describe('surfaces that are asked for again', () => {
  const pageAt = (n: number): string => `web://shop.example/p/${n}`;
  const engine = compileDecisions(
    definitionsOf({ activities: [at('odd', [surface('web://shop.example/p/1*')]), at('exact', [surface(pageAt(7))])] }),
  );
  const shownAt = (text: string): readonly string[] =>
    decided(engine, surfacesOf([text])).propositions.map(({ scope, activityId }) => `${activityId} ${scope}`);

  it('have what they had, however many others were asked for between', () => {
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n <= FOUND_MAX; n++) {
        const wanted = n === 7 ? [`exact ${pageAt(n)}`] : String(n).startsWith('1') ? [`odd ${pageAt(n)}`] : [];
        expect(shownAt(pageAt(n))).toEqual(wanted);
      }
    }
  });

  it.each([FOUND_CHARACTERS_MAX, FOUND_CHARACTERS_MAX + 1])('are found with a text of %i characters', (length) => {
    const long = pageAt(1).padEnd(length, 'x');
    expect([shownAt(long), shownAt(long)]).toEqual([[`odd ${long}`], [`odd ${long}`]]);
  });
});

it('a card of a pattern names the surface that was asked for; of what else stands there nothing changes', () => {
  const detail = (schema: string, data: object) => ({ id: 'c', type: 'schema', detail: { id: 'c', schema, data } });
  const data = (name: string) => ({
    version: 1,
    rules: [
      {
        condition: {},
        consequences: [
          detail(`${PERSONALIZATION}message/content-card`, { content: {}, meta: { adobe: {}, surface: name } }),
          detail(`${PERSONALIZATION}eventHistoryOperation`, { operation: 'insert', content: {} }),
        ],
      },
    ],
  });
  const pattern = 'web://*.example/news*';
  const item = { ...RULESET, data: data(pattern) };
  const engine = compileDecisions(
    definitionsOf({ activities: [at('card', [surface(pattern)], { provider: 'AJO' }, item)] }),
  );
  const told = (name: string) => decided(engine, surfacesOf([name])).propositions.map(({ items }) => items[0]!['data']);
  expect(told('web://shop.example/news')).toEqual([data('web://shop.example/news')]);
  expect(told('web://Other.example/news/2#top')).toEqual([]);
  expect(told('web://Other.example/news/2')).toEqual([data('web://Other.example/news/2')]);
});

describe('a preview', () => {
  const when = { '==': [{ var: 'profile.tier' }, 'gold'] };
  const experiences = ['a', 'b'].map((id) => experienceOf(id, [itemOf('s')], { weight: id === 'a' ? 1 : 0 }));
  const activities = [
    at('high', ['s'], { priority: 900 }),
    activityOf('x', { experiences, when, trafficPercent: 0, endMs: 1, enabled: false }),
  ];
  const engine = compileDecisions(definitionsOf({ activities }));

  it('forces an experience of an activity that nobody else sees, before all others', () => {
    const decision = decided(engine, inputOf(['s'], { preview: new Map([['x', 'b']]) }));
    expect(decision.propositions).toMatchObject([{ activityId: 'x', experienceId: 'b', isPreview: true }]);
    expect(outcomesOf(decision)).toEqual({ x: 'preview', high: 'outranked' });
  });

  it('of an experience that is not there says so', () => {
    const decision = decided(engine, inputOf(['s'], { preview: new Map([['x', 'c']]) }));
    expect(decision.verdicts[0]).toMatchObject({ outcome: 'no-experience', because: "it has no experience 'c'" });
    expect(outcomesOf(decision)['high']).toBe('shown');
  });

  it('of a message has a rank before all others that a file can have, and that no client takes for none', () => {
    const place = surface('web://shop.example/');
    const message = (id: string, rank: number) => at(id, [place], { provider: 'AJO' }, { ...RULESET, rank });
    const ranked = compileDecisions(definitionsOf({ activities: [message('first', 1), message('seen', 9)] }));
    const preview = new Map([['seen', 'a']]);
    const { propositions } = decided(ranked, { ...surfacesOf(['web://shop.example/']), preview });
    expect(propositions.map(({ activityId, scopeDetails }) => [activityId, scopeDetails['rank']])).toEqual([
      ['seen', -1],
      ['first', 1],
    ]);
  });

  it('shows no other activity that is not enabled', () => {
    expect(outcomesOf(decided(engine, inputOf(['s'], { preview: new Map([['high', 'a']]) })))).toEqual({
      high: 'preview',
    });
  });
});
