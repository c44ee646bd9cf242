import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { weir as command } from '../support/command.ts';
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
  'activities/even.yaml':
    'id: even\nscope: even\nbucketBy: CRM\nexperiences: [{ id: a, html: a }, { id: b, html: b }]\n',
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

type Of = readonly [identityMap: JsonObject, event: JsonObject];

function call(identityMap: JsonObject, event: JsonObject): Promise<readonly JsonObject[]> {
  return callOfAll([identityMap, event]);
}

/** All in one request. */
async function callOfAll(...events: readonly Of[]): Promise<readonly JsonObject[]> {
  const answer = await send(weir.server, {
    path: '/ee/v1/interact?configId=shop',
    headers: credentials(tokenFor(ORG), CLIENT, ORG),
    body: JSON.stringify({
      events: events.map(([identityMap, event]) => ({
        ...event,
        xdm: { ...(event['xdm'] as JsonObject), identityMap },
      })),
    }),
  });
  expect(answer.status, answer.text).toBe(200);
  const { handle } = answer.json as { handle: JsonObject[] };
  return handle
    .filter((one) => isObject(one) && one['type'] === 'personalization:decisions')
    .flatMap(({ payload }) => payload as JsonObject[]);
}
const asking = (scope: string): JsonObject => ({ xdm: {}, query: { personalization: { decisionScopes: [scope] } } });
const displayOf = (propositions: readonly JsonObject[]): JsonObject => ({
  xdm: {
    eventType: 'decisioning.propositionDisplay',
    _experience: { decisioning: { propositions: [...propositions], propositionEventType: { display: 1 } } },
  },
});
const ask = (identityMap: JsonObject, scope: string) => call(identityMap, asking(scope));
const display = (identityMap: JsonObject, propositions: readonly JsonObject[]) =>
  call(identityMap, displayOf(propositions));
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

describe('events of several visitors in one request', () => {
  const device = (n: number): JsonObject => ({ ECID: [{ id: String(n).padStart(38, '6'), primary: true }] });

  test.each([
    ['persons', 'personal', crm('eve'), crm('fay')],
    ['devices', 'device', device(1), device(2)],
    ['devices, of an offer', OFFER, device(3), device(4)],
    ['a person on two devices, by device', 'device', { ...device(5), ...crm('gus') }, { ...device(6), ...crm('gus') }],
  ])('of %s: what one was shown is nothing to the other', async (_what, scope, one, other) => {
    const shown = await ask(one, scope);
    expect(await callOfAll([one, displayOf(shown)], [other, asking(scope)])).toHaveLength(1);
    expect(await callOfAll([other, asking(scope)], [one, asking(scope)])).toHaveLength(1);
    const replayed = await command('replay', '--data', weir.data);
    expect([replayed.code, replayed.out]).toEqual([0, expect.stringContaining(' 0 different')]);
  });

  test('of one: what a login keeps for the person does not take away a display that the same request tells of', async () => {
    const anonymous = device(7);
    const loggedIn = { ...anonymous, CRM: [{ id: 'hal', authenticatedState: 'authenticated' }] };
    const shown = await ask(anonymous, 'personal');
    await callOfAll([loggedIn, asking('personal')], [loggedIn, displayOf(shown)]);
    expect(await ask(crm('hal'), 'personal')).toEqual([]);
  });
});

describe('an id that stands for nobody', () => {
  const JUNK = ['null', ' NULL ', '0', '00000000-0000-0000-0000-000000000000', '37a6259cc0c1dae299a7866489dff0bd'];
  const device = (n: number): JsonObject => ({ ECID: [{ id: String(n).padStart(38, '7'), primary: true }] });
  const shown = async (who: JsonObject): Promise<unknown> => (await ask(who, 'even'))[0]?.['items'];
  const differing = async (whos: readonly JsonObject[]): Promise<number> => {
    const all = new Set<string>();
    for (const who of whos) all.add(JSON.stringify(await shown(who)));
    return all.size;
  };
  const many = Array.from({ length: 16 }, (_, n) => n);

  test.each(JUNK)('%s does not draw for all who send it: each device draws for itself', async (id) => {
    const base = 100 * JUNK.indexOf(id);
    expect(await differing(many.map((n) => ({ ...device(base + n), CRM: [{ id }] })))).toBe(2);
  });

  test('nor does it where there is no device: each request decides for itself', async () => {
    expect(await differing(many.map(() => crm('null')))).toBe(2);
  });

  test('leaves the place to the one behind it', async () => {
    for (const n of many) {
      const who = `behind-${n}`;
      const behind = { ...device(1_000 + n), CRM: [{ id: 'null' }, { id: who }] };
      expect(await shown(behind)).toEqual(await shown(crm(who)));
    }
  });

  test('has no caps: a display for nobody is not held against the next nobody', async () => {
    const answer = await ask(crm('null'), 'personal');
    await display(crm('null'), answer);
    expect(await ask(crm('null'), 'personal')).toHaveLength(1);
  });

  test('is told of by explain, and decisions are replayed without it', async () => {
    await shown({ ...device(2_000), CRM: [{ id: 'null' }] });
    const ecid = '2000'.padStart(38, '7');
    const explained = await command('explain', '--ecid', ecid, '--data', weir.data);
    expect(explained.out).toContain(`Visitor ${ecid}\nIds that stand for nobody decided nothing: of CRM\n`);
    const replayed = await command('replay', '--data', weir.data);
    expect([replayed.code, replayed.out]).toEqual([0, expect.stringContaining(' 0 different')]);
  });
});
