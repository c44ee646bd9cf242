import { expect, test } from 'vitest';
import { describeIdentity } from '../../src/admin/identities.ts';
import { QUARANTINE_MS } from '../../src/model/identity-graph.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { personKey } from '../../src/model/person.ts';
import { datastreamOf, NOW_MS, ORG } from '../support/exchanges.ts';

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
