import type { StoredNotice } from './decision.ts';
import { claimsOf } from './decision-token.ts';
import type { LogRecord, Stored, StoredEvent } from './record.ts';

/** An event as `weir events` prints it, and as an export has it. */
export function eventLine({ position, record }: Stored, event: StoredEvent) {
  return {
    position: `${position.partition}:${position.offset}`,
    id: event.id,
    datastreamId: record.datastreamId,
    orgId: record.orgId,
    requestId: record.requestId,
    eventIndex: event.index,
    receivedAt: new Date(record.atMs).toISOString(),
    occurredAt: new Date(event.occurredAtMs).toISOString(),
    occurredAtFrom: event.occurredAtFrom,
    ecid: ecidOf(event) ?? record.ecid,
    consent: event.consent,
    xdm: event.xdm,
    data: event.data,
    query: event.query,
    meta: event.meta,
    configOverrides: record.meta['configOverrides'] ?? null,
    decision: decisionOf(record, event),
    notices: (record.notices ?? []).filter(({ i }) => i === event.index).map(noticeOf),
  };
}

/** What was decided for the event; null: nothing. What it went by is told by `weir explain`. */
function decisionOf({ decisions }: LogRecord, { index }: StoredEvent) {
  const decision = decisions?.find(({ i }) => i === index);
  if (decision === undefined) return null;
  return {
    definitions: decision.h,
    outcomes: decision.v.map(([activity, outcome, experience, , , because]) => ({
      activity,
      outcome,
      experience,
      because,
    })),
    propositions: decision.p.map(([id, scope, activity, experience, items]) => ({
      id,
      scope,
      activity,
      experience,
      items,
    })),
  };
}

/** What the event tells of a decision that was made before, by a token that was found true. */
function noticeOf({ k: kind, t }: StoredNotice) {
  const claims = claimsOf(t);
  if (claims === null) return { kind };
  const { requestId, eventIndex, activityId: activity, experienceId: experience, scope, isPreview, isBot } = claims;
  const decidedAt = new Date(claims.atSeconds * 1000).toISOString();
  return { kind, activity, experience, scope, requestId, eventIndex, decidedAt, isPreview, isBot };
}

function ecidOf(event: StoredEvent): string | undefined {
  return event.identities.find((identity) => identity.namespace === 'ECID')?.id;
}
