import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DecisionHistory } from '../../src/model/decision.ts';
import { capacityOf, SHOWN_MAX, withDisplays, withExperiences } from '../../src/model/decision-history.ts';
import type { TokenClaims } from '../../src/model/decision-token.ts';
import { activityOf, definitionsOf } from '../support/decisions.ts';

const at = (atSeconds: number, fields: Partial<TokenClaims> = {}): TokenClaims => ({
  ...{ requestId: 'r', eventIndex: 0, activityId: 'hero', experienceId: 'a', scope: 'hero', atSeconds },
  ...{ isPreview: false, isBot: false },
  ...fields,
});
const shown = (...times: number[]): DecisionHistory => ({ hero: { shown: times } });

describe('withDisplays', () => {
  test.each<[string, DecisionHistory, TokenClaims[], number, DecisionHistory]>([
    ['the first', {}, [at(1)], 3, shown(1)],
    ['oldest first, however they come', shown(5), [at(9), at(1)], 3, shown(1, 5, 9)],
    ['as many as are needed, the newest', shown(1, 2, 3), [at(4)], 3, shown(2, 3, 4)],
    ['of two decisions of one second one', {}, [at(1), at(1, { requestId: 'other' })], 3, shown(1)],
    ['what else is kept stays', { hero: { experience: 'b' } }, [at(1)], 1, { hero: { experience: 'b', shown: [1] } }],
    [
      'offers for themselves',
      {},
      [at(1, { activityId: 'd~p', experienceId: 'mug,bag' })],
      1,
      { 'd~p': { shown: [1] }, mug: { shown: [1] }, bag: { shown: [1] } },
    ],
  ])('%s', (_, history, displayed, capacity, expected) => {
    const before = structuredClone(history);
    expect(withDisplays(history, displayed, () => capacity)).toEqual(expected);
    expect(history).toEqual(before);
  });

  test('is the same object where nothing changes: no caps, nothing displayed, the same decision again', () => {
    const history = shown(1);
    expect(withDisplays(history, [at(2)], () => 0)).toBe(history);
    expect(withDisplays(history, [], () => 3)).toBe(history);
    expect(withDisplays(history, [at(1)], () => 3)).toBe(history);
  });

  test('remembers at most so many, whatever caps say', () => {
    const times = Array.from({ length: SHOWN_MAX + 1 }, (_, i) => at(i));
    const remembered = (count: number, capacity: number): number =>
      withDisplays({}, times.slice(0, count), () => capacity)['hero']!.shown!.length;
    expect(remembered(SHOWN_MAX, SHOWN_MAX)).toBe(SHOWN_MAX);
    expect(remembered(SHOWN_MAX + 1, SHOWN_MAX)).toBe(SHOWN_MAX);
    expect(remembered(SHOWN_MAX + 1, SHOWN_MAX + 1)).toBe(SHOWN_MAX);
  });

  test('comes to the newest times, in whatever order, and however often, they are told', () => {
    const times = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 40 });
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 10 }), (list, capacity) => {
        const history = list.reduce<DecisionHistory>((all, time) => withDisplays(all, [at(time)], () => capacity), {});
        const model = [...new Set(list)].sort((a, b) => a - b).slice(-capacity);
        expect(history['hero']?.shown ?? []).toEqual(model);
      }),
    );
  });
});

test.each<[string, DecisionHistory, Record<string, string>, object]>([
  ['nothing given', { hero: { experience: 'a' } }, {}, {}],
  ['the first', {}, { hero: 'a' }, { hero: { experience: 'a' } }],
  ['the same again', { hero: { experience: 'a' } }, { hero: 'a' }, {}],
  ['another', { hero: { experience: 'a' } }, { hero: 'b' }, { hero: { experience: 'b' } }],
  ['displays stay', { hero: { shown: [1] } }, { hero: 'b' }, { hero: { shown: [1], experience: 'b' } }],
  ['only what changed', { a: { experience: 'x' } }, { a: 'x', b: 'y' }, { b: { experience: 'y' } }],
])('withExperiences: %s', (_, history, assigned, expected) =>
  expect(withExperiences(history, assigned)).toEqual(expected),
);

test('as many displays are remembered as the largest cap needs', () => {
  const caps = [
    { max: 3, periodMs: null },
    { max: 5, periodMs: 1_000 },
  ];
  const offer = { id: 'mug', name: '', priority: 0, startMs: null, endMs: null, when: null, caps, content: {} };
  const capacity = capacityOf(
    definitionsOf({
      activities: [activityOf('capped', { caps: caps.slice(0, 1) }), activityOf('free')],
      offers: { placements: [], decisions: [], offers: [offer] },
    }),
  );
  expect(['capped', 'free', 'mug', 'unknown'].map(capacity)).toEqual([3, 0, 5, 0]);
});
