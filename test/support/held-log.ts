import type { Batch, EventLog } from '../../src/model/parts.ts';
import type { LogRecord, Position, Stored } from '../../src/model/record.ts';

interface Held {
  readonly record: LogRecord;
  settle(outcome: Position | Error): void;
}

/**
 * A log whose disk the test plays: every append waits until the test syncs or refuses it, oldest first. What was synced
 * stands in `stored`. It promises what `EventLog.append` promises, and has no readers.
 */
export class HeldLog implements EventLog {
  readonly stored: LogRecord[] = [];
  readonly held: Held[] = [];
  /** Sync at once, as long as the test does not care. */
  automatic = false;

  append(record: LogRecord): Promise<Position> {
    const appended = new Promise<Position>((resolve, reject) => {
      this.held.push({
        record,
        settle: (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)),
      });
    });
    if (this.automatic) this.sync();
    return appended;
  }

  /** The oldest append becomes durable. */
  sync(): Position {
    const { record, settle } = this.#oldest();
    const position = { partition: 0, offset: this.stored.length };
    this.stored.push(record);
    settle(position);
    return position;
  }

  /** The oldest append fails, and nothing of it is stored. */
  refuse(error: Error): void {
    this.#oldest().settle(error);
  }

  #oldest(): Held {
    const oldest = this.held.shift();
    if (oldest === undefined) throw new Error('No append is waiting.');
    return oldest;
  }

  read(): AsyncIterable<Stored> {
    throw new Error('A held log has no readers.');
  }
  consume(): AsyncIterable<Batch> {
    throw new Error('A held log has no readers.');
  }
  seek(): Promise<void> {
    throw new Error('A held log has no readers.');
  }
  async close(): Promise<void> {}
}
