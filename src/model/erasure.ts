import type { JsonObject } from './json.ts';
import type { Change } from './person.ts';

/**
 * That a person is erased, as the log says it: a change of kind `erasure`. It names nobody: `digests` are of the keys
 * (`personKey`) of every id that is the person's, under a key of the installation. Whatever stands before it in the log and
 * belongs to one of these ids is shown to nobody, and rewritten; what comes behind it is a stranger's.
 */
export interface Erasure {
  /** 16 hex digits, at random. */
  readonly id: string;
  readonly orgId: string;
  /** Unix epoch, milliseconds. */
  readonly atMs: number;
  /** The first is of the id that was asked for. */
  readonly digests: readonly string[];
}

/** HMAC-SHA-256 of a person's key under the installation's key, the first 128 bits in hex. */
export type Digest = (key: string) => string;

/** Whether the person with this key is one of those erased. */
export type IsErased = (key: string) => boolean;

export function erasureChange({ id, orgId, atMs, digests }: Erasure, time: string): Change {
  return { kind: 'erasure', key: id, time, body: { orgId, atMs, digests: [...digests] } };
}

export function erasureOf({ key, body }: Change): Erasure {
  const { orgId, atMs, digests } = body as { orgId: string; atMs: number; digests: string[] };
  return { id: key, orgId, atMs, digests };
}

export function isErasure({ kind }: Change): boolean {
  return kind === 'erasure';
}

/** Of one of several sets of digests. A key is hashed once, however many sets there are. */
export function isErasedBy(sets: readonly ReadonlySet<string>[], digest: Digest): IsErased {
  return (key) => {
    const hashed = digest(key);
    return sets.some((set) => set.has(hashed));
  };
}

/** The same change without what it says of persons who are erased; null where it is about one of them. */
export function changeWithoutErased(change: Change, isErased: IsErased): Change | null {
  if (change.kind === 'erasure') return change;
  if (isErased(change.key)) return null;
  if (change.kind !== 'identity') return change;
  const body = identityWithoutErased(change.body, change.key, isErased);
  return body === null ? null : body === change.body ? change : { ...change, body };
}

/**
 * What is known of an id, or news of it (model/identity-graph.ts), without the ids that are erased: in both forms `links`
 * are lists that begin with namespace and id. Null where it only says which ECID, an erased one, the id stands for.
 */
export function identityWithoutErased(identity: JsonObject, key: string, isErased: IsErased): JsonObject | null {
  const org = key.slice(0, key.indexOf('|') + 1);
  const isGone = (namespace: string, id: string): boolean => isErased(`${org}${keyPart(namespace)}|${id}`);
  let next = identity;
  const { ecid, core, links } = identity;
  if (typeof ecid === 'string' && isGone('ECID', ecid)) return null;
  if (typeof core === 'string' && isGone('CORE', core)) {
    next = { ...next };
    delete next['core'];
  }
  if (!Array.isArray(links)) return next;
  const kept = links.filter((link) => !isGone(String((link as string[])[0]), String((link as string[])[1])));
  return kept.length === links.length ? next : { ...next, links: kept };
}

/** As in `personKey`. */
function keyPart(text: string): string {
  return text.includes('|') || text.includes('%') ? text.replaceAll('%', '%25').replaceAll('|', '%7C') : text;
}
