import { describe, expect, it } from 'vitest';
import { compileDecisions } from '../../src/decisions/engine.ts';
import { flips, leavesOf } from '../../src/decisions/flips.ts';
import type { DecisionDefinitions } from '../../src/model/decision-definitions.ts';
import type { Json } from '../../src/model/json.ts';
import { activityOf, decided, definitionsOf, experienceOf, factsOf, inputOf, itemOf } from '../support/decisions.ts';

const is = (path: string, value: string): Json => ({ '==': [{ var: `profile.${path}` }, value] });
const segment = null;

function told(definitions: DecisionDefinitions, profile: Record<string, string>, id = 'x'): readonly unknown[] {
  const engine = compileDecisions(definitions);
  return flips(engine, inputOf(['s'], { facts: factsOf({ profile }) }), id).map(
    ({ leaf, held, outcome, experienceId }) => [leaf.text, held, outcome, experienceId],
  );
}

describe('what a single comparison would have changed', () => {
  const experiences = [experienceOf('a', [itemOf('s')])];
  it.each<[string, Json, Record<string, string>, readonly unknown[]]>([
    [
      'both of two that hold',
      { and: [is('a', '1'), is('b', '1')] },
      { a: '1', b: '1' },
      [
        ["profile.a is '1'", true, 'audience', null],
        ["profile.b is '1'", true, 'audience', null],
      ],
    ],
    [
      'the one that is missing',
      { and: [is('a', '1'), is('b', '1')] },
      { a: '1' },
      [["profile.b is '1'", false, 'shown', 'a']],
    ],
    ['nothing where two are missing', { and: [is('a', '1'), is('b', '1')] }, {}, []],
    [
      'any of two that would do',
      { or: [is('a', '1'), is('b', '1')] },
      {},
      [
        ["profile.a is '1'", false, 'shown', 'a'],
        ["profile.b is '1'", false, 'shown', 'a'],
      ],
    ],
    ['nothing where another one holds too', { or: [is('a', '1'), is('b', '1')] }, { a: '1', b: '1' }, []],
    [
      'one that is of the wrong type',
      { '==': [{ var: 'profile.a' }, 1] },
      { a: '1' },
      [['profile.a is 1', false, 'shown', 'a']],
    ],
  ])('%s', (_name, when, profile, expected) => {
    expect(told(definitionsOf({ activities: [activityOf('x', { when, experiences })] }), profile)).toEqual(expected);
  });

  it('goes into the audiences that are named', () => {
    const audiences = [{ id: 'gold', name: 'Gold', when: is('tier', 'gold'), segment }];
    const activities = [activityOf('x', { when: { audience: 'gold' }, experiences })];
    expect(told(definitionsOf({ audiences, activities }), {})).toEqual([
      ["the visitor is in the audience 'gold'", false, 'shown', 'a'],
      ["audience 'gold': profile.tier is 'gold'", false, 'shown', 'a'],
    ]);
  });

  it('is another experience of a targeted activity', () => {
    const targeted = [
      experienceOf('gold', [itemOf('s')], { when: is('tier', 'gold') }),
      experienceOf('all', [itemOf('s')]),
    ];
    const activities = [activityOf('x', { kind: 'targeted', experiences: targeted })];
    expect(told(definitionsOf({ activities }), {})).toEqual([["profile.tier is 'gold'", false, 'shown', 'gold']]);
  });

  it('takes the rank into account', () => {
    const activities = [
      activityOf('x', { when: is('a', '1'), experiences }),
      activityOf('y', { when: is('b', '1'), experiences, priority: 5 }),
    ];
    expect(told(definitionsOf({ activities }), { b: '1' }, 'x')).toEqual([
      ["profile.a is '1'", false, 'outranked', 'a'],
    ]);
    expect(told(definitionsOf({ activities }), { b: '1' }, 'y')).toEqual([
      ["profile.b is '1'", true, 'audience', null],
    ]);
  });

  it('is found the same by all who make it: only one of them has the place', () => {
    const activities = [
      activityOf('x', { when: is('a', '1'), experiences }),
      activityOf('y', { when: { and: [is('b', '1'), is('a', '1')] }, experiences, priority: 5 }),
    ];
    const definitions = definitionsOf({ activities });
    expect(told(definitions, { b: '1' }, 'y')).toEqual([["profile.a is '1'", false, 'shown', 'a']]);
    expect(told(definitions, { b: '1' }, 'x')).toEqual([["profile.a is '1'", false, 'outranked', 'a']]);
    expect(told(definitions, { a: '1', b: '1' }, 'x')).toEqual([["profile.a is '1'", true, 'audience', null]]);
  });

  it('is found the same wherever an activity makes it, and by its audiences', () => {
    const when = { or: [{ and: [is('a', '1'), is('b', '1')] }, { and: [is('a', '1'), { audience: 'also' }] }] };
    const audiences = [{ id: 'also', name: 'Also', when: { '!=': [{ var: 'profile.a' }, '2'] }, segment }];
    const definitions = definitionsOf({ audiences, activities: [activityOf('x', { when, experiences })] });
    expect(told(definitions, { a: '1', b: '1' })).toEqual([["profile.a is '1'", true, 'audience', null]]);
    expect(told(definitions, { a: '1' })).toEqual([
      ["profile.a is '1'", true, 'audience', null],
      ["the visitor is in the audience 'also'", true, 'audience', null],
      ["audience 'also': profile.a is not '2'", true, 'audience', null],
    ]);
    const both = definitionsOf({
      audiences: [{ ...audiences[0]!, when: is('a', '1') }],
      activities: [activityOf('x', { when: { or: [is('a', '1'), { audience: 'also' }] }, experiences })],
    });
    expect(told(both, { a: '1' })).toEqual([["profile.a is '1'", true, 'audience', null]]);
  });

  it('leaves the engine as it was, and says nothing of an activity that is not known or not asked for', () => {
    const engine = compileDecisions(
      definitionsOf({ activities: [activityOf('x', { when: is('a', '1'), experiences })] }),
    );
    const before = decided(engine, inputOf(['s']));
    flips(engine, inputOf(['s']), 'x');
    expect(decided(engine, inputOf(['s']))).toEqual(before);
    expect(flips(engine, inputOf(['s']), 'y')).toEqual([]);
    expect(flips(engine, inputOf(['t']), 'x')).toEqual([]);
    expect(leavesOf(engine, 'y')).toEqual([]);
    expect(leavesOf(engine, 'x').map(({ text }) => text)).toEqual(["profile.a is '1'"]);
  });
});
