import { expect, test } from 'vitest';
import type { StoredDecision } from '../../src/model/decision.ts';
import type { LogRecord } from '../../src/model/record.ts';
import { visitorOf } from '../../src/replays/replay.ts';

interface Named {
  readonly namespace: string;
  readonly id: string;
  readonly primary?: boolean;
}

function visitorOfEvent(
  identities: readonly Named[],
  ecid: string | null = null,
  nobodies?: readonly number[],
): string {
  const record = { requestId: 'r', ecid, events: [{ index: 0, id: 'r/0', identities }] } as unknown as LogRecord;
  return visitorOf(record, { i: 0, in: nobodies === undefined ? {} : { nobodies } } as unknown as StoredDecision);
}

test('a visitor is the device, else whom the event names first of all, else the request by itself', () => {
  const [mail, crm] = [
    { namespace: 'Email', id: 'a@b.example' },
    { namespace: 'CRM', id: '1', primary: true },
  ];
  expect(visitorOfEvent([crm, { namespace: 'ECID', id: 'e' }])).toBe('e');
  expect(visitorOfEvent([crm], 'e')).toBe('e');
  expect(visitorOfEvent([mail, crm])).toBe('CRM 1');
  expect(visitorOfEvent([mail])).toBe('Email a@b.example');
  expect(visitorOfEvent([])).toBe('r/0');
  expect(
    visitorOf({ requestId: 'r', ecid: null, events: [] } as unknown as LogRecord, { i: 0, in: {} } as StoredDecision),
  ).toBe('r');
});

test('an id that stands for nobody is no visitor', () => {
  expect(visitorOfEvent([{ namespace: 'CRM', id: 'null', primary: true }], null, [0])).toBe('r/0');
});
