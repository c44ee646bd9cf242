import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileDecisions } from '../../src/decisions/engine.ts';
import { type ActivityHistory, type DecisionInput, HELD_OUT } from '../../src/model/decision.ts';
import type { ActivityDefinition, CapDefinition } from '../../src/model/decision-definitions.ts';
import {
  activityOf,
  decided,
  definitionsOf,
  ecidOf,
  experienceOf,
  identityOf,
  inputOf,
  itemOf,
  NOW_MS,
  outcomesOf,
} from '../support/decisions.ts';

const NOW_SECONDS = NOW_MS / 1_000;
const MINUTE_MS = 60_000;
const abc = ['a', 'b', 'c'].map((id) => experienceOf(id, [itemOf('s')]));
const person = activityOf('x', { experiences: abc, bucketBy: 'CRM' });

describe('caps', () => {
  const cases: readonly [string, readonly CapDefinition[], readonly number[], string][] = [
    ['never displayed', [{ max: 1, periodMs: null }], [], 'shown'],
    ['displayed as often as is allowed', [{ max: 2, periodMs: null }], [1, 2], 'capped'],
    ['once less', [{ max: 2, periodMs: null }], [1], 'shown'],
    ['just within the period', [{ max: 1, periodMs: MINUTE_MS }], [NOW_SECONDS - 59], 'capped'],
    ['when the period is over', [{ max: 1, periodMs: MINUTE_MS }], [NOW_SECONDS - 60], 'shown'],
    [
      'one of several caps',
      [
        { max: 5, periodMs: null },
        { max: 1, periodMs: MINUTE_MS },
      ],
      [NOW_SECONDS],
      'capped',
    ],
    ['a maximum of nothing', [{ max: 0, periodMs: null }], [], 'capped'],
  ];
  it.each(cases)('%s', (_name, caps, shown, outcome) => {
    const engine = compileDecisions(definitionsOf({ activities: [activityOf('x', { experiences: abc, caps })] }));
    const histories = new Map([['ECID', { x: { shown } }]]);
    expect(outcomesOf(decided(engine, inputOf(['s'], { histories })))).toEqual({ x: outcome });
  });

  it('are about the person where the activity is', () => {
    const activity = { ...person, caps: [{ max: 1, periodMs: null }] };
    const engine = compileDecisions(definitionsOf({ activities: [activity] }));
    const histories = new Map([['ECID', { x: { shown: [1] } }]]);
    const identities = [identityOf('CRM', 'u1')];
    expect(outcomesOf(decided(engine, inputOf(['s'], { histories })))).toEqual({ x: 'capped' });
    expect(outcomesOf(decided(engine, inputOf(['s'], { histories, identities })))).toEqual({ x: 'shown' });
    histories.set('CRM', { x: { shown: [1] } });
    expect(outcomesOf(decided(engine, inputOf(['s'], { histories, identities })))).toEqual({ x: 'capped' });
  });
});

describe('activities of one group', () => {
  const group = (id: string, given: Partial<ActivityDefinition> = {}): ActivityDefinition =>
    activityOf(id, { experiences: [experienceOf('a', [itemOf(`s-${id}`)])], exclusionGroup: 'g', ...given });
  const activities = ['x', 'y', 'z'].map((id) => group(id));
  const scopes = ['s-x', 's-y', 's-z'];
  const memberships = (all: readonly ActivityDefinition[], given: Partial<DecisionInput> = {}): readonly string[] => {
    const engine = compileDecisions(definitionsOf({ activities: all }));
    return Array.from({ length: 1_500 }, (_, n) => {
      const outcomes = outcomesOf(decided(engine, inputOf(scopes, { ecid: ecidOf(n), ...given })));
      const members = Object.keys(outcomes).filter((id) => outcomes[id] === 'shown');
      expect(members).toHaveLength(1);
      return members[0]!;
    });
  };

  it('have each visitor in one of them, as many in each', () => {
    const members = memberships(activities);
    for (const id of ['x', 'y', 'z']) {
      expect(Math.abs(members.filter((one) => one === id).length - 500)).toBeLessThan(5 * Math.sqrt(1_500 * (2 / 9)));
    }
  });

  it('leave to the others only the visitors of one that has ended, and have those of one that comes wait for it', () => {
    const before = memberships(activities);
    const after = memberships([group('x', { endMs: NOW_MS }), ...activities.slice(1)]);
    for (const [n, id] of before.entries()) if (id !== 'x') expect(after[n]).toBe(id);
    const engine = compileDecisions(
      definitionsOf({ activities: [group('x', { startMs: NOW_MS + 1 }), ...activities.slice(1)] }),
    );
    for (const [n, id] of before.entries()) {
      if (id !== 'x') continue;
      const { verdicts } = decided(engine, inputOf(scopes, { ecid: ecidOf(n) }));
      expect(verdicts.map(({ outcome, because }) => [outcome, because])).toEqual([
        ['not-started', null],
        ['excluded', 'x'],
        ['excluded', 'x'],
      ]);
    }
  });

  it('have nobody in a second one because of what page is asked for', () => {
    const engine = compileDecisions(definitionsOf({ activities }));
    for (let n = 0; n < 300; n++) {
      const shown = scopes.filter(
        (scope) => decided(engine, inputOf([scope], { ecid: ecidOf(n) })).propositions.length > 0,
      );
      expect(shown).toHaveLength(1);
    }
  });

  it('have nobody move at a login', () => {
    const byPerson = activities.map((activity) => ({ ...activity, bucketBy: 'CRM' }));
    const engine = compileDecisions(definitionsOf({ activities: byPerson }));
    for (let n = 0; n < 100; n++) {
      const first = decided(engine, inputOf(scopes, { ecid: ecidOf(n) }));
      const histories = new Map([['ECID', historyOf(first.assigned)]]);
      const identities = [identityOf('CRM', `u${n}`)];
      const second = decided(engine, inputOf(scopes, { ecid: ecidOf(n), histories, identities }));
      expect(outcomesOf(second)).toEqual(outcomesOf(first));
    }
  });

  it('have a device stay where it is when somebody logs in who is in another, and leave them where they are', () => {
    const byPerson = activities.map((activity) => ({ ...activity, bucketBy: 'CRM' }));
    const engine = compileDecisions(definitionsOf({ activities: byPerson }));
    const identities = [identityOf('CRM', 'u1')];
    for (const [ofDevice, ofPerson] of [
      ['x', 'y'],
      ['y', 'x'],
    ] as const) {
      const histories = new Map([
        ['ECID', historyOf({ [ofDevice]: 'a' })],
        ['CRM', historyOf({ [ofPerson]: 'a' })],
      ]);
      const { propositions, assigned } = decided(engine, inputOf(scopes, { identities, histories }));
      expect(propositions.map(({ activityId }) => activityId)).toEqual([ofDevice]);
      expect(assigned).toBeNull();
    }
  });
});

describe('a visitor', () => {
  it('sees the same on every visit, whatever else there is', () => {
    const one = compileDecisions(definitionsOf({ activities: [activityOf('x', { experiences: abc })] }));
    const others = ['w', 'y'].map((id) => activityOf(id, { experiences: [experienceOf('a', [itemOf('t')])] }));
    const many = compileDecisions(definitionsOf({ activities: [...others, activityOf('x', { experiences: abc })] }));
    for (let n = 0; n < 200; n++) {
      const first = decided(one, inputOf(['s'], { ecid: ecidOf(n), seed: '1'.repeat(32) }));
      const second = decided(many, inputOf(['s', 't'], { ecid: ecidOf(n), seed: '2'.repeat(32), nowMs: 1 }));
      expect(second.propositions[0]).toEqual(first.propositions[0]);
    }
  });

  it('without any id sees what the request draws', () => {
    const engine = compileDecisions(definitionsOf({ activities: [activityOf('x', { experiences: abc })] }));
    const seen = new Set<string>();
    for (let n = 0; n < 50; n++) {
      const input = inputOf(['s'], { ecid: null, seed: `${n}`.padStart(32, '0') });
      expect(decided(engine, input)).toEqual(decided(engine, input));
      seen.add(decided(engine, input).verdicts[0]!.experienceId!);
    }
    expect(seen.size).toBe(3);
  });

  it('is held out from everything, or from nothing, by device', () => {
    const activities = [activityOf('x'), activityOf('y', { experiences: [experienceOf('a', [itemOf('t')])] })];
    const engine = compileDecisions(definitionsOf({ holdoutPercent: 30, activities }));
    let heldOut = 0;
    for (let n = 0; n < 1_000; n++) {
      const outcomes = outcomesOf(decided(engine, inputOf(['hero', 't'], { ecid: ecidOf(n) })));
      expect(new Set(Object.values(outcomes)).size).toBe(1);
      if (outcomes['x'] === 'global-holdout') heldOut += 1;
    }
    expect(Math.abs(heldOut - 300)).toBeLessThan(75);
  });
});

describe('a login', () => {
  it('never changes the experience, nor does a logout, on any device', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ device: fc.nat(2), person: fc.option(fc.nat(1), { nil: null }) }), { maxLength: 30 }),
        fc.integer({ min: 0, max: 1_000 }),
        (visits, salt) => {
          const activity = { ...person, holdoutPercent: 20, trafficPercent: 90 };
          const engine = compileDecisions(definitionsOf({ activities: [activity] }));
          const kept = new Map<string, Record<string, ActivityHistory>>();
          const seen = new Map<string, string | null>();
          for (const visit of visits) {
            const ecid = ecidOf(salt * 10 + visit.device);
            const id = visit.person === null ? null : `u${salt}-${visit.person}`;
            const histories = new Map([
              ['ECID', kept.get(ecid) ?? {}],
              ...(id === null ? [] : [['CRM', kept.get(id) ?? {}] as const]),
            ]);
            const identities = id === null ? [] : [identityOf('CRM', id)];
            const { verdicts, assigned } = decided(engine, inputOf(['s'], { ecid, identities, histories }));
            for (const key of id === null ? [ecid] : [ecid, id]) {
              if (assigned !== null) kept.set(key, { ...kept.get(key), ...historyOf(assigned) });
            }
            const { outcome, experienceId } = verdicts[0]!;
            if (outcome === 'traffic') continue;
            const before = seen.get(ecid);
            if (before !== undefined) expect(experienceId).toBe(before);
            seen.set(ecid, experienceId);
          }
        },
      ),
    );
  });

  it('never moves a device to another activity of a group, and keeps each device and person in one', () => {
    const activities = ['x', 'y', 'z'].map((id) =>
      activityOf(id, {
        ...{ exclusionGroup: 'g', bucketBy: 'CRM', holdoutPercent: 10, trafficPercent: 90 },
        experiences: ['a', 'b'].map((one) => experienceOf(one, [itemOf(`s-${id}`)])),
      }),
    );
    const engine = compileDecisions(definitionsOf({ activities }));
    const visit = fc.record({
      device: fc.nat(2),
      person: fc.option(fc.nat(1), { nil: null }),
      scopes: fc.subarray(['s-x', 's-y', 's-z'], { minLength: 1 }),
    });
    fc.assert(
      fc.property(fc.array(visit, { maxLength: 25 }), fc.nat(2_000), (visits, salt) => {
        const kept = new Map<string, Record<string, ActivityHistory>>();
        for (const { device, person: who, scopes } of visits) {
          const ecid = ecidOf(salt * 10 + device);
          const ids = [['ECID', ecid], ...(who === null ? [] : [['CRM', `u${salt}-${who}`]])] as [string, string][];
          const identities = ids.slice(1).map(([namespace, id]) => identityOf(namespace, id));
          const histories = new Map(ids.map(([namespace, id]) => [namespace, kept.get(id) ?? {}]));
          const { verdicts, assigned } = decided(engine, inputOf(scopes, { ecid, identities, histories }));
          const had = Object.keys(kept.get(ecid) ?? {});
          for (const [, id] of ids) kept.set(id, { ...kept.get(id), ...historyOf(assigned) });
          const members = verdicts.filter(({ outcome }) => outcome === 'shown' || outcome === 'holdout');
          expect(new Set([...had, ...members.map(({ activityId }) => activityId)]).size).toBeLessThan(2);
        }
        for (const history of kept.values()) expect(Object.keys(history).length).toBeLessThan(2);
      }),
    );
  });

  it('on a new device brings what the person has, and is kept once', () => {
    const engine = compileDecisions(definitionsOf({ activities: [person] }));
    const identities = [identityOf('CRM', 'u1')];
    const own = decided(engine, inputOf(['s'], { identities })).verdicts[0]!.experienceId!;
    const other = ['a', 'b', 'c'].find((id) => id !== own)!;
    const histories = new Map([['CRM', { x: { experience: other } }]]);
    const first = decided(engine, inputOf(['s'], { identities, histories }));
    expect(first).toMatchObject({ assigned: { x: other }, propositions: [{ experienceId: other }] });
    histories.set('ECID', { x: { experience: other } });
    expect(decided(engine, inputOf(['s'], { identities, histories })).assigned).toBeNull();
  });

  it('leaves the person what their first device decided, so that new devices follow that one', () => {
    const identities = [identityOf('CRM', 'u1')];
    for (const kind of ['ab', 'targeted'] as const) {
      const engine = compileDecisions(definitionsOf({ activities: [{ ...person, kind }] }));
      const histories = new Map([
        ['ECID', { x: { experience: 'b' } }],
        ['CRM', { x: { experience: 'c' } }],
      ]);
      expect(decided(engine, inputOf(['s'], { identities, histories })).assigned).toBeNull();
    }
  });

  it('goes by the person where the experience of the device is gone', () => {
    const engine = compileDecisions(definitionsOf({ activities: [person] }));
    const identities = [identityOf('CRM', 'u1')];
    for (const id of ['a', 'b', 'c']) {
      const histories = new Map([
        ['ECID', { x: { experience: 'gone' } }],
        ['CRM', { x: { experience: id } }],
      ]);
      const { propositions, assigned } = decided(engine, inputOf(['s'], { identities, histories }));
      expect(propositions).toMatchObject([{ experienceId: id }]);
      expect(assigned).toEqual({ x: id });
    }
  });

  it('keeps nobody at an experience that is gone or has no weight any more, and nothing of a preview', () => {
    const identities = [identityOf('CRM', 'u1')];
    const histories = new Map([['ECID', { x: { experience: 'gone' } }]]);
    const engine = compileDecisions(definitionsOf({ activities: [person] }));
    expect(decided(engine, inputOf(['s'], { identities, histories })).propositions).toHaveLength(1);
    const weightless = abc.map((experience) => ({ ...experience, weight: experience.id === 'b' ? 0 : 1 }));
    const changed = compileDecisions(definitionsOf({ activities: [{ ...person, experiences: weightless }] }));
    const atB = new Map([['ECID', { x: { experience: 'b' } }]]);
    expect(decided(changed, inputOf(['s'], { identities, histories: atB })).verdicts[0]!.experienceId).not.toBe('b');
    const preview = new Map([['x', 'a']]);
    expect(decided(engine, inputOf(['s'], { identities, preview })).assigned).toBeNull();
  });

  it('keeps those who are held out there', () => {
    const engine = compileDecisions(definitionsOf({ activities: [{ ...person, holdoutPercent: 100 }] }));
    expect(decided(engine, inputOf(['s'])).assigned).toEqual({ x: HELD_OUT });
    const open = compileDecisions(definitionsOf({ activities: [person] }));
    const histories = new Map([['ECID', { x: { experience: HELD_OUT } }]]);
    expect(outcomesOf(decided(open, inputOf(['s'], { histories })))).toEqual({ x: 'holdout' });
  });
});

function historyOf(assigned: Readonly<Record<string, string>> | null): Record<string, ActivityHistory> {
  return Object.fromEntries(Object.entries(assigned ?? {}).map(([id, experience]) => [id, { experience }]));
}
