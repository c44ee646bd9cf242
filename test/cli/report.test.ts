import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DecisionDefinitions } from '../../src/model/decision-definitions.ts';
import { reportActivity } from '../../src/reporting.ts';
import { DAY_MS, happened, logOf, MINUTE_MS, ORG, OTHER_ORG, type Step } from '../reports/histories.ts';
import { weir } from '../support/command.ts';
import { keepDefinitions, writeLog } from '../support/data-folder.ts';
import { activityOf, definitionsOf, experienceOf, itemOf } from '../support/decisions.ts';
import { tempFolder } from '../support/temp-folder.ts';

const definitions: DecisionDefinitions = definitionsOf({
  ...{ orgId: ORG, hash: 'aaaaaaaaaaaaaaaa', timeZone: 'Europe/Berlin' },
  activities: [
    activityOf('hero', {
      name: 'Hero of the home page',
      experiences: [
        experienceOf('a', [itemOf('hero')], { name: 'As it was' }),
        experienceOf('b', [itemOf('hero')], { name: 'With a picture' }),
      ],
      goals: [
        {
          ...{ id: 'bought', name: 'Bought', windowMs: 7 * DAY_MS, count: 'visitor', value: null },
          when: { '==': [{ var: 'xdm.eventType' }, 'commerce.purchases'] },
        },
        {
          ...{ id: 'revenue', name: 'Revenue', windowMs: 7 * DAY_MS, count: 'sum', value: 'xdm.total' },
          when: { '==': [{ var: 'xdm.eventType' }, 'commerce.purchases'] },
        },
      ],
    }),
  ],
});
const step = (what: Step['what'], more: Partial<Step> = {}): Step => ({
  ...{ afterMs: MINUTE_MS, lateMs: 0, orgId: ORG, visitor: 0, what, outcome: 'shown', experience: 'a' },
  ...{ activity: 'hero', isBot: false, back: 0, kinds: ['display'], token: 'true', amount: 19.9, ...more },
});
const STORY: readonly Step[] = [
  ...[step('decide'), step('tell'), step('tell'), step('buy'), step('buy', { amount: 0.2 })],
  ...[step('decide', { visitor: 1, experience: 'b' }), step('tell', { visitor: 1, kinds: ['display', 'interact'] })],
  ...[step('decide', { visitor: 2, outcome: 'holdout' }), step('buy', { visitor: 2, amount: 5 })],
  ...[step('decide', { visitor: 3, isBot: true }), step('tell', { visitor: 3 })],
  ...[step('decide', { afterMs: DAY_MS }), step('tell', { token: 'forged' }), step('tell')],
  step('buy', { lateMs: DAY_MS - 20 * MINUTE_MS, amount: 1 }),
];

async function dataFolder(...kept: readonly DecisionDefinitions[]): Promise<string> {
  const data = tempFolder();
  await writeLog(
    data,
    logOf(happened(STORY)).map(({ record }) => record),
  );
  keepDefinitions(data, ...kept);
  return data;
}

const NOBODY_HAD = {
  ...{ kind: 'experience', experience: 'b', name: 'With a picture' },
  ...{ decisions: 0, assigned: 0, visitors: 0, displays: 0, clicks: 0, dismissals: 0, late: 0 },
  goals: {
    bought: { visitors: 0, events: 0, sum: 0, sumOfSquares: 0 },
    revenue: { visitors: 0, events: 0, sum: 0, sumOfSquares: 0 },
  },
  days: [],
};

describe('weir report', () => {
  test('prints a table for people', async () => {
    const { code, out, err } = await weir('report', '--activity', 'hero', '--data', await dataFolder(definitions));
    expect([code, err]).toEqual([0, '']);
    expect(`\n${out}`).toBe(`
Hero of the home page (hero) of A@AdobeOrg; days in Europe/Berlin; counted from the display on

day           assigned  visitors  displays  clicks  dismissed    bought  revenue
                                                               visitors      sum
As it was
2026-03-27 *         1         1         1       0          0         1     21.1
2026-03-28           1         1         1       0          0         0        0
all                  1         1         2       0          0         1     21.1

With a picture
2026-03-27           1         1         1       1          0         0        0
all                  1         1         1       1          0         0        0

held out
2026-03-27           1         -         0       0          0         -        -
all                  1         -         0       0          0         -        -

As it was (bots)
2026-03-27           1         1         1       0          0         0        0
all                  1         1         1       0          0         0        0

* Events of this day came in after it was over: it may say more than it did.
The held out are shown nothing, so nothing counts from a display on: compare with them by '--credit decision'.
Not counted: 1 told again of a decision that was counted; 1 with a token that was not found true, or none.
`);
  });

  test('says of what is not counted that no days bound it', async () => {
    const { out } = await weir(
      'report',
      '--activity',
      'hero',
      '--data',
      await dataFolder(definitions),
      '--to',
      '2026-03-26',
    );
    expect(out).toContain('Not counted, of all days: 1 told again');
  });

  test('names the experiences that nobody had', async () => {
    const data = await dataFolder(definitions);
    const { out } = await weir('report', '--activity', 'hero', '--data', data, '--from', '2026-03-28');
    expect(out).toContain('\nNobody was counted of: With a picture.\n');
    const empty = await weir('report', '--activity', 'hero', '--data', data, '--from', '2026-04-01');
    expect(empty.out).not.toContain('Nobody');
  });

  test('gives programs the arms that nobody had, with zeros', async () => {
    const [hero] = definitions.activities;
    const heldOut = { ...definitions, activities: [{ ...hero!, holdoutPercent: 10 }], holdoutPercent: 5 };
    const data = await dataFolder(heldOut);
    const of = async (from: string) => {
      const { out } = await weir('report', '--activity', 'hero', '--data', data, '--json', '--from', from);
      return JSON.parse(out);
    };
    const { arms, bots } = await of('2026-03-28');
    expect(arms.map((arm: { experience: string; name: string }) => [arm.experience, arm.name])).toEqual([
      ...[
        ['a', 'As it was'],
        ['b', 'With a picture'],
      ],
      ...[
        [null, 'held out'],
        [null, 'held out of everything'],
      ],
    ]);
    expect(arms[0].days).toHaveLength(1);
    expect(arms[1]).toEqual(NOBODY_HAD);
    expect(bots).toEqual([]);
    const later = await of('2026-04-01');
    expect(later.arms.map(({ assigned }: { assigned: number }) => assigned)).toEqual([0, 0, 0, 0]);
    const table = await weir('report', '--activity', 'hero', '--data', data, '--from', '2026-03-28');
    expect(table.out).toContain('\nNobody was counted of: With a picture, held out, held out of everything.\n');
  });

  test('fits into 80 columns: the goals that do not go on below', async () => {
    const [hero] = definitions.activities;
    const [goal] = hero!.goals;
    const goals = ['bought', 'subscribed', 'read', 'came-back-within-a-week'].map((id) => ({ ...goal!, id }));
    const data = await dataFolder({ ...definitions, activities: [{ ...hero!, goals }] });
    const { out } = await weir('report', '--activity', 'hero', '--data', data, '--to', '2026-03-27');
    const lines = out.split('\n').slice(2);
    expect(
      lines
        .slice(
          0,
          lines.findIndex((line) => line.startsWith('* ')),
        )
        .join('\n'),
    ).toBe(`\
day           assigned  visitors  displays  clicks  dismissed    bought
                                                               visitors
As it was
2026-03-27 *         1         1         1       0          0         1
all                  1         1         1       0          0         1

With a picture
2026-03-27           1         1         1       1          0         0
all                  1         1         1       1          0         0

held out
2026-03-27           1         -         0       0          0         -
all                  1         -         0       0          0         -

As it was (bots)
2026-03-27           1         1         1       0          0         0
all                  1         1         1       0          0         0

day           subscribed      read  came-back-within-a-week
                visitors  visitors                 visitors
As it was
2026-03-27 *           1         1                        1
all                    1         1                        1

With a picture
2026-03-27             0         0                        0
all                    0         0                        0

held out
2026-03-27             -         -                        -
all                    -         -                        -

As it was (bots)
2026-03-27             0         0                        0
all                    0         0                        0
`);
  });

  test('compares with the held out from the decision on', async () => {
    const data = await dataFolder(definitions);
    const { out } = await weir('report', '--activity', 'hero', '--data', data, '--credit', 'decision');
    const [head, ...lines] = out.split('\n');
    expect(head).toMatch(/; counted from the decision on$/);
    expect(lines.slice(lines.indexOf('held out')).slice(1, 3)).toEqual([
      '2026-03-27           1         1         0       0          0         1        5',
      'all                  1         1         0       0          0         1        5',
    ]);
    expect(out).not.toContain('The held out are shown nothing');
    const json = await weir('report', '--activity', 'hero', '--data', data, '--credit', 'decision', '--json');
    const { credit, arms } = JSON.parse(json.out);
    expect([credit, arms.at(-1)]).toMatchObject(['decision', { kind: 'holdout', visitors: 1, assigned: 1 }]);
  });

  test('prints one object for programs, of the days that were asked for', async () => {
    const data = await dataFolder(definitions);
    const { code, out } = await weir(
      ...['report', '--activity', 'hero', '--data', data, '--json', '--from', '2026-03-28', '--to', '2026-03-28'],
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      activity: { id: 'hero', name: 'Hero of the home page', kind: 'ab' },
      ...{ org: ORG, credit: 'display', timeZone: 'Europe/Berlin', from: '2026-03-28', to: '2026-03-28' },
      ...{ definitions: 'aaaaaaaaaaaaaaaa', complete: true, readUpTo: '0:14', logStartsAt: '2026-03-27T12:01:00.000Z' },
      goals: [
        { id: 'bought', name: 'Bought', count: 'visitor', windowMs: 7 * DAY_MS },
        { id: 'revenue', name: 'Revenue', count: 'sum', windowMs: 7 * DAY_MS },
      ],
      arms: [
        {
          ...{ kind: 'experience', experience: 'a', name: 'As it was' },
          ...{ decisions: 1, assigned: 1, visitors: 1, displays: 1, clicks: 0, dismissals: 0, late: 0 },
          goals: {
            bought: { visitors: 0, events: 0, sum: 0, sumOfSquares: 0 },
            revenue: { visitors: 0, events: 0, sum: 0, sumOfSquares: 0 },
          },
          days: [
            {
              day: '2026-03-28',
              ...{ decisions: 1, assigned: 1, visitors: 1, displays: 1, clicks: 0, dismissals: 0, late: 0 },
              goals: { bought: 0, revenue: 0 },
            },
          ],
        },
        NOBODY_HAD,
      ],
      bots: [],
      notCounted: { duplicates: 1, unsigned: 1, previews: 0, expired: 0, withoutVisitor: 0, withoutNumber: 0 },
      warnings: [],
    });
  });

  test('counts placements of offer decisions, whose experiences are offers', async () => {
    const offer = (id: string, name: string) => ({
      id,
      name,
      priority: 0,
      startMs: null,
      endMs: null,
      when: null,
      caps: [],
      content: {},
    });
    const offers: DecisionDefinitions['offers'] = {
      placements: [],
      offers: [offer('o1', 'Shipping'), offer('o2', 'Gift')],
      decisions: [
        {
          ...{ id: 'top', name: 'Top offers', startMs: null, endMs: null },
          placements: [{ placementId: 'home', offers: ['o1', 'o2'], fallback: null }],
        },
      ],
    };
    const data = tempFolder();
    const shown = { activity: 'top~home', experience: 'o2,o1' };
    const story = happened([step('decide', shown), step('tell', shown)]);
    await writeLog(
      data,
      logOf(story).map(({ record }) => record),
    );
    keepDefinitions(data, { ...definitions, offers, holdoutPercent: 5 });
    const { out } = await weir('report', '--activity', 'top~home', '--data', data, '--json');
    expect(JSON.parse(out)).toMatchObject({
      activity: { id: 'top~home', name: 'Top offers', kind: 'offers' },
      arms: [
        { experience: 'o2,o1', name: 'Gift, Shipping', assigned: 1, displays: 1 },
        { kind: 'global-holdout', assigned: 0, days: [] },
      ],
    });
    const table = await weir('report', '--activity', 'top~home', '--data', data);
    expect(table.out).toContain('\nNobody was counted of: held out of everything.\n');
  });

  test('counts visitors that are too many for memory a share at a time', async () => {
    const data = await dataFolder(definitions);
    const request = {
      ...{ data, workspace: null, activityId: 'hero', orgId: null, range: { from: null, to: null } },
      ...{ credit: 'decision' as const },
      ...{ report: () => {}, signal: new AbortController().signal },
    };
    const [whole, shares] = [await reportActivity(request), await reportActivity({ ...request, visitorsMax: 1 })];
    expect(shares.json()).toEqual(whole.json());
  });

  test('counts by the definitions that came into force last, and by those of a workspace', async () => {
    const later = { ...definitions, hash: 'bbbbbbbbbbbbbbbb', activities: [activityOf('hero', { name: 'Later' })] };
    const data = await dataFolder(definitions);
    await new Promise((resolve) => setTimeout(resolve, 20));
    keepDefinitions(data, later);
    const { out } = await weir('report', '--activity', 'hero', '--data', data);
    expect(out).toMatch(/^Later \(hero\)/);
    const folder = tempFolder();
    writeFileSync(join(folder, 'weir.yaml'), '{}\n');
    mkdirSync(join(folder, 'datastreams'));
    writeFileSync(join(folder, 'datastreams', 'shop.yaml'), 'id: shop\norg: A@AdobeOrg\nname: Shop\n');
    const { code, err } = await weir('report', '--activity', 'hero', '--data', data, '--workspace', folder);
    expect([code, err]).toEqual([1, "weir report: There is no activity 'hero'. There are none at all.\n"]);
  });

  test.each([
    [['--activity', 'heros'], 1, "There is no activity 'heros'. Did you mean 'hero'?"],
    [['--activity', 'checkout'], 1, "There is no activity 'checkout'. Known: 'hero'."],
    [
      ['--activity', 'hero'],
      1,
      `Several orgs have an activity 'hero': '${ORG}', '${OTHER_ORG}'. Say which with --org.`,
    ],
    [
      ['--activity', 'hero', '--org', 'A@adobeorg'],
      1,
      "The org 'A@adobeorg' has no activities. Did you mean 'A@AdobeOrg'?",
    ],
    [['--activity', 'hero', '--from', '2026-02-30'], 2, "--from is '2026-02-30'; it takes a day such as 2026-11-28."],
    [
      ['--activity', 'hero', '--from', '2026-03-02', '--to', '2026-03-01'],
      2,
      '--from 2026-03-02 is after --to 2026-03-01.',
    ],
    [['--activity', 'hero', '--credit', 'seen'], 2, "--credit is 'seen'; it takes display or decision."],
    [[], 2, '--activity is missing.'],
  ])('says what is wrong: %j', async (args, expected, message) => {
    const data = tempFolder();
    keepDefinitions(data, definitions, { ...definitions, orgId: OTHER_ORG, hash: 'cccccccccccccccc' });
    const { code, err } = await weir('report', '--data', data, ...args);
    expect([code, err.split('\n')[0]]).toEqual([expected, `weir report: ${message}`]);
  });

  test('says that no server has run with activities', async () => {
    const data = tempFolder();
    const { code, err } = await weir('report', '--data', data, '--activity', 'hero');
    expect(code).toBe(1);
    expect(err).toContain(`No server has run with activities on '${data}'.`);
  });
});
