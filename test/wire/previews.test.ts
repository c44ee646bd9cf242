import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adminTokens } from '../../src/server.ts';
import { weir } from '../support/command.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/** Links of `weir preview`, opened at a listening server; what they show counts nowhere. */

const ORG = '0123@AdobeOrg';
/** What is no browser is counted with the bots. */
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0';
const FILES = {
  'weir.yaml': 'deadlineMs: 4500\ndecisions: { budgetMs: 1000 }\n',
  'datastreams/shop.yaml': `id: shop\norg: ${ORG}\nname: Shop\n`,
  'datastreams/other.yaml': 'id: other\norg: OTHER@AdobeOrg\nname: Other\n',
  'activities/hero.yaml': `id: hero\norg: ${ORG}\nscope: hero\nbucketBy: Email\ncaps: [{ max: 1 }]\nexperiences: [{ id: usual, html: Usual }, { id: rare, weight: 0, html: Rare }]\n`,
  'activities/draft.yaml': `id: draft\norg: ${ORG}\nenabled: false\nscope: draft\nexperiences: [{ id: a, html: Draft }]\n`,
  'offers/closing.yaml': `org: ${ORG}
placements: [{ id: bar, type: html }]
offers:
  - { id: first, priority: 9, caps: [{ max: 1 }], content: { bar: First } }
  - { id: never, end: 2020-01-01, when: { '==': [{ var: xdm.no }, 1] }, content: { bar: Never } }
  - { id: last, content: { bar: Last } }
decisions: [{ id: closing, placements: [{ placement: bar, offers: [first, never], fallback: last }] }]
`,
  'activities/other.yaml': 'id: hero\norg: OTHER@AdobeOrg\nscope: hero\nexperiences: [{ id: usual, html: Other }]\n',
};
let server: Weir;
beforeAll(async () => {
  server = await startWeir(FILES);
});
afterAll(() => server?.stop());

interface Item {
  readonly data: { readonly content: string };
}
interface Proposition {
  readonly id: string;
  readonly scope: string;
  readonly scopeDetails: object;
  readonly items: readonly Item[];
}
interface Answer {
  readonly handle?: readonly { readonly type: string; readonly payload: readonly Proposition[] }[];
  readonly warnings?: readonly { readonly detail: string }[];
}

let visitors = 0;
const visitor = (): object => {
  visitors += 1;
  return {
    ECID: [{ id: String(visitors).padStart(38, '1') }],
    Email: [{ id: `${visitors}@example.com`, primary: false }],
  };
};

async function link(activity: string, experience: string, org = ORG): Promise<string> {
  const { out, err } = await weir(
    ...['preview', '--activity', activity, '--experience', experience, '--org', org, '--workspace', server.workspace],
    ...['--data', server.data, '--url', 'https://shop.example/cart?a=1#top'],
  );
  expect(err).toBe('');
  return out.trim();
}
const parameterOf = (url: string): string => new URL(url).searchParams.get('weir_preview')!;

interface Way {
  readonly query?: string;
  readonly cookie?: string;
  readonly xdm?: object;
  readonly meta?: object;
}
const ways: Readonly<Record<string, (url: string) => Way>> = {
  'the address of the page': (url) => ({ xdm: { web: { webPageDetails: { URL: url } } } }),
  'the address of the request': (url) => ({ query: `&weir_preview=${encodeURIComponent(parameterOf(url))}` }),
  'the cookie': (url) => ({ cookie: `at_qa_mode=${parameterOf(url)}` }),
  'the cookie as Target builds it': (url) => ({
    cookie: `at_qa_mode=${encodeURIComponent(JSON.stringify({ token: parameterOf(url), listedActivitiesOnly: true }))}`,
  }),
  'the cookie in meta.state': (url) => ({
    meta: { state: { entries: [{ key: 'at_qa_mode', value: parameterOf(url) }] } },
  }),
};

async function send(event: object, way: Way, datastream = 'shop', identityMap = visitor()): Promise<Answer> {
  const response = await fetch(`${server.edge}/ee/v1/interact?configId=${datastream}${way.query ?? ''}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': BROWSER,
      ...(way.cookie === undefined ? {} : { cookie: way.cookie }),
    },
    body: JSON.stringify({ xdm: { identityMap }, events: [event], meta: way.meta ?? {} }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}
const ask = (way: Way, datastream = 'shop', identityMap = visitor()) =>
  send(
    { xdm: way.xdm ?? {}, query: { personalization: { decisionScopes: ['hero', 'draft'] } } },
    way,
    datastream,
    identityMap,
  );
const display = ({ id, scope, scopeDetails }: Proposition, identityMap: object) =>
  send(
    {
      xdm: {
        eventType: 'decisioning.propositionDisplay',
        _experience: {
          decisioning: { propositions: [{ id, scope, scopeDetails }], propositionEventType: { display: 1 } },
        },
      },
    },
    {},
    'shop',
    identityMap,
  );
const decided = ({ handle }: Answer): readonly Proposition[] =>
  (handle ?? []).filter(({ type }) => type === 'personalization:decisions').flatMap(({ payload }) => payload);
const contents = (answer: Answer): string[] =>
  decided(answer).flatMap(({ items }) => items.map((one) => one.data.content));
const shown = (answer: Answer): string[] => decided(answer).map(({ items }) => items[0]!.data.content);

const BAR = btoa(JSON.stringify({ activityId: 'closing', placementId: 'bar', itemCount: 2 }));
const askForOffers = (way: Way, identityMap = visitor()) =>
  send({ xdm: way.xdm ?? {}, query: { personalization: { decisionScopes: [BAR] } } }, way, 'shop', identityMap);
/** Of one activity: displays, experiences that were decided or displayed, and displays of previews. */
async function counted(activity: string) {
  const { out } = await weir('report', '--activity', activity, '--org', ORG, '--data', server.data, '--json');
  const { arms, notCounted } = JSON.parse(out);
  const displays = arms.reduce((sum: number, one: { displays: number }) => sum + one.displays, 0);
  const experiences = arms
    .filter(({ decisions, displays }: { decisions: number; displays: number }) => decisions + displays > 0)
    .map(({ experience }: { experience: string | null }) => experience);
  return { displays, experiences, previews: notCounted.previews };
}

describe.each(Object.keys(ways))('a link, by %s', (name) => {
  const by = ways[name]!;

  test('forces its experience, which chance would never choose', async () => {
    const answer = await ask(by(await link('hero', 'rare')));
    expect([shown(answer), answer.warnings]).toEqual([['Rare'], undefined]);
  });

  test('shows an activity that is not enabled, and leaves the others as they are', async () => {
    expect(shown(await ask(by(await link('draft', 'a'))))).toEqual(['Usual', 'Draft']);
    expect(shown(await ask({}))).toEqual(['Usual']);
  });

  test('forces an offer at its placement', async () => {
    const answer = await askForOffers(by(await link('closing~bar', 'never')));
    expect([contents(answer), answer.warnings]).toEqual([['Never'], undefined]);
    expect(contents(await askForOffers({}))).toEqual(['First']);
  });

  test('of another org, or changed, does nothing and is warned of', async () => {
    const foreign = await ask(by(await link('hero', 'usual', 'OTHER@AdobeOrg')));
    expect([shown(foreign), foreign.warnings?.[0]?.detail]).toEqual([
      ['Usual'],
      "A preview has no effect: its link was not made by this server for this org. Make another one with 'weir preview'.",
    ]);
    const changed = (await link('draft', 'a')).replace(/weir_preview=./, 'weir_preview=~');
    expect(shown(await ask(by(changed)))).toEqual(['Usual']);
  });
});

test('a link that the admin listener makes', async () => {
  const scope = { orgId: ORG, role: 'admin' as const, datastreams: null };
  const { text } = await (await adminTokens(server.data)).create(scope, 3_600_000, { kind: 'test' });
  const made = (activity: string, experience: string) =>
    fetch(
      `${server.running.urls.admin}/api/v1/datastreams/shop/activities/${activity}/experiences/${experience}/preview`,
      { method: 'POST', headers: { authorization: `Bearer ${text}` } },
    );
  const parameter = async (activity: string, experience: string) =>
    ((await (await made(activity, experience)).json()) as { parameter: string }).parameter;
  expect(shown(await ask({ query: `&${await parameter('hero', 'rare')}` }))).toEqual(['Rare']);
  const offers = await parameter('closing~bar', 'never,last');
  expect(contents(await askForOffers({ query: `&${offers}` }))).toEqual(['Never', 'Last']);
  for (const [activity, experience] of [
    ['hero', 'none'],
    ['none', 'rare'],
    ['closing~bar', 'never,none'],
  ] as const) {
    expect((await made(activity, experience)).status).toBe(404);
  }
});

test('two previews in one link', async () => {
  const two = `${parameterOf(await link('hero', 'rare'))},${parameterOf(await link('draft', 'a'))}`;
  expect(shown(await ask({ query: `&weir_preview=${two}` }))).toEqual(['Rare', 'Draft']);
});

test('consent to personalisation is not asked of a preview; without consent to collection nothing is decided', async () => {
  const identityMap = visitor();
  const way = ways['the address of the page']!(await link('hero', 'rare'));
  const choose = async (value: object): Promise<void> => {
    const consent = [{ standard: 'Adobe', version: '2.0', value }];
    const response = await fetch(`${server.edge}/ee/v1/privacy/set-consent?configId=shop`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ identityMap, consent }),
    });
    expect(response.status).toBe(200);
  };
  await choose({ collect: { val: 'y' }, personalize: { content: { val: 'n' } } });
  expect(shown(await ask({}, 'shop', identityMap))).toEqual([]);
  expect(shown(await ask(way, 'shop', identityMap))).toEqual(['Rare']);
  await choose({ collect: { val: 'n' } });
  expect(shown(await ask(way, 'shop', identityMap))).toEqual([]);
});

test('what a preview shows counts nowhere: no cap, no experience that is kept, no report', async () => {
  const who = visitor();
  const before = await counted('hero');
  const preview = decided(await ask(ways['the address of the page']!(await link('hero', 'rare')), 'shop', who));
  expect((await display(preview[0]!, who)).warnings).toBeUndefined();
  expect(await counted('hero')).toEqual({
    displays: before.displays,
    experiences: ['usual'],
    previews: before.previews + 1,
  });

  const usual = await ask({}, 'shop', who);
  expect(shown(usual)).toEqual(['Usual']);
  await display(decided(usual)[0]!, who);
  expect(await counted('hero')).toEqual({
    displays: before.displays + 1,
    experiences: ['usual'],
    previews: before.previews + 1,
  });
  expect(shown(await ask({}, 'shop', who))).toEqual([]);
  expect(shown(await ask(ways['the cookie']!(await link('hero', 'rare')), 'shop', who))).toEqual(['Rare']);
});

test('several offers, as many as are asked for, the fallback too; no cap and no report counts them', async () => {
  const who = visitor();
  const preview = await askForOffers(
    ways['the address of the page']!(await link('closing~bar', 'never,last,first')),
    who,
  );
  expect(contents(preview)).toEqual(['Never', 'Last']);
  expect((await display(decided(preview)[0]!, who)).warnings).toBeUndefined();
  const first = await askForOffers(ways['the cookie']!(await link('closing~bar', 'first')), who);
  expect(contents(first)).toEqual(['First']);
  await display(decided(first)[0]!, who);
  const before = await counted('closing~bar');
  expect(before).toMatchObject({ displays: 0, previews: 2 });
  expect(before.experiences).not.toContain('never,last');

  const usual = await askForOffers({}, who);
  expect(contents(usual)).toEqual(['First']);
  await display(decided(usual)[0]!, who);
  expect(await counted('closing~bar')).toMatchObject({ displays: 1, previews: 2 });
  expect(contents(await askForOffers({}, who))).toEqual(['Last']);
});
