import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { CLIENT, credentials, ISSUER, RSA, tokenFor } from '../support/issuers.ts';
import { jwksOf } from '../support/key-pairs.ts';
import { type RawAnswer, send } from '../support/raw-http.ts';
import { type DecodedAnswer, decodeAnswer, decodeStream } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/** Two orgs on one server whose activities, audiences and offers have the same ids: what each shows, tells and remembers. */

const ORGS = ['MINE', 'THEIRS'] as const;
type Org = (typeof ORGS)[number];
const idOf = (org: Org): string => `${org}@AdobeOrg`;
const other = (org: Org): Org => (org === 'MINE' ? 'THEIRS' : 'MINE');

function filesOf(org: Org): Record<string, string> {
  const head = `org: ${idOf(org)}\n`;
  const gold = '{ "==": [{ var: profile.tier }, gold] }';
  return {
    [`datastreams/${org}.yaml`]: `id: ${org}-shop\n${head}name: Shop\n`,
    [`datastreams/${org}-closed.yaml`]: `id: ${org}-closed\n${head}name: Closed\naccess: authenticated\n`,
    [`activities/${org}-hero.yaml`]: `id: hero\n${head}scope: hero\ncaps: [{ max: 1 }]\nexperiences: [{ id: a, html: "${org} {{profile.name | 'you'}}" }]\n`,
    [`activities/${org}-for-gold.yaml`]: `id: for-gold\n${head}scope: gold\nwhen: { audience: gold }\nexperiences: [{ id: a, html: ${org} gold }]\n`,
    [`activities/${org}-only.yaml`]: `id: ${org}-only\n${head}scope: ${org}-only\nexperiences: [{ id: a, html: ${org} only }]\n`,
    [`audiences/${org}-gold.yaml`]: `id: gold\n${head}when: ${gold}\nsegment: { destination: ${org}-cms, attributes: [tier] }\npush: [{ cookie: { name: ${org}, value: gold } }]\n`,
    [`offers/${org}.yaml`]: `${head}placements: [{ id: p, type: html }]\noffers: [{ id: o, content: { p: ${org} offer } }]\ndecisions: [{ id: d, placements: [{ placement: p, offers: [o] }] }]\n`,
  };
}

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir({
    'weir.yaml': `deadlineMs: 4500\ndecisions: { budgetMs: 1000 }\nauth: { issuers: [{ issuer: "${ISSUER}", jwks: keys.json, audience: [weir] }] }\n`,
    'keys.json': jwksOf(RSA),
    ...filesOf('MINE'),
    ...filesOf('THEIRS'),
  });
});
afterAll(() => weir?.stop());

const OFFER = Buffer.from('{"activityId":"d","placementId":"p"}').toString('base64');
const SCOPES = ['hero', 'gold', 'MINE-only', 'THEIRS-only', OFFER];
let visitors = 0;
const newEcid = (): string => String(++visitors).padStart(38, '5');
const GOLD = { 'profile.tier': 'gold' };

interface Asked {
  readonly ecid?: string;
  readonly data?: JsonObject;
  readonly xdm?: JsonObject;
  readonly meta?: JsonObject;
  readonly listener?: 'edge' | 'server';
  readonly datastream?: string;
  readonly path?: '/v1/interact' | '/v2/interact';
}
function ask(org: Org, asked: Asked = {}): Promise<RawAnswer> {
  const { listener = 'edge', datastream = `${org}-shop`, path = '/v1/interact' } = asked;
  const xdm = { ...asked.xdm, identityMap: { ECID: [{ id: asked.ecid ?? newEcid(), primary: true }] } };
  const event = {
    xdm,
    query: { personalization: { decisionScopes: SCOPES } },
    data: { '__adobe.target': asked.data ?? {} },
  };
  const body = { meta: asked.meta ?? {}, ...(path === '/v1/interact' ? { events: [event] } : { event }) };
  const isProven = listener === 'server' || datastream.endsWith('closed');
  return send(weir[listener], {
    method: 'POST',
    path: `/ee${path}?configId=${datastream}&datastreamId=${datastream}`,
    headers: isProven ? credentials(tokenFor(idOf(org)), CLIENT, idOf(org)) : [],
    body: JSON.stringify(body),
  });
}
const decoded = ({ text }: RawAnswer): DecodedAnswer => decodeAnswer(JSON.parse(text));
const payloads = ({ handle }: DecodedAnswer, type: string): JsonObject[] =>
  handle.filter((one) => one.type === type).flatMap(({ payload }) => payload as JsonObject[]);
const contents = (answer: DecodedAnswer): unknown[] =>
  payloads(answer, 'personalization:decisions').map(
    ({ items }) => ((items as JsonObject[])[0]!['data'] as JsonObject)['content'],
  );

const WAYS = ORGS.flatMap((org) =>
  (['edge', 'server'] as const).flatMap((listener) =>
    (['/v1/interact', '/v2/interact'] as const).map((path) => [org, listener, path] as const),
  ),
);

test.each(WAYS)('%s sees its own alone, on the %s listener at %s', async (org, listener, path) => {
  const answer = await ask(org, { data: GOLD, listener, path });
  const all = decoded(answer);
  expect(contents(all).sort()).toEqual(['gold', 'offer', 'only', 'you'].map((what) => `${org} ${what}`));
  expect(payloads(all, 'activation:pull')).toMatchObject([{ destinationId: `${org}-cms`, segments: [{ id: 'gold' }] }]);
  expect(payloads(all, 'activation:push')).toHaveLength(1);
  // The scope that the request named is never sent back: nothing of theirs is there.
  expect(answer.text).not.toContain(other(org));
});

describe('what one org knows of a device the other does not', () => {
  test.each(ORGS)('attributes, and with them audiences: %s', async (org) => {
    const ecid = newEcid();
    await ask(org, { ecid, data: { ...GOLD, 'profile.name': 'Ada' } });
    expect(contents(decoded(await ask(org, { ecid })))).toEqual(expect.arrayContaining([`${org} Ada`, `${org} gold`]));
    const theirs = contents(decoded(await ask(other(org), { ecid })));
    expect(theirs).toContain(`${other(org)} you`);
    expect(theirs).not.toContain(`${other(org)} gold`);
  });

  test.each(ORGS)('displays, told with its token to the other or to itself: %s', async (org) => {
    const ecid = newEcid();
    const propositions = payloads(decoded(await ask(org, { ecid })), 'personalization:decisions').map(
      ({ id, scope, scopeDetails }) => ({ id, scope, scopeDetails }),
    ) as JsonObject[];
    const xdm = {
      eventType: 'decisioning.propositionDisplay',
      _experience: { decisioning: { propositions, propositionEventType: { display: 1 } } },
    };
    const foreign = await ask(other(org), { ecid, xdm });
    expect(decoded(foreign).warnings).toHaveLength(1);
    expect(contents(decoded(await ask(other(org), { ecid })))).toContain(`${other(org)} you`);
    expect(contents(decoded(await ask(org, { ecid })))).toContain(`${org} you`);
    await ask(org, { ecid, xdm });
    expect(contents(decoded(await ask(org, { ecid })))).not.toContain(`${org} you`);
    expect(contents(decoded(await ask(other(org), { ecid })))).toContain(`${other(org)} you`);
  });
});

test('attributes of segments are told to authenticated callers alone', async () => {
  const told = async (asked: Asked) =>
    payloads(decoded(await ask('MINE', { ...asked, data: GOLD })), 'activation:pull').map(
      ({ attributes }) => attributes,
    );
  expect(await told({})).toEqual([undefined]);
  expect(await told({ listener: 'server' })).toEqual([{ tier: { value: 'gold' } }]);
  expect(await told({ datastream: 'MINE-closed' })).toEqual([{ tier: { value: 'gold' } }]);
});

test('a streamed answer has the decisions of a plain one', async () => {
  const ecid = newEcid();
  const plain = decoded(await ask('MINE', { ecid, data: GOLD }));
  const konductorConfig = { streaming: { enabled: true, recordSeparator: '\u0000', lineFeed: '\n' } };
  const { answer } = decodeStream((await ask('MINE', { ecid, data: GOLD, meta: { konductorConfig } })).body);
  const ofDecisions = ({ handle }: DecodedAnswer): unknown =>
    JSON.parse(
      JSON.stringify(handle.filter(({ type }) => /^(personalization|activation):/.test(type))).replace(
        /"eventToken":"[^"]+"/g,
        '"eventToken":""',
      ),
    );
  expect(contents(answer)).toHaveLength(4);
  expect(ofDecisions(answer)).toEqual(ofDecisions(plain));
});
