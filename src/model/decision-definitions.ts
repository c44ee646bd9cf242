import type { Requirement } from './consent-gate.ts';
import type { Json, JsonObject } from './json.ts';

/**
 * What the files of a workspace say about one org's decisions: checked and filled in by config, compiled by decisions.
 * Plain data, so that it can be kept beside the log and decided by again later.
 */
export interface DecisionDefinitions {
  readonly orgId: string;
  /** Of everything below: 16 hex digits. Names the configuration in the records of decisions. */
  readonly hash: string;
  /** IANA name: of days in reports, `time` in conditions, and schedules that name none. */
  readonly timeZone: string;
  /** Visitors of the org who see no activity at all, to compare with: percent. */
  readonly holdoutPercent: number;
  /** Client code of Adobe Target, of which `target` buckets are made; '' where no activity has them. */
  readonly targetClient: string;
  readonly audiences: readonly AudienceDefinition[];
  readonly activities: readonly ActivityDefinition[];
  readonly offers: OfferDefinitions;
  readonly pushes: readonly PushDefinition[];
}

/** A named condition: `{"audience": "<id>"}` in others. */
export interface AudienceDefinition {
  readonly id: string;
  readonly name: string;
  readonly when: Json;
  /** Told to clients as a segment of `activation:pull`; null: not told. */
  readonly segment: SegmentDefinition | null;
}

export interface SegmentDefinition {
  readonly destinationId: string;
  readonly alias: string;
  /** Names of profile attributes that authenticated callers are told with it; nobody else is. */
  readonly attributes: readonly string[];
}

/** `activation:push`: what a visitor's browser is to do where `when` holds. The payload is that of the wire. Documented. */
export interface PushDefinition {
  readonly id: string;
  readonly when: Json | null;
  readonly payload: JsonObject;
  readonly requires: Requirement;
}

export interface ActivityDefinition {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  /** `ab`: by weight. `targeted`: the first experience whose `when` holds. */
  readonly kind: 'ab' | 'targeted';
  /** `TGT` for scopes and views, `AJO` for surfaces: as clients expect it. */
  readonly provider: 'TGT' | 'AJO';
  /** Ids of datastreams that it runs in; null: all of the org. */
  readonly datastreams: readonly string[] | null;
  /** Only requests with this property token; null: every request. */
  readonly propertyToken: string | null;
  /** Unix epoch, milliseconds; null: no bound. The end does not belong to it. */
  readonly startMs: number | null;
  readonly endMs: number | null;
  /** 0 to 999. Where two activities have content for one place, the higher one wins; at the same priority, the smaller id. */
  readonly priority: number;
  /** Of the activities of one group a visitor is in at most one. */
  readonly exclusionGroup: string | null;
  readonly when: Json | null;
  /** Of those who qualify, how many take part: percent. The others see nothing of it. */
  readonly trafficPercent: number;
  /** Of those who take part, how many see nothing, to compare with: percent. */
  readonly holdoutPercent: number;
  /** `target`: buckets as Adobe Target's on-device engine has them. `weir`: moves fewer visitors where weights change. */
  readonly bucketing: 'weir' | 'target';
  /** Namespace of the identity that decides the bucket. `ECID`: the device. Where an event has no such id, the device's. */
  readonly bucketBy: string;
  readonly requires: Requirement;
  readonly caps: readonly CapDefinition[];
  readonly experiences: readonly ExperienceDefinition[];
  readonly goals: readonly GoalDefinition[];
}

/** At most `max` displays to a visitor within `periodMs`; null: ever. */
export interface CapDefinition {
  readonly max: number;
  readonly periodMs: number | null;
}

export interface ExperienceDefinition {
  readonly id: string;
  readonly name: string;
  /** Of an `ab` activity: its share of the sum of all. */
  readonly weight: number;
  /** Of a `targeted` activity; null: everybody. */
  readonly when: Json | null;
  readonly items: readonly ItemDefinition[];
}

/** Where content belongs. `view`: of a single-page application (`scopeType: "view"`). `surface`: a URI, `*` for any part. */
export interface Place {
  readonly kind: 'scope' | 'view' | 'surface';
  /** As requests name it: "hero", "__view__", "web://shop.example/#hero". */
  readonly name: string;
}

export interface ItemDefinition {
  readonly id: string;
  readonly place: Place;
  /** Whole, as on the wire: "https://ns.adobe.com/personalization/html-content-item". */
  readonly schema: string;
  /** As on the wire; texts may hold templates: `{{profile.name}}`, HTML-escaped where `data.format` is text/html. Null: none. */
  readonly data: JsonObject | null;
  /** Response tokens for the item's `meta`: name to text, with templates. */
  readonly meta: Readonly<Record<string, string>>;
  /** Of messages and cards: smaller comes first; null: by the activity's priority. */
  readonly rank: number | null;
  /** What clicks on it are reported as (`characteristics.trackingLabel`). */
  readonly trackingLabel?: string;
}

/** A condition over later events; credited to what was displayed before, within `windowMs`. */
export interface GoalDefinition {
  readonly id: string;
  readonly name: string;
  readonly when: Json;
  readonly windowMs: number;
  /** `visitor`: each visitor once. `total`: every event. `sum`: of the number at `value`. */
  readonly count: 'visitor' | 'total' | 'sum';
  /** Dotted path into the facts, "xdm.commerce.order.priceTotal"; null unless `sum`. */
  readonly value: string | null;
}

export interface OfferDefinitions {
  readonly placements: readonly PlacementDefinition[];
  readonly offers: readonly OfferDefinition[];
  /** An offer decision: which offers may stand in which placement. Requests name it by base64 of {activityId, placementId}. */
  readonly decisions: readonly OfferDecisionDefinition[];
}
export interface PlacementDefinition {
  readonly id: string;
  readonly name: string;
  /** `…/experience/offer-management/content-component-{html,json,text,imagelink}`, whole. */
  readonly component: string;
}
export interface OfferDefinition {
  readonly id: string;
  readonly name: string;
  readonly priority: number;
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly when: Json | null;
  readonly caps: readonly CapDefinition[];
  /** By placement id: `format`, `language`, `content` or `deliveryURL`, `characteristics`. */
  readonly content: Readonly<Record<string, JsonObject>>;
}
export interface OfferDecisionDefinition {
  readonly id: string;
  readonly name: string;
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly placements: readonly {
    readonly placementId: string;
    readonly offers: readonly string[];
    /** Where no offer is left; null: nothing. */
    readonly fallback: string | null;
  }[];
}
