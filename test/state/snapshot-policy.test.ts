import { expect, test } from 'vitest';
import { SNAPSHOT_AGE_MS, SNAPSHOT_BYTES, SNAPSHOT_RECORDS, snapshotDue } from '../../src/state/snapshot-policy.ts';

test.each([
  [{ records: 0, bytes: 0, ageMs: 0 }, false],
  [{ records: 0, bytes: SNAPSHOT_BYTES, ageMs: SNAPSHOT_AGE_MS }, false],
  [{ records: SNAPSHOT_RECORDS - 1, bytes: SNAPSHOT_BYTES - 1, ageMs: SNAPSHOT_AGE_MS - 1 }, false],
  [{ records: SNAPSHOT_RECORDS, bytes: 0, ageMs: 0 }, true],
  [{ records: 1, bytes: SNAPSHOT_BYTES, ageMs: 0 }, true],
  [{ records: 1, bytes: 0, ageMs: SNAPSHOT_AGE_MS }, true],
])('%o: due %s', (since, due) => {
  expect(snapshotDue(since)).toBe(due);
});
