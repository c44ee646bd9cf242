import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JsonObject, parseJson } from '../../src/model/json.ts';
import { applyChange, type Change, type PersonState, personKey } from '../../src/model/person.ts';

const AT = { partition: 2, offset: 17 };
const time = (ms: number): string => `${ms.toString(16).padStart(12, '0')}-0000`;
const change = (ms: number, body: JsonObject, kind: Change['kind'] = 'consent'): Change => ({
  kind,
  key: 'a',
  time: time(ms),
  body,
});
const stamp = (ms: number): JsonObject => ({ time: time(ms), record: '2:17' });

describe('a change of a person', () => {
  const known: PersonState = {
    key: 'a',
    version: 3,
    body: {
      consent: { value: { x: 1, y: { z: 2 } }, standard: 'Adobe', ...stamp(5) },
      profile: { value: 1, ...stamp(9) },
    },
  };
  const rest = known.body['profile']!;

  test.each<[string, PersonState | null, Change, JsonObject | 'as it was']>([
    ['of somebody new', null, change(1, { value: 1 }), { consent: { value: 1, ...stamp(1) } }],
    ['of a new section', known, change(1, { value: 1 }, 'media'), { ...known.body, media: { value: 1, ...stamp(1) } }],
    [
      'replaces value and fields',
      known,
      change(6, { value: { q: 1 }, note: 'n' }),
      { consent: { value: { q: 1 }, note: 'n', ...stamp(6) }, profile: rest },
    ],
    [
      'updates the value, one level deep',
      known,
      change(6, { operation: 'update', value: { y: 1 } }),
      { consent: { value: { x: 1, y: 1 }, ...stamp(6) }, profile: rest },
    ],
    [
      'updates what has no value',
      null,
      change(6, { operation: 'update', value: { y: 1 } }),
      { consent: { value: { y: 1 }, ...stamp(6) } },
    ],
    [
      'takes attributes away, and what it does not know',
      { key: 'a', version: 1, body: { profile: { value: { a: 1, b: 2 }, ...stamp(5) } } },
      change(6, { operation: 'update', value: { a: null, c: 3, d: null } }, 'profile'),
      { profile: { value: { b: 2, c: 3 }, ...stamp(6) } },
    ],
    [
      'names another operation: replaces',
      known,
      change(6, { operation: 'replace', value: 7 }),
      { consent: { value: 7, ...stamp(6) }, profile: rest },
    ],
    [
      'has no value: the section has none',
      known,
      change(6, { note: 'n' }),
      { consent: { note: 'n', ...stamp(6) }, profile: rest },
    ],
    [
      'has null as its value',
      known,
      change(6, { value: null }),
      { consent: { value: null, ...stamp(6) }, profile: rest },
    ],
    [
      'names a time and record of its own: ours stand',
      known,
      change(6, { time: 'z', record: 'z' }),
      { consent: stamp(6), profile: rest },
    ],
    ['as old as what is there', known, change(5, { value: 1 }), 'as it was'],
    ['older', known, change(4, { operation: 'update', value: { x: 9 } }), 'as it was'],
    [
      'older than another section only',
      known,
      change(6, { value: 1 }),
      { consent: { value: 1, ...stamp(6) }, profile: rest },
    ],
  ])('%s', (_name, before, one, expected) => {
    const copy = structuredClone(before);
    const after = applyChange(before, one, AT);
    if (expected === 'as it was') expect(after).toBe(before);
    else expect(after).toEqual({ key: 'a', version: (before?.version ?? 0) + 1, body: expected });
    expect(before).toEqual(copy);
  });

  test('cannot reach a prototype', () => {
    const body = JSON.parse(
      '{"__proto__":{"bad":1},"value":{"__proto__":{"bad":1},"x":1},"operation":"update"}',
    ) as JsonObject;
    const after = applyChange(null, change(1, body), AT);
    const section = after?.body['consent'] as JsonObject;
    expect(Object.getPrototypeOf(section)).toBe(Object.prototype);
    expect('bad' in section).toBe(false);
    expect('bad' in (section['value'] as JsonObject)).toBe(false);
  });

  test('is what its text says, once it was logged and read', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const one = change(1, { value: value as JsonObject, operation: 'replace' });
        const read = parseJson(JSON.stringify(one)) as unknown as Change;
        const text = JSON.stringify(applyChange(null, read, AT));
        expect(JSON.parse(text)).toEqual(applyChange(null, read, AT));
      }),
    );
  });
});

describe('changes in any order', () => {
  const changes = fc.uniqueArray(
    fc.record({ ms: fc.integer({ min: 1, max: 60 }), kind: fc.constantFrom('consent' as const, 'profile' as const) }),
    { selector: ({ ms, kind }) => `${kind}${ms}`, maxLength: 12 },
  );
  const fold = (list: readonly Change[]): PersonState | null =>
    list.reduce<PersonState | null>((person, one) => applyChange(person, one, AT), null);

  test('that replace: each section ends with its newest', () => {
    fc.assert(
      fc.property(changes, fc.infiniteStream(fc.nat()), (planned, weights) => {
        const list = planned.map(({ ms, kind }) => change(ms, { value: ms }, kind));
        const shuffled = list
          .map((one) => ({ one, weight: weights.next().value as number }))
          .sort((a, b) => a.weight - b.weight)
          .map(({ one }) => one);
        expect(fold(shuffled)?.body).toEqual(fold(list.sort((a, b) => (a.time < b.time ? -1 : 1)))?.body);
      }),
    );
  });

  test('twice are once', () => {
    fc.assert(
      fc.property(changes, (planned) => {
        const list = planned
          .map(({ ms, kind }) => change(ms, { operation: 'update', value: { [`at${ms % 3}`]: ms } }, kind))
          .sort((a, b) => (a.time < b.time ? -1 : 1));
        expect(fold([...list, ...list])).toEqual(fold(list));
      }),
    );
  });

  test('are counted where they changed something', () => {
    fc.assert(
      fc.property(changes, (planned) => {
        let person: PersonState | null = null;
        let counted = 0;
        for (const { ms, kind } of planned) {
          const next: PersonState | null = applyChange(person, change(ms, { value: ms }, kind), AT);
          if (next !== person) counted += 1;
          person = next;
        }
        expect(person?.version ?? 0).toBe(counted);
      }),
    );
  });
});

describe('the key of a person', () => {
  test.each([
    ['ordinary', ['1A2B@AdobeOrg', 'ECID', '12345'], '1A2B@AdobeOrg|ECID|12345'],
    ['an id with the separator', ['o', 'Email', 'a|b'], 'o|Email|a|b'],
    ['a namespace with the separator', ['o', 'a|b', 'c'], 'o|a%7Cb|c'],
    ['a namespace with the escape', ['o', 'a%7Cb', 'c'], 'o|a%257Cb|c'],
    ['case is kept', ['o', 'email', 'A@b'], 'o|email|A@b'],
  ] as const)('%s', (_name, [org, namespace, id], expected) => {
    expect(personKey(org, namespace, id)).toBe(expected);
  });

  test('is another for another org, namespace or id, whatever stands in them', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '|', '%', '7', 'C', '2', '5'), maxLength: 6 });
    const parts = fc.tuple(part, part, part);
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        expect(personKey(...one) === personKey(...other)).toBe(one.join('\n') === other.join('\n'));
      }),
      { numRuns: 2000 },
    );
  });
});
