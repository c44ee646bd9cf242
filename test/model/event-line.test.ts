import { describe, expect, test } from 'vitest';
import type { StoredDecision, StoredNotice } from '../../src/model/decision.ts';
import { claimsText } from '../../src/model/decision-token.ts';
import { eventLine } from '../../src/model/event-line.ts';
import type { LogRecord } from '../../src/model/record.ts';
import { eventOf } from '../support/exchanges.ts';

const decision: StoredDecision = {
  ...{ i: 1, h: 'aaaaaaaaaaaaaaaa', seed: '0'.repeat(32) },
  in: {
    sections: [['ECID', 'profile', '0:7']],
    client: { browser: { name: 'Firefox' } },
    preview: { hero: 'b' },
  },
  v: [
    ['hero', 'shown', 'b', 4711, '10-', null],
    ['banner', 'outranked', 'a', null, '', 'hero'],
  ],
  p: [['AT:1', 'hero', 'hero', 'b', ['x', 'y']]],
};
const claims = {
  ...{ requestId: 'earlier', eventIndex: 3, activityId: 'hero', experienceId: 'b', scope: 'hero' },
  ...{ atSeconds: 1_795_426_200, isPreview: true, isBot: false },
};
const notices: readonly StoredNotice[] = [
  { i: 0, k: 'display', t: claimsText(claims) },
  { i: 1, k: 'interact', t: claimsText(claims) },
  { i: 1, k: 'display', t: 'of another version' },
];
const record: LogRecord = {
  ...{ requestId: 'r', atMs: 5, orgId: 'O', datastreamId: 'd', path: '/v1/interact', ecid: null },
  ...{ meta: {}, raw: null, changes: [], decisions: [decision], notices },
  events: [eventOf({}, { index: 0 }), eventOf({}, { index: 1 }), eventOf({}, { index: 2 })],
};
const lineOf = (of: LogRecord, index: number) =>
  eventLine({ position: { partition: 0, offset: 9 }, record: of }, of.events[index]!);

describe('the line of an event', () => {
  test('tells its own decision: the outcome of each activity, and what was answered', () => {
    expect(lineOf(record, 1).decision).toEqual({
      definitions: 'aaaaaaaaaaaaaaaa',
      outcomes: [
        { activity: 'hero', outcome: 'shown', experience: 'b', because: null },
        { activity: 'banner', outcome: 'outranked', experience: 'a', because: 'hero' },
      ],
      propositions: [{ id: 'AT:1', scope: 'hero', activity: 'hero', experience: 'b', items: ['x', 'y'] }],
    });
  });

  test('tells nothing of what was read of the visitor for it', () => {
    const text = JSON.stringify(lineOf(record, 1));
    for (const told of ['0:7', 'Firefox', '4711', '0'.repeat(32)]) expect(text).not.toContain(told);
  });

  test('tells what it notifies of, each with the decision that it is about', () => {
    const told = {
      ...{ activity: 'hero', experience: 'b', scope: 'hero', requestId: 'earlier', eventIndex: 3 },
      ...{ decidedAt: '2026-11-23T09:30:00.000Z', isPreview: true, isBot: false },
    };
    expect(lineOf(record, 0).notices).toEqual([{ kind: 'display', ...told }]);
    expect(lineOf(record, 1).notices).toEqual([{ kind: 'interact', ...told }, { kind: 'display' }]);
  });

  test('has both fields where there is nothing to tell', () => {
    for (const line of [lineOf(record, 2), lineOf({ ...record, decisions: null, notices: null }, 1)]) {
      expect([line.decision, line.notices]).toEqual([null, []]);
    }
  });
});
