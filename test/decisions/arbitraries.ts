import fc from 'fast-check';
import type { Facts } from '../../src/model/condition.ts';
import type { Requirement } from '../../src/model/consent-gate.ts';
import type { ActivityHistory, DecisionInput } from '../../src/model/decision.ts';
import type {
  ActivityDefinition,
  DecisionDefinitions,
  ItemDefinition,
  Place,
} from '../../src/model/decision-definitions.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { COMPONENT, CONSENT, ECID, NOW_MS, PERSONALIZATION } from '../support/decisions.ts';

/** Definitions and inputs of every kind, sensible and not; names are few, so that they meet. */

const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', '__view__') },
  { weight: 1, arbitrary: fc.constantFrom('c', '__proto__', 'constructor', '') },
);
/** Most are nothing in the way, so that decisions come to something. */
function rarely<T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: one });
}
function mostly<T>(usual: T, one: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: one });
}

const text = fc.oneof(
  { weight: 60, arbitrary: name },
  { weight: 30, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 30, arbitrary: fc.constantFrom('{{profile.a}}', '{{page.url}}', '{{{profile.b | "x"}}}', '\\{{') },
  { weight: 1, arbitrary: fc.constant('{{') },
);
const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
const object = fc.dictionary(text, json, { maxKeys: 4 }) as fc.Arbitrary<JsonObject>;
const time = rarely(fc.constantFrom(NOW_MS - 1, NOW_MS, NOW_MS + 1, Number.MAX_SAFE_INTEGER, -1));
const oddPercent = fc.constantFrom(0, 100, 50, 0.1, -1, 1_000, Number.NaN);
const traffic = mostly(100, oddPercent);
const holdout = mostly(0, oddPercent);

const operand = fc.oneof(
  fc
    .constantFrom('profile.a', 'xdm.b', 'client.os.name', 'page.query.a', 'time.hour', 'nope', 'data.__proto__')
    .map((path) => ({ var: path })),
  json,
);
const rule = fc.letrec<{ rule: Json }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 4 },
    fc
      .tuple(
        fc.constantFrom('==', '!=', '<', '>=', 'in', 'contains', 'startsWith', 'matches', 'nope'),
        operand,
        operand,
      )
      .map(([operator, a, b]) => ({ [operator]: [a, b] }) as Json),
    name.map((id) => ({ audience: id }) as Json),
    fc.boolean(),
    fc
      .tuple(fc.constantFrom('and', 'or', '!', 'if'), fc.array(tie('rule'), { minLength: 1, maxLength: 3 }))
      .map(([operator, parts]) => ({ [operator]: operator === '!' ? parts[0]! : parts }) as Json),
    json,
  ),
})).rule;
/** Conditions that compile, and that hold of some. */
const soundRule = fc.letrec<{ rule: Json }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 3 },
    fc
      .tuple(
        fc.constantFrom('==', '!=', '==='),
        fc.constantFrom('profile.a', 'xdm.b', 'page.query.a'),
        fc.constantFrom('a', 'b', 1, true),
      )
      .map(([operator, path, value]) => ({ [operator]: [{ var: path }, value] }) as Json),
    fc
      .tuple(fc.constantFrom('and', 'or'), fc.array(tie('rule'), { minLength: 1, maxLength: 3 }))
      .map(([operator, parts]) => ({ [operator]: parts }) as Json),
    tie('rule').map((part) => ({ '!': part }) as Json),
  ),
})).rule;
const when = fc.oneof(fc.constant(null), soundRule, rarely(rule));

const surface = fc.oneof(
  fc.constantFrom(
    'web://a.example/b',
    'web://a.example/*',
    'web://*.example/b#*',
    'mobileapp://a',
    'webapp://A.example/',
    '*',
    'web://*',
  ),
  text,
);
const place: fc.Arbitrary<Place> = fc.oneof(
  name.map((id) => ({ kind: 'scope', name: id }) as const),
  name.map((id) => ({ kind: 'view', name: id }) as const),
  surface.map((uri) => ({ kind: 'surface', name: uri }) as const),
);
const stems =
  'html-content-item json-content-item dom-action redirect-item default-content-item measurement ruleset-item'.split(
    ' ',
  );
const schema = fc.oneof(
  fc.constantFrom(...stems).map((stem) => `${PERSONALIZATION}${stem}`),
  text,
);
const consequence = fc.record(
  { id: fc.oneof(text, json), detail: fc.oneof(object, fc.record({ id: json, schema, data: object })) },
  { requiredKeys: [] },
);
const data = fc.oneof(
  object,
  fc.record(
    { type: text, format: fc.oneof(text, json), content: fc.oneof(text, json), selector: text },
    { requiredKeys: [] },
  ) as fc.Arbitrary<JsonObject>,
  fc.record({
    rules: fc.array(
      fc.oneof(json, fc.record({ consequences: fc.oneof(json, fc.array(consequence, { maxLength: 2 })) })),
      { maxLength: 2 },
    ),
  }) as fc.Arbitrary<JsonObject>,
);
const item: fc.Arbitrary<ItemDefinition> = fc.record({
  id: text,
  place,
  schema,
  data: fc.option(data, { nil: null }),
  meta: fc.dictionary(text, text, { maxKeys: 2 }),
  rank: fc.option(fc.integer(), { nil: null }),
});
const caps = mostly(
  [],
  fc.array(fc.record({ max: fc.integer({ min: -1, max: 3 }), periodMs: fc.option(fc.integer(), { nil: null }) }), {
    maxLength: 2,
  }),
);

const activity: fc.Arbitrary<ActivityDefinition> = fc.record({
  ...{
    id: fc.string({ minLength: 1, maxLength: 2, unit: fc.constantFrom(...'abcdefgh') }),
    name: text,
    enabled: fc.boolean(),
  },
  kind: fc.constantFrom('ab', 'targeted'),
  provider: fc.constantFrom('TGT', 'AJO'),
  datastreams: rarely(fc.array(name, { maxLength: 2 })),
  propertyToken: rarely(name),
  ...{ startMs: time, endMs: time, priority: fc.integer({ min: -1, max: 1_000 }) },
  exclusionGroup: rarely(fc.constantFrom('g', 'h')),
  ...{ when, trafficPercent: traffic, holdoutPercent: holdout },
  bucketing: fc.constantFrom('weir', 'target'),
  bucketBy: fc.constantFrom('ECID', 'CRM', '__proto__'),
  requires: mostly<Requirement>({}, fc.constantFrom<Requirement>({ adobe: ['share'] }, { tcf: [1] })),
  caps,
  experiences: fc.array(
    fc.record({
      id: name,
      name: text,
      weight: mostly(1, fc.constantFrom(0, 2.5, -1, Number.NaN, Number.POSITIVE_INFINITY)),
      when,
      items: fc.array(item, { maxLength: 3 }),
    }),
    { maxLength: 3 },
  ),
  goals: fc.constant([]),
});

export const anyDefinitions: fc.Arbitrary<DecisionDefinitions> = fc.record({
  ...{ orgId: text, hash: text, timeZone: fc.constant('UTC'), holdoutPercent: holdout, targetClient: text },
  audiences: fc.uniqueArray(
    fc.record({
      id: name,
      name: text,
      when: fc.oneof(soundRule, rule),
      segment: fc.option(fc.constant({ destinationId: 'd', alias: 'a', attributes: [] }), { nil: null }),
    }),
    { selector: ({ id }) => id, maxLength: 3 },
  ),
  activities: fc.uniqueArray(activity, { selector: ({ id }) => id, maxLength: 8 }),
  offers: fc.record({
    placements: fc.array(
      fc.record({ id: name, name: text, component: fc.oneof(text, fc.constant(`${COMPONENT}html`)) }),
      { maxLength: 2 },
    ),
    offers: fc.array(
      fc.record({
        id: name,
        name: text,
        priority: fc.integer(),
        startMs: time,
        endMs: time,
        when,
        caps,
        content: fc.dictionary(name, object, { maxKeys: 3 }),
      }),
      { maxLength: 3 },
    ),
    decisions: fc.array(
      fc.record({
        ...{ id: name, name: text, startMs: time, endMs: time },
        placements: fc.array(
          fc.record({
            placementId: name,
            offers: fc.array(name, { maxLength: 3 }),
            fallback: fc.option(name, { nil: null }),
          }),
          { maxLength: 2 },
        ),
      }),
      { maxLength: 2 },
    ),
  }),
  pushes: fc.constant([]),
});

const offerScope = fc
  .record({ activityId: fc.oneof(name, json), placementId: fc.oneof(name, json), itemCount: json })
  .map((scope) => Buffer.from(JSON.stringify(scope)).toString('base64'));
const history = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 2, unit: fc.constantFrom(...'abcdefgh') }),
  fc.record({ experience: name, shown: fc.array(fc.constantFrom(1, NOW_MS / 1_000)) }, { requiredKeys: [] }),
) as fc.Arbitrary<Record<string, ActivityHistory>>;

export const anyInput: fc.Arbitrary<DecisionInput> = fc.record({
  datastreamId: mostly('shop', name),
  query: fc.record({
    schemas: rarely(fc.array(schema).map((all) => new Set(all))),
    scopes: fc.array(fc.oneof(name, offerScope, text), { maxLength: 30 }),
    surfaces: fc.array(surface, { maxLength: 5 }),
  }),
  facts: fc.record({
    xdm: object,
    data: object,
    profile: fc.oneof(object, fc.record({ a: fc.constantFrom('a', 'b', 1) }, { requiredKeys: [] })),
    consent: object,
    client: object,
    page: object,
    time: object,
  }) as fc.Arbitrary<Facts>,
  ecid: fc.option(fc.constant(ECID), { nil: null }),
  identities: fc.array(
    fc.record({
      namespace: fc.constantFrom('CRM', 'ECID', '__proto__'),
      id: text,
      authenticatedState: fc.constant('ambiguous' as const),
      primary: fc.boolean(),
    }),
    { maxLength: 2 },
  ),
  histories: fc.tuple(history, history).map(
    ([device, person]) =>
      new Map([
        ['ECID', device],
        ['CRM', person],
      ]),
  ),
  consent: mostly(
    CONSENT,
    fc.constantFrom({ ...CONSENT, default: 'out' as const }, { ...CONSENT, collect: 'out' as const }),
  ),
  propertyToken: rarely(name),
  preview: fc.option(
    fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), name)).map((all) => new Map(all)),
    { nil: null },
  ),
  wantsActivation: fc.boolean(),
  nowMs: fc.constant(NOW_MS),
  seed: fc.constant('0123456789abcdef0123456789abcdef'),
});
