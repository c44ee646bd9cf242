import { WorkspaceError } from './config/watch.ts';
import { loadWorkspace } from './config/workspace.ts';
import { type Bound, startFold } from './folding.ts';
import { KeptDefinitions } from './kept-definitions.ts';
import type { DecisionDefinitions } from './model/decision-definitions.ts';
import type { Stored } from './model/record.ts';
import { type Decider, deciderOf, readOfPersons } from './replays/recompute.ts';
import { type IsWanted, Replay, visitorOf } from './replays/replay.ts';
import { PERSONS_MAX, TooManyPersons } from './replays/sections.ts';
import { fingerprintOf } from './reports/fingerprints.ts';

export type { Bound } from './folding.ts';
export { type Came, type Difference, type Replay, type Shift, wordsOf } from './replays/replay.ts';

/** Recorded decisions, made again from the log of a data folder, whether a server runs on it or not. */

export interface ReplayRequest {
  readonly data: string;
  /** The first that is made again, and the first that is not; null: no bound. */
  readonly from: Bound | null;
  readonly to: Bound | null;
  /** Definitions to decide by; null: each decision's own. */
  readonly workspace: string | null;
  readonly activityId: string | null;
  readonly namedMax: number;
  readonly personsMax?: number;
  readonly report: (message: string) => void;
}

/**
 * Decisions about more persons than memory holds are made again a share at a time: twice as many shares until one fits, each with
 * a pass over the log for whom its decisions read, and one that makes them. A pass ends where the first one did.
 */
export async function replayDecisions(request: ReplayRequest): Promise<Replay> {
  for (let of = 1; ; of *= 2) {
    try {
      return await replayInShares(of, request);
    } catch (error) {
      if (!(error instanceof TooManyPersons) || of >= SHARES_MAX) throw error;
    }
  }
}
/** Of a quarter of a million persons each. */
const SHARES_MAX = 1_024;

async function replayInShares(of: number, request: ReplayRequest): Promise<Replay> {
  const { data, from, activityId, namedMax, workspace, personsMax: max = PERSONS_MAX } = request;
  const kept = new KeptDefinitions(data);
  const decisions = workspace === null ? null : await decisionsOf(workspace);
  if (activityId !== null) await kept.checkActivity(activityId, decisions?.values());
  const deciderFor = decisions === null ? ownDeciders(kept) : decidersOf(decisions);
  const replay = new Replay({ activityId, namedMax, isOwn: workspace === null, deciderFor });
  let { to } = request;
  for (let index = 0; index < of; index++) {
    const isOfShare: IsWanted = (record, decision) =>
      of === 1 || fingerprintOf(visitorOf(record, decision))[1] % of === index;
    const wants = (stored: Stored): IsWanted => (from !== null && isBefore(stored, from) ? NONE : isOfShare);
    const report = index === 0 ? request.report : () => {};
    const keys = of === 1 ? null : await personsRead({ data, from, to, max, wants });
    const { records, sections, reached } = await startFold(data, from, report, { keys, max });
    let last = -1;
    for await (const stored of records) {
      if (to !== null && !isBefore(stored, to)) break;
      last = stored.position.offset;
      reached(last);
      await replay.take(stored, sections, wants(stored));
    }
    to = { offset: last + 1 };
  }
  return replay;
}

const NONE: IsWanted = () => false;

interface Reading {
  readonly data: string;
  readonly from: Bound | null;
  readonly to: Bound | null;
  readonly max: number;
  readonly wants: (stored: Stored) => IsWanted;
}

/** Whom the decisions of a share read. */
async function personsRead({ data, from, to, max, wants }: Reading): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  // Of the fold only the records: where it starts is where the other pass does.
  const { records } = await startFold(data, from, () => {}, { keys, max });
  for await (const stored of records) {
    if (to !== null && !isBefore(stored, to)) break;
    const isWanted = wants(stored);
    for (const decision of stored.record.decisions ?? []) {
      if (!isWanted(stored.record, decision)) continue;
      for (const key of readOfPersons(stored.record, decision)) keys.add(key);
    }
    if (keys.size > max) throw new TooManyPersons(`more than ${max} persons`);
  }
  return keys;
}

function isBefore({ position, record }: Stored, bound: Bound): boolean {
  return 'offset' in bound ? position.offset < bound.offset : record.atMs < bound.timeMs;
}

type DeciderFor = ConstructorParameters<typeof Replay>[0]['deciderFor'];

function ownDeciders(kept: KeptDefinitions): DeciderFor {
  const deciders = new Map<string, Decider | null>();
  return async (_record, { h }) => {
    const known = deciders.get(h);
    if (known !== undefined) return known;
    const definitions = await kept.of(h);
    const decider = definitions === null ? null : deciderOf(definitions);
    deciders.set(h, decider);
    return decider;
  };
}

async function decisionsOf(workspace: string): Promise<ReadonlyMap<string, DecisionDefinitions>> {
  const loaded = await loadWorkspace(workspace);
  if (!loaded.ok) throw new WorkspaceError(workspace, loaded.findings);
  return loaded.workspace.decisions;
}

function decidersOf(decisions: ReadonlyMap<string, DecisionDefinitions>): DeciderFor {
  const deciders = new Map<string, Decider>();
  return async ({ orgId }) => {
    let decider = deciders.get(orgId);
    if (decider === undefined) {
      decider = deciderOf(decisions.get(orgId) ?? nothingOf(orgId));
      deciders.set(orgId, decider);
    }
    return decider;
  };
}

/** Of an org that has no activities in the workspace. */
function nothingOf(orgId: string): DecisionDefinitions {
  return {
    ...{ orgId, hash: '', timeZone: 'UTC', holdoutPercent: 0, targetClient: '' },
    ...{ audiences: [], activities: [], pushes: [], offers: { placements: [], offers: [], decisions: [] } },
  };
}
