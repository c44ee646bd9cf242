import type { ActivityHistory, DecisionHistory } from './decision.ts';
import type { TokenClaims } from './decision-token.ts';
import { displayedIds } from './offer-place.ts';

/** Most displays that are remembered of one activity: the largest cap that the schema takes. */
export const SHOWN_MAX = 100;

/** How many displays of an activity or offer are to be remembered: as many as its caps need; 0: none. */
export type Capacity = (id: string) => number;

/**
 * The history after these propositions were displayed. Each decision counts once: its time is what is remembered, so that a
 * notification that comes twice changes nothing (two decisions of one second are one; chosen). The same object where nothing changes.
 */
export function withDisplays(
  history: DecisionHistory,
  displayed: readonly TokenClaims[],
  capacity: Capacity,
): DecisionHistory {
  let after: Record<string, ActivityHistory> | null = null;
  const add = (id: string, atSeconds: number): void => {
    const max = Math.min(capacity(id), SHOWN_MAX);
    if (max === 0) return;
    const now = after ?? history;
    const before = Object.hasOwn(now, id) ? now[id]! : {};
    const shown = before.shown ?? [];
    if (shown.includes(atSeconds)) return;
    after ??= { ...history };
    after[id] = { ...before, shown: [...shown, atSeconds].sort((a, b) => a - b).slice(-max) };
  };
  for (const { activityId, experienceId, atSeconds } of displayed) {
    for (const id of displayedIds(activityId, experienceId)) add(id, atSeconds);
  }
  return after ?? history;
}

/** The history after experiences were given: of activities that the visitor keeps them in. */
export function withExperiences(
  history: DecisionHistory,
  assigned: Readonly<Record<string, string>>,
): Record<string, ActivityHistory> {
  const changed: Record<string, ActivityHistory> = {};
  for (const [id, experience] of Object.entries(assigned)) {
    const before = Object.hasOwn(history, id) ? history[id]! : {};
    if (before.experience !== experience) changed[id] = { ...before, experience };
  }
  return changed;
}
