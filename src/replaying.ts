import { WorkspaceError } from './config/watch.ts';
import { loadWorkspace } from './config/workspace.ts';
import { type Bound, startFold } from './folding.ts';
import { KeptDefinitions } from './kept-definitions.ts';
import type { DecisionDefinitions } from './model/decision-definitions.ts';
import type { Stored } from './model/record.ts';
import { type Decider, deciderOf } from './replays/recompute.ts';
import { Replay } from './replays/replay.ts';

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
  readonly report: (message: string) => void;
}

export async function replayDecisions(request: ReplayRequest): Promise<Replay> {
  const { activityId, namedMax, workspace } = request;
  const folding = await startFold(request.data, request.from, request.report);
  const replay = new Replay({
    ...{ activityId, namedMax, sections: folding.sections, isOwn: workspace === null },
    deciderFor: workspace === null ? ownDeciders(request.data) : await decidersOf(workspace),
  });
  for await (const stored of folding.records) {
    if (request.to !== null && !isBefore(stored, request.to)) break;
    folding.reached(stored.position.offset);
    await replay.take(stored, request.from === null || !isBefore(stored, request.from));
  }
  return replay;
}

function isBefore({ position, record }: Stored, bound: Bound): boolean {
  return 'offset' in bound ? position.offset < bound.offset : record.atMs < bound.timeMs;
}

type DeciderFor = ConstructorParameters<typeof Replay>[0]['deciderFor'];

function ownDeciders(data: string): DeciderFor {
  const kept = new KeptDefinitions(data);
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

async function decidersOf(workspace: string): Promise<DeciderFor> {
  const loaded = await loadWorkspace(workspace);
  if (!loaded.ok) throw new WorkspaceError(workspace, loaded.findings);
  const { decisions } = loaded.workspace;
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
