import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { explainDecisions } from '../../src/explaining.ts';
import type { LogRecord } from '../../src/model/record.ts';
import { TooManyPersons } from '../../src/replays/sections.ts';
import { FIRST, ORG, type Sent, Traffic } from '../replays/made-traffic.ts';
import { weir } from '../support/command.ts';
import { keepDefinitions, writeLog } from '../support/data-folder.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** A request whose events were all kept out of the log. */
const WITHHELD: LogRecord = {
  ...{ requestId: 'consent-0123456789abcdef', atMs: Date.UTC(2026, 10, 2), orgId: ORG, datastreamId: 'shop' },
  ...{ path: '/v1/privacy/set-consent', ecid: '7'.repeat(38), meta: {}, events: [], raw: null, changes: [] },
};
let sent: readonly Sent[];
let records: readonly LogRecord[];
beforeAll(() => {
  sent = [...new Traffic(1, 20).requests(60)];
  // As a server names them: the client's id, and 16 digits.
  records = [
    ...sent.map(({ record }, index) => ({
      ...record,
      requestId: `${record.requestId}-${String(index).padStart(16, '0')}`,
    })),
    WITHHELD,
  ];
});
async function dataFolder(): Promise<string> {
  const data = tempFolder();
  await writeLog(data, records);
  keepDefinitions(data, FIRST);
  return data;
}

describe('weir explain', () => {
  test('says why, rule by rule, and what would have changed it', async () => {
    const { code, out, err } = await weir('explain', '--request-id', 'r7', '--data', await dataFolder());
    expect([code, err]).toEqual([0, '']);
    expect(
      out,
    ).toBe(`Request r7-0000000000000003, event 0, at 2026-11-01T00:01:36.926Z (position 0:3), to 'shop' of A@AdobeOrg
Visitor 05352034420000000170535203442000000017
Asked for the scopes hero, offer, note, box, of any schema
Decided by the definitions aaaaaaaaaaaaaaaa

At offer: 'gold' (Experience gold) of 'offer' (Activity offer), 1 item
At note: 'only' (Experience only) of 'capped' (Activity capped), 1 item
At box: 'y' (Experience y) of 'person' (Activity person), 1 item

'offer' (Activity offer)
  Shown: 'gold' (Experience gold).
  yes             the visitor is in the audience 'gold'
  not looked at   time.hour is at least 18
  not looked at   client.deviceType is 'mobile'
  yes             audience 'gold': profile.tier is 'gold'
  Had it been no to "the visitor is in the audience 'gold'": shown: 'phone' (Experience phone).
  Had it been no to "audience 'gold': profile.tier is 'gold'": shown: 'phone' (Experience phone).

'capped' (Activity capped)
  Shown: 'only' (Experience only).
  Drawn by weight (by the device); each experience draws for itself, and the winner drew 4709 of 10000:
  * 100 %: 'only' (Experience only)

'hero' (Activity hero)
  Not shown: 10 % of those who take part are held out to compare with, and this visitor is among them.

'person' (Activity person)
  Shown: 'y' (Experience y).
  Bucket 5574 of 10000 (by the id in CRM, else the device), as Adobe Target counts them:
    0 to 5000: 'x' (Experience x)
  * 5001 to 9999: 'y' (Experience y)
`);
  });

  test('says of what ran out of time no more than that', async () => {
    const data = tempFolder();
    const late = records.map((record) => ({
      ...record,
      decisions: (record.decisions ?? []).map((one) => ({
        ...{ ...one, p: [] },
        v: one.v.map(([id]) => [id, 'out-of-time', null, null, '', null] as const),
      })),
    }));
    await writeLog(data, late);
    keepDefinitions(data, FIRST);
    const { out } = await weir('explain', '--request-id', 'r7', '--activity', 'offer', '--data', data);
    expect(out).toContain(
      "'offer' (Activity offer)\n  Not shown: the time for decisions had run out before it was its turn.\n",
    );
    expect(out).not.toMatch(/Had it been|No single rule/);
  });

  test('explains one activity alone, and says where it was not asked for', async () => {
    const data = await dataFolder();
    const { out } = await weir('explain', '--request-id', 'r7-0000000000000003', '--activity', 'hero', '--data', data);
    expect(out).toContain("'hero' (Activity hero)\n  Not shown: 10 %");
    expect(out).not.toContain("'offer' (Activity offer)\n");
    keepDefinitions(data, {
      ...FIRST,
      hash: 'bbbbbbbbbbbbbbbb',
      activities: [{ ...FIRST.activities[0]!, id: 'later' }],
    });
    const other = await weir('explain', '--request-id', 'r7', '--activity', 'later', '--data', data);
    expect(other.out).toContain("The activity 'later' was not asked for: it has no content for these scopes");
    const misspelt = await weir('explain', '--request-id', 'r7', '--activity', 'heros', '--data', data);
    expect(misspelt).toEqual({
      code: 1,
      out: '',
      err: "weir explain: There is no activity 'heros'. Did you mean 'hero'?\n",
    });
  });

  test('explains a visitor’s newest decision, and names those before', async () => {
    const ecid = sent[5]!.record.ecid!;
    const own = records.filter((record) => record.ecid === ecid);
    expect(own.length).toBeGreaterThan(1);
    const { code, out } = await weir('explain', '--ecid', ecid, '--data', await dataFolder());
    expect(code).toBe(0);
    expect(out).toContain(`Request ${own.at(-1)!.requestId}, event 0`);
    const before = own.slice(0, -1).reverse();
    const lines = before.map(({ requestId, atMs }) => `  ${requestId} (event 0, ${new Date(atMs).toISOString()})\n`);
    expect(out.endsWith(`\nBefore it, for the same visitor:\n${lines.join('')}`)).toBe(true);
  });

  test('explains what one org decided for a visitor whom another one knows too', async () => {
    const ecid = sent[5]!.record.ecid!;
    const newest = records.findLast((record) => record.ecid === ecid)!;
    const data = tempFolder();
    const other = { ...newest, orgId: 'B@AdobeOrg', requestId: `other-${newest.requestId}` };
    await writeLog(data, [...records, other]);
    keepDefinitions(data, FIRST);
    const { code, err } = await weir('explain', '--ecid', ecid, '--data', data);
    expect([code, err]).toEqual([
      1,
      `weir explain: Several orgs have decided for the visitor ${ecid}: '${ORG}', 'B@AdobeOrg'. Say which with --org.\n`,
    ]);
    for (const { orgId, requestId } of [newest, other]) {
      const { out } = await weir('explain', '--ecid', ecid, '--org', orgId, '--data', data);
      expect(out).toContain(`Request ${requestId}, event 0`);
      expect(out.includes('Before it')).toBe(orgId === ORG);
    }
    const nobody = await weir('explain', '--ecid', ecid, '--org', 'C@AdobeOrg', '--data', data);
    expect(nobody.err).toContain(`The log holds nothing of the visitor ${ecid} of the org 'C@AdobeOrg'.`);
  });

  test('finds the persons of one visitor where memory does not hold all', async () => {
    const data = await dataFolder();
    const of = { ecid: sent[5]!.record.ecid! };
    const request = { data, of, orgId: null, activityId: null, report: () => {} };
    expect(await explainDecisions({ ...request, personsMax: 3 })).toEqual(await explainDecisions(request));
    await expect(explainDecisions({ ...request, personsMax: 0 })).rejects.toThrow(TooManyPersons);
  });

  test('tells the outcomes where the definitions are gone', async () => {
    const data = await dataFolder();
    rmSync(join(data, 'decisions'), { recursive: true });
    const { code, out } = await weir('explain', '--request-id', 'r7', '--data', data);
    expect(code).toBe(0);
    expect(out).toContain(
      'The definitions aaaaaaaaaaaaaaaa are not in the data folder: more than the outcomes is not known.',
    );
    expect(out).toContain("'hero': not shown (holdout)\n");
  });

  test('says that a request is there, and nothing was decided for it', async () => {
    const { code, err } = await weir('explain', '--request-id', 'consent', '--data', await dataFolder());
    expect([code, err]).toEqual([
      1,
      "Nothing was decided for the request 'consent': one request is in the log, and asked for no content there, or for that of other activities.\n",
    ]);
  });

  test('says that it knows nothing of one who was withheld, erased, or never there', async () => {
    const { code, err } = await weir('explain', '--ecid', '8'.repeat(38), '--data', await dataFolder());
    expect(code).toBe(1);
    expect(err).toBe(
      `The log holds nothing of the visitor ${'8'.repeat(38)}. Events without consent to collection are not kept, nor are those of visitors who were erased, or older than what the log keeps. The log begins at 2026-11-01T00:00:12.541Z.\n`,
    );
  });

  test.each([
    [[], 'Say --request-id or --ecid, one of them.'],
    [['--request-id', 'r', '--ecid', '1'.repeat(38)], 'Say --request-id or --ecid, one of them.'],
    [['--ecid', '12'], "--ecid is '12'; an ECID has 38 digits."],
  ])('says what is wrong: %j', async (args, message) => {
    const { code, err } = await weir('explain', '--data', tempFolder(), ...args);
    expect([code, err.split('\n')[0]]).toEqual([2, `weir explain: ${message}`]);
  });
});
