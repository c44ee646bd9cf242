import { Histogram, SYNC_BOUNDS_SECONDS } from './histogram.ts';

/** What the event log's writer counts: plain numbers, written once for each group of records. */
export class LogMeter {
  /** Records made durable since the start. */
  records = 0;
  /** From the start of a write until it is acknowledged. */
  readonly syncs = new Histogram(SYNC_BOUNDS_SECONDS);

  committed(records: number, tookMs: number): void {
    this.records += records;
    this.syncs.observe(tookMs / 1000);
  }
}
