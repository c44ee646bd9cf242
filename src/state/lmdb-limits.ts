/** When what is in memory goes to the database, and how much may wait for it. */
export interface LmdbStateLimits {
  readonly flushPersons: number;
  readonly flushRecords: number;
  readonly pendingPersonsMax: number;
  readonly pendingBytesMax: number;
  readonly cacheBytesMax: number;
  readonly retryMs: number;
}
export const LMDB_STATE_LIMITS: LmdbStateLimits = {
  /** A transaction starts when this many persons changed: it is some 5 ms of a disk's time, shared by so many. */
  flushPersons: 256,
  /** … or when the checkpoint is this many records behind: a replay of some 50 ms. */
  flushRecords: 4096,
  /** What may wait for the disk: handing it over takes 10 ms of the event loop. */
  pendingPersonsMax: 4096,
  pendingBytesMax: 32 * 1024 * 1024,
  /** Of each of the two generations: the last 10,000 visitors with a choice at least, some 10 MB of memory. */
  cacheBytesMax: 2 * 1024 * 1024,
  /** A transaction that failed is not tried again sooner: lmdb-js prints every failure, and a disk is not emptied faster. */
  retryMs: 1000,
};
