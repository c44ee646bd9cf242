import type { ActivityDefinition } from '../model/decision-definitions.ts';
import { DEVICE } from '../model/decision-history.ts';
import { draw, type HashedText, hashed } from './draws.ts';
import type { Visitor } from './visitor.ts';

/**
 * Activities of which a visitor is in at most one: chance gives each visitor to one of them, whether or not they qualify
 * for it, so that nobody gets into a second one when the page or the profile changes. All are given the same share. One that
 * has not started yet has its share already; the visitors of one that has ended go to the others, and nobody else moves.
 */
export interface ExclusionGroup {
  readonly members: readonly Member[];
  /** Of the members, where they agree; else the device's. */
  readonly namespace: string;
}
interface Member {
  readonly id: string;
  readonly endMs: number | null;
  readonly share: HashedText;
}

export function exclusionGroups(activities: readonly ActivityDefinition[]): ReadonlyMap<string, ExclusionGroup> {
  const byName = new Map<string, ActivityDefinition[]>();
  for (const activity of activities) {
    if (activity.exclusionGroup === null || !activity.enabled) continue;
    byName.set(activity.exclusionGroup, [...(byName.get(activity.exclusionGroup) ?? []), activity]);
  }
  return new Map(
    [...byName].map(([name, members]) => {
      const namespaces = new Set(members.map(({ bucketBy }) => bucketBy));
      const group: ExclusionGroup = {
        namespace: namespaces.size === 1 ? members[0]!.bucketBy : DEVICE,
        members: members.map(({ id, endMs }) => ({ id, endMs, share: hashed(`${name}\ngroup\n${id}`) })),
      };
      return [name, group];
    }),
  );
}

/** Id of the activity that has the visitor; null where all have ended. One whose experience is kept has them already. */
export function memberFor(group: ExclusionGroup, visitor: Visitor, nowMs: number): string | null {
  const { members, namespace } = group;
  // As with experiences, the device comes first: a login changes nothing.
  const keeper =
    namespace === DEVICE
      ? null
      : (keeperIn(group, DEVICE, visitor, nowMs) ?? keeperIn(group, namespace, visitor, nowMs));
  if (keeper !== null) return keeper;
  let winner: string | null = null;
  let highest = -1;
  for (const member of members) {
    if (hasEnded(member, nowMs)) continue;
    const drawn = draw(visitor.hashOf(namespace), member.share);
    if (drawn <= highest) continue;
    winner = member.id;
    highest = drawn;
  }
  return winner;
}

/** Id of the first activity of which whoever has an id of the namespace keeps an experience; null: of none. */
export function keeperIn(
  { members }: ExclusionGroup,
  namespace: string,
  visitor: Visitor,
  nowMs: number,
): string | null {
  return members.find((one) => !hasEnded(one, nowMs) && visitor.keptBy(namespace, one.id) !== null)?.id ?? null;
}

function hasEnded({ endMs }: Member, nowMs: number): boolean {
  return endMs !== null && nowMs >= endMs;
}
