import { isObject, type Json, type JsonObject, own } from './json.ts';

/** What a client tells of propositions: names of `propositionEventType`, and of event types behind `decisioning.proposition`. */
export const NOTIFICATION_KINDS = [
  'display',
  'interact',
  'dismiss',
  'trigger',
  'suppressDisplay',
  'disqualify',
] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** One event that tells what became of propositions. */
export interface Notification {
  /** Each once. */
  readonly kinds: readonly NotificationKind[];
  readonly propositions: readonly NotifiedProposition[];
}
export interface NotifiedProposition {
  /** `scopeDetails.characteristics.eventToken`; null where there is none. */
  readonly token: string | null;
  /** `scopeDetails.activity.id`: what the client says, signed by nobody; null where there is none. */
  readonly claimedActivityId: string | null;
}

/**
 * Null for an event that notifies of nothing. `propositionEventType` says what happened, any event may carry it (the Web SDK
 * puts displays into page views: observed); without it the event type does. Documented samples have either.
 */
export function notificationOf(xdm: JsonObject): Notification | null {
  const experience = own(xdm, '_experience');
  const decisioning = isObject(experience) ? own(experience, 'decisioning') : undefined;
  if (!isObject(decisioning)) return null;
  const propositions = own(decisioning, 'propositions');
  if (!Array.isArray(propositions)) return null;
  const kinds = kindsOf(own(decisioning, 'propositionEventType'), own(xdm, 'eventType'));
  return kinds.length === 0 ? null : { kinds, propositions: propositions.filter(isDecided).map(propositionOf) };
}

/**
 * For a view that nothing was answered for, the Web SDK makes up a proposition without an id, and tells that it was displayed:
 * that speaks of no decision. Observed.
 */
function isDecided(proposition: Json): boolean {
  if (!isObject(proposition) || own(proposition, 'id') !== undefined) return true;
  const details = own(proposition, 'scopeDetails');
  const isOfView = textAt(details, 'characteristics', 'scopeType') === 'view';
  return !isOfView || textAt(details, 'characteristics', 'eventToken') !== null;
}

function kindsOf(types: Json | undefined, eventType: Json | undefined): readonly NotificationKind[] {
  if (isObject(types)) return NOTIFICATION_KINDS.filter((kind) => isCounted(own(types, kind)));
  return NOTIFICATION_KINDS.filter((kind) => eventType === EVENT_TYPES[kind]);
}

/** `1` as documented; 0 says that it did not happen. */
function isCounted(count: Json | undefined): boolean {
  return typeof count === 'number' && count > 0;
}

const EVENT_TYPES: Readonly<Record<NotificationKind, string>> = {
  display: 'decisioning.propositionDisplay',
  interact: 'decisioning.propositionInteract',
  dismiss: 'decisioning.propositionDismiss',
  trigger: 'decisioning.propositionTrigger',
  suppressDisplay: 'decisioning.propositionSuppressDisplay',
  disqualify: 'decisioning.propositionDisqualify',
};

function propositionOf(proposition: Json): NotifiedProposition {
  const details = isObject(proposition) ? own(proposition, 'scopeDetails') : undefined;
  return {
    token: textAt(details, 'characteristics', 'eventToken'),
    claimedActivityId: textAt(details, 'activity', 'id'),
  };
}

function textAt(details: Json | undefined, part: string, name: string): string | null {
  const holder = isObject(details) ? own(details, part) : undefined;
  const text = isObject(holder) ? own(holder, name) : undefined;
  return typeof text === 'string' ? text : null;
}
