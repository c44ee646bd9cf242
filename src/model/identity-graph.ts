import type { EdgeEvent, Identity } from './exchange.ts';
import { faultOf, type IdentityRules } from './identity-rules.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import type { Change, PersonState } from './person.ts';

/**
 * Which ids were seen together, as state: each id has a list of the others that stood beside it in an event. Nothing is
 * concluded from a chain of links (a shared device would make one person of a household), so a link is only ever between two
 * ids that one event named. Section `identity` of an id's state: `{links, quarantinedMs?, ecid?, core?}`. Chosen.
 */

/** Namespace, id, its authenticated state when last seen, when first seen and last (Unix epoch, milliseconds). */
export type Link = readonly [
  namespace: string,
  id: string,
  authenticatedState: Identity['authenticatedState'],
  firstMs: number,
  lastMs: number,
];

/** What a change of kind `identity` says. */
export interface IdentityNews {
  /** Ids that were seen with this one. */
  readonly links?: readonly (readonly [string, string, Identity['authenticatedState']])[];
  /** The id joins too many devices to be one person's: it is nobody's from here on, and forgets its links. */
  readonly quarantine?: true;
  /** Of an FPID (known by the ECID that it derives): the ECID that it had before Weir. */
  readonly ecid?: string;
  /** Of an ECID: the visitor's id for all sites. */
  readonly core?: string;
}

/** Few persons have so many ids; an id that is seen with more keeps the newest. 64 links are some 6 KB of state. */
export const LINKS_MAX = 64;
/** An event that names more is a list of contacts, not one person. The first of each namespace count, in the event's order. */
export const LINKED_IDS_MAX = 8;
/**
 * Of one request: a body of 64 KB that holds nothing else names 3,000, and linking them all would hold up other requests for
 * 30 ms. The events behind are stored without links. Chosen.
 */
export const LINKED_IDS_OF_REQUEST_MAX = 1_000;
/** State is no place for texts: ids are at most as long as e-mail addresses. RFC 5321. */
export const LINKED_ID_CHARACTERS_MAX = 254;
/** A person has fewer; an id that meets more is a default of a form, or an account that many share. It stays below LINKS_MAX, by which it is counted. */
export const DEVICES_A_DAY_MAX = 50;
/** So long an id that met too many devices links nothing; whoever went on using it by mistake has mended that by then. */
export const QUARANTINE_MS = 30 * 24 * 60 * 60 * 1000;
/** A link that goes on is written anew once a day, so that `lastMs` is right to the day. */
export const LINK_REFRESH_MS = 24 * 60 * 60 * 1000;

/**
 * The ids of an event that stand for somebody: the first of each namespace, since two are two persons, and behind one who has
 * logged out the one who has not.
 */
export function knownIdsOf({ identities }: EdgeEvent, rules: IdentityRules): readonly Identity[] {
  const ids: Identity[] = [];
  for (const identity of identities) {
    if (identity.id.length > LINKED_ID_CHARACTERS_MAX || faultOf(identity, rules) !== null) continue;
    if (ids.some((one) => one.namespace === identity.namespace && (!isLoggedOut(one) || isLoggedOut(identity))))
      continue;
    ids.push(identity);
    if (ids.length === LINKED_IDS_MAX) break;
  }
  return ids;
}

/** Those that may be linked with each other: two at least, else none. Whoever has logged out is no longer the one who uses the device. */
export function linkableOf(event: EdgeEvent, rules: IdentityRules): readonly Identity[] {
  if (event.identities.length < 2) return NONE;
  const linkable = knownIdsOf(event, rules).filter((identity) => !isLoggedOut(identity));
  return linkable.length < 2 ? NONE : linkable;
}

function isLoggedOut({ authenticatedState }: Identity): boolean {
  return authenticatedState === 'loggedOut';
}
const NONE: readonly Identity[] = Object.freeze([]);

export function linksOf(person: PersonState | null): readonly Link[] {
  const links = identityOf(person)?.['links'];
  return Array.isArray(links) ? (links as unknown as readonly Link[]) : [];
}

/** Since when an id is quarantined; null where it is not, or no longer. */
export function quarantinedMsOf(person: PersonState | null, nowMs: number): number | null {
  return quarantineIn(identityOf(person), nowMs);
}

function quarantineIn(section: JsonObject | null, nowMs: number): number | null {
  const since = section?.['quarantinedMs'];
  return typeof since === 'number' && nowMs - since < QUARANTINE_MS ? since : null;
}

/** Of the state of an FPID: see `IdentityNews.ecid`. */
export function importedEcidOf(person: PersonState | null): string | null {
  const ecid = identityOf(person)?.['ecid'];
  return typeof ecid === 'string' ? ecid : null;
}

/** Of the state of an ECID: see `IdentityNews.core`. */
export function coreOf(person: PersonState | null): string | null {
  const core = identityOf(person)?.['core'];
  return typeof core === 'string' ? core : null;
}

function identityOf(person: PersonState | null): JsonObject | null {
  const section = person?.body['identity'];
  return isObject(section) ? section : null;
}

/** Links with one more, or one seen again, at its end; the oldest gives way. A login once seen stays one. */
export function withLink(
  links: readonly Link[],
  [namespace, id, state]: readonly [string, string, Identity['authenticatedState']],
  atMs: number,
): readonly Link[] {
  const known = links.find((link) => link[0] === namespace && link[1] === id);
  const link: Link =
    known === undefined
      ? [namespace, id, state, atMs, atMs]
      : [namespace, id, known[2] === 'authenticated' ? known[2] : state, known[3], Math.max(known[4], atMs)];
  return [...links.filter((one) => one !== known), link].slice(-LINKS_MAX);
}

/** The section `identity` after a change: news are added, whatever their time, because links of two servers are both true. */
export function applyIdentity(section: JsonObject | undefined, change: Change): JsonObject {
  const { links: added, quarantine, ecid, core } = change.body as unknown as IdentityNews;
  const atMs = Number.parseInt(change.time.slice(0, 12), 16);
  const next: JsonObject = { ...section };
  if (quarantine === true) {
    next['links'] = [];
    next['quarantinedMs'] = atMs;
  } else if (added !== undefined && quarantineIn(next, atMs) === null) {
    delete next['quarantinedMs'];
    let links = (section?.['links'] ?? []) as unknown as readonly Link[];
    for (const one of added) links = withLink(links, one, atMs);
    next['links'] = links as unknown as Json;
  }
  if (ecid !== undefined) next['ecid'] = ecid;
  if (core !== undefined) next['core'] = core;
  return next;
}
