import { expect, test } from 'vitest';
import { describeIdentity } from '../../src/admin/identities.ts';
import { QUARANTINE_MS } from '../../src/model/identity-graph.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { personKey } from '../../src/model/person.ts';
import { datastreamOf, ECID_A, NOW_MS, ORG } from '../support/exchanges.ts';

const SINCE = new Date(NOW_MS).toISOString();

test.each<[what: string, identity: JsonObject, quarantinedAt: string | null | undefined]>([
  ['links', { links: [['ECID', '1', 'ambiguous', NOW_MS, NOW_MS]] }, null],
  ['no links: those that it had were to a device that is erased', { links: [] }, undefined],
  ['an id for all sites alone', { core: '2'.repeat(38) }, undefined],
  ['a quarantine, which took its links', { links: [], quarantinedMs: NOW_MS }, SINCE],
  ['a quarantine that is over', { links: [], quarantinedMs: NOW_MS - QUARANTINE_MS }, undefined],
])('an id with %s', async (_what, identity, quarantinedAt) => {
  const person = { key: personKey(ORG, 'CRMID', 'ada'), version: 1, body: { identity } };
  const read = (key: string) => (key === person.key ? person : null);
  const shown = await describeIdentity(datastreamOf(), 'CRMID', 'ada', read, NOW_MS);
  expect(shown?.['quarantinedAt']).toBe(quarantinedAt);
});

test('a quarantined id is shown as such with those that it was seen with, and a device belongs to the one who is not', async () => {
  const login = (id: string, lastMs: number): Json => ['CRMID', id, 'authenticated', NOW_MS, lastMs];
  const identities: Record<string, JsonObject> = {
    [personKey(ORG, 'ECID', ECID_A)]: { links: [login('ada', NOW_MS + 1), login('till', NOW_MS + 2)] },
    [personKey(ORG, 'CRMID', 'till')]: { links: [], quarantinedMs: NOW_MS },
  };
  const read = (key: string) =>
    identities[key] === undefined ? null : { key, version: 1, body: { identity: identities[key] } };
  const shown = await describeIdentity(datastreamOf(), 'ECID', ECID_A, read, NOW_MS);
  expect(shown).toMatchObject({
    person: { namespace: 'CRMID', id: 'ada' },
    links: [
      { id: 'till', isQuarantined: true },
      { id: 'ada', isQuarantined: false },
    ],
  });
});
