/** What has been logged since the last snapshot. */
export interface SinceSnapshot {
  /** Records of the log that the last snapshot does not hold. */
  readonly records: number;
  /** Their size in the log. */
  readonly bytes: number;
  readonly ageMs: number;
}

/** A rebuild replays at most about this many records behind the newest snapshot: some ten seconds. Chosen. */
export const SNAPSHOT_RECORDS = 1_000_000;
/** Retention waits for snapshots: without this, few large records could fill the disk first. Chosen: a few segments. */
export const SNAPSHOT_BYTES = 1024 * 1024 * 1024;
/** A quiet server has a fresh snapshot each day for whoever copies the folder. Chosen. */
export const SNAPSHOT_AGE_MS = 24 * 60 * 60 * 1000;

/** Whether it is time for a snapshot. It never is where nothing was logged since the last. */
export function snapshotDue({ records, bytes, ageMs }: SinceSnapshot): boolean {
  if (records <= 0) return false;
  return records >= SNAPSHOT_RECORDS || bytes >= SNAPSHOT_BYTES || ageMs >= SNAPSHOT_AGE_MS;
}
