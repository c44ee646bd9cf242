/**
 * Defaults and ranges of every option of weir.yaml, with their reasons. The same numbers stand in the JSON Schema, which
 * checks them and shows them in editors; a test holds the two together.
 */
export interface Limit {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const TIB = 1024 * GIB;

/** Mobile clients give up at 5 s: the answer has to leave before. Below 100 ms a slow disk alone would fail requests. */
export const DEADLINE_MS: Limit = { default: 2000, min: 100, max: 4500 };
/** 64 KB is documented for the service. Below 1 KB the Web SDK's first page view does not fit; 1 MB bounds memory per request. */
export const REQUEST_BYTES: Limit = { default: 64 * KIB, min: KIB, max: MIB };
/** Retention drops whole segments, recovery scans the last: small enough for both, large enough for few files. */
export const SEGMENT_BYTES: Limit = { default: 128 * MIB, min: MIB, max: 4 * GIB };
/** A thousand requests of the default size, in memory while the disk is busy; never so few that one request does not fit. */
export const QUEUE_BYTES: Limit = { default: 64 * MIB, min: 4 * MIB, max: GIB };
/** A disk that takes longer than a request may last is as good as away. */
export const QUEUE_AGE_MS: Limit = { default: 2000, min: 100, max: 30_000 };
/** Two segments: commits, snapshots and deletion have to work when no event does. */
export const LOW_WATER_BYTES: Limit = { default: 256 * MIB, min: MIB, max: TIB };
/** A few small files: commits of consumers, what state writes. Less than one of them is no reserve. */
export const RESERVED_BYTES: Limit = { default: 8 * MIB, min: MIB, max: GIB };
/** Never by default: dropping events is a decision. A hundredth of a day is for trying it out. */
export const RETENTION_DAYS: Omit<Limit, 'default'> = { min: 0.01, max: 36_500 };
/** As above; less than a small segment cannot be kept. */
export const RETENTION_BYTES: Omit<Limit, 'default'> = { min: MIB, max: 1024 * TIB };
/** Of choices, erasures and receipts. Five years: for as long claims are brought in many places. Chosen. */
export const CONSENT_AGE_DAYS: Limit = { default: 1826, min: 1, max: 36_500 };
/** Of events. Duplicates are known again after a start by what the log holds of the last minutes, which are at most a day. */
export const EVENT_AGE_DAYS: Omit<Limit, 'default'> = { min: 1, max: 36_500 };
/** Retries come seconds after the first try, those of mobile clients minutes. A day bounds what a start reads back. */
export const DUPLICATES_WINDOW_MINUTES: Limit = { default: 10, min: 1, max: 1440 };
/** About 90 bytes each: 24 MB by default, 380 MB at most. Ten minutes of 430 events a second. */
export const DUPLICATES_ENTRIES: Limit = { default: 262_144, min: 1024, max: 4_194_304 };
/** 0 lets the system choose. */
export const PORT: Omit<Limit, 'default'> = { min: 0, max: 65_535 };
/** Per second. Below one unit nothing could be sent; the largest is more than one process answers. The service's own are 4000 and 6000. */
export const REQUEST_UNITS: Omit<Limit, 'default'> = { min: 1, max: 1_000_000 };
/** A clock that is further off is to be mended, not tolerated: each second is one more that an expired token lives. */
export const CLOCK_TOLERANCE_SECONDS: Limit = { default: 10, min: 0, max: 30 };
const DAY_SECONDS = 24 * 60 * 60;
/** IMS tokens live a day, those of other providers minutes; a month is a key that somebody forgot. */
export const TOKEN_AGE_SECONDS: Limit = { default: DAY_SECONDS, min: 60, max: 31 * DAY_SECONDS };
/** The decisions of fifty activities take microseconds: who needs this much has something wrong, and others wait for it. */
export const DECISIONS_BUDGET_MS: Limit = { default: 50, min: 1, max: 1000 };
