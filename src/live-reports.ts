import type { Credit } from './model/credit.ts';
import type { DecisionDefinitions } from './model/decision-definitions.ts';
import { activityIds } from './model/find-activity.ts';
import type { JsonObject } from './model/json.ts';
import type { Stored } from './model/record.ts';
import { describeReport } from './reports/describe.ts';
import { type Range, reportOf } from './reports/report.ts';
import { subjectOf } from './reports/subject.ts';
import { EVERYBODY, Tally } from './reports/tally.ts';

/** Counts that are kept between calls, of the activities asked for last: with `VISITORS_KEPT_MAX` each, some 450 MB at most. */
export const REPORTS_KEPT_MAX = 4;
/** Of one activity; `weir report` counts any number. */
export const VISITORS_KEPT_MAX = 100_000;
/** Displays and clicks of 30 days; 32 bytes each. */
export const NOTICES_KEPT_MAX = 1_000_000;
/** A call reads the log for so long at most, and says how far it came: the next goes on from there. */
export const READ_MS_MAX = 2_000;
/** Records between two looks at the clock, and turns for others: some milliseconds. */
const RECORDS_PER_TURN = 100;

export interface LiveReportsDeps {
  /** Durable records from an offset on, to the end. */
  readonly read: (offset: number) => AsyncIterable<Stored>;
  /** Offset that the next record gets. */
  readonly nextOffset: () => number;
  /** Monotonic, milliseconds. */
  readonly clockMs: () => number;
  /** Resolves when others had their turn. */
  readonly turn: () => Promise<void>;
  readonly visitorsMax?: number;
}

interface Kept {
  readonly tally: Tally;
  next: number;
  /** Of the log, when this count began: an erasure behind it takes away what was counted. */
  readonly beganAt: number;
  isOutdated: boolean;
  /** One call after the other. */
  last: Promise<unknown>;
}

/** Reports of a running server. What was counted is kept: a call reads what is new. */
export class LiveReports {
  readonly #deps: LiveReportsDeps;
  readonly #kept = new Map<string, Kept>();

  constructor(deps: LiveReportsDeps) {
    this.#deps = deps;
  }

  /** Null where the org has no such activity. Throws `TooMany`. */
  async report(
    definitions: DecisionDefinitions,
    activityId: string,
    range: Range,
    credit: Credit,
  ): Promise<JsonObject | null> {
    if (!activityIds(definitions).includes(activityId)) return null;
    const { subject, counted } = subjectOf(definitions, activityId, credit);
    const key = keyOf(definitions, activityId, credit);
    const kept = this.#keptOf(
      key,
      () => new Tally(counted, EVERYBODY, this.#deps.visitorsMax ?? VISITORS_KEPT_MAX, NOTICES_KEPT_MAX),
    );
    const made = kept.last.then(async () => {
      try {
        const isComplete = await this.#readOn(kept);
        const { readUpTo, firstAtMs } = kept.tally;
        const report = await reportOf([kept.tally], range, this.#deps.turn);
        return describeReport(subject, report, range, { isComplete, readUpTo, firstAtMs });
      } catch (error) {
        // A count that broke off in a record cannot be gone on with.
        this.#drop(key, kept);
        throw error;
      }
    });
    // The caller is told; the next one begins anew.
    kept.last = made.catch(() => {});
    const json = await made;
    if (kept.isOutdated) this.#drop(key, kept);
    return json;
  }

  /** What was counted holds no more: it is counted anew, without what is hidden by now. */
  forget(): void {
    this.#kept.clear();
  }

  /** Whether the end was reached. */
  async #readOn(kept: Kept): Promise<boolean> {
    const { clockMs, read, turn, nextOffset } = this.#deps;
    const untilMs = clockMs() + READ_MS_MAX;
    const end = nextOffset();
    let count = 0;
    for await (const stored of read(kept.next)) {
      const { position, record } = stored;
      kept.tally.take(stored);
      kept.next = position.offset + 1;
      if (position.offset >= kept.beganAt && record.changes.some(({ kind }) => kind === 'erasure'))
        kept.isOutdated = true;
      count += 1;
      if (count % RECORDS_PER_TURN !== 0) continue;
      if (clockMs() >= untilMs) return kept.next >= end;
      await turn();
    }
    return true;
  }

  #keptOf(key: string, begin: () => Tally): Kept {
    const known = this.#kept.get(key);
    const kept = known ?? {
      ...{ tally: begin(), next: 0, beganAt: this.#deps.nextOffset(), isOutdated: false, last: Promise.resolve() },
    };
    // Last in the order of the map: the first one goes.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= REPORTS_KEPT_MAX) break;
      this.#kept.delete(oldest);
    }
    return kept;
  }

  #drop(key: string, kept: Kept): void {
    if (this.#kept.get(key) === kept) this.#kept.delete(key);
  }
}

/** What the counts depend on; other changes of the workspace do not begin them anew. */
function keyOf(
  { orgId, timeZone, audiences, activities }: DecisionDefinitions,
  activityId: string,
  credit: Credit,
): string {
  const { goals = null, bucketBy = null } = activities.find(({ id }) => id === activityId) ?? {};
  return JSON.stringify([orgId, activityId, credit, timeZone, audiences, goals, bucketBy]);
}
