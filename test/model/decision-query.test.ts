import { describe, expect, test } from 'vitest';
import {
  decisionQuery,
  hasOwnQuery,
  misspeltKey,
  personalizationOf,
  SCHEMAS_MAX,
  SCOPE_CHARACTERS_MAX,
  SCOPES_MAX,
  UNKNOWN_KEYS_MAX,
} from '../../src/model/decision-query.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { Problem } from '../../src/model/problem.ts';

const PATH = 'query.personalization';

/** The detail of the error that it throws. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.spec.code).toBe('EXEG-0102-400');
    return error.message;
  }
  throw new Error('It was taken.');
}

describe('personalizationOf', () => {
  test.each<[JsonObject | null, JsonObject | null]>([
    [null, null],
    [{}, null],
    [{ personalization: null }, null],
    [{ personalization: {} }, {}],
    [{ personalization: { enabled: true } }, { enabled: true }],
    // Null is as good as absent, as everywhere in a query.
    [{ personalization: { enabled: null } }, { enabled: null }],
    [{ personalization: { enabled: false, decisionScopes: ['a'] } }, null],
    [Object.create({ personalization: {} }) as JsonObject, null],
  ])('of %j is %j', (query, expected) => expect(personalizationOf(query, PATH)).toEqual(expected));

  test.each<[JsonObject, string]>([
    [{ personalization: 'x' }, `The field '${PATH}' is "x"; it takes an object.`],
    [{ personalization: [] }, `The field '${PATH}' is []; it takes an object.`],
    [{ personalization: { enabled: 0 } }, `The field '${PATH}.enabled' is 0; it takes true or false.`],
  ])('of %j is refused', (query, detail) => expect(refusal(() => personalizationOf(query, PATH))).toBe(detail));
});

test.each<[JsonObject | null, boolean]>([
  [null, false],
  [{}, false],
  [{ personalization: null }, false],
  [{ personalization: {} }, true],
  // It stands for the request's, and says that nothing is wanted.
  [{ personalization: { enabled: false } }, true],
])('an event with %j has a query of its own: %j', (query, expected) => expect(hasOwnQuery({ query })).toBe(expected));

describe('misspeltKey', () => {
  const warned = (asked: JsonObject): string | null => misspeltKey(asked, PATH)?.message ?? null;

  test.each([
    ['decisionScope', 'decisionScopes'],
    ['decisionscopes', 'decisionScopes'],
    ['surface', 'surfaces'],
    ['shcemas', 'schemas'],
    ['enable', 'enabled'],
  ])('of %s: %s was meant', (key, known) =>
    expect(warned({ [key]: ['hero'] })).toBe(
      `The field '${PATH}.${key}' has no effect, because there is none of this name. Did you mean '${known}'?`,
    ),
  );

  test.each<[string, JsonObject]>([
    ['what there is', { schemas: [], decisionScopes: [], surfaces: [], enabled: true }],
    ['what is like none of it', { sendDisplayEvent: true, scopes: [] }],
    ['what is beside the one that it is like', { decisionScopes: [], decisionScope: [] }],
    ['what is inherited', Object.create({ surface: [] }) as JsonObject],
  ])('of %s: no word', (_, asked) => expect(warned(asked)).toBeNull());

  test('so many unknown keys are looked at', () => {
    const others = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, 1]));
    expect(warned({ ...others(UNKNOWN_KEYS_MAX - 1), surface: [] })).not.toBeNull();
    expect(warned({ ...others(UNKNOWN_KEYS_MAX), surface: [] })).toBeNull();
  });
});

describe('decisionQuery', () => {
  test.each<[JsonObject, object]>([
    [{}, { schemas: null, scopes: [], surfaces: [] }],
    [
      { schemas: null, decisionScopes: null, surfaces: null },
      { schemas: null, scopes: [], surfaces: [] },
    ],
    // None of the schemas would be nothing at all.
    [{ schemas: [] }, { schemas: null, scopes: [], surfaces: [] }],
    [
      { schemas: ['s', 's'], decisionScopes: ['', ' a', 'a'], surfaces: ['web://a/'], other: 1 },
      { schemas: new Set(['s']), scopes: ['', ' a', 'a'], surfaces: ['web://a/'] },
    ],
  ])('of %j', (asked, expected) => expect(decisionQuery(asked, PATH)).toEqual(expected));

  const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `t${i}`);
  test.each([
    ['decisionScopes', SCOPES_MAX, 30],
    ['surfaces', SCOPES_MAX, 30],
    ['schemas', SCHEMAS_MAX, 50],
  ] as const)('takes so many %s: %i', (key, max, expected) => {
    expect(max).toBe(expected);
    const { scopes, surfaces, schemas } = decisionQuery({ [key]: texts(max) }, PATH);
    expect(scopes.length + surfaces.length + (schemas?.size ?? 0)).toBe(max);
    expect(refusal(() => decisionQuery({ [key]: texts(max + 1) }, PATH))).toBe(
      `The field '${PATH}.${key}' holds ${max + 1} texts; at most ${max} are taken.`,
    );
  });

  test.each(['decisionScopes', 'surfaces', 'schemas'])('takes %s of so many characters', (key) => {
    const longest = 'x'.repeat(SCOPE_CHARACTERS_MAX);
    expect(() => decisionQuery({ [key]: [longest] }, PATH)).not.toThrow();
    expect(refusal(() => decisionQuery({ [key]: ['a', `${longest}x`] }, PATH))).toBe(
      `The field '${PATH}.${key}[1]' has ${SCOPE_CHARACTERS_MAX + 1} characters; at most ${SCOPE_CHARACTERS_MAX} are taken.`,
    );
  });

  test.each<[JsonObject, string]>([
    [{ decisionScopes: 'a' }, `The field '${PATH}.decisionScopes' is "a"; it takes an array of texts.`],
    [{ surfaces: { a: 1 } }, `The field '${PATH}.surfaces' is {"a":1}; it takes an array of texts.`],
    [{ schemas: ['a', null] }, `The field '${PATH}.schemas[1]' is null; it takes a text.`],
    [{ decisionScopes: [['a']] }, `The field '${PATH}.decisionScopes[0]' is ["a"]; it takes a text.`],
  ])('refuses %j', (asked, detail) => expect(refusal(() => decisionQuery(asked, PATH))).toBe(detail));
});

test('a list of schemas is that of its own request, whatever the one before named', () => {
  const schemasOf = (...schemas: string[]): string[] => [...decisionQuery({ schemas }, PATH).schemas!];
  for (const list of [['a', 'b'], ['a', 'b'], ['a', 'c'], ['a'], ['b', 'a'], ['a', 'a']]) {
    expect(schemasOf(...list)).toEqual([...new Set(list)]);
  }
});
