import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeFs } from '../../src/log/node-fs.ts';
import type { DecisionDefinitions } from '../../src/model/decision-definitions.ts';
import { replayDecisions } from '../../src/replaying.ts';
import { decideAgain, deciderOf } from '../../src/replays/recompute.ts';
import { Replay } from '../../src/replays/replay.ts';
import { Sections, TooManyPersons } from '../../src/replays/sections.ts';
import { writeSnapshotFile } from '../../src/state/snapshot-file.ts';
import { FIRST, type Sent, Traffic } from '../replays/made-traffic.ts';
import { weir } from '../support/command.ts';
import { keepDefinitions, writeLog } from '../support/data-folder.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { workspaceFolder } from '../support/workspace-folder.ts';

const REQUESTS = 1_200;
const VISITORS = 100;

interface Made {
  readonly data: string;
  readonly sent: readonly Sent[];
}

/** `snapshotsAt`: after so many records. */
async function trafficOf(
  seed: number,
  snapshotsAt: readonly number[] = [],
  tamper?: (sent: Sent) => Sent,
): Promise<Made> {
  const data = tempFolder();
  const traffic = new Traffic(seed, VISITORS);
  const sent: Sent[] = [];
  for (const one of traffic.requests(REQUESTS)) {
    sent.push(tamper === undefined ? one : tamper(one));
    if (!snapshotsAt.includes(sent.length)) continue;
    mkdirSync(join(data, 'snapshots'), { recursive: true });
    const offset = sent.length - 1;
    const path = join(data, 'snapshots', `0-${String(offset).padStart(16, '0')}.snapshot`);
    await writeSnapshotFile(nodeFs, path, { partition: 0, offset }, traffic.persons.values());
  }
  await writeLog(
    data,
    sent.map(({ record }) => record),
  );
  keepDefinitions(data, FIRST);
  return { data, sent };
}

/** As no version decides. */
function withOtherBucket(sent: Sent): Sent {
  const [first, ...others] = sent.decision.v;
  const [id, outcome, experience, , marks, because] = first!;
  const v: Sent['decision']['v'] = [[id, outcome, experience, 9_999_999, marks, because], ...others];
  return { ...sent, record: { ...sent.record, decisions: [{ ...sent.decision, v }] } };
}

async function replayed(data: string, ...args: readonly string[]) {
  const { code, out, err } = await weir('replay', '--data', data, '--json', ...args);
  expect(err).toBe('');
  return { code, ...JSON.parse(out) };
}
const NOTHING = { person: 0, event: 0, client: 0, definitions: 0, time: 0 };

describe('weir replay', () => {
  test('makes every decision again as it was, from the log alone', async () => {
    const { data } = await trafficOf(1);
    expect(await replayed(data)).toEqual({
      ...{ code: 0, decisions: REQUESTS, same: REQUESTS, different: 0, visitors: 0, notReplayed: NOTHING },
      ...{ changes: [], differences: [] },
    });
    const { out } = await weir('replay', '--data', data);
    expect(out).toBe(`${REQUESTS} decisions by their own definitions: ${REQUESTS} the same, 0 different.\n`);
  });

  test('starts at a snapshot before what is wanted, and comes to the same', async () => {
    const { data } = await trafficOf(2, [400, 800]);
    const result = await replayed(data, '--from', '0:800', '--to', '0:1000');
    expect(result).toMatchObject({ code: 0, decisions: 200, same: 200, notReplayed: NOTHING });
  });

  test('without the start of the log says what cannot be made again; from its snapshot on, nothing is missing', async () => {
    const { sent } = await trafficOf(3);
    const dropped = 300;
    const learnedAt = 600;
    const decider = deciderOf(FIRST);
    const halfway = new Traffic(3, VISITORS);
    const sections = new Sections(false);
    const replay = new Replay({
      ...{ isOwn: true, activityId: null, namedMax: 10 },
      deciderFor: async () => decider,
    });
    let count = 0;
    for (const _ of halfway.requests(REQUESTS)) if (++count > learnedAt) break;
    for (const person of halfway.persons.values()) sections.learn(person);
    for (const [offset, { record }] of sent.entries()) {
      if (offset < dropped) continue;
      if (offset === learnedAt + 1) sections.reachLearned();
      await replay.take({ position: { partition: 0, offset }, record }, sections, () => true);
    }
    const { counts } = replay;
    expect(counts.different).toBe(0);
    expect(counts.same + counts.lacking.person).toBe(REQUESTS - dropped);
    // Of those before the snapshot some are lost, most are not.
    expect(counts.lacking.person).toBeGreaterThan(0);
    expect(counts.lacking.person).toBeLessThan((learnedAt - dropped) / 2);
  });

  test('of more persons than memory holds comes to the same, a share at a time', async () => {
    const { data } = await trafficOf(9, [400], (sent) =>
      sent.record.requestId.endsWith('7') ? withOtherBucket(sent) : sent,
    );
    const request = { data, to: null, workspace: null, activityId: null, namedMax: 20, report: () => {} };
    for (const from of [null, { offset: 500 }]) {
      const whole = await replayDecisions({ ...request, from });
      const shares = await replayDecisions({ ...request, from, personsMax: 40 });
      const plain = ({ counts, named, visitors, shifts }: Replay) => ({
        ...{ counts, named, visitors: visitors.size },
        shifts: shifts.map((shift) => ({ ...shift, visitors: shift.visitors.size })),
      });
      expect(whole.counts.different).toBeGreaterThan(20);
      expect(whole.counts.lacking).toEqual(NOTHING);
      expect(plain(shares)).toEqual(plain(whole));
      await expect(replayDecisions({ ...request, from, personsMax: 0 })).rejects.toThrow(TooManyPersons);
    }
  });

  test('finds a decision that does not come out the same, says which, and fails', async () => {
    const { data } = await trafficOf(4, [], (sent) =>
      sent.record.requestId === 'r789' ? withOtherBucket(sent) : sent,
    );
    const result = await replayed(data);
    expect(result).toMatchObject({ code: 1, different: 1, same: REQUESTS - 1 });
    expect(result.differences[0]).toMatchObject({ requestId: 'r789', eventIndex: 0 });
    expect(result.differences[0].what).toContain('9999999');
  });

  test('says that definitions are missing', async () => {
    const { data } = await trafficOf(5);
    rmSync(join(data, 'decisions'), { recursive: true });
    const result = await replayed(data);
    expect(result).toMatchObject({ code: 0, same: 0, notReplayed: { ...NOTHING, definitions: REQUESTS } });
  });

  test.each([
    [
      ['--from', 'yesterday'],
      "--from is 'yesterday'; it takes a time such as 2026-11-28T12:00:00Z or a position such as 0:1200.",
    ],
    [['--to', '1:5'], "--to is '1:5'; it takes a time such as 2026-11-28T12:00:00Z or a position such as 0:1200."],
  ])('says what is wrong: %j', async (args, message) => {
    const { code, err } = await weir('replay', '--data', tempFolder(), ...args);
    expect([code, err.split('\n')[0]]).toEqual([2, `weir replay: ${message}`]);
  });
});

describe('a replay by other definitions', () => {
  const other: DecisionDefinitions = {
    ...FIRST,
    hash: 'bbbbbbbbbbbbbbbb',
    activities: FIRST.activities.flatMap((activity) => {
      if (activity.id === 'capped') return [];
      if (activity.id !== 'hero') return [activity];
      const [a, b] = activity.experiences;
      return [{ ...activity, holdoutPercent: 0, experiences: [{ ...a!, weight: 3 }, b!] }];
    }),
  };

  test('tells which decisions change, how, and for how many visitors', async () => {
    const { sent } = await trafficOf(6);
    const decider = deciderOf(other);
    const replay = new Replay({
      ...{ isOwn: false, activityId: null, namedMax: 10 },
      deciderFor: async () => decider,
    });
    const sections = new Sections(true);
    for (const [offset, { record }] of sent.entries())
      await replay.take({ position: { partition: 0, offset }, record }, sections, () => true);

    const expected = new Map<string, { decisions: number; visitors: Set<string> }>();
    const changed = new Set<string>();
    for (const { record, input, decision } of sent) {
      const after = new Map(decideAgain(decider, input, { v: [], p: [] }, false).v.map((one) => [one[0], one]));
      const before = new Map(decision.v.map((one) => [one[0], one]));
      for (const id of new Set([...before.keys(), ...after.keys()])) {
        const words = (verdict: readonly unknown[] | undefined): string =>
          verdict?.[1] === 'shown'
            ? `shows ${verdict[2]}`
            : verdict === undefined
              ? 'nothing of it'
              : `no: ${verdict[1]}`;
        const [from, to] = [words(before.get(id)), words(after.get(id))];
        if (from === to || !(from.startsWith('shows') || to.startsWith('shows'))) continue;
        const name = `${id} ${from} ${to}`;
        const cell = expected.get(name) ?? { decisions: 0, visitors: new Set() };
        expected.set(name, cell);
        cell.decisions += 1;
        cell.visitors.add(record.ecid!);
        changed.add(record.ecid!);
      }
    }
    const worded = (came: { outcome: string; experienceId: string | null }): string =>
      came.experienceId !== null
        ? `shows ${came.experienceId}`
        : came.outcome === 'absent'
          ? 'nothing of it'
          : `no: ${came.outcome}`;
    const found = replay.shifts.map(({ activityId, from, to, decisions, visitors }) => [
      `${activityId} ${worded(from)} ${worded(to)}`,
      [decisions, visitors.size],
    ]);
    expect(expected.size).toBeGreaterThan(2);
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries([...expected].map(([name, { decisions, visitors }]) => [name, [decisions, visitors.size]])),
    );
    expect(replay.visitors.size).toBe(changed.size);
    expect(replay.counts).toMatchObject({ decisions: REQUESTS, lacking: NOTHING });
    expect(replay.counts.same + replay.counts.different).toBe(REQUESTS);
  });

  test.each([
    ['0:50', '0:20'],
    ['0:50', '0:50'],
    ['2026-11-02T00:00:00Z', '2026-11-01T00:00:00Z'],
  ])('of nothing is refused: from %s to %s', async (from, to) => {
    const { code, out, err } = await weir('replay', '--data', tempFolder(), '--from', from, '--to', to);
    expect([code, out, err.split('\n')[0]]).toEqual([2, '', `weir replay: --from ${from} is not before --to ${to}.`]);
  });

  test('does not guess what was not kept of the client', async () => {
    const { sent } = await trafficOf(8);
    const [hero] = FIRST.activities;
    const looking = { ...other, activities: [{ ...hero!, when: { '==': [{ var: 'client.os.name' }, 'Linux'] } }] };
    const decider = deciderOf(looking);
    const replay = new Replay({
      ...{ isOwn: false, activityId: null, namedMax: 10 },
      deciderFor: async () => decider,
    });
    const sections = new Sections(true);
    for (const [offset, { record }] of sent.entries()) {
      await replay.take({ position: { partition: 0, offset }, record }, sections, () => true);
    }
    expect(replay.counts).toMatchObject({ same: 0, different: 0, lacking: { ...NOTHING, client: REQUESTS } });
  });

  test('of an activity that never was is refused: it would seem to have stayed the same', async () => {
    const { data } = await trafficOf(6);
    const folder = workspaceFolder({
      'activities/new.yaml': 'id: new\nscope: new\nexperiences: [{ id: a, html: a }]\n',
    });
    const misspelt = { code: 1, out: '', err: "weir replay: There is no activity 'heros'. Did you mean 'hero'?\n" };
    expect(await weir('replay', '--data', data, '--activity', 'heros')).toEqual(misspelt);
    expect(await weir('replay', '--data', data, '--activity', 'heros', '--workspace', folder)).toEqual(misspelt);
    expect(await weir('replay', '--data', data, '--activity', 'new', '--workspace', folder)).toMatchObject({ code: 0 });
  });

  test('by a workspace without the org’s activities shows nothing to anybody', async () => {
    const { data, sent } = await trafficOf(7);
    const folder = tempFolder();
    writeFileSync(join(folder, 'weir.yaml'), '{}\n');
    mkdirSync(join(folder, 'datastreams'));
    writeFileSync(join(folder, 'datastreams', 'shop.yaml'), 'id: shop\norg: A@AdobeOrg\nname: Shop\n');
    const { code, out } = await weir('replay', '--data', data, '--workspace', folder, '--activity', 'hero');
    const shown = sent.filter(({ decision }) =>
      decision.v.some(([id, outcome]) => id === 'hero' && outcome === 'shown'),
    );
    const visitors = new Set(shown.map(({ record }) => record.ecid));
    expect(code).toBe(0);
    expect(out).toMatch(
      new RegExp(
        `^${REQUESTS} decisions by ${folder}: \\d+ the same, ${shown.length} different, for ${visitors.size} visitors\\.\n`,
      ),
    );
    expect(out).toMatch(/\nhero +shown b +not asked for +\d+ +\d+\n/);
  });
});
