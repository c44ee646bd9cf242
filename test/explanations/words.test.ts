import { describe, expect, test } from 'vitest';
import { bucketLines } from '../../src/explanations/buckets.ts';
import { outcomeWords } from '../../src/explanations/words.ts';
import type { Outcome } from '../../src/model/decision.ts';
import { activityOf, definitionsOf, experienceOf } from '../support/decisions.ts';

const hero = activityOf('hero', {
  ...{
    name: 'Hero',
    startMs: 0,
    endMs: 1_000,
    trafficPercent: 20,
    holdoutPercent: 5,
    exclusionGroup: 'top',
    priority: 3,
  },
  caps: [
    { max: 2, periodMs: 86_400_000 },
    { max: 5, periodMs: null },
  ],
  experiences: [
    experienceOf('a', []),
    experienceOf('b', [], { name: 'b', weight: 3 }),
    experienceOf('off', [], { weight: 0 }),
  ],
});
const definitions = definitionsOf({
  holdoutPercent: 1,
  activities: [hero, activityOf('even', { priority: 3 }), activityOf('strong', { name: 'Strong', priority: 9 })],
});

const cases: Record<Outcome, readonly [experience: string | null, because: string | null, words: string][]> = {
  shown: [
    ['a', null, "Shown: 'a' (Experience a)."],
    [
      ...(['a', 'fallback: no offer is left'] as const),
      "Shown: 'a' (Experience a), the fallback: no offer is left by dates, conditions and caps.",
    ],
    [
      ...(['a', 'fallback: personalize.content'] as const),
      "Shown: 'a' (Experience a), the fallback: the visitor’s consent was missing (personalize.content).",
    ],
  ],
  preview: [['b', null, "Shown as a preview, which counts nowhere: 'b'."]],
  'nothing-here': [
    ['a', null, "Not shown: 'a' (Experience a) has nothing for what was asked."],
    [null, null, 'Not shown: it has nothing for what was asked.'],
  ],
  'not-started': [[null, null, 'Not shown: it had not begun, it begins at 1970-01-01T00:00:00.000Z.']],
  ended: [[null, null, 'Not shown: it had ended, at 1970-01-01T00:00:01.000Z.']],
  'property-token': [[null, null, 'Not shown: it is for requests with another property token.']],
  'no-consent': [[null, 'tcf:1', 'Not shown: the visitor’s consent was missing (tcf:1).']],
  audience: [[null, null, 'Not shown: the visitor is not in its audience.']],
  'no-experience': [
    [null, null, 'Not shown: none of its experiences is for this visitor.'],
    [null, "it has no experience 'z'", "Not shown: it has no experience 'z'."],
  ],
  traffic: [[null, null, 'Not shown: of those who qualify 20 % take part, and this visitor is not among them.']],
  holdout: [
    [null, null, 'Not shown: 5 % of those who take part are held out to compare with, and this visitor is among them.'],
  ],
  'global-holdout': [
    [null, null, 'Not shown: 1 % of all visitors are held out of everything, and this one is among them.'],
  ],
  capped: [
    [null, null, 'Not shown: it was displayed to this visitor as often as its caps allow (2 in 24 hours, 5 in all).'],
  ],
  excluded: [
    [null, 'strong', "Not shown: of its exclusion group 'top' the visitor is in 'strong' (Strong)."],
    [null, null, "Not shown: another activity of its exclusion group 'top' has this visitor."],
  ],
  outranked: [
    ['a', 'strong', "Not shown: 'strong' (Strong) outranked it (priority 9 against 3)."],
    ['a', 'even', "Not shown: 'even' (Activity even) outranked it (both have priority 3: the smaller id wins)."],
    ['a', null, 'Not shown: another activity outranked it.'],
  ],
  broken: [[null, 'A template is wrong.', 'Not shown: it is broken: A template is wrong.']],
  'out-of-time': [[null, null, 'Not shown: the time for decisions had run out before it was its turn.']],
};

test('a cap of one hour', () => {
  const once = activityOf('once', { caps: [{ max: 2, periodMs: 3_600_000 }] });
  const of = definitionsOf({ activities: [once] });
  expect(outcomeWords(of, 'once', 'capped', null, null)).toContain('(2 in 1 hour)');
});

describe('the words for', () => {
  for (const [outcome, all] of Object.entries(cases)) {
    test.each(all)(`${outcome}: %s, %s`, (experience, because, words) => {
      expect(outcomeWords(definitions, 'hero', outcome as Outcome, experience, because)).toBe(words);
    });
  }

  test('an activity that the definitions do not have', () => {
    expect(outcomeWords(definitions, 'gone', 'traffic', null, null)).toContain('some take part');
    expect(outcomeWords(definitions, 'gone', 'shown', 'a', null)).toBe("Shown: 'a'.");
  });
});

test('Intervals of Adobe Target end where its engine has them end', () => {
  expect(bucketLines(definitions, { ...hero, bucketing: 'target' }, 'b', 2_501)).toEqual([
    'Bucket 2501 of 10000 (by the device), as Adobe Target counts them:',
    "  0 to 2500: 'a' (Experience a)",
    "* 2501 to 9999: 'b'",
  ]);
});

test('Shares are of what has a weight', () => {
  expect(bucketLines(definitions, { ...hero, bucketBy: 'CRM' }, 'a', 7)).toEqual([
    'Drawn by weight (by the id in CRM, else the device); each experience draws for itself, and the winner drew 7 of 10000:',
    "* 25 %: 'a' (Experience a)",
    "  75 %: 'b'",
  ]);
});

test('a preview outranks whatever the priorities are, and is not said to have the smaller id', () => {
  const words = (previews: Record<string, string>) =>
    outcomeWords(definitions, 'even', 'outranked', 'a', 'hero', previews);
  expect(words({})).toMatch(/ outranked it \(both have priority 3: the smaller id wins\)\.$/);
  expect(words({ hero: 'a' })).toBe("Not shown: 'hero' (Hero) outranked it (a preview comes before all others).");
});

test('a placement without a fallback is of offers', () => {
  expect(outcomeWords(definitions, 'od~side', 'no-experience', null, null)).toBe(
    'Not shown: no offer is left by dates, conditions and caps, and it has no fallback.',
  );
});
