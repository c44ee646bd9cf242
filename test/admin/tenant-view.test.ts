import { expect, test } from 'vitest';
import { describeDatastream } from '../../src/admin/tenant-view.ts';
import { datastreamOf } from '../support/exchanges.ts';

test('how long a datastream keeps events is shown as its file says it', () => {
  const dayMs = 24 * 60 * 60 * 1000;
  const eventTypes = new Map([
    ['a', null],
    ['b', 1.5 * dayMs],
  ]);
  const { retention } = describeDatastream(datastreamOf({ retention: { maxAgeMs: 3 * dayMs, eventTypes } }));
  expect(retention).toEqual({ maxAgeDays: 3, eventTypes: { a: { maxAgeDays: null }, b: { maxAgeDays: 1.5 } } });
  expect(describeDatastream(datastreamOf())['retention']).toEqual({ maxAgeDays: null, eventTypes: {} });
});
