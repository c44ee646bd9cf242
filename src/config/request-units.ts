import type { UnitLimits } from '../model/demand.ts';

/** What weir.yaml says of request units, after its schema has been checked: for every org, and for some otherwise. */
export interface RequestUnitsFile extends Limits {
  readonly orgs?: Readonly<Record<string, Limits>>;
}
type Limits = Partial<UnitLimits>;

/** The limits of an org; null where it has none. The same object whenever an org is asked for. */
export function unitLimits(file: RequestUnitsFile = {}): (orgId: string) => UnitLimits | null {
  const known = new Map<string, UnitLimits>();
  const orgs = new Map(Object.entries(file.orgs ?? {}));
  return (orgId) => {
    const { interact = file.interact ?? null, collect = file.collect ?? null } = orgs.get(orgId) ?? {};
    if (interact === null && collect === null) return null;
    const limits = known.get(orgId) ?? { interact, collect };
    known.set(orgId, limits);
    return limits;
  };
}
