import { WorkspaceError } from './config/watch.ts';
import { loadWorkspace } from './config/workspace.ts';
import { KeptDefinitions } from './kept-definitions.ts';
import type { Credit } from './model/credit.ts';
import type { DecisionDefinitions } from './model/decision-definitions.ts';
import { findActivity } from './model/find-activity.ts';
import type { JsonObject } from './model/json.ts';
import { describeReport, type Extent } from './reports/describe.ts';
import { TooManyVisitors } from './reports/fingerprints.ts';
import { type Range, type Report, Reporting } from './reports/report.ts';
import { subjectOf } from './reports/subject.ts';
import { tableOf } from './reports/table.ts';
import { type Counted, Tally, VISITORS_MAX } from './reports/tally.ts';
import { readLog } from './storage.ts';

export { type Day, parseDay } from './reports/calendar.ts';

/** What became of an activity, counted from the log of a data folder, whether a server runs on it or not. */

export interface ReportRequest {
  readonly data: string;
  /** Definitions to count by; null: those that came into force last. */
  readonly workspace: string | null;
  readonly activityId: string;
  /** Null: the one that has the activity. */
  readonly orgId: string | null;
  readonly range: Range;
  readonly credit: Credit;
  readonly visitorsMax?: number;
  /** Told of damage that was skipped. */
  readonly report: (message: string) => void;
  readonly signal: AbortSignal;
}

export interface ReportMade {
  readonly json: () => JsonObject;
  readonly table: () => string;
}

/** Throws where nobody has the activity, or the workspace has errors. */
export async function reportActivity(request: ReportRequest): Promise<ReportMade> {
  const all = await definitionsFor(request);
  const definitions = findActivity(all, request.activityId, request.orgId);
  const { subject, counted } = subjectOf(definitions, request.activityId, request.credit);
  const { report, extent } = await countedInShares(request, counted);
  return {
    json: () => describeReport(subject, report, request.range, extent),
    table: () => tableOf(subject, report, request.range, extent),
  };
}

/** By org. */
async function definitionsFor({ data, workspace }: ReportRequest): Promise<ReadonlyMap<string, DecisionDefinitions>> {
  if (workspace !== null) {
    const loaded = await loadWorkspace(workspace);
    if (!loaded.ok) throw new WorkspaceError(workspace, loaded.findings);
    return loaded.workspace.decisions;
  }
  const kept = await new KeptDefinitions(data).latest();
  if (kept.size > 0) return kept;
  throw new Error(
    `No server has run with activities on '${data}'. Is this its data folder? Or give activities with --workspace.`,
  );
}

/**
 * Visitors that are too many for memory are counted a share at a time, each in a pass over the log: twice as many shares
 * until one fits. A pass ends where the first one did, so that all are of the same log.
 */
async function countedInShares(request: ReportRequest, counted: Counted): Promise<Counting> {
  for (let of = 1; ; of *= 2) {
    try {
      return await countedIn(of, request, counted);
    } catch (error) {
      if (!(error instanceof TooManyVisitors) || of >= SHARES_MAX) throw error;
    }
  }
}
/** Of half a million visitors each. */
const SHARES_MAX = 1_024;

interface Counting {
  readonly report: Report;
  readonly extent: Extent;
}

async function countedIn(of: number, request: ReportRequest, counted: Counted): Promise<Counting> {
  const reporting = new Reporting(request.range, counted.goals);
  let extent: Extent = { isComplete: true, readUpTo: null, firstAtMs: null };
  for (let index = 0; index < of; index++) {
    const tally = new Tally(counted, { index, of }, request.visitorsMax ?? VISITORS_MAX);
    const endOffset = index === 0 ? Number.POSITIVE_INFINITY : (extent.readUpTo?.offset ?? -1);
    await countAll(request, tally, endOffset, index === 0);
    await reporting.add(tally);
    if (index === 0) extent = { isComplete: true, readUpTo: tally.readUpTo, firstAtMs: tally.firstAtMs };
  }
  return { report: reporting.report(), extent: { ...extent, isComplete: !request.signal.aborted } };
}

/** `lastOffset`: of the last record. */
async function countAll(
  { data, signal, report }: ReportRequest,
  tally: Tally,
  lastOffset: number,
  isFirst: boolean,
): Promise<void> {
  const told = isFirst ? report : () => {};
  for await (const stored of readLog(data, false, signal, told)) {
    if (stored.position.offset > lastOffset) return;
    tally.take(stored);
  }
}
