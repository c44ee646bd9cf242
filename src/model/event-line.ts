import type { Stored, StoredEvent } from './record.ts';

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
  };
}

function ecidOf(event: StoredEvent): string | undefined {
  return event.identities.find((identity) => identity.namespace === 'ECID')?.id;
}
