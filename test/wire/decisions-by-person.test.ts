import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { CLIENT, credentials, ISSUER, RSA, tokenFor } from '../support/issuers.ts';
import { jwksOf } from '../support/key-pairs.ts';
import { send } from '../support/raw-http.ts';
import { startWeir, type Weir } from '../support/weir.ts';
import { writeFile } from '../support/workspace-folder.ts';

/** What a server calls for a person whom it knows by an id of its own: no device, no cookie, and still the same visitor. */

const ORG = 'TEST@AdobeOrg';
const FILES = {
  'weir.yaml': `deadlineMs: 4500
decisions: { budgetMs: 1000 }
auth: { issuers: [{ issuer: "${ISSUER}", jwks: keys.json, audience: [weir] }] }
identity: { namespaces: { ${ORG}: { CRM: { kind: person } } } }
`,
  'keys.json': jwksOf(RSA),
  'activities/personal.yaml':
    'id: personal\nscope: personal\nbucketBy: CRM\ncaps: [{ max: 1 }]\nexperiences: [{ id: a, html: A }]\n',
  'activities/device.yaml': 'id: device\nscope: device\ncaps: [{ max: 1 }]\nexperiences: [{ id: a, html: A }]\n',
  'activities/split.yaml': split('a', 'b'),
  'offers/o.yaml': `placements: [{ id: p, type: html }]
offers: [{ id: o, caps: [{ max: 1 }], content: { p: Offer } }]
decisions: [{ id: d, placements: [{ placement: p, offers: [o] }] }]
`,
};
function split(...experiences: readonly string[]): string {
  const list = experiences.map((id) => `  - { id: ${id}, html: ${id} }\n`);
  return `id: split\nscope: split\nbucketBy: CRM\nexperiences:\n${list.join('')}`;
}
const OFFER = Buffer.from('{"activityId":"d","placementId":"p"}').toString('base64');

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir(FILES);
});
afterAll(() => weir?.stop());

async function call(identityMap: JsonObject, event: JsonObject): Promise<readonly JsonObject[]> {
  const answer = await send(weir.server, {
    path: '/ee/v2/interact?datastreamId=shop',
    headers: credentials(tokenFor(ORG), CLIENT, ORG),
    body: JSON.stringify({ event: { ...event, xdm: { ...(event['xdm'] as JsonObject), identityMap } } }),
  });
  expect(answer.status, answer.text).toBe(200);
  const { handle } = answer.json as { handle: JsonObject[] };
  return handle
    .filter((one) => isObject(one) && one['type'] === 'personalization:decisions')
    .flatMap(({ payload }) => payload as JsonObject[]);
}
const ask = (identityMap: JsonObject, scope: string) =>
  call(identityMap, { xdm: {}, query: { personalization: { decisionScopes: [scope] } } });
const display = (identityMap: JsonObject, propositions: readonly JsonObject[]) =>
  call(identityMap, {
    xdm: {
      eventType: 'decisioning.propositionDisplay',
      _experience: { decisioning: { propositions: [...propositions], propositionEventType: { display: 1 } } },
    },
  });
const crm = (id: string, authenticatedState = 'authenticated'): JsonObject => ({
  CRM: [{ id, primary: true, authenticatedState }],
});

describe('a person without a device', () => {
  test.each([
    ['an activity by persons', 'personal', crm('ada')],
    ['an activity by devices', 'device', crm('bea')],
    ['an offer', OFFER, crm('cyd')],
    ['an activity by persons, logged out', 'personal', crm('dan', 'loggedOut')],
  ])('meets the cap of %s', async (_what, scope, who) => {
    const shown = await ask(who, scope);
    expect(shown).toHaveLength(1);
    await display(who, shown);
    expect(await ask(who, scope)).toEqual([]);
    expect(await ask(crm('somebody else'), scope)).toHaveLength(1);
  });

  test('keeps the experience that they have, when another is added', async () => {
    const people = Array.from({ length: 40 }, (_, n) => `keeper-${n}`);
    const given = async (): Promise<unknown[]> => {
      const all: unknown[] = [];
      for (const id of people) all.push((await ask(crm(id), 'split'))[0]!['items']);
      return all;
    };
    const before = await given();
    writeFile(weir.workspace, 'activities/split.yaml', split('a', 'b', 'c', 'd', 'e', 'f'));
    await weir.running.reload({});
    expect(await given()).toEqual(before);
  });
});
