import type { Facts } from './condition.ts';
import type { Consent, Identity } from './exchange.ts';
import type { JsonObject } from './json.ts';
import type { NotificationKind } from './notification.ts';

/**
 * A decision: what one event gets to see, and why. Pure: the same input by the same definitions is the same decision, so
 * that it can be told, and recomputed, from the log.
 */
export interface DecisionEngine {
  readonly hash: string;
  /**
   * Never throws: an activity that fails is `broken`, the others stand. `isOver` is asked now and then, with the number of
   * verdicts so far; where it says so, what is left is `out-of-time`. Null: no budget.
   */
  decide(input: DecisionInput, isOver: ((verdicts: number) => boolean) | null): Decision;
}

/** `query.personalization` of an event, else of its request. Documented. */
export interface DecisionQuery {
  /** Whole schema names; null: every schema. */
  readonly schemas: ReadonlySet<string> | null;
  readonly scopes: readonly string[];
  readonly surfaces: readonly string[];
}

export interface DecisionInput {
  readonly datastreamId: string;
  readonly query: DecisionQuery;
  readonly facts: Facts;
  readonly ecid: string | null;
  readonly identities: readonly Identity[];
  /**
   * Section `decision` of the persons that the event names, by namespace: "ECID" the device, else the first identity of the
   * namespace. Those that have none are left out.
   */
  readonly histories: ReadonlyMap<string, DecisionHistory>;
  readonly consent: Consent;
  readonly propertyToken: string | null;
  /** Activity (of offers, the placement) to the experience that a preview forces. */
  readonly preview: ReadonlyMap<string, string> | null;
  /** Whether `segments` and `pushes` are wanted. */
  readonly wantsActivation: boolean;
  readonly nowMs: number;
  /** 32 hex digits. Only of a visitor without any id does a decision depend on it. */
  readonly seed: string;
}

/** What is kept of a visitor's decisions (section `decision` of their state), by id of the activity or offer. */
export type DecisionHistory = Readonly<Record<string, ActivityHistory>>;
export interface ActivityHistory {
  /**
   * Of an activity that is not bucketed by device: the experience that was seen, which the device and the person keep
   * (`HELD_OUT`: they were held out). What the device has seen comes before what the person has.
   */
  readonly experience?: string;
  /** Times of the decisions whose content was displayed, Unix epoch in seconds, oldest first; as many as the largest cap needs. */
  readonly shown?: readonly number[];
}

export interface Decision {
  /** In the order of the answer. */
  readonly propositions: readonly Proposition[];
  /**
   * Of each activity and offer decision of the datastream that has content for what was asked, in the order in which they
   * were judged.
   */
  readonly verdicts: readonly Verdict[];
  /** Ids of audiences that hold and are told to clients. */
  readonly segments: readonly string[];
  /** Ids of pushes that hold. */
  readonly pushes: readonly string[];
  /** Activity to experience, to be kept for the device and for the first identity of its namespace; null: none. */
  readonly assigned: Readonly<Record<string, string>> | null;
}

/** Content for one place, before its token is signed. */
export interface Proposition {
  readonly id: string;
  /** As the request named it, character by character. */
  readonly scope: string;
  /** Without `characteristics.eventToken`. */
  readonly scopeDetails: JsonObject;
  /** Of offers: `activity` and `placement`, with their etags. */
  readonly offer: JsonObject | null;
  readonly items: readonly JsonObject[];
  /** Of an offer decision: "<decision>~<placement>", as in its verdict. */
  readonly activityId: string;
  /** Of an offer decision: the ids of its offers, with commas; or `HELD_OUT`. */
  readonly experienceId: string;
  readonly isPreview: boolean;
}

/** In place of an experience, of one who was held out to compare with (and got an offer decision's fallback). No experience has this id. */
export const HELD_OUT = '#holdout';

/** Why an activity was or was not shown. All but `shown` and `preview` show nothing, or an offer decision's fallback. */
export const OUTCOMES = [
  'shown',
  'preview',
  /** Its experience has nothing for what was asked, or nothing in the schemas that were asked for. */
  'nothing-here',
  'not-started',
  'ended',
  'property-token',
  'no-consent',
  'audience',
  'no-experience',
  'traffic',
  'holdout',
  'global-holdout',
  'capped',
  'excluded',
  'outranked',
  'broken',
  'out-of-time',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface Verdict {
  readonly activityId: string;
  readonly outcome: Outcome;
  readonly experienceId: string | null;
  /** 0 to 9,999, of the allocation among experiences; null where it did not come to that. */
  readonly bucket: number | null;
  /** One character for each leaf of the activity's conditions, its audience first: `1` yes, `0` no, `-` not looked at, `!` of wrong types. */
  readonly marks: string;
  /** What stood in the way: the purpose that is missing, the activity that won; null. */
  readonly because: string | null;
  /** One object for all who are refused so: what is made of it is worth keeping. */
  readonly isShared: boolean;
  /** As the log keeps it. */
  readonly json: string;
}

/** What the log keeps of a decision. Short keys: it stands in every record that has one. */
export interface StoredDecision {
  /** Index of the event. */
  readonly i: number;
  /** Hash of the definitions. */
  readonly h: string;
  readonly seed: string;
  readonly in: StoredInputs;
  /** Verdicts: [activity, outcome, experience, bucket, marks, because]. */
  readonly v: readonly (readonly [string, Outcome, string | null, number | null, string, string | null])[];
  /** Propositions: [id, scope, activity, experience, ids of items]. */
  readonly p: readonly (readonly [string, string, string, string, readonly string[]])[];
  /** All of this as JSON, of one that can say it faster than `JSON.stringify`. */
  readonly json?: string;
}

/**
 * What a decision went by and its event does not hold, so that it can be made again from the log. Whatever is made of these
 * is made by one pure function, which the stage and the replay both call.
 */
export interface StoredInputs {
  /**
   * Sections of persons that were read and there: namespace of the person's id in the event (the request's ECID for `ECID`),
   * name of the section (`profile`, `decision`), and the record that had last changed it ("0:123", its `record`).
   */
  readonly sections?: readonly (readonly [namespace: string, section: string, record: string])[];
  /** The client is a bot: reports count it apart. Absent: it is none. */
  readonly bot?: true;
  /** Facts of the client that the definitions read. */
  readonly client?: JsonObject;
  /** Indexes of the event's identities that select nobody (junk ids, say), and so decide nothing. */
  readonly nobodies?: readonly number[];
  /** `query.personalization` of the request, where the event has none of its own. */
  readonly query?: JsonObject;
  /** Of the request, where the event does not name it. */
  readonly propertyToken?: string;
  /** A preview: activity to the experience that it forced. */
  readonly preview?: Readonly<Record<string, string>>;
}

/**
 * A notification whose token was found to be ours, and this visitor's, when it arrived; it stands in the record of its
 * event, and is what reports count: whoever only reads the log could not tell it from a forged one. The same one may come
 * twice.
 */
export interface StoredNotice {
  /** Index of the event. */
  readonly i: number;
  readonly k: NotificationKind;
  /** What the token says: text of its claims (model/decision-token.ts). */
  readonly t: string;
}
