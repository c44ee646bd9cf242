import { describe, expect, it } from 'vitest';
import { compileDecisions } from '../../src/decisions/engine.ts';
import { OFFER_ITEMS_MAX, parseOfferScope } from '../../src/decisions/offer-scopes.ts';
import type { DecisionInput } from '../../src/model/decision.ts';
import type {
  DecisionDefinitions,
  OfferDecisionDefinition,
  OfferDefinition,
} from '../../src/model/decision-definitions.ts';
import {
  COMPONENT,
  CONSENT,
  decided,
  definitionsOf,
  factsOf,
  inputOf,
  NOW_MS,
  PERSONALIZATION,
} from '../support/decisions.ts';

const HERO = 'xcore:offer-placement:hero';
const DECISION = 'xcore:offer-activity:1';
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
const scopeOf = (itemCount?: number): string =>
  base64({ activityId: DECISION, placementId: HERO, ...(itemCount === undefined ? {} : { itemCount }) });

function offerOf(id: string, given: Partial<OfferDefinition> = {}): OfferDefinition {
  const content = { [HERO]: { language: ['en-us'], content: `<p>${id}</p>`, characteristics: { size: 'big' } } };
  return { id, name: id, priority: 0, startMs: null, endMs: null, when: null, caps: [], content, ...given };
}

function offers(
  all: readonly OfferDefinition[],
  fallback: string | null = null,
  given: Partial<DecisionDefinitions> = {},
  decision: Partial<OfferDecisionDefinition> = {},
): DecisionDefinitions {
  const listed = all.map(({ id }) => id).filter((id) => id !== fallback);
  return definitionsOf({
    offers: {
      placements: [{ id: HERO, name: 'Hero', component: `${COMPONENT}html` }],
      offers: all,
      decisions: [
        {
          id: DECISION,
          name: 'D',
          startMs: null,
          endMs: null,
          placements: [{ placementId: HERO, offers: listed, fallback }],
          ...decision,
        },
      ],
    },
    ...given,
  });
}

describe('a scope of an offer decision', () => {
  const parsed = { decisionId: DECISION, placementId: HERO, itemCount: 1 };
  const plain = { activityId: DECISION, placementId: HERO };
  const odd = { activityId: 'ÿ?>ÿ~', placementId: '日本>?' };
  it.each([
    ['plain keys', base64(plain), parsed],
    [
      'prefixed keys',
      base64({ 'xdm:activityId': DECISION, 'xdm:placementId': HERO, 'xdm:itemCount': 3 }),
      { ...parsed, itemCount: 3 },
    ],
    ['a count', base64({ ...plain, itemCount: 2 }), { ...parsed, itemCount: 2 }],
    ['a count of too many', base64({ ...plain, itemCount: 31 }), { ...parsed, itemCount: OFFER_ITEMS_MAX }],
    ['a count of none', base64({ ...plain, itemCount: 0 }), parsed],
    ['a count that is no number', base64({ ...plain, itemCount: '5' }), parsed],
    ['no padding', base64(plain).replaceAll('=', ''), parsed],
    [
      'the alphabet for URLs',
      Buffer.from(JSON.stringify(odd)).toString('base64url'),
      { decisionId: odd.activityId, placementId: odd.placementId, itemCount: 1 },
    ],
    ['white space in the JSON', Buffer.from(JSON.stringify(plain, null, 2)).toString('base64'), parsed],
    ['a key that is missing', base64({ activityId: DECISION }), null],
    ['an id that is no text', base64({ activityId: 1, placementId: HERO }), null],
    ['a list', base64([1]), null],
    ['no JSON', Buffer.from('{"activityId').toString('base64'), null],
    ['no base64', 'ey$$$', null],
    ['a name', 'eyebrow', null],
    ['more than a scope has', base64({ ...plain, more: 'x'.repeat(3_000) }), null],
  ])('with %s', (_name, scope, expected) => {
    expect(parseOfferScope(scope)).toEqual(expected);
  });

  it('that is no base64 is the name of a place where nothing is', () => {
    const engine = compileDecisions(offers([offerOf('a')]));
    expect(
      decided(engine, inputOf(['ey$$$', 'eyebrow', base64({ activityId: 'no', placementId: HERO })])).verdicts,
    ).toEqual([]);
  });
});

describe('an offer', () => {
  it('is answered as clients decode it', () => {
    const scope = scopeOf();
    const { propositions, verdicts } = decided(
      compileDecisions(offers([offerOf('xcore:personalized-offer:9')])),
      inputOf([scope]),
    );
    const [proposition] = propositions;
    expect(proposition).toMatchObject({
      scope,
      activityId: `${DECISION}~${HERO}`,
      experienceId: 'xcore:personalized-offer:9',
      offer: {
        activity: { id: DECISION, etag: expect.any(String) },
        placement: { id: HERO, etag: expect.any(String) },
      },
      scopeDetails: { decisionProvider: 'ODE', activity: { id: DECISION }, characteristics: {} },
    });
    expect(proposition!.items).toEqual([
      {
        id: 'xcore:personalized-offer:9',
        etag: expect.stringMatching(/^[0-9a-f]{16}$/),
        score: 0,
        schema: `${COMPONENT}html`,
        meta: {
          'activity.id': DECISION,
          'activity.name': 'D',
          'placement.id': HERO,
          'placement.name': 'Hero',
          'offer.id': 'xcore:personalized-offer:9',
          'offer.name': 'xcore:personalized-offer:9',
        },
        data: {
          id: 'xcore:personalized-offer:9',
          format: 'text/html',
          language: ['en-us'],
          content: '<p>xcore:personalized-offer:9</p>',
          characteristics: { size: 'big' },
        },
      },
    ]);
    expect(verdicts).toMatchObject([{ activityId: `${DECISION}~${HERO}`, outcome: 'shown', because: null }]);
  });

  it('tells names as they are written, of the fallback too', () => {
    const name = '{{profile.name}} \\{{{';
    const fallback = offers([offerOf('f', { name })], 'f', {}, { name });
    expect(decided(compileDecisions(fallback), inputOf([scopeOf()])).propositions[0]!.items[0]!['meta']).toMatchObject({
      'activity.name': name,
      'offer.id': 'f',
      'offer.name': name,
    });
  });

  it.each([
    [
      'an image',
      { format: 'image/png', deliveryURL: 'https://img.example/a.png' },
      { format: 'image/png', deliveryURL: 'https://img.example/a.png' },
    ],
    ['one language', { language: 'de' }, { language: ['de'] }],
    [
      'characteristics that are no texts',
      { characteristics: { big: true, n: 1 } },
      { characteristics: { big: 'true', n: '1' } },
    ],
    ['an id of its own', { id: 'other' }, { id: 'a' }],
  ])('with %s', (_name, content, data) => {
    const engine = compileDecisions(offers([offerOf('a', { content: { [HERO]: content } })]));
    expect(decided(engine, inputOf([scopeOf()])).propositions[0]!.items[0]).toMatchObject({ data });
  });
});

describe('offers of a placement', () => {
  const chosen = (
    definitions: DecisionDefinitions,
    given: Partial<DecisionInput> = {},
    count?: number,
  ): readonly unknown[] => {
    const { propositions, verdicts } = decided(compileDecisions(definitions), inputOf([scopeOf(count)], given));
    return [propositions[0]?.items.map((item) => item['id']) ?? [], verdicts[0]!.outcome, verdicts[0]!.because];
  };
  const gold = { '==': [{ var: 'profile.tier' }, 'gold'] };
  const ranked = [offerOf('low', { priority: 1 }), offerOf('high', { priority: 9 }), offerOf('same', { priority: 9 })];

  it('come by priority, then as they are listed, as many as are asked for', () => {
    expect(chosen(offers(ranked))).toEqual([['high'], 'shown', null]);
    expect(chosen(offers(ranked), {}, 2)).toEqual([['high', 'same'], 'shown', null]);
    expect(chosen(offers(ranked), {}, 9)).toEqual([['high', 'same', 'low'], 'shown', null]);
  });

  const cases: readonly [string, Partial<OfferDefinition>, Partial<DecisionInput>, boolean][] = [
    ['for others', { when: gold }, {}, false],
    ['for this visitor', { when: gold }, { facts: factsOf({ profile: { tier: 'gold' } }) }, true],
    ['that has not started', { startMs: NOW_MS + 1 }, {}, false],
    ['that has ended', { endMs: NOW_MS }, {}, false],
    [
      'that was shown often enough',
      { caps: [{ max: 1, periodMs: null }] },
      { histories: new Map([['ECID', { a: { shown: [1] } }]]) },
      false,
    ],
    ['without content for the placement', { content: {} }, {}, false],
    ['without consent', {}, { consent: { ...CONSENT, default: 'out' } }, false],
  ];
  it.each(cases)('%s', (_name, given, input, isShown) => {
    expect(chosen(offers([offerOf('a', given)]), input)[0]).toEqual(isShown ? ['a'] : []);
    const [ids, outcome, because] = chosen(offers([offerOf('a', given), offerOf('last')], 'last'), input);
    expect([ids, outcome]).toEqual([[isShown ? 'a' : 'last'], 'shown']);
    if (!isShown) expect(because).toMatch(/^fallback: /);
  });

  it('have the fallback for whoever is held out from everything, whatever its own conditions', () => {
    const last = offerOf('last', { when: gold, endMs: 1, caps: [{ max: 0, periodMs: null }] });
    const all = { holdoutPercent: 100 };
    expect(chosen(offers([offerOf('a'), last], 'last', all))).toEqual([['last'], 'global-holdout', 'fallback']);
    expect(chosen(offers([offerOf('a')], null, all))).toEqual([[], 'global-holdout', null]);
  });

  it('tell those who are held out from whoever would get the fallback anyway', () => {
    const all = { holdoutPercent: 100 };
    const nobody = offerOf('a', { when: gold });
    expect(chosen(offers([nobody, offerOf('last')], 'last', all))).toEqual([
      ...[['last'], 'shown', 'fallback: no offer is left'],
    ]);
    expect(chosen(offers([nobody], null, all))).toEqual([[], 'no-experience', null]);
    const without = { consent: { ...CONSENT, default: 'out' as const } };
    expect(chosen(offers([offerOf('a'), offerOf('last')], 'last', all), without)).toEqual([
      ...[['last'], 'shown', expect.stringMatching(/^fallback: /)],
    ]);
    const [placed] = decided(
      compileDecisions(offers([offerOf('a'), offerOf('last')], 'last', all)),
      inputOf([scopeOf()]),
    ).propositions;
    expect(placed).toMatchObject({ experienceId: '#holdout', items: [{ id: 'last' }] });
  });

  describe('in a preview', () => {
    const all = offers(
      [offerOf('a', { when: gold }), offerOf('b', { endMs: 1, caps: [{ max: 0, periodMs: null }] }), offerOf('last')],
      'last',
      { holdoutPercent: 100 },
      { endMs: 1 },
    );
    const previewing = (ids: string, given: Partial<DecisionInput> = {}, count?: number) =>
      chosen(all, { preview: new Map([[`${DECISION}~${HERO}`, ids]]), ...given }, count);

    it.each<[string, readonly string[]]>([
      ['a', ['a']],
      ['b', ['b']],
      ['last', ['last']],
      ['b,a,last', ['b', 'a']],
    ])('are those that it names, whatever stands in their way: %s', (ids, shown) => {
      const consent = { ...CONSENT, default: 'out' as const };
      expect(previewing(ids, { consent }, 2)).toEqual([shown, 'preview', null]);
    });

    it('say so to whoever counts', () => {
      const input = inputOf([scopeOf()], { preview: new Map([[`${DECISION}~${HERO}`, 'a']]) });
      expect(decided(compileDecisions(all), input).propositions).toMatchObject([
        { experienceId: 'a', isPreview: true },
      ]);
    });

    it.each(['gone', 'a,gone', ''])('that are not there show nothing: %s', (ids) => {
      expect(previewing(ids)).toEqual([[], 'no-experience', `it has no offer '${ids.split(',').at(-1)}'`]);
    });

    it('are left out where their schema was not asked for', () => {
      const query = { schemas: new Set([`${COMPONENT}json`]), scopes: [scopeOf()], surfaces: [] };
      expect(previewing('a', { query })).toEqual([[], 'nothing-here', null]);
    });

    it('of another placement change nothing', () => {
      const preview = new Map([[`${DECISION}~other`, 'a']]);
      expect(chosen(offers([offerOf('b')]), { preview })).toEqual([['b'], 'shown', null]);
    });
  });

  it.each([
    [{ startMs: NOW_MS + 1 }, 'not-started'],
    [{ endMs: NOW_MS }, 'ended'],
  ])('%j', (decision, outcome) => {
    expect(chosen(offers([offerOf('a')], null, {}, decision))).toEqual([[], outcome, null]);
  });

  it('are left out for a client that names schemas of offers without theirs, and not for one that names none', () => {
    const asking = (...schemas: string[]): unknown =>
      chosen(offers([offerOf('a')]), { query: { schemas: new Set(schemas), scopes: [scopeOf()], surfaces: [] } })[1];
    expect(asking(`${COMPONENT}html`)).toBe('shown');
    expect(asking(`${COMPONENT}json`)).toBe('nothing-here');
    expect(asking(`${PERSONALIZATION}html-content-item`)).toBe('shown');
  });

  it('tell what was looked at, offer by offer', () => {
    const definitions = offers([
      offerOf('a', { when: gold, priority: 2 }),
      offerOf('b', { when: { '!': [gold] }, priority: 1 }),
      offerOf('c', { when: gold }),
    ]);
    expect(decided(compileDecisions(definitions), inputOf([scopeOf()])).verdicts[0]!.marks).toBe('00-');
  });
});
