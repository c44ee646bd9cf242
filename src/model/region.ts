/** A region that Weir answers for: its hint in paths and cookies, and the ids of two services that clients derive from it. */
export interface Region {
  readonly hint: string;
  readonly targetId: number;
  readonly audienceManagerId: number;
}

/** Seconds a hint holds. Documented. */
export const LOCATION_HINT_TTL_SECONDS = 1800;

/** The seven documented hints. or2, va6 and sgp3 carry the documented ids; the rest are chosen, unique, and never 0. */
export const DEFAULT_REGIONS: readonly Region[] = [
  { hint: 'or2', targetId: 35, audienceManagerId: 9 },
  { hint: 'va6', targetId: 34, audienceManagerId: 7 },
  { hint: 'irl1', targetId: 37, audienceManagerId: 6 },
  { hint: 'ind1', targetId: 36, audienceManagerId: 11 },
  { hint: 'jpn3', targetId: 32, audienceManagerId: 12 },
  { hint: 'sgp3', targetId: 38, audienceManagerId: 3 },
  { hint: 'aus3', targetId: 39, audienceManagerId: 8 },
];
export const DEFAULT_OWN_HINT = 'or2';
