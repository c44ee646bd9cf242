import type { ActivityHistory, DecisionHistory } from './decision.ts';
import type { CapDefinition, DecisionDefinitions } from './decision-definitions.ts';
import type { TokenClaims } from './decision-token.ts';
import type { Identity } from './exchange.ts';
import { displayedIds } from './offer-place.ts';

/** Namespace of the id that each browser or app has. */
export const DEVICE = 'ECID';

/** Most displays that are remembered of one activity: the largest cap that the schema takes. */
export const SHOWN_MAX = 100;

/** An activity or offer whose displays are to be remembered. */
export interface Capped {
  /** As many as its largest cap needs. */
  readonly max: number;
  /** Namespace of those whom its caps are about; of offers the device's. */
  readonly bucketBy: string;
}

export function cappedIn({ activities, offers }: DecisionDefinitions): ReadonlyMap<string, Capped> {
  const capped = new Map<string, Capped>();
  const note = (id: string, bucketBy: string, caps: readonly CapDefinition[]): void => {
    if (caps.length > 0) capped.set(id, { max: Math.max(...caps.map(({ max }) => max)), bucketBy });
  };
  for (const { id, bucketBy, caps } of activities) note(id, bucketBy, caps);
  for (const { id, caps } of offers.offers) note(id, DEVICE, caps);
  return capped;
}

/**
 * The namespace whose id stands for the visitor, where one is asked for: that; where the event has no id of it, the device; where
 * there is none either, whoever the event names.
 */
export function namespaceFor(asked: string, ecid: string | null, identities: readonly Identity[]): string {
  if (asked !== DEVICE && identities.some(({ namespace }) => namespace === asked)) return asked;
  if (ecid !== null || identities.length === 0) return DEVICE;
  return (identities.find(({ primary }) => primary) ?? identities[0]!).namespace;
}

/** How many displays of an activity or offer are to be remembered; 0: none. */
export type Capacity = (id: string) => number;

export function capacityOf(definitions: DecisionDefinitions): Capacity {
  const capped = cappedIn(definitions);
  return (id) => capped.get(id)?.max ?? 0;
}

/**
 * After one more display. Each decision counts once: its time is what is remembered, so that a notification that comes twice
 * changes nothing (two decisions of one second are one; chosen). Null where nothing changes.
 */
export function withDisplay(before: ActivityHistory, atSeconds: number, max: number): ActivityHistory | null {
  const { shown = [] } = before;
  if (max === 0 || shown.includes(atSeconds)) return null;
  return { ...before, shown: [...shown, atSeconds].sort((a, b) => a - b).slice(-Math.min(max, SHOWN_MAX)) };
}

/** The history after these propositions were displayed. The same object where nothing changes. */
export function withDisplays(
  history: DecisionHistory,
  displayed: readonly TokenClaims[],
  capacity: Capacity,
): DecisionHistory {
  let after: Record<string, ActivityHistory> | null = null;
  const add = (id: string, atSeconds: number): void => {
    const now = after ?? history;
    const one = withDisplay(Object.hasOwn(now, id) ? now[id]! : {}, atSeconds, capacity(id));
    if (one === null) return;
    after ??= { ...history };
    after[id] = one;
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
