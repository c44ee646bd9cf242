import { expect, test } from 'vitest';
import { ConsentHistory } from '../../src/model/consent-history.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { personKey } from '../../src/model/person.ts';
import type { Stored } from '../../src/model/record.ts';
import { ECID_A, ECID_B, NOW_MS, ORG } from '../support/exchanges.ts';

function stored(offset: number, body: JsonObject, fields: { ecid?: string; org?: string; time?: string } = {}): Stored {
  const { ecid = ECID_A, org = ORG, time = `00000000000${offset}-0000` } = fields;
  const change = { kind: 'consent', key: personKey(org, 'ECID', ecid), time, body } as const;
  const record = {
    ...{ requestId: `r-${offset}`, atMs: NOW_MS, orgId: org, datastreamId: 'shop', path: '/v1/privacy/set-consent' },
    ...{ ecid, meta: {}, events: [], raw: null, changes: [change] },
  };
  return { position: { partition: 0, offset }, record };
}
function choicesOf(...records: Stored[]) {
  const history = new ConsentHistory(ECID_A);
  for (const one of records) history.add(one);
  return history.choices;
}
const yes = { collect: { val: 'y' } };
const no = { share: { val: 'n' } };

test('an update whose choice before is in the log no more says so; what replaces everything is whole', () => {
  const update = stored(7, { operation: 'update', value: no, given: [], previous: '0:3' });
  const whole = stored(7, { operation: 'replace', value: no, given: [], previous: '0:3' });
  expect(choicesOf(update)[0]).toMatchObject({ holds: no, previous: '0:3', isFragment: true });
  expect(choicesOf(whole)[0]).toMatchObject({ holds: no, previous: '0:3', isFragment: false });
});

test('one that another overtook changed nothing', () => {
  const first = stored(1, { operation: 'replace', value: yes, given: [], previous: null });
  const late = stored(2, { operation: 'replace', value: no, given: [], previous: null }, { time: '000000000000-0000' });
  expect(choicesOf(first, late)).toMatchObject([
    { holds: yes, isOutdated: false },
    { holds: yes, isOutdated: true },
  ]);
});

test("another visitor's, another org's and other changes are not among them", () => {
  const body = { operation: 'replace', value: yes, given: [], previous: null };
  const link = stored(3, { links: [] });
  const identity = {
    ...link,
    record: { ...link.record, changes: [{ ...link.record.changes[0]!, kind: 'identity' as const }] },
  };
  const all = [
    stored(1, body, { ecid: ECID_B }),
    stored(2, body, { org: 'OTHER@AdobeOrg' }),
    identity,
    stored(4, body),
  ];
  expect(choicesOf(...all).map(({ orgId, position }) => [orgId, position])).toEqual([
    ['OTHER@AdobeOrg', '0:2'],
    [ORG, '0:4'],
  ]);
});

test('records of before it was noted do not say what they came to', () => {
  const body = { operation: 'replace', value: yes, given: [], previous: null };
  expect(choicesOf(stored(1, body), stored(2, { ...body, collect: 'in' })).map(({ collect }) => collect)).toEqual([
    null,
    'in',
  ]);
});
