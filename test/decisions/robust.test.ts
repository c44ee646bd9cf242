import { describe, expect, it } from 'vitest';
import { compileDecisions } from '../../src/decisions/engine.ts';
import type { Facts } from '../../src/model/condition.ts';
import type { DecisionInput } from '../../src/model/decision.ts';
import type { Json } from '../../src/model/json.ts';
import {
  activityOf,
  CONSENT,
  decided,
  definitionsOf,
  experienceOf,
  factsOf,
  inputOf,
  itemOf,
  outcomesOf,
} from '../support/decisions.ts';
import { decideAnything } from './anything.ts';

const inHero = [experienceOf('a', [itemOf('hero')])];
const readsClient = { '==': [{ var: 'client.deviceType' }, 'mobile'] };

/** Facts of which one part cannot be made. */
function failingFacts(): Facts {
  return Object.defineProperty({ ...factsOf() }, 'client', {
    get: (): never => {
      throw new Error('no client');
    },
  });
}

describe('an activity that fails', () => {
  it('is broken, and the others stand, whichever comes first', () => {
    for (const priority of [0, 9]) {
      const activities = [
        activityOf('bad', { when: readsClient, priority, experiences: inHero }),
        activityOf('good', { priority: 5, experiences: inHero }),
      ];
      const decision = decided(
        compileDecisions(definitionsOf({ activities })),
        inputOf(['hero'], { facts: failingFacts() }),
      );
      expect(outcomesOf(decision)).toEqual({ bad: 'broken', good: 'shown' });
      expect(decision.verdicts.find(({ outcome }) => outcome === 'broken')!.because).toBe('no client');
    }
  });

  it('takes no place with what it had made before it failed', () => {
    const items = [
      itemOf('hero', { id: 'one' }),
      itemOf('hero', { id: 'two', data: { content: '{{client.deviceType}}' } }),
    ];
    const activities = [
      activityOf('bad', { priority: 9, experiences: [experienceOf('a', [...items, itemOf('other')])] }),
      activityOf('good', { experiences: inHero }),
    ];
    const engine = compileDecisions(definitionsOf({ activities }));
    const decision = decided(engine, inputOf(['other', 'hero'], { facts: failingFacts() }));
    expect(decision.propositions.map(({ activityId }) => activityId)).toEqual(['good']);
    expect(outcomesOf(decision)).toEqual({ bad: 'broken', good: 'shown' });
  });

  it('is broken by a condition that does not compile', () => {
    const activities = [
      activityOf('bad', { when: { nope: 1 }, experiences: inHero }),
      activityOf('good', { experiences: inHero }),
    ];
    const { verdicts } = decided(compileDecisions(definitionsOf({ activities })), inputOf(['hero']));
    expect(verdicts[0]).toMatchObject({ outcome: 'broken', because: expect.stringContaining("'nope' is not known") });
    expect(verdicts[1]).toMatchObject({ outcome: 'shown' });
  });
});

describe('a decision that takes too long', () => {
  it('keeps what it has, and says of the rest that there was no time', () => {
    const activities = Array.from({ length: 20 }, (_, n) =>
      activityOf(`x${n}`, {
        priority: 100 - n,
        experiences: [experienceOf('a', [itemOf({ kind: 'scope', name: '__view__' })])],
      }),
    );
    const engine = compileDecisions(definitionsOf({ activities }));
    const looks: number[] = [];
    const decision = engine.decide(inputOf(['__view__']), (verdicts) => {
      looks.push(verdicts);
      return verdicts >= 16;
    });
    expect(looks).toEqual([0, 8, 16]);
    expect(decision.verdicts.map(({ outcome }) => outcome)).toEqual([
      ...new Array<string>(16).fill('shown'),
      ...new Array<string>(4).fill('out-of-time'),
    ]);
    expect(decision.propositions).toHaveLength(16);
  });
});

describe('activation', () => {
  const gold: Json = { '==': [{ var: 'profile.tier' }, 'gold'] };
  const told = { destinationId: 'd', alias: 'a', attributes: [] };
  const payload = { type: 'cookie' };
  const definitions = definitionsOf({
    audiences: [
      { id: 'gold', name: 'Gold', when: gold, segment: told },
      { id: 'quiet', name: 'Quiet', when: true, segment: null },
      { id: 'mobile', name: 'Mobile', when: readsClient, segment: told },
    ],
    pushes: [
      { id: 'all', when: null, payload, requires: {} },
      { id: 'golden', when: { audience: 'gold' }, payload, requires: {} },
      { id: 'sharing', when: null, payload, requires: { adobe: ['share'] } },
      { id: 'wrong', when: { nope: 1 }, payload, requires: {} },
    ],
  });
  const facts = factsOf({ profile: { tier: 'gold' }, client: { deviceType: 'desktop' } });
  const asked = (given: Partial<DecisionInput>): unknown => {
    const { segments, pushes, verdicts } = decided(
      compileDecisions(definitions),
      inputOf([], { wantsActivation: true, ...given }),
    );
    return { segments, pushes, broken: verdicts.map(({ activityId }) => activityId) };
  };

  it('tells segments and pushes that hold, where they are wanted', () => {
    expect(asked({ facts })).toEqual({ segments: ['gold'], pushes: ['all', 'golden', 'sharing'], broken: ['wrong'] });
    expect(asked({})).toEqual({ segments: [], pushes: ['all', 'sharing'], broken: ['wrong'] });
    expect(asked({ wantsActivation: false })).toEqual({ segments: [], pushes: [], broken: [] });
  });

  it('keeps to what the visitor agreed to', () => {
    const value = { share: { val: 'n' }, personalize: { content: { val: 'n' } } };
    expect(asked({ facts, consent: { ...CONSENT, value } })).toEqual({
      segments: [],
      pushes: ['all', 'golden'],
      broken: ['wrong'],
    });
  });

  it('that fails is broken by itself', () => {
    expect(asked({ facts: failingFacts() })).toMatchObject({ pushes: ['all', 'sharing'], broken: ['mobile', 'wrong'] });
  });
});

describe('any definitions and any input', () => {
  it('make a decision: nothing throws, nothing stalls, nothing of either is changed, the same again, and the same where nothing is remembered', () => {
    const met = decideAnything(150);
    // Inputs that come to nothing would show nothing.
    expect([...met.keys()]).toEqual(expect.arrayContaining(['shown', 'audience', 'no-experience', 'broken']));
  });
});
