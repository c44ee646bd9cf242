import { changeWithoutErased, type IsErased } from './erasure.ts';
import { identitiesOf } from './identity.ts';
import { decodeIdentityCookie } from './identity-cookie.ts';
import { isObject, type JsonObject, valueAt } from './json.ts';
import { type Change, personKey } from './person.ts';
import { type LogRecord, requestOf, type StoredEvent } from './record.ts';
import { reduced } from './record-reduction.ts';

/**
 * A record as it is shown, and rewritten, when persons are erased: the same object where it has nothing of theirs. An event
 * is a person's if it names one of their ids, or is of a request that is theirs: whose ECID, or an id of whose identity map,
 * is one of them. The other events of a batch stay. Of changes go those that are about the person, and links to them.
 */
export function withoutErased(record: LogRecord, isErased: IsErased): LogRecord {
  const { orgId, ecid } = record;
  const isGone = (namespace: string, id: string): boolean => isErased(personKey(orgId, namespace, id));
  const request = requestOf(record);
  const isRequesterGone =
    (ecid !== null && isGone('ECID', ecid)) ||
    identitiesOf({ identityMap: request?.identityMap ?? null }).some(({ namespace, id }) => isGone(namespace, id));
  const events = record.events.filter((event) => {
    if (event.identities.some(({ namespace, id }) => isGone(namespace, id))) return false;
    return !isRequesterGone || !isOfRequester(event, ecid);
  });
  const changes = changesWithoutErased(record.changes, isErased);
  const isWhole = events.length === record.events.length && changes === record.changes && !isRequesterGone;
  if (isWhole && !hasOthers(request, isGone) && !hasCookieOf(request?.meta ?? record.meta, isGone)) return record;
  return reduced(record, { events, changes, isRequesterGone });
}

/** A body may hold events beside those that were stored, duplicates of other records. */
function hasOthers(request: ReturnType<typeof requestOf>, isGone: (namespace: string, id: string) => boolean): boolean {
  if (request === null) return false;
  return request.events.some(({ xdm }) => identitiesOf(xdm).some(({ namespace, id }) => isGone(namespace, id)));
}

function isOfRequester({ identities }: StoredEvent, ecid: string | null): boolean {
  const own = identities.find(({ namespace }) => namespace === 'ECID');
  return own === undefined || own.id === ecid;
}

function changesWithoutErased(changes: readonly Change[], isErased: IsErased): readonly Change[] {
  let isSame = true;
  const left: Change[] = [];
  for (const change of changes) {
    const kept = changeWithoutErased(change, isErased);
    if (kept !== change) isSame = false;
    if (kept !== null) left.push(kept);
  }
  return isSame ? changes : left;
}

const ECID_IN_TEXT = /[0-9]{38}/g;

/** Whether a cookie that the request passed on (`meta.state.entries`) names somebody who is gone. */
function hasCookieOf(meta: JsonObject, isGone: (namespace: string, id: string) => boolean): boolean {
  const entries = valueAt(meta, 'state', 'entries');
  if (!Array.isArray(entries)) return false;
  return entries.some((entry) => {
    const value = isObject(entry) ? entry['value'] : undefined;
    if (typeof value !== 'string') return false;
    const ecid = decodeIdentityCookie(value)?.ecid;
    if (ecid !== undefined && isGone('ECID', ecid)) return true;
    return (value.match(ECID_IN_TEXT) ?? []).some((digits) => isGone('ECID', digits));
  });
}
