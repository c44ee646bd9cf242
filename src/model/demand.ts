/**
 * Of which kind a request is where there are too many: an answer that a page waits for (`interact`) or data
 * (`collect`). Answers are turned away first; each kind has its own request units. Chosen for endpoints of other names.
 */
export type Demand = 'interact' | 'collect';

/** Request units that an org may send a second, by kind; null: as many as it likes. One object for all datastreams of the org. */
export type UnitLimits = Readonly<Record<Demand, number | null>>;
