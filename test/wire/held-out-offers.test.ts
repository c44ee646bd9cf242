import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { weir as command } from '../support/command.ts';
import { post } from '../support/raw-http.ts';
import { startWeir, type Weir } from '../support/weir.ts';
import { workspaceFolder } from '../support/workspace-folder.ts';

/** Offers for a visitor who is held out of everything: what they get, and on which side of a report they are. */

const FILES = {
  'weir.yaml': 'deadlineMs: 4500\ndecisions: { budgetMs: 1000, holdoutPercent: 100 }\n',
  'offers/o.yaml': `placements: [{ id: p, type: html }]
offers:
  - { id: good, content: { p: Good } }
  - { id: rare, when: { "==": [{ var: data.isRare }, true] }, content: { p: Rare } }
  - { id: last, name: Last, content: { p: Last } }
decisions:
  - { id: open, placements: [{ placement: p, offers: [good], fallback: last }] }
  - { id: narrow, placements: [{ placement: p, offers: [rare], fallback: last }] }
`,
};
const ECID = '9'.repeat(38);
/** What is no browser counts with the bots. */
const BROWSER: [string, string][] = [
  ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0'],
];

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir(FILES);
});
afterAll(() => weir?.stop());

async function send(event: JsonObject): Promise<readonly JsonObject[]> {
  const xdm = { ...(event['xdm'] as JsonObject), identityMap: { ECID: [{ id: ECID }] } };
  const answer = await post(weir.edge, '/ee/v1/interact?configId=shop', { events: [{ ...event, xdm }] }, BROWSER);
  expect(answer.status, answer.text).toBe(200);
  const { handle } = answer.json as { handle: { type: string; payload: JsonObject[] }[] };
  return handle.filter(({ type }) => type === 'personalization:decisions').flatMap(({ payload }) => payload);
}

async function displayOffers(decision: string): Promise<unknown> {
  const scope = btoa(JSON.stringify({ activityId: decision, placementId: 'p' }));
  const [proposition] = await send({ xdm: {}, query: { personalization: { decisionScopes: [scope] } } });
  const propositionEventType = { display: 1 };
  const { id, scopeDetails, items } = proposition!;
  const told = { id: id!, scope, scopeDetails: scopeDetails! };
  await send({
    xdm: { _experience: { decisioning: { propositions: [told], propositionEventType } } },
  });
  return items;
}

async function armsOf(decision: string): Promise<unknown> {
  const { out } = await command('report', '--activity', `${decision}~p`, '--data', weir.data, '--json');
  return JSON.parse(out).arms;
}

test('who would get an offer gets the fallback, and is held against those who got the offer', async () => {
  expect(await displayOffers('open')).toMatchObject([{ id: 'last', data: { content: 'Last' } }]);
  const counts = { assigned: 1, visitors: 1, displays: 1 };
  expect(await armsOf('open')).toMatchObject([{ kind: 'global-holdout', experience: null, ...counts }]);
  const table = await command('report', '--activity', 'open~p', '--data', weir.data);
  expect(table.out).toMatch(/^held out of everything\n\S+ +1 +1 +1 +0 +0$/m);
  expect(table.out).not.toContain('The held out are shown nothing');
});

test('who would get the fallback anyway is nobody to compare with', async () => {
  expect(await displayOffers('narrow')).toMatchObject([{ id: 'last', data: { content: 'Last' } }]);
  expect(await armsOf('narrow')).toMatchObject([
    { kind: 'experience', experience: 'last', displays: 1 },
    { kind: 'global-holdout', decisions: 0, visitors: 0 },
  ]);
});

test('another fallback is a change for whoever is held out, too', async () => {
  await displayOffers('open');
  const other = FILES['offers/o.yaml'].replaceAll('offers: [good], fallback: last', 'offers: [good], fallback: spare');
  const spare = '  - { id: spare, content: { p: Spare } }\ndecisions:';
  const workspace = workspaceFolder({
    ...{ ...FILES, 'datastreams/shop.yaml': 'id: shop\norg: TEST@AdobeOrg\nname: Shop\n' },
    'offers/o.yaml': other.replace('decisions:', spare),
  });
  const { out } = await command('replay', '--data', weir.data, '--activity', 'open~p', '--workspace', workspace);
  expect(out).toMatch(/open~p +not shown \(global-holdout\) +not shown \(global-holdout\), otherwise/);
});

test('it is explained, and replayed', async () => {
  await displayOffers('open');
  const { out } = await command('explain', '--ecid', ECID, '--activity', 'open~p', '--data', weir.data);
  expect(out).toMatch(/^At \S+: 'last' \(Last\) of 'open~p' \(open\), 1 item$/m);
  expect(out).toContain(
    'Not shown: 100 % of all visitors are held out of everything, and this one is among them; the fallback stands there.',
  );
  const replayed = await command('replay', '--data', weir.data);
  expect([replayed.code, replayed.out]).toEqual([0, expect.stringContaining(' 0 different')]);
});
