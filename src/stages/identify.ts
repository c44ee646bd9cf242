import { cookieNamesOf } from '../model/cookie-names.ts';
import type { Exchange, IdentityCookie, IdentitySource, RetryKey } from '../model/exchange.ts';
import { identityMapField } from '../model/field-path.ts';
import { mintEcid } from '../model/identity.ts';
import { decodeIdentityCookie } from '../model/identity-cookie.ts';
import { attachEcid, ecidOf, firstOfEvents, isUsable } from '../model/identity-ecid.ts';
import { importedEcidOf, knownIdsOf, LINKED_IDS_OF_REQUEST_MAX, linkableOf } from '../model/identity-graph.ts';
import { hasForeignCookie, migratedEcid } from '../model/identity-migration.ts';
import { judgeIdentities } from '../model/identity-rules.ts';
import type { JsonObject } from '../model/json.ts';
import type { Stage, StateStore } from '../model/parts.ts';
import { type PersonState, personKey } from '../model/person.ts';
import { requirePrimary } from '../model/primary-identity.ts';
import { Problem } from '../model/problem.ts';
import type { Position } from '../model/record.ts';
import type { IdentityCounts } from '../telemetry/identity-counts.ts';
import type { CookieSeal } from './cookie-seal.ts';
import { withinDeadline } from './deadline.ts';
import type { DuplicateWindow } from './duplicates.ts';
import { type FpidSeeds, type Seeds, takeSeeds } from './fpid.ts';
import { coreOfCookie, isThirdPartyHost, type ThirdPartyHosts } from './third-party-hosts.ts';

export interface IdentityTools {
  readonly fpids: FpidSeeds;
  readonly seal: CookieSeal;
  /** Identity cookies that are not signed name nobody. */
  readonly requireSigned: boolean;
  readonly counts: IdentityCounts;
  readonly thirdParty: ThirdPartyHosts;
  readonly reportQuarantine: (what: JsonObject) => void;
}

/**
 * Whose request is this? The request's ECID is, in order: of its identity map, of its events' identity map, of the
 * identity cookie, of a cookie of the older Visitor API, made of an FPID (of the request's map, an event's, the cookie
 * that the datastream names), of the first copy if this is a retry, else new (where the endpoint mints). Then reads what
 * is known of every person named. Documented order.
 */
export class Identify implements Stage {
  readonly name = 'identify';
  readonly service = null;
  readonly #state: StateStore;
  readonly #duplicates: DuplicateWindow;
  readonly #tools: IdentityTools;

  constructor(state: StateStore, duplicates: DuplicateWindow, tools: IdentityTools) {
    this.#state = state;
    this.#duplicates = duplicates;
    this.#tools = tools;
  }

  run(x: Exchange): undefined | Promise<void> {
    if (x.role === 'server') requirePrimary(x.events, x.path);
    const cookie = this.#cookieOf(x);
    const ofRequest = ecidOf(x.received.identityMap, identityMapField(x.path), x);
    const ofEvents = firstOfEvents(x);
    const received = ofRequest ?? ofEvents;
    if (received !== null) setEcid(x, received, 'received');
    else if (cookie !== null) setEcid(x, cookie.ecid, cookie.source);
    else this.#migrate(x);
    const seeds = takeSeeds(x, this.#tools.fpids);
    return seeds === null ? this.#settle(x, cookie) : this.#plant(x, seeds, cookie);
  }

  /** By cookies of before, else by the one for all sites. */
  #migrate(x: Exchange): void {
    const migrated = migratedEcid(x.client.cookies, x.datastream.orgId);
    const core = coreOfCookie(x, this.#tools.thirdParty);
    if (isUsable(migrated, x)) setEcid(x, migrated, 'received');
    else if (core !== null) setEcid(x, this.#tools.fpids.ecidOfCore(x.datastream.orgId, core), 'third-party');
  }

  /** On a third-party host the id for all sites is made, and the ECID of that. */
  #mint(x: Exchange): void {
    const minted = mintEcid(x.seed);
    if (isThirdPartyHost(x, this.#tools.thirdParty)) {
      x.core = minted;
      setEcid(x, this.#tools.fpids.ecidOfCore(x.datastream.orgId, minted), 'third-party');
    } else setEcid(x, minted, 'random');
  }

  #cookieOf(x: Exchange): IdentityCookie | null {
    const { orgId, cookiePrefix } = x.datastream;
    const { requireSigned, seal, counts } = this.#tools;
    const text = x.client.cookies.get(cookieNamesOf(cookiePrefix).identity);
    if (text === undefined) {
      if (hasForeignCookie(x)) counts.foreign += 1;
      return null;
    }
    const cookie = decodeIdentityCookie(text);
    if (cookie === null || !isUsable(cookie.ecid, x)) return null;
    if (!requireSigned || seal.isSigned(text, orgId)) return cookie;
    counts.unverified += 1;
    return null;
  }

  /** Everything behind the FPIDs: by now the request's ECID is known, or there is none but a new one. */
  #settle(x: Exchange, cookie: IdentityCookie | null): undefined | Promise<void> {
    judgeIdentities(x.events, x.path, x.datastream.identity.rules, x.warnings);
    this.#markDuplicates(x);
    if (x.ecid === null && x.mintsEcid && !namesAnother(x)) this.#mint(x);
    if (cookie !== null && cookie.ecid === x.ecid) x.identityCookie = cookie;
    for (const event of x.events) attachEcid(event, x);
    return this.#readPersons(x);
  }

  /** The ECIDs that FPIDs derive are looked up: where one had another ECID before Weir, it keeps that. */
  #plant(x: Exchange, seeds: Seeds, cookie: IdentityCookie | null): undefined | Promise<void> {
    const derived = [...new Set([seeds.ofRequest, ...seeds.ofEvents])].filter((ecid) => ecid !== null);
    const found = this.#state.getMany(derived.map((ecid) => personKey(x.datastream.orgId, 'FPID', ecid)));
    const go = (persons: readonly (PersonState | null)[]): undefined | Promise<void> => {
      const known = new Map(derived.map((ecid, index) => [ecid, importedEcidOf(persons[index] ?? null) ?? ecid]));
      for (const [index, ecid] of seeds.ofEvents.entries()) {
        if (ecid !== null) x.events[index]!.ecid ??= known.get(ecid)!;
      }
      if (seeds.ofRequest !== null) setEcid(x, known.get(seeds.ofRequest)!, 'fpid');
      return this.#settle(x, cookie);
    };
    if (!(found instanceof Promise)) return go(found);
    return withinDeadline(x, 'state', found).then((persons) => {
      if (persons instanceof Problem) throw persons;
      return go(persons);
    });
  }

  #markDuplicates(x: Exchange): void {
    if (x.retryKey !== null) x.isRetry = this.#isCopy(x, x.retryKey, x.ecid);
    if (x.events.length > 1) markRepeated(x);
    for (const event of x.events) {
      if (event.payloadHash === '' || event.fate === 'duplicate') continue;
      if (this.#isCopy(x, event, event.ecid ?? x.ecid)) event.fate = 'duplicate';
    }
  }

  /** Whether its first copy was taken: then the request waits for that, and has its ECID. `own`: the ECID that it names. */
  #isCopy(x: Exchange, { dedupKey, payloadHash }: RetryKey, own: string | null): boolean {
    const first = this.#duplicates.find(x.datastream.id, dedupKey, payloadHash, x.nowMs);
    if (first === null) return false;
    if (own !== null && first.ecid !== null && own !== first.ecid) return false; // Another visitor's: no copy.
    // collect never takes one event's ECID for the whole request.
    if (x.mintsEcid) x.ecid ??= first.ecid;
    x.position ??= first.position;
    if (first.pending !== null) x.awaiting = x.awaiting === null ? first.pending : both(x.awaiting, first.pending);
    return true;
  }

  #readPersons(x: Exchange): undefined | Promise<void> {
    const keys = keysOf(x);
    if (keys.length === 0) return undefined;
    const found = keys.length === 1 ? this.#state.get(keys[0]!) : this.#state.getMany(keys);
    if (!(found instanceof Promise)) return keep(x, keys, Array.isArray(found) ? found : [found as PersonState | null]);
    return withinDeadline<PersonState | null | readonly (PersonState | null)[]>(x, 'state', found).then((result) => {
      // Without state there is no consent to go by: neither storing nor dropping is right, so the client is to try again.
      if (result instanceof Problem) throw result;
      keep(x, keys, Array.isArray(result) ? result : [result as PersonState | null]);
    });
  }
}

/** An event that stands in one request twice is stored once: its own first copy is not known to the window yet. */
function markRepeated(x: Exchange): void {
  const seen = new Set<string>();
  for (const event of x.events) {
    if (event.payloadHash === '') continue;
    const key = JSON.stringify([event.dedupKey, event.payloadHash, event.ecid]);
    if (seen.has(key)) event.fate = 'duplicate';
    else seen.add(key);
  }
}

function setEcid(x: Exchange, ecid: string, source: IdentitySource): void {
  x.ecid = ecid;
  x.ecidSource = source;
}

function both(first: Promise<Position>, second: Promise<Position>): Promise<Position> {
  const done = Promise.all([first, second]).then(([, position]) => position);
  // A request that fails before it gets to wait leaves this promise to nobody, which would end the process.
  done.catch(() => {});
  return done;
}

function keep(x: Exchange, keys: readonly string[], persons: readonly (PersonState | null)[]): undefined {
  for (let i = 0; i < keys.length; i++) x.persons.set(keys[i]!, persons[i] ?? null);
}

/**
 * Of everybody whom the request is about: the ECIDs, and the ids that events name beside them. One id alone links nobody, and
 * is read for decisions: a server may know a person by no other.
 */
function keysOf({ datastream, ecid, events }: Exchange): readonly string[] {
  const { orgId, identity, decisions } = datastream;
  const own = ecid === null ? null : personKey(orgId, 'ECID', ecid);
  if (events.length <= 1 && own !== null) {
    const event = events[0];
    if (event === undefined || (event.ecid === ecid && event.identities.length < 2)) return [own];
  }
  const keys = new Set<string>(own === null ? [] : [own]);
  for (const event of events) if (event.ecid !== null) keys.add(personKey(orgId, 'ECID', event.ecid));
  const idsOf = decisions === null ? linkableOf : knownIdsOf;
  for (const event of events) {
    if (keys.size >= LINKED_IDS_OF_REQUEST_MAX) break;
    for (const { namespace, id } of idsOf(event, identity.rules)) keys.add(personKey(orgId, namespace, id));
  }
  return [...keys];
}

/** On the server role every event names somebody by an id of their own: that is no new visitor. */
function namesAnother(x: Exchange): boolean {
  return x.role === 'server' && x.events.length > 0;
}
