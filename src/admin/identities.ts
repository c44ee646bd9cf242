import type { Datastream } from '../model/datastream.ts';
import { type Link, linksOf, quarantinedMsOf } from '../model/identity-graph.ts';
import type { JsonObject } from '../model/json.ts';
import { type PersonState, personKey } from '../model/person.ts';

/** Reads the state of a person by key. */
export type ReadPerson = (key: string) => PersonState | null | Promise<PersonState | null>;

/**
 * What is known of one id in the org of a datastream; null where it was never seen with another. `person`: of a device, whom
 * it belongs to now: the person who was seen logged in on it last. Times as of the day: see LINK_REFRESH_MS.
 */
export async function describeIdentity(
  { orgId, identity }: Datastream,
  namespace: string,
  id: string,
  read: ReadPerson,
  nowMs: number,
): Promise<JsonObject | null> {
  const { namespaces } = identity.rules;
  const state = await read(personKey(orgId, namespace, id));
  if (state?.body['identity'] === undefined || !namespaces.has(namespace)) return null;
  const quarantine = async (one: Link): Promise<number | null> =>
    quarantinedMsOf(await read(personKey(orgId, one[0], one[1])), nowMs);
  const links: JsonObject[] = [];
  let owner: Link | null = null;
  for (const one of linksOf(state)) {
    const isQuarantined = (await quarantine(one)) !== null;
    const kind = namespaces.get(one[0])?.kind ?? null;
    if (kind === 'person' && one[2] === 'authenticated' && !isQuarantined && (owner === null || one[4] >= owner[4])) {
      owner = one;
    }
    const [firstSeen, lastSeen] = [one[3], one[4]].map((ms) => new Date(ms).toISOString()) as [string, string];
    links.push({ namespace: one[0], id: one[1], kind, authenticatedState: one[2], firstSeen, lastSeen, isQuarantined });
  }
  const since = quarantinedMsOf(state, nowMs);
  // Its links were to persons who are erased, or it only has an id for all sites.
  if (links.length === 0 && since === null) return null;
  const isDevice = namespaces.get(namespace)?.kind === 'device';
  return {
    org: orgId,
    namespace,
    id,
    quarantinedAt: since === null ? null : new Date(since).toISOString(),
    person: isDevice && owner !== null ? { namespace: owner[0], id: owner[1] } : null,
    links: links.reverse(),
  };
}
